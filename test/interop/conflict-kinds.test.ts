/** Files, directories and links against each other, by each choice (local, peer, both, merge, skip), against the real csync2 and a csx peer. */

import fs from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LONG, startHosts, stopHosts } from '../safety/hosts.js';
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

const link =
  (target: string): Make =>
  (root) => {
    fs.rmSync(root, { recursive: true, force: true });
    fs.symlinkSync(target, root);
  };

interface Case {
  /** The conflict over the case's own name, or over what lies below it. */
  readonly kind: string;
  /** Below a prefix nobody tells where a link points, so that it cannot be taken. */
  readonly linked?: true;
  readonly base: Make;
  readonly here: Make;
  readonly there: Make;
}

const CASES: Readonly<Record<string, Case>> = {
  'dir-here-file-there': {
    kind: 'type',
    base: file('common'),
    here: tree({ a: 'a here', 'b/c': 'c here' }),
    there: file('there, longer'),
  },
  'file-here-dir-there': {
    kind: 'type',
    base: file('common'),
    here: file('here'),
    there: tree({ a: 'a there', 'b/c': 'c there' }),
  },
  'child-changed-here-file-there': {
    kind: 'type',
    base: tree({ a: 'a', 'b/c': 'c', d: 'd' }),
    here: (root) => {
      put(`${root}/a`, 'a changed here');
    },
    there: file('file there'),
  },
  'file-here-child-changed-there': {
    kind: 'type',
    base: tree({ a: 'a', 'b/c': 'c', d: 'd' }),
    here: file('file here'),
    there: (root) => {
      put(`${root}/a`, 'a changed there');
    },
  },
  'file-here-child-new-there': {
    kind: 'type',
    base: tree({ a: 'a' }),
    here: file('file here'),
    there: (root) => {
      put(`${root}/new`, 'new there');
    },
  },
  'removed-here-child-new-there': {
    kind: 'removed-here',
    base: tree({ a: 'a' }),
    here: (root) => {
      fs.rmSync(root, { recursive: true });
    },
    there: (root) => {
      put(`${root}/new`, 'new there');
    },
  },
  'dir-here-link-there': {
    kind: 'type',
    linked: true,
    base: file('common'),
    here: tree({ a: 'a here' }),
    there: link('elsewhere'),
  },
  'link-here-dir-there': { kind: 'type', base: file('common'), here: link('elsewhere'), there: tree({ a: 'a there' }) },
  'both-dirs': {
    kind: 'both-changed',
    base: file('common'),
    here: tree({ a: 'a here' }),
    there: (root) => {
      tree({ a: 'a there, longer' })(root);
      fs.chmodSync(root, 0o750);
    },
  },
  'child-new-here-removed-there': {
    kind: 'removed-there',
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
  const takeable = names.filter((name) => CASES[name]!.linked === undefined);
  /** Takes all cases away on both sides, which is no conflict. */
  const clear = async (): Promise<void> => {
    for (const { tree: root } of hosts) {
      for (const name of fs.readdirSync(root))
        if (name !== 'anchor') fs.rmSync(`${root}/${name}`, { recursive: true, force: true });
    }
    await ok('apply', '--auto-approve', '--max-delete', '100%');
    await theirs.run(kind === 'csx' ? ['apply', '--auto-approve', '--max-delete', '100%'] : ['-x']);
    await settled();
  };
  /** Every content of a tree: what may not be lost. */
  const contents = (host: Host): readonly string[] =>
    Object.values(readTree(host.tree)).flatMap(({ type, content }) =>
      type === 'file' && content !== undefined ? [content] : [],
    );

  // Naming and merging are this host's own work: one kind of peer will do, but in the long run.
  const every = kind === 'csync2' || LONG ? [kind] : [];
  it.each(every)('are named as what they are, and left alone by skip (%s)', async () => {
    await clash(names);
    const listed = await mine.run(['conflicts', '--json']);
    const { conflicts } = JSON.parse(listed.stdout) as { conflicts: readonly { path: string; kind: string }[] };
    for (const name of names) {
      const kinds = conflicts.filter(({ path }) => `${path}/`.startsWith(`%t%/${name}/`)).map((each) => each.kind);
      expect(kinds, name).toContain(CASES[name]!.kind);
    }
    const before = hosts.map(contents);
    await ok('apply', '--auto-approve', '--on-conflict', 'skip', '--max-delete', '100%');
    // What was removed here and is unchanged there is no conflict, and goes.
    for (const name of names) {
      const there = readTree(theirs.tree);
      const stands = Object.keys(there).some((each) => `${each}/`.startsWith(`${name}/`));
      expect(stands, name).toBe(name !== 'child-new-here-removed-there');
    }
    for (const [index, host] of hosts.entries())
      expect(before[index]!.filter((content) => !contents(host).includes(content)).length).toBeLessThanOrEqual(1);
    await clear();
  });

  it.each(every)('are not merged where a side is no text, which is said, and the rest is (%s)', async () => {
    await clash(names);
    const before = hosts.map((host) => readTree(host.tree));
    const tool = `${mine.directory}/tool`;
    fs.writeFileSync(tool, '#!/bin/sh\ncat "$1" "$2" > "$3"\n', { mode: 0o755 });
    const nothing = await mine.run(['resolve', '--merge-tool', tool, `${mine.tree}/dir-here-file-there`]);
    expect(nothing.status, nothing.stdout).toBe(64);
    expect(nothing.stderr.replaceAll(/\s+/g, ' ')).toContain(
      '%t%/dir-here-file-there cannot be merged: it is not a text file on both sides.',
    );
    expect(hosts.map((host) => readTree(host.tree))).toEqual(before);
    const some = await mine.run(['resolve', '--merge-tool', tool, '--max-delete', '100%']);
    expect(some.status, some.stdout + some.stderr).toBe(3);
    for (const host of hosts) expect(fs.readFileSync(`${host.tree}/both-dirs/a`, 'utf8')).toBe('a herea there, longer');
    expect(some.stderr.replaceAll(/\s+/g, ' ')).toContain('%t%/both-dirs cannot be merged');
    await clear();
  });

  it('are kept both where that can be, and say why where it cannot', async () => {
    await clash(names);
    const before = hosts.flatMap(contents);
    const both = await mine.run(['resolve', '--keep', 'both', '--max-delete', '100%']);
    // What lies in a directory that is none there waits for the decision on that: 4.
    expect(both.status, both.stdout + both.stderr).toBe(4);
    const said = both.stdout.replaceAll(/\s+/g, ' ');
    expect(said).toContain(
      '%t%/file-here-dir-there: both cannot be kept: only files and links can be saved beside another, and there it is a directory.',
    );
    expect(said).toContain('It is not taken: %t%/file-here-dir-there, in which it lies, is no directory here.');
    const from = `.from-${theirs.address}`;
    expect(fs.readFileSync(`${mine.tree}/dir-here-file-there${from}`, 'utf8')).toBe('there, longer');
    expect(fs.readFileSync(`${mine.tree}/both-dirs/a${from}`, 'utf8')).toBe('a there, longer');
    // Nothing that stood anywhere is gone.
    const after = hosts.flatMap(contents);
    expect(before.filter((content) => !after.includes(content))).toEqual([]);
    await clear();
  });

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
    await clear();
  });

  it('are all settled by the version that is there', async () => {
    await clash(takeable);
    // Removed here and unchanged there: that is no conflict, whatever becomes of what was made beside it.
    const { ['removed-here-child-new-there/a']: _gone, ...before } = readTree(theirs.tree);
    await ok('resolve', '--keep', 'peer', '--max-delete', '100%');
    await ok('apply', '--auto-approve', '--max-delete', '100%');
    await settled();
    expect(readTree(mine.tree)).toEqual(before);
  });
});
