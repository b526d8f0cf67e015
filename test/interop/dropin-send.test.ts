/** -c, -u, -x, -f, -m and -d of the drop-in, beside csync2's own, as client and as daemon. */

import { chmodSync, lchownSync, mkdirSync, symlinkSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compareTwins } from '../dropin/twins.js';
import type { Twin } from '../dropin/twins.js';

const TWO = { block: '127.31.20', hosts: 2 };

function plant(twin: Twin): void {
  const [here = ''] = twin.trees;
  chmodSync(here, 0o755);
  chmodSync(twin.trees[1] ?? '', 0o755);
  twin.put(0, 'file', 'content\n');
  twin.put(0, 'empty', '');
  twin.put(0, 'with space', 'x');
  twin.put(0, 'b\xff\xe4\n%', 'bytes');
  twin.put(0, 'deep/er/still', 'deep', 1_600_000_000, 0o600);
  symlinkSync('file', `${here}/link`);
  lchownSync(`${here}/link`, 12, 34);
  mkdirSync(`${here}/private`, { mode: 0o700 });
}

describe('sending', () => {
  it('checks, sends, and finds nothing left', async () => {
    await compareTwins(TWO, async (twin) => {
      plant(twin);
      await twin.run(0, '-cr', '/');
      await twin.run(0, '-M');
      await twin.run(0, '-L');
      await twin.run(0, '-u');
      await twin.note();
      await twin.run(0, '-xr', '/');
      await twin.run(0, '-M');
      await twin.run(0, '-T');
      await twin.run(1, '-L');
      await twin.run(1, '-cr');
      await twin.run(1, '-M');
    });
  });

  it('sends changes and removals', async () => {
    await compareTwins(TWO, async (twin) => {
      plant(twin);
      await twin.run(0, '-x');
      twin.put(0, 'file', 'another content\n', 1_700_000_100);
      twin.put(0, 'new', 'new');
      chmodSync(`${twin.trees[0] ?? ''}/empty`, 0o755);
      twin.remove(0, 'deep');
      twin.remove(0, 'link');
      await twin.run(0, '-xd');
      await twin.run(0, '-x');
      await twin.note();
      await twin.run(0, '-M');
      await twin.run(0, '-TT');
    });
  });

  it('takes file arguments, joined flags, and options behind them', async () => {
    await compareTwins(TWO, async (twin) => {
      plant(twin);
      await twin.run(0, 'file', '-cv');
      await twin.run(0, '-M');
      await twin.run(0, '-crvv', 'deep/');
      await twin.run(0, '-M');
      await twin.run(0, '-cIr', '.');
      await twin.run(0, '-M');
      await twin.run(0, '-L');
      await twin.run(0, '-mv', 'empty', 'nosuch', '/not/in/any/group');
      await twin.run(0, '-M');
      await twin.run(0, '-frv', './deep/../deep');
      await twin.run(0, '-M');
      await twin.run(0, '-ud');
      await twin.run(0, '-P', twin.names[1] ?? '', '-u');
      await twin.run(0, '-M');
    });
  });

  it('works through hints', async () => {
    await compareTwins(TWO, async (twin) => {
      plant(twin);
      await twin.run(0, '-h', 'file', 'nosuch');
      await twin.run(0, '-hr', 'deep');
      await twin.run(0, '-H');
      await twin.run(0, '-c');
      await twin.run(0, '-H');
      await twin.run(0, '-M');
      await twin.run(0, '-cu');
      await twin.run(0, '-M');
    });
  });

  it('sends over TLS, and to several peers', async () => {
    await compareTwins({ block: '127.31.21', hosts: 3, tls: true }, async (twin) => {
      plant(twin);
      chmodSync(twin.trees[2] ?? '', 0o755);
      await twin.run(0, '-xv');
      await twin.run(0, '-M');
      await twin.run(0, '-T');
    });
  });

  it('keeps what an unreachable peer has to get', async () => {
    await compareTwins({ ...TWO, listen: [] }, async (twin) => {
      plant(twin);
      expect((await twin.run(0, '-x')).status).toBe(1);
      await twin.run(0, '-M');
      expect((await twin.run(0, '-T')).status).toBe(1);
      await twin.listen(1);
      await twin.run(0, '-u');
      await twin.run(0, '-M');
    });
  });
});
