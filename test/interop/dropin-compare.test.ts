/** -T, -TT, -TI, -TIX and -TIXU of the drop-in, beside csync2's own, as client and as daemon. */

import { chmodSync } from 'node:fs';
import { describe, it } from 'vitest';
import { compareTwins } from '../dropin/twins.js';
import type { Twin } from '../dropin/twins.js';

const TWO = { block: '127.31.24', hosts: 2 };

/** Both hosts know the same files, and then change some, each on its own. */
async function drift(twin: Twin): Promise<void> {
  for (const host of [0, 1]) {
    chmodSync(twin.trees[host] ?? '', 0o755);
    twin.put(host, 'same', 'same\n');
    twin.put(host, 'content', host === 0 ? 'one\ntwo\nthree\n' : 'one\n2\nthree', 1_700_000_000 + host);
    twin.put(host, 'times', 'times\n', 1_700_000_000 + host);
    twin.put(host, 'mode', 'mode\n', 1_700_000_000, host === 0 ? 0o600 : 0o644);
    twin.put(host, 'binary', `\0${host}`, 1_700_000_000 + host);
    twin.put(host, `only ${host}`, 'lonely\n');

    await twin.quiet(host, '-cIr', '/');
  }
}

describe('comparing', () => {
  it('finds what differs, by file, pair and everything', async () => {
    await compareTwins(TWO, async (twin) => {
      await drift(twin);
      const [me = '', peer = ''] = twin.names;
      await twin.run(0, '-T');
      await twin.run(0, '-Tv', 'content');
      await twin.run(0, '-T', 'same');
      await twin.run(0, '-T', '/not/in/any/group');
      await twin.run(0, '-T', me, peer);
      await twin.run(0, '-T', me, peer, 'times');
      await twin.run(0, '-T', me, peer, 'same');
      await twin.run(0, '-T', peer, me);
      await twin.run(0, '-S', me, peer);
      await twin.run(0, '-S', me, 'nobody');
      await twin.run(0, '-M');
    });
  });

  it('prints unified diffs', async () => {
    await compareTwins(TWO, async (twin) => {
      await drift(twin);
      const [me = '', peer = ''] = twin.names;
      await twin.run(0, '-TT');
      await twin.run(0, '-TT', 'content');
      await twin.run(0, '-TT', 'same');
      await twin.run(0, '-TT', me, peer);
      await twin.run(0, '-TT', me, peer, 'binary');
      await twin.run(0, '-TT', me, peer, '/not/in/any/group');
      await twin.run(0, '-TT', me, 'nobody', 'same');
    });
  });

  it('marks what differs', async () => {
    await compareTwins(TWO, async (twin) => {
      await drift(twin);
      await twin.run(0, '-TI', 'mode');
      await twin.run(0, '-M');
      await twin.run(0, '-TI');
      await twin.run(0, '-M');
      await twin.run(0, '-TIX');
      await twin.run(0, '-M');
      await twin.run(0, '-u');
      await twin.run(0, '-T');
    });
  });

  it('marks for one peer alone', async () => {
    await compareTwins({ block: '127.31.25', hosts: 3 }, async (twin) => {
      await drift(twin);
      const [me = '', , third = ''] = twin.names;
      await twin.run(0, '-TIU', me, third);
      await twin.run(0, '-M');
      await twin.run(0, '-TIXU');
      await twin.run(0, '-M');
    });
  });

  it('does so over TLS too', async () => {
    await compareTwins({ block: '127.31.27', hosts: 2, tls: true }, async (twin) => {
      await drift(twin);
      const [me = '', peer = ''] = twin.names;
      await twin.run(0, '-T');
      await twin.run(0, '-T', me, peer, 'times');
      await twin.run(0, '-TT');
      await twin.run(0, '-TT', me, peer, 'content');
      await twin.run(0, '-TI', 'mode');
      await twin.run(0, '-M');
      await twin.run(0, '-TIX');
      await twin.run(0, '-M');
      await twin.run(0, '-TIXU', me, peer);
      await twin.run(0, '-M');
    });
  });
});
