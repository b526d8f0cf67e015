/** Conflicts with the real csync2 on the other end: each kind, settled by each choice, from both sides' point of view afterwards. */

import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { put, startCluster } from '../support/cluster.js';
import type { Cluster } from '../support/cluster.js';
import { expectDescribed } from '../support/described.js';
import { readTree } from '../support/tree.js';

describe('conflicts of csx with a csync2 peer', () => {
  let cluster: Cluster;
  let here: string;
  let there: string;

  beforeAll(async () => {
    cluster = await startCluster({ block: '127.32.1', peers: 1 });
    [here, there] = cluster.trees as [string, string];
  });
  afterAll(async () => {
    await cluster.stop();
  });

  /** Both hosts agree, in tree, in database and in having nothing to do, whoever looks. */
  async function settled(): Promise<void> {
    const [mine, theirs] = cluster.hosts as [string, string];
    expect(readTree(there)).toEqual(readTree(here));
    expect(await cluster.csync2('-M')).toMatchObject({ stdout: '', status: 2 });
    expect(await cluster.peers[0]!.run(['-M'])).toMatchObject({ stdout: '', status: 2 });
    const plan = await cluster.csx('plan', '--detailed-exitcode');
    expect(plan, plan.stdout + plan.stderr).toMatchObject({ status: 0 });
    const compared = await cluster.csync2('-T', mine, theirs);
    expect(compared, compared.stderr).toMatchObject({ status: 2, stdout: '' });
    // csync2's own check, on the peer: it finds nothing changed.
    expect((await cluster.peers[0]!.run(['-cr', '/'])).status).toBe(0);
    expect(await cluster.peers[0]!.run(['-M'])).toMatchObject({ stdout: '', status: 2 });
  }

  /** What both agree on before each conflict. */
  async function agree(make: () => void): Promise<void> {
    make();
    const applied = await cluster.csx('apply', '--auto-approve', '--max-delete', '100%');
    expect(applied, applied.stdout + applied.stderr).toMatchObject({ status: 0 });
  }

  async function resolve(...args: string[]): Promise<string> {
    const resolved = await cluster.csx('resolve', ...args);
    expect(resolved, resolved.stdout + resolved.stderr).toMatchObject({ status: 0 });
    return resolved.stdout;
  }

  const read = (root: string, name: string): string => readFileSync(`${root}/${name}`, 'utf8');

  it('takes the version of the peer, with owner, mode and time, and keeps the old one', async () => {
    await agree(() => {
      put(`${here}/a`, 'common\n');
    });
    writeFileSync(`${here}/a`, 'here\n');
    writeFileSync(`${there}/a`, 'there, longer\n');
    chmodSync(`${there}/a`, 0o640);
    utimesSync(`${there}/a`, 1_234_567_890, 1_234_567_890);
    const listed = await cluster.csx('conflicts');
    expect(listed).toMatchObject({ status: 3 });
    expect(listed.stdout).toMatch(/%t%\/a {2}changed here and on 127\.32\.1\.2/);
    const told = await resolve('--keep', 'peer');
    const kept = /kept in\s+(\S+)/.exec(told)?.[1];
    expect(kept).toBeDefined();
    expect(readFileSync(kept!, 'utf8')).toBe('here\n');
    expect(read(here, 'a')).toBe('there, longer\n');
    expect(lstatSync(`${here}/a`).mode & 0o7777).toBe(0o640);
    expect(Math.floor(lstatSync(`${here}/a`).mtimeMs / 1000)).toBe(1_234_567_890);
    await settled();
    // And a change on either side afterwards is clean.
    writeFileSync(`${here}/a`, 'here again\n');
    await agree(() => undefined);
    await settled();
  });

  it('takes what the peer has scanned and marked already', async () => {
    await agree(() => {
      put(`${here}/b`, 'common\n');
    });
    writeFileSync(`${here}/b`, 'here\n');
    writeFileSync(`${there}/b`, 'marked there\n');
    expect((await cluster.peers[0]!.run(['-cr', '/'])).status).toBe(0);
    expect((await cluster.csx('apply', '--auto-approve')).status).toBe(3);
    const document: unknown = JSON.parse(await resolve('--keep', 'peer', '--json'));
    expectDescribed('resolve', document);
    expect(document).toMatchObject({ decided: [{ path: '%t%/b', status: 'done', resolution: 'peer' }] });
    expect(read(here, 'b')).toBe('marked there\n');
    await settled();
  });

  it('keeps local, and keeps both', async () => {
    await agree(() => {
      put(`${here}/c`, 'common\n');
      put(`${here}/d`, 'common\n');
    });
    for (const name of ['c', 'd']) {
      writeFileSync(`${here}/${name}`, `here ${name}\n`);
      writeFileSync(`${there}/${name}`, `there, ${name}\n`);
    }
    await resolve('--keep', 'local', `${here}/c`);
    expect(read(there, 'c')).toBe('here c\n');
    const told = await resolve('--keep', 'both');
    expect(told.replaceAll(/\s+/g, ' ')).toContain(`saved as ${here}/d.from-127.32.1.2`);
    expect(read(there, 'd')).toBe('here d\n');
    expect(read(here, 'd.from-127.32.1.2')).toBe('there, d\n');
    // The copy is a file like any other.
    await agree(() => undefined);
    await settled();
  });

  it('settles what both created', async () => {
    put(`${here}/new`, 'here\n');
    put(`${there}/new`, 'there, too\n');
    const listed = await cluster.csx('conflicts');
    expect(listed.stdout).toMatch(/%t%\/new {2}created here and on/);
    await resolve('--keep', 'peer');
    expect(read(here, 'new')).toBe('there, too\n');
    await settled();
  });

  it('settles a removal there against a change here', async () => {
    await agree(() => {
      for (const name of ['e', 'f', 'g']) put(`${here}/${name}`, 'common\n');
    });
    for (const name of ['e', 'f', 'g']) {
      writeFileSync(`${here}/${name}`, 'changed here\n');
      unlinkSync(`${there}/${name}`);
    }
    const listed = await cluster.csx('conflicts');
    expect(listed.stdout).toMatch(/%t%\/e {2}changed here, removed on/);
    await resolve('--keep', 'peer', `${here}/e`);
    expect(existsSync(`${here}/e`)).toBe(false);
    await resolve('--keep', 'local', `${here}/f`);
    expect(read(there, 'f')).toBe('changed here\n');
    await resolve('--keep', 'both', `${here}/g`);
    expect(read(there, 'g')).toBe('changed here\n');
    await settled();
  });

  it('settles a removal here against a change there', async () => {
    await agree(() => {
      for (const name of ['h', 'i', 'j']) put(`${here}/${name}`, 'common\n');
    });
    for (const name of ['h', 'i', 'j']) {
      unlinkSync(`${here}/${name}`);
      writeFileSync(`${there}/${name}`, 'changed there\n');
    }
    const listed = await cluster.csx('conflicts');
    expect(listed.stdout).toMatch(/%t%\/h {2}removed here, changed on/);
    await resolve('--keep', 'peer', `${here}/h`);
    expect(read(here, 'h')).toBe('changed there\n');
    await resolve('--keep', 'local', `${here}/i`);
    expect(existsSync(`${there}/i`)).toBe(false);
    await resolve('--keep', 'both', `${here}/j`);
    expect(read(here, 'j')).toBe('changed there\n');
    await settled();
  });

  it('brings back the directories that lead to a version that is taken', async () => {
    await agree(() => {
      put(`${here}/deep/er/file`, 'common\n');
      chmodSync(`${here}/deep/er`, 0o750);
    });
    rmSync(`${here}/deep`, { recursive: true });
    writeFileSync(`${there}/deep/er/file`, 'changed there\n');
    await resolve('--keep', 'peer');
    expect(read(here, 'deep/er/file')).toBe('changed there\n');
    await settled();
  });

  it('removes a tree here that was removed there, where only a part of it is in conflict', async () => {
    await agree(() => {
      put(`${here}/tree/a`, 'a\n');
      put(`${here}/tree/sub/b`, 'b\n');
    });
    writeFileSync(`${here}/tree/sub/b`, 'changed here\n');
    rmSync(`${there}/tree`, { recursive: true });
    await resolve('--keep', 'peer', '--max-delete', '100%');
    expect(existsSync(`${here}/tree`)).toBe(false);
    await settled();
  });

  it('settles link against file, file against link, and file against directory', async () => {
    await agree(() => {
      for (const name of ['k', 'l', 'm', 'n']) put(`${here}/${name}`, 'common\n');
    });
    // A link here, a changed file there.
    unlinkSync(`${here}/k`);
    symlinkSync('elsewhere', `${here}/k`);
    writeFileSync(`${there}/k`, 'file there\n');
    unlinkSync(`${here}/l`);
    symlinkSync('elsewhere', `${here}/l`);
    writeFileSync(`${there}/l`, 'file there\n');
    // A file here, a directory there, and the reverse.
    writeFileSync(`${here}/m`, 'changed here\n');
    unlinkSync(`${there}/m`);
    mkdirSync(`${there}/m`, { mode: 0o711 });
    writeFileSync(`${there}/n`, 'changed there\n');
    unlinkSync(`${here}/n`);
    mkdirSync(`${here}/n`, { mode: 0o711 });
    const listed = await cluster.csx('conflicts');
    for (const name of ['k', 'l', 'm', 'n'])
      expect(listed.stdout).toMatch(new RegExp(`%t%/${name}  not of the same type`));
    await resolve('--keep', 'peer', `${here}/k`, `${here}/m`, `${here}/n`);
    expect(read(here, 'k')).toBe('file there\n');
    expect(lstatSync(`${here}/m`).isDirectory()).toBe(true);
    expect(read(here, 'n')).toBe('changed there\n');
    await resolve('--keep', 'local', `${here}/l`);
    expect(readlinkSync(`${there}/l`)).toBe('elsewhere');
    await settled();
  });

  it('says that a link below a prefix cannot be taken, since csync2 does not tell where it points', async () => {
    await agree(() => {
      put(`${here}/o`, 'common\n');
    });
    writeFileSync(`${here}/o`, 'changed here\n');
    unlinkSync(`${there}/o`);
    symlinkSync('unknown', `${there}/o`);
    const refused = await cluster.csx('resolve', '--keep', 'peer');
    expect(refused.status).toBe(3);
    expect(read(here, 'o')).toBe('changed here\n');
    await resolve('--keep', 'local');
    await settled();
  });

  it('writes decisions for review, carries them out, and leaves those whose versions have moved', async () => {
    await agree(() => {
      for (const name of ['p', 'q', 'r']) put(`${here}/${name}`, 'common\n');
    });
    for (const name of ['p', 'q', 'r']) {
      writeFileSync(`${here}/${name}`, 'here\n');
      writeFileSync(`${there}/${name}`, 'there, longer\n');
    }
    const file = path.join(cluster.root, 'decisions.json');
    await resolve('--keep', 'peer', '--write', file);
    expect(read(here, 'p')).toBe('here\n');
    // As long, in the same second: the content alone tells.
    const before = lstatSync(`${here}/q`);
    writeFileSync(`${here}/q`, 'HERE\n');
    utimesSync(`${here}/q`, before.atime, before.mtime);
    writeFileSync(`${there}/r`, 'There, longer\n');
    const applied = await cluster.csx('resolve', '--resolutions', file);
    expect(applied.status).toBe(3);
    expect(applied.stderr).toMatch(/2 decisions void/);
    expect(read(here, 'p')).toBe('there, longer\n');
    expect(read(here, 'q')).toBe('HERE\n');
    expect(read(here, 'r')).toBe('here\n');
    await resolve('--keep', 'local');
    await settled();
  });

  it('merges with a tool, and refuses while markers are left', async () => {
    await agree(() => {
      put(`${here}/s`, 'one\ntwo\nthree\n');
    });
    writeFileSync(`${here}/s`, 'one\ntwo here\nthree\n');
    writeFileSync(`${there}/s`, 'one\ntwo there\nthree\n');
    const left = await cluster.csxWith({ env: { EDITOR: 'true', VISUAL: '' } }, 'resolve', '--merge');
    expect(left.status).toBe(8);
    expect(left.stderr).toContain('conflict markers are left');
    expect(read(here, 's')).toBe('one\ntwo here\nthree\n');
    const tool = path.join(cluster.root, 'tool');
    writeFileSync(tool, '#!/bin/sh\ngrep -v "^[<=>]" "$3" > "$3.new"; mv "$3.new" "$3"\n', { mode: 0o755 });
    await resolve('--merge-tool', tool);
    expect(read(here, 's')).toBe('one\ntwo here\ntwo there\nthree\n');
    expect(read(there, 's')).toBe('one\ntwo here\ntwo there\nthree\n');
    await settled();
  });
});
