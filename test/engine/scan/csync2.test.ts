/**
 * The real csync2 as the oracle: random trees, random changes, random configurations; after each round its `file` and `dirty`
 * tables and those that a csx scan makes are the same, row for row.
 *
 * Known and wanted differences, left out of what csx records here: `rewritten` (same second, same size) and a new target
 * of a link below a prefix, neither of which csync2 notices.
 */

import { once } from 'node:events';
import fs from 'node:fs';
import { createServer } from 'node:net';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Selection } from '../../../src/config/selection.js';
import { recordWrites } from '../../../src/engine/scan/record.js';
import { scan } from '../../../src/engine/scan/scan.js';
import { openStore } from '../../../src/engine/state/open.js';
import type { Config, Group, Pattern } from '../../../src/model/config.js';
import type { Bytes, DiskPath, PeerName } from '../../../src/model/names.js';
import { toBuffer } from '../../../src/model/names.js';
import type { Finding } from '../../../src/model/scan.js';
import type { Scope } from '../../../src/model/store.js';
import { startCsync2 } from '../../support/csync2-daemon.js';
import type { Csync2Host } from '../../support/csync2-daemon.js';
import { IGNORE, temporary } from './support.js';

const ME = '127.24.0.2';

interface GroupRules {
  readonly hosts: string;
  readonly patterns: readonly { readonly kind: 'include' | 'exclude'; readonly text: string }[];
  /** Pattern and command of a do-local action. */
  readonly local?: { readonly pattern: string; readonly command: string };
}

interface Setup {
  /** What `on *` gives the prefix p. */
  readonly prefix: string;
  readonly groups: readonly GroupRules[];
}

function cfgOf(setup: Setup): string {
  const groups = setup.groups.map((group, index) => {
    const patterns = group.patterns.map(({ kind, text }) => `  ${kind} "${text}";`).join('\n');
    const action =
      group.local === undefined
        ? ''
        : `action { pattern "${group.local.pattern}"; exec "${group.local.command}"; do-local; }`;
    return `group g${index} { host ${group.hosts}; key k;\n${patterns}\n${action}\n}`;
  });
  return `nossl * *;\nprefix p { on *: ${setup.prefix}; }\n${groups.join('\n')}\n`;
}

/** The same configuration as data, without a parser between. */
function configOf(setup: Setup): Config {
  const range = { file: 'csync2.cfg', line: 1, column: 1 };
  const groups = setup.groups.map((group, index): Group => {
    const members = group.hosts.split(' ').map((word) => {
      const slave = word.startsWith('(');
      const [host = '', name = host] = word.replace(/[()]/g, '').split('@');
      return { host, name: name as PeerName, slave, self: host === ME };
    });
    const patterns = group.patterns.map(({ kind, text }): Pattern => ({ kind, text: text as Bytes, range }));
    const me = members.find((member) => member.self)!;
    return {
      name: `g${index}`,
      range,
      me: me.name,
      slave: me.slave,
      members,
      key: { file: 'k', secret: () => 'a'.repeat(64) },
      patterns,
      auto: 'none',
      backup: undefined,
      actions:
        group.local === undefined
          ? []
          : [
              {
                patterns: [group.local.pattern as Bytes],
                commands: [group.local.command as Bytes],
                logfile: '/dev/null' as Bytes,
                where: 'everywhere',
                timeout: undefined,
                range,
              },
            ],
      maxDelete: undefined,
      sensitive: [],
    };
  });
  return {
    host: ME,
    groups,
    otherGroups: [],
    prefixes: [{ name: 'p', path: setup.prefix as DiskPath, range }],
    nossl: [],
    ignore: IGNORE,
    database: undefined,
    temporaryDirectory: undefined,
    lockTimeout: 12,
    systemDirectory: '/etc',
    files: [],
    hash: '',
  };
}

/** One change of the tree. Names are relative to the test's directory. */
type Edit =
  | { readonly kind: 'write' | 'mkdir' | 'remove' | 'chmod' | 'chown'; readonly name: string }
  | { readonly kind: 'link' | 'rename'; readonly name: string; readonly to: string };

let seconds = 1_000_000_000;

/** Does what is possible of an edit; each write gets a time and each link a target of its own. */
function edit(root: string, change: Edit): void {
  const at = toBuffer(`${root}/${change.name}`);
  try {
    switch (change.kind) {
      case 'write':
        fs.writeFileSync(at, 'x'.repeat(seconds % 7));
        fs.utimesSync(at, ++seconds, seconds);
        break;
      case 'mkdir':
        fs.mkdirSync(at, { recursive: true });
        break;
      case 'remove':
        fs.rmSync(at, { recursive: true, force: true });
        break;
      case 'chmod':
        fs.chmodSync(at, 0o700 + (++seconds % 64));
        break;
      case 'chown':
        fs.lchownSync(at, ++seconds % 50_000, 7);
        break;
      case 'link':
        fs.rmSync(at, { recursive: true, force: true });
        fs.symlinkSync(toBuffer(change.to), at);
        break;
      case 'rename':
        fs.renameSync(at, toBuffer(`${root}/${change.to}`));
    }
  } catch {
    // Not possible in this tree: ENOENT, ENOTDIR, ENOTEMPTY, EISDIR. The next one then.
  }
}

