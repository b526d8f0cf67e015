/** Files, directories and links against each other, by each choice, against the real csync2 and a csx peer. */

import fs from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startHosts, stopHosts } from '../safety/hosts.js';
import type { Host, Kind } from '../safety/hosts.js';
import { put } from '../support/cluster.js';
import { readTree } from '../support/tree.js';

type Make = (root: string) => void;
const file =
  (text: string): Make =>
  (root) => {
    fs.rmSync(root, { recursive: true, force: true });
    put(root, text);
  };
const tree =
  (children: Readonly<Record<string, string>>): Make =>
  (root) => {
    fs.rmSync(root, { recursive: true, force: true });
    fs.mkdirSync(root, { mode: 0o711 });
    for (const [name, text] of Object.entries(children)) put(`${root}/${name}`, text);
  };

interface Case {
  readonly base: Make;
  readonly here: Make;
  readonly there: Make;
}

const CASES: Readonly<Record<string, Case>> = {
  'dir-here-file-there': {
    base: file('common'),
    here: tree({ a: 'a here', 'b/c': 'c here' }),
    there: file('there, longer'),
  },
  'file-here-dir-there': { base: file('common'), here: file('here'), there: tree({ a: 'a there', 'b/c': 'c there' }) },
  'child-changed-here-file-there': {
    base: tree({ a: 'a', 'b/c': 'c', d: 'd' }),
    here: (root) => {
      put(`${root}/a`, 'a changed here');
    },
    there: file('file there'),
  },
  'file-here-child-changed-there': {
    base: tree({ a: 'a', 'b/c': 'c', d: 'd' }),
    here: file('file here'),
    there: (root) => {
      put(`${root}/a`, 'a changed there');
    },
  },
  'file-here-child-new-there': {
    base: tree({ a: 'a' }),
    here: file('file here'),
    there: (root) => {
      put(`${root}/new`, 'new there');
    },
  },
  'removed-here-child-new-there': {
    base: tree({ a: 'a' }),
    here: (root) => {
      fs.rmSync(root, { recursive: true });
    },
    there: (root) => {
      put(`${root}/new`, 'new there');
    },
  },
  'child-new-here-removed-there': {
    base: tree({ a: 'a' }),
    here: (root) => {
      put(`${root}/new`, 'new here');
    },
    there: (root) => {
      fs.rmSync(root, { recursive: true });
    },
  },
};

describe.each<Kind>(['csync2', 'csx'])('conflicts with a %s peer', (kind) => {
  let hosts: Host[];
  let mine: Host;
  let theirs: Host;
  beforeAll(async () => {
    hosts = await startHosts({ block: kind === 'csx' ? '127.32.11' : '127.32.10', kinds: ['csx', kind] });
    [mine, theirs] = hosts as [Host, Host];
    put(`${mine.tree}/anchor`, 'x');
  });
  afterAll(() => stopHosts(hosts));

  const ok = async (...args: string[]): Promise<string> => {
    const done = await mine.run(args);
    expect(done.status, `${args.join(' ')}\n${done.stdout}${done.stderr}`).toBe(0);
    return done.stdout;
  };
  /** Agrees on what each case begins with, then changes both sides, and lets the peer scan: only then it can tell what it has. */
  async function clash(names: readonly string[]): Promise<void> {
    for (const name of names) CASES[name]!.base(`${mine.tree}/${name}`);
    await ok('apply', '--auto-approve', '--max-delete', '100%');
    for (const name of names) {
      CASES[name]!.here(`${mine.tree}/${name}`);
      CASES[name]!.there(`${theirs.tree}/${name}`);
    }
    expect((await theirs.run(kind === 'csx' ? ['scan'] : ['-cr', '/'])).status).toBe(0);
  }
  async function settled(): Promise<void> {
    expect(readTree(mine.tree)).toEqual(readTree(theirs.tree));
    await ok('plan', '--detailed-exitcode');
    const marks = await theirs.run(kind === 'csx' ? ['db', 'list', 'dirty'] : ['-M']);
    expect(marks.stdout).not.toContain('%t%');
    expect((await theirs.run(kind === 'csx' ? ['apply', '--auto-approve'] : ['-x'])).status).toBe(0);
    expect(readTree(mine.tree)).toEqual(readTree(theirs.tree));
  }
  const names = Object.keys(CASES);

  it('are all settled by the version that is here', async () => {
    await clash(names);
    const before = Object.entries(readTree(mine.tree));
    const listed = await mine.run(['conflicts']);
    for (const name of names) expect(listed.stdout).toContain(`%t%/${name}`);
    await ok('resolve', '--keep', 'local', '--max-delete', '100%');
    // Directories' times move with what is put into them; nothing else does here.
    expect(Object.entries(readTree(mine.tree))).toEqual(before);
    await ok('apply', '--auto-approve', '--max-delete', '100%');
    await settled();
    for (const name of names) {
      fs.rmSync(`${mine.tree}/${name}`, { recursive: true, force: true });
    }
    await ok('apply', '--auto-approve', '--max-delete', '100%');
    await settled();
  });

  it('are all settled by the version that is there', async () => {
    await clash(names);
    // Removed here and unchanged there: that is no conflict, whatever becomes of what was made beside it.
    const { ['removed-here-child-new-there/a']: _gone, ...before } = readTree(theirs.tree);
    await ok('resolve', '--keep', 'peer', '--max-delete', '100%');
    await ok('apply', '--auto-approve', '--max-delete', '100%');
    await settled();
    expect(readTree(mine.tree)).toEqual(before);
  });
});
