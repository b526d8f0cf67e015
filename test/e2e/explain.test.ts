/** `csx explain`: each verdict, with the statement that decides and where it stands. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { put } from '../support/cluster.js';
import { expectDescribed } from '../support/described.js';
import { runCsx } from '../support/csx.js';
import type { CsxResult } from '../support/csx.js';

describe('csx explain', () => {
  let root: string;
  const csx = (...args: string[]): Promise<CsxResult> =>
    runCsx([...args, '-N', '127.32.5.1', '-D', path.join(root, 'db')], {
      env: { CSYNC2_SYSTEM_DIR: path.join(root, 'etc') },
      cwd: root,
    });

  beforeAll(() => {
    root = mkdtempSync(path.join(tmpdir(), 'csx-explain-'));
    mkdirSync(path.join(root, 'etc'));
    mkdirSync(path.join(root, 'db'));
    writeFileSync(path.join(root, 'etc/secret.key'), `${'s'.repeat(64)}\n`, { mode: 0o600 });
    writeFileSync(
      path.join(root, 'etc/csync2.cfg'),
      `nossl * *;
prefix t { on *: ${root}/tree; }
group web {
  host 127.32.5.1 127.32.5.2;
  key secret.key;
  include %t%;
  exclude *.bak;
  include %t%/keep/*.bak;
  include need.bak;
  exclude %t%/out;
  auto younger;
  action { pattern %t%/*; exec "reload %%"; do-local; }
}
`,
    );
    put(`${root}/tree/a`, 'a');
    put(`${root}/tree/a.bak`, 'a');
  });
  afterAll(() => {
    rmSync(root, { recursive: true, force: true });
  });

  it('says what takes a new file in, and who would get it', async () => {
    const told = await csx('explain', 'tree/a');
    expect(told).toMatchObject({ status: 0, stderr: '' });
    const text = told.stdout.replaceAll(/\s+/g, ' ');
    expect(text).toMatch(
      /^tree\/a: dirty\. It is not as the database knows it \(new\); .* sends it to 127\.32\.5\.2\./,
    );
    expect(text).toContain(`=> include %t% decides (${root}/etc/csync2.cfg:6)`);
    expect(text).toContain(`exclude *.bak does not match (last component) (${root}/etc/csync2.cfg:7)`);
    expect(text).toContain('key secret.key, auto younger');
    expect(text).toContain(`reload %% on peers and here (${root}/etc/csync2.cfg:12)`);
    expect(told.stdout).not.toContain('ssss');
    for (const line of told.stdout.split('\n')) if (!line.includes(root)) expect(line.length).toBeLessThanOrEqual(80);
  });

  it('says which statement leaves a file out', async () => {
    const told = await csx('explain', '%t%/a.bak', '--json');
    expectDescribed('explain', JSON.parse(told.stdout));
    expect(JSON.parse(told.stdout)).toMatchObject({
      verdict: 'outside',
      because: `exclude *.bak (${root}/etc/csync2.cfg:7) leaves it out of group web.`,
      states: [],
      peers: [],
    });
    const text = (await csx('explain', '%t%/a.bak')).stdout.replaceAll(/\s+/g, ' ');
    expect(text).toContain('+ include %t% matches, but an exclude decides (');
    expect(text).toContain('=> exclude *.bak decides (last component) (');
    expect((await csx('explain', '/etc/hosts')).stdout).toContain('outside. No include statement');
  });

  it('names one statement that decided, in each group that speaks of the file', async () => {
    const decided = async (name: string): Promise<readonly string[]> => {
      const told = JSON.parse((await csx('explain', `%t%/${name}`, '--json')).stdout) as {
        groups: { tried: { pattern: string; kind: string; counts: boolean; decides: boolean; line: number }[] }[];
      };
      return told.groups[0]!.tried.flatMap(({ kind, pattern, counts, decides }) =>
        counts ? [`${kind} ${pattern}${decides ? ' decides' : ''}`] : [],
      );
    };
    expect(await decided('a')).toEqual(['include %t% decides']);
    expect(await decided('a.bak')).toEqual(['include %t%', 'exclude *.bak decides']);
    // The name is left out whatever the path says.
    expect(await decided('keep/a.bak')).toEqual(['exclude *.bak decides', 'include %t%/keep/*.bak']);
    // Taken back in by a later pattern of the same sort, and left out by its path.
    expect(await decided('need.bak')).toEqual(['include %t%', 'include need.bak decides']);
    expect(await decided('out/need.bak')).toEqual(['include need.bak', 'exclude %t%/out decides']);
    const text = (await csx('explain', '%t%/need.bak')).stdout.replaceAll(/\s+/g, ' ');
    expect(text).toContain('+ include %t% matches too (');
    expect(text).toContain('+ exclude *.bak matches, overruled by a later one (last component) (');
    expect(text).toContain('=> include need.bak decides (last component) (');
  });

  it('tells dirty from clean, and what cannot be a path', async () => {
    expect((await csx('scan')).status).toBe(0);
    const marked = JSON.parse((await csx('explain', 'tree/a', '--json')).stdout);
    expect(marked).toMatchObject({
      verdict: 'dirty',
      states: [{ drift: null }],
      peers: [{ marked: { forced: false } }],
    });
    expect((await csx('scan', '--init')).status).toBe(0);
    put(`${root}/tree/b`, 'b');
    expect((await csx('scan', '--init')).status).toBe(0);
    expect(JSON.parse((await csx('explain', 'tree/b', '--json')).stdout)).toMatchObject({ verdict: 'clean' });
    writeFileSync(`${root}/tree/b`, 'longer');
    expect(JSON.parse((await csx('explain', 'tree/b', '--json')).stdout)).toMatchObject({
      verdict: 'dirty',
      states: [{ drift: 'content' }],
    });
    rmSync(`${root}/tree/b`);
    expect(JSON.parse((await csx('explain', 'tree/b', '--json')).stdout)).toMatchObject({
      verdict: 'dirty',
      states: [{ here: 'absent', drift: 'removed' }],
    });
    expect((await csx('explain', '')).status).toBe(1);
  });
});