const name = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('a', 'b', 'c', 'd') },
  { weight: 1, arbitrary: fc.constantFrom('a.o', 'a b', 'a-', '.h', '%p%', '\xe4$', "q'\\", 'a|b:"c', '\x01\x7f\xff') },
);
const file = fc
  .tuple(fc.constantFrom('t', 'p', 'u'), fc.array(name, { minLength: 0, maxLength: 4 }))
  .map(([top, parts]) => [top, ...parts].join('/'));
const change: fc.Arbitrary<Edit> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('write' as const), name: file }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('mkdir' as const), name: file }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constantFrom('remove' as const, 'chmod' as const, 'chown' as const), name: file }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constantFrom('link' as const, 'rename' as const), name: file, to: file }),
  },
);
const edits = fc.array(change, { minLength: 1, maxLength: 24 });

/** Patterns over ROOT, which stands for the test's directory. */
const pattern = fc.oneof(
  fc.constantFrom('ROOT/t', 'ROOT/u/a', 'ROOT/u/a/b', '%p%', '%p%/a', '%p%/a/b/c', 'ROOT/p/a', 'ROOT/t/a/b'),
  fc.constantFrom(
    'ROOT/*/b',
    'ROOT/t/?',
    'ROOT/t/**/c',
    'ROOT/**.o',
    '%p%/[a-c]/*',
    'ROOT/u/[!a]*/**',
    '%p%/**b',
    'ROOT/t/a*',
  ),
  fc.constantFrom('*.o', 'a', '.*', '[bc]', '*b*'),
);
const rules = fc.array(
  fc.record({
    kind: fc.oneof(
      { weight: 3, arbitrary: fc.constant('include' as const) },
      { weight: 2, arbitrary: fc.constant('exclude' as const) },
    ),
    text: pattern,
  }),
  { minLength: 0, maxLength: 6 },
);
const groupRules = fc.record({
  hosts: fc.constantFrom(
    `${ME} 127.24.0.3`,
    `127.24.0.4 ${ME}@127.24.0.9 (127.24.0.5@127.24.0.6)`,
    `(${ME}) 127.24.0.7 127.24.0.3`,
  ),
  patterns: rules.map((list) => [{ kind: 'include' as const, text: 'ROOT/t' }, ...list]),
});

interface Round {
  /** Undefined: the configuration stays as it was. */
  readonly groups: readonly GroupRules[] | undefined;
  readonly edits: readonly Edit[];
  /** Undefined: everything. Otherwise a name below ROOT, and whether recursively. */
  readonly scope: { readonly name: string; readonly recursive: boolean } | undefined;
}

const round: fc.Arbitrary<Round> = fc.record({
  groups: fc.option(fc.array(groupRules, { minLength: 1, maxLength: 3 }), { nil: undefined, freq: 2 }),
  edits,
  scope: fc.oneof(
    { weight: 3, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.record({ name: file, recursive: fc.boolean() }) },
  ),
});

function tables(path: string): { file: string[]; dirty: string[]; action: string[] } {
  if (!fs.existsSync(path)) return { file: [], dirty: [], action: [] };
  const db = new Database(path, { readonly: true });
  try {
    const rows = (sql: string): string[] =>
      db
        .prepare(sql)
        .raw()
        .all()
        .map((row) =>
          (row as (Buffer | number)[])
            .map((value) => (Buffer.isBuffer(value) ? value.toString('latin1') : String(value)))
            .join(' '),
        )
        .sort();
    return {
      file: rows('SELECT CAST(filename AS BLOB), CAST(checktxt AS BLOB) FROM file'),
      dirty: rows('SELECT CAST(filename AS BLOB), forced, myname, peername FROM dirty'),
      action: rows('SELECT CAST(filename AS BLOB), CAST(command AS BLOB) FROM action'),
    };
  } finally {
    db.close();
  }
}

const deliberate = (finding: Finding): boolean =>
  finding.kind === 'drift' &&
  (finding.drift.reason === 'rewritten' || (finding.drift.reason === 'target' && finding.drift.file.startsWith('%')));

/** One scan by csx into its own database. */
async function scanByCsx(
  directory: string,
  selection: Selection,
  scopes: readonly Scope[] | undefined,
  mark: boolean,
): Promise<void> {
  const store = await openStore({ database: directory, host: ME, access: 'write', lockTimeout: 5 });
  try {
    const run = scan({ selection, files: (wanted) => store.files(wanted), ignore: IGNORE, scopes });
    const findings: Finding[] = [];
    for await (const batch of run) findings.push(...batch);
    const recorded = findings.filter((finding) => !deliberate(finding));
    await store.write(recordWrites(recorded, selection, { mark, now: 1 }));
  } finally {
    await store.close();
  }
}

