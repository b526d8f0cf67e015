import { execFileSync } from 'node:child_process';
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decide } from '../../src/config/matching.js';
import { Selection } from '../../src/config/selection.js';
import type { DiskPath, FileName } from '../../src/model/names.js';
import { SystemDirectory } from './configure.js';

const HOST = '127.20.0.1';
const name = (text: string): FileName => text as FileName;

let system: SystemDirectory;
let tree: string;
beforeAll(() => {
  system = new SystemDirectory();
  tree = mkdtempSync(path.join(os.tmpdir(), 'csx-tree-'));
});
afterAll(() => {
  system.remove();
  rmSync(tree, { recursive: true, force: true });
});

async function select(groups: string, host = HOST): Promise<Selection> {
  return new Selection(await system.load(groups, host));
}

const names = (groups: readonly { readonly name: string }[]): string[] => groups.map((group) => group.name);

describe('groups of a file', () => {
  it('come last declared first, and equal answers are one array', async () => {
    const selection = await select(`
      group a { host ${HOST} x; key k; include /etc; }
      group b { host ${HOST} y; key k; include /etc/b /srv; exclude *.o; }
      group c { host ${HOST} z; key k; include /etc/b; }`);
    expect(names(selection.groupsOf(name('/etc/b/f')))).toEqual(['c', 'b', 'a']);
    expect(names(selection.groupsOf(name('/etc/b/f.o')))).toEqual(['c', 'a']);
    expect(names(selection.groupsOf(name('/etc/x')))).toEqual(['a']);
    expect(selection.groupsOf(name('/etc/b/f'))).toBe(selection.groupsOf(name('/etc/b/g/h')));
    expect(selection.groupsOf(name('/usr'))).toEqual([]);
    expect(selection.includes(name('/srv/x'))).toBe(true);
    expect(selection.includes(name('/srv/x.o'))).toBe(false);
  });

  it('take compare patterns into account only when comparing', async () => {
    const selection = await select(`group a { host ${HOST} x; key k; include /a; compare /b/c; exclude /b/c/d; }`);
    expect(selection.groupsOf(name('/b/c'))).toEqual([]);
    expect(names(selection.comparedGroupsOf(name('/b/c')))).toEqual(['a']);
    expect(selection.comparedGroupsOf(name('/b/c/d'))).toEqual([]);
    expect([selection.entered(name('/b')), selection.entered(name('/b'), true)]).toEqual([false, true]);
  });

  it('never hold the files csx stages', async () => {
    const selection = await select(`group a { host ${HOST} x; key k; include /a; include .*; }`);
    expect(selection.includes(name('/a/.csx-stage-1'))).toBe(false);
    expect(selection.includes(name('/a/.csx-stage-1/b'))).toBe(false);
    expect(selection.includes(name('/a/.csx-other'))).toBe(true);
  });

  it('are nothing for patterns that are only slashes, as in csync2', async () => {
    const selection = await select(`group a { host ${HOST} x; key k; include / // /a/; exclude /; }`);
    expect(['/', '/b', '/a', '/a/b'].map((file) => selection.includes(name(file)))).toEqual([false, false, true, true]);
  });

  it('do not depend on the order of asking', async () => {
    const word = fc.constantFrom('a', 'b', 'c', 'a.o', '.h');
    const glob = fc.constantFrom('a', 'b', 'c', '*', '?', '**', '[ab]', '*.o', '.*', 'b**');
    const file = fc.array(word, { minLength: 1, maxLength: 4 }).map((parts) => `/${parts.join('/')}`);
    const path = fc.array(glob, { minLength: 1, maxLength: 4 }).map((parts) => `/${parts.join('/')}`);
    const pattern = fc.tuple(fc.constantFrom('include', 'include', 'exclude', 'compare'), fc.oneof(path, path, glob));
    const groups = fc.array(fc.array(pattern, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(groups, fc.array(file, { minLength: 1, maxLength: 40 }), async (lists, files) => {
        const selection = await select(
          lists
            .map((list, index) => {
              const patterns = list.map(([kind, text]) => `${kind} "${text}";`).join(' ');
              return `group g${index} { host ${HOST} b; key k; ${patterns} }`;
            })
            .join('\n'),
        );
        for (const each of files) {
          const held = selection.groups.filter(({ patterns }) => decide(patterns, each, false).included);
          expect(names(selection.groupsOf(name(each)))).toEqual(names(held));
          const compared = selection.groups.filter(({ patterns }) => decide(patterns, each, true).included);
          expect(names(selection.comparedGroupsOf(name(each)))).toEqual(names(compared));
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('scanning', () => {
  /** Everything below the tree that a scan from its roots finds, as csync2 -cr / would. */
  function scan(selection: Selection): string[] {
    const found: string[] = [];
    const visit = (file: string, disk: string): void => {
      const directory = lstatSync(disk).isDirectory();
      const inside = disk.startsWith(tree);
      if (!inside && !tree.startsWith(disk === '/' ? disk : `${disk}/`)) return;
      if (selection.includes(name(file))) found.push(file);
      if (!directory || !selection.entered(name(file))) return;
      for (const child of readdirSync(disk)) {
        visit(file === '/' ? `/${child}` : `${file}/${child}`, path.join(disk, child));
      }
    };
    for (const { file, disk } of selection.roots()) visit(file, disk);
    return found.toSorted();
  }

  function csync2(text: string): string[] {
    const database = path.join(system.path, 'db');
    rmSync(database, { recursive: true, force: true });
    mkdirSync(database);
    system.write('csync2.cfg', text);
    const options = { env: { ...process.env, CSYNC2_SYSTEM_DIR: system.path }, encoding: 'latin1' } as const;
    execFileSync('csync2', ['-N', HOST, '-D', database, '-cIr', '/'], options);
    try {
      const list = execFileSync('csync2', ['-N', HOST, '-D', database, '-L'], options);
      return list
        .split('\n')
        .flatMap((line) => line.split('\t').slice(1))
        .toSorted();
    } catch (error) {
      // Status 2: nothing listed.
      expect(error).toMatchObject({ status: 2 });
      return [];
    }
  }

  it('finds what csync2 finds', { timeout: 60_000 }, async () => {
    for (const file of ['a/x', 'a/y/z.o', 'a/b/c/d', 'b/.h', 'b/b/b/b', 'c/a.o/a', 'c/k/q/r', 'd e/f', 'd e/b/x']) {
      mkdirSync(path.join(tree, path.dirname(file)), { recursive: true });
      writeFileSync(path.join(tree, file), '');
    }
    const glob = fc.constantFrom('a', 'b', 'c', 'x', '*', '?', '**', '[ab]', '*.o', '.*', 'b**', 'd e');
    const below = fc.array(glob, { minLength: 0, maxLength: 3 }).map((parts) => ['', ...parts].join('/'));
    const path_ = below.chain((rest) => fc.constantFrom(`${tree}${rest}`, `%p%${rest}`, `${tree}${rest}`));
    const pattern = fc.tuple(fc.constantFrom('include', 'include', 'exclude'), fc.oneof(path_, path_, glob));
    const lists = fc.sample(fc.array(pattern, { minLength: 1, maxLength: 6 }), 20);
    let total = 0;
    for (const list of lists) {
      const patterns = list.map(([kind, text]) => `${kind} "${text}";`).join(' ');
      const text = `prefix p { on *: "${tree}/c"; } group g { host ${HOST} b; key k; ${patterns} }`;
      const found = scan(await select(text));
      expect([patterns, found]).toEqual([patterns, csync2(text)]);
      total += found.length;
    }
    expect(total).toBeGreaterThan(20);
  });

  it('starts at / and at every prefix that a pattern leads into', async () => {
    const selection = await select(`
      prefix p { on *: /srv/p/; } prefix q { on other: /q; } prefix r { on *: /; } prefix s { on *: /s; }
      group a { host ${HOST} x; key k; include %p%/a %q% %r%/etc; exclude %s%; }`);
    expect(selection.roots()).toEqual([
      { file: '%p%', disk: '/srv/p' },
      { file: '%r%', disk: '/' },
    ]);
    expect((await select(`group a { host ${HOST} x; key k; include /etc; }`)).roots()).toEqual([
      { file: '/', disk: '/' },
    ]);
    expect((await select(`group a { host ${HOST} x; key k; exclude /etc; include etc; }`)).roots()).toEqual([]);
  });

  it('enters only what is held or leads to an include pattern', async () => {
    const selection = await select(`group a { host ${HOST} x; key k; include /a/*/c /srv/x/y/**/z; exclude /a; }`);
    const entered = ['/', '/a', '/a/b', '/srv', '/srv/x', '/srv/x/y', '/srv/x/y/1/2'];
    expect(entered.filter((file) => !selection.entered(name(file)))).toEqual([]);
    const left = ['/b', '/a/b/c', '/a/b/d', '/srv/z', '/srv/x/z'];
    expect(left.filter((file) => selection.entered(name(file)))).toEqual([]);
  });

  it('knows the trees of each group', async () => {
    const selection = await select(`
      group a { host ${HOST} x; key k; include /etc/a /etc/a/b /srv/*/x /data/b[12]/y %p%/u %p%/u\\*v; include c; }
      group b { host ${HOST} x; key k; include /*; exclude /etc; compare /c; }`);
    expect(selection.groupRoots().map(({ group, roots }) => [group.name, roots])).toEqual([
      ['b', ['/']],
      ['a', ['/etc/a', '/srv', '/data', '%p%/u', '%p%/u*v']],
    ]);
  });
});

describe('peers', () => {
  const text = `
    group a { host ${HOST} p1 p2@p2-net (p3); key k; include /srv; }
    group b { host (${HOST}@me-b) p1 p4; key k; include /srv/b; auto younger; }
    group c { host ${HOST}@me-c P2@p2-other; key k; include /srv/c; }`;
  const told = (selection: Selection, file: string): unknown[] =>
    selection
      .peersOf(name(file))
      .map(({ peer, me, group, groups, slave, peerIsSlave }) => [
        peer,
        me,
        group.name,
        names(groups).join(),
        slave,
        peerIsSlave,
      ]);

  it('are the union over the groups, under the names they have there', async () => {
    const selection = await select(text);
    expect(told(selection, '/srv/x')).toEqual([
      ['p1', HOST, 'a', 'a', false, false],
      ['p2-net', HOST, 'a', 'a', false, false],
      ['p3', HOST, 'a', 'a', false, true],
    ]);
    // For p1 this host is a slave in b, and a full member in a: a counts.
    expect(told(selection, '/srv/b/x')).toEqual([
      ['p1', HOST, 'a', 'b,a', false, false],
      ['p4', 'me-b', 'b', 'b', true, false],
      ['p2-net', HOST, 'a', 'a', false, false],
      ['p3', HOST, 'a', 'a', false, true],
    ]);
    expect(told(selection, '/srv/c/x')).toEqual([
      ['p2-other', 'me-c', 'c', 'c', false, false],
      ['p1', HOST, 'a', 'a', false, false],
      ['p2-net', HOST, 'a', 'a', false, false],
      ['p3', HOST, 'a', 'a', false, true],
    ]);
    expect(selection.peersOf(name('/x'))).toEqual([]);
    expect(selection.peersOf(name('/srv/x'))).toBe(selection.peersOf(name('/srv/y/z')));
    expect(selection.peers()).toEqual(['p1', 'p2-net', 'p3', 'p4', 'p2-other']);
    expect(selection.keysFor(selection.peers()[0]!).map(({ group }) => group.name)).toEqual(['b', 'a']);
  });

  it('are limited by groups and by peers', async () => {
    const { config } = await select(text);
    const groups = new Selection(config, { groups: ['b'] });
    expect(told(groups, '/srv/b/x').length).toBe(2);
    expect(groups.includes(name('/srv/x'))).toBe(false);
    expect(groups.peers()).toEqual(['p1', 'p4']);
    const peers = new Selection(config, { peers: ['P3', 'p4'] });
    expect(told(peers, '/srv/b/x').map((row) => (row as string[])[0])).toEqual(['p4', 'p3']);
    expect(peers.includes(name('/srv/x'))).toBe(true);
    expect(() => new Selection(config, { groups: ['d'] })).toThrow(/no group d/);
    expect(() => new Selection(config, { groups: ['a'], peers: ['p4'] })).toThrow(/no peer p4/);
    expect(() => new Selection(config, { peers: ['p2-nett'] })).toThrow(
      expect.objectContaining({ code: 'UNKNOWN_TARGET', hint: 'Did you mean p2-net?' }),
    );
  });
});

describe('places', () => {
  it('are the same there and back', async () => {
    const selection = await select(`
      prefix p { on *: /srv/p; } prefix root { on *: /; } prefix none { on x: /y; }
      group a { host ${HOST} x; key k; include /a; }`);
    for (const file of ['/', '/a/b', '%p%', '%p%/a/b', '%root%', '%root%/srv']) {
      expect(selection.namesOf(selection.toDisk(name(file)))).toContain(file);
    }
    expect(selection.namesOf('/srv/p/q' as DiskPath)).toEqual(['/srv/p/q', '%p%/q', '%root%/srv/p/q']);
    expect(selection.namesOf('/srv/pq' as DiskPath)).toEqual(['/srv/pq', '%root%/srv/pq']);
    expect(selection.namesOf('/' as DiskPath)).toEqual(['/', '%root%']);
    expect(selection.toDisk(name('%root%'))).toBe('/');
    expect(() => selection.toDisk(name('%none%/x'))).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', hint: `Add a line to it: on ${HOST}: /path;` }),
    );
    expect(() => selection.toDisk(name('%unknown%/x'))).toThrow(/does not declare/);
  });
});

describe('actions', () => {
  it('are those whose patterns match the whole name', async () => {
    const selection = await select(`group a { host ${HOST} x; key k; include /a %p%;
      action { exec all; }
      action { pattern /a/b; exec below; }
      action { pattern *.conf; exec never; }
      action { pattern **.conf %p%/*/c; exec deep; }
      action { pattern /a/; exec slash; } }`);
    const [group] = selection.groups;
    const run = (file: string): string =>
      selection
        .actionRules(name(file), group!)
        .map(({ commands }) => commands.join())
        .join();
    expect(run('/a')).toBe('all');
    expect(run('/a/b/c')).toBe('all,below');
    expect(run('/a/b/x.conf')).toBe('all,below,deep');
    expect(run('%p%/x/c/y')).toBe('all,deep');
    expect(run('%p%/x/y/c')).toBe('all');
  });
});

describe('sensitive files', () => {
  it('are those of the patterns of the groups that hold them', async () => {
    system.write(
      'csx.yaml',
      `version: 1
csync2: csync2.cfg
groups:
  a: { sensitive: [/a/ssl, /a/*/deep, "*.key", /a/**/secret] }
`,
    );
    const selection = await select(`
      group a { host ${HOST} x; key k; include /a; compare /c; }
      group b { host ${HOST} x; key k; include /b; }`);
    rmSync(path.join(system.path, 'csx.yaml'));
    const sensitive = ['/a/ssl', '/a/ssl/x', '/a/x/deep/y', '/a/x.key', '/c/x.key', '/a/b/c/secret'];
    expect(sensitive.filter((file) => !selection.isSensitive(name(file)))).toEqual([]);
    const plain = ['/a/x', '/b/x.key', '/a/x/y/deep', '/a/sslx'];
    expect(plain.filter((file) => selection.isSensitive(name(file)))).toEqual([]);
  });
});

describe('explain', () => {
  it('names the patterns that decide, with their places', async () => {
    const selection = await select(
      `group a { host ${HOST} x; key k;\n include /a;\n exclude /a/b *.o;\n include /a/b/c; }`,
    );
    const told = (file: string): unknown =>
      selection.explain(name(file)).map(({ included, path: byPath, base, tried }) => ({
        included,
        path: byPath && `${byPath.text}:${byPath.range.line}:${byPath.range.column}`,
        base: base?.text,
        tried: tried.map(({ matches, kind }) => `${kind}${matches ? '+' : '-'}`).join(' '),
      }));
    expect(told('/a/b/c/x')).toEqual([
      { included: true, path: '/a/b/c:4:10', base: undefined, tried: 'path+ path+ base- path+' },
    ]);
    expect(told('/a/b/x.o')).toEqual([
      { included: false, path: '/a/b:3:10', base: '*.o', tried: 'path+ path+ base+ path-' },
    ]);
    expect(told('/b')).toEqual([
      { included: false, path: undefined, base: undefined, tried: 'path- path- base- path-' },
    ]);
  });
});

describe('plain text', () => {
  it('is allowed only where a nossl statement matches both sides', async () => {
    const selection = await select(`nossl *-net b*; nossl x y; group a { host ${HOST} x; key k; }`);
    const pairs = [
      ['a-net', 'b1', true],
      ['a-net', 'c', false],
      ['a', 'b1', false],
      ['x', 'y', true],
      ['y', 'x', false],
    ] as const;
    for (const [from, to, allowed] of pairs) expect(selection.plaintextAllowed(from, to)).toBe(allowed);
    expect((await select(`group a { host ${HOST} x; key k; }`)).plaintextAllowed('a', 'b')).toBe(false);
  });
});