function setUp(groups: readonly GroupRules[], root: string): Setup {
  return {
    prefix: `${root}/p`,
    groups: groups.map((group) => ({
      ...group,
      patterns: group.patterns.map(({ kind, text }) => ({ kind, text: text.replace('ROOT', root) })),
    })),
  };
}

async function inBoth(
  first: readonly GroupRules[],
  root: string,
  rounds: readonly Round[],
  host: Csync2Host,
  ours: string,
): Promise<void> {
  let groups = first;
  for (const [index, { edits: list, scope, groups: others }] of rounds.entries()) {
    groups = others ?? groups;
    const setup = setUp(groups, root);
    host.configure(cfgOf(setup));
    const selection = new Selection(configOf(setup));
    for (const each of list) edit(root, each);
    const mark = index !== 0 || list.length % 3 !== 0;
    const flags = ['-c', ...(scope === undefined || scope.recursive ? ['-r'] : []), ...(mark ? [] : ['-I'])];
    // In a pipe its arguments are Unicode; what is not is left to the scans of everything.
    const named = scope !== undefined && /^[\x20-\x7e]*$/.test(scope.name) ? scope : undefined;
    const target = named === undefined ? '/' : `${root}/${named.name}`;
    const behindLink = named !== undefined && fs.existsSync(target) && fs.realpathSync(target) !== target;
    const whole = named === undefined || behindLink;
    const result = await host.run([...(whole ? ['-cr', ...(mark ? [] : ['-I']), '/'] : [...flags, target])]);
    expect(result.status, result.stderr).toBe(0);
    const scopes = whole
      ? undefined
      : selection.namesOf(target as DiskPath).map((each) => ({ file: each, recursive: named.recursive }));
    await scanByCsx(ours, selection, scopes, mark);
    const [theirs, mine] = [tables(host.database), tables(`${ours}/${ME}.db3`)];
    const context = JSON.stringify({ index, scopes, list });
    expect(mine.file, context).toEqual(theirs.file);
    expect(mine.dirty, context).toEqual(theirs.dirty);
  }
}

describe('csync2 and csx', () => {
  it('record the same rows for the same trees', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(groupRules, { minLength: 1, maxLength: 3 }),
        fc.array(round, { minLength: 1, maxLength: 4 }),
        async (groups, rounds) => {
          const root = temporary('/dev/shm');
          const ours = temporary('/dev/shm');
          for (const top of ['t', 'p', 'u']) fs.mkdirSync(`${root}/${top}`);
          const host = await startCsync2({
            address: ME,
            directory: temporary('/dev/shm'),
            config: '',
            keys: { k: 'a'.repeat(64) },
            listen: false,
          });
          await inBoth(groups, root, rounds, host, ours);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('do the same locally: for what is new, changed and gone, sockets too', async () => {
    const root = temporary();
    const directory = temporary();
    fs.mkdirSync(`${root}/t`);
    for (const each of ['changed', 'gone', 'kept']) fs.writeFileSync(`${root}/t/${each}`, '');
    const setup: Setup = {
      prefix: `${root}/p`,
      groups: [
        {
          hosts: `(${ME}) 127.24.0.3`,
          patterns: [{ kind: 'include', text: `${root}/t` }],
          local: { pattern: `${root}/t/*`, command: `echo %% >> ${root}/log` },
        },
      ],
    };
    const host = await startCsync2({
      address: ME,
      directory,
      config: cfgOf(setup),
      keys: { k: 'a'.repeat(64) },
      listen: false,
    });
    const selection = new Selection(configOf(setup));
    expect((await host.run(['-cIr', '/'])).status).toBe(0);
    await scanByCsx(directory, selection, undefined, false);
    expect(fs.existsSync(`${root}/log`)).toBe(false);
    expect(tables(`${directory}/${ME}.db3`).action).toEqual([]);

    fs.writeFileSync(`${root}/t/changed`, 'x');
    fs.rmSync(`${root}/t/gone`);
    fs.writeFileSync(`${root}/t/new`, '');
    const server = createServer().listen(`${root}/t/sock`);
    await once(server, 'listening');
    try {
      expect((await host.run(['-cr', '/'])).status).toBe(0);
      await scanByCsx(directory, selection, undefined, true);
    } finally {
      server.close();
    }
    const done = fs.readFileSync(`${root}/log`, 'utf8').trim().split(' ').sort();
    expect(tables(`${directory}/${ME}.db3`).action.map((row) => row.split(' ')[0])).toEqual(done);
    expect(done.map((each) => each.slice(root.length + 3))).toEqual(['changed', 'gone', 'new', 'sock']);
  });
});
