import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FileName } from '../../src/model/names.js';
import { compareBytes, parentName } from '../../src/model/names.js';
import type { Plan, RemoteState } from '../../src/model/plan.js';
import type { Drift } from '../../src/model/scan.js';
import type { Baseline } from '../../src/model/store.js';
import type { Observation, PlanInputs } from '../../src/planner/plan.js';
import {
  makePlan,
  absent,
  agreed,
  auto,
  candidate,
  dirty,
  drift,
  group,
  membership,
  name,
  peerName,
  planPeer,
  there,
} from './make.js';
import type { Look } from './make.js';

const v1: Look = { content: '1', mtime: 1000 };
const v2: Look = { content: 'two', mtime: 2000 };
const v3: Look = { content: 'three', mtime: 3000 };

function inputs(options: Partial<PlanInputs>): PlanInputs {
  return {
    timestamp: '2026-11-22T13:00:00Z',
    id: 'id-1',
    csxVersion: '0.1.0',
    lineage: 'lineage',
    serial: 3,
    host: 'a',
    configHash: 'c0ffee',
    options: { targets: [], excludes: [], peers: [], groups: [], offline: false, configName: undefined },
    drift: [],
    observations: [],
    roots: [],
    problems: [],
    membership: membership(),
    groups: [group()],
    groupFiles: new Map([['g', 100]]),
    maxDelete: undefined,
    pendingActions: [],
    ...options,
  };
}

interface File {
  readonly here: Look | undefined;
  readonly there: RemoteState | 'unknown';
  readonly base?: Look | 'absent';
  readonly parent?: boolean;
}

function observe(files: Readonly<Record<string, File>>, options: Partial<Observation> = {}, of = group()): Observation {
  const entries = Object.entries(files).map(([file, each]) => [name(file), each] as const);
  return {
    peer: planPeer('b'),
    candidates: entries.map(([file, each]) =>
      candidate(file, each.here, {
        group: of,
        groups: [of],
        dirty: dirty(file),
        ...(each.parent === true ? { origin: 'missing-parent', dirty: undefined } : {}),
      }),
    ),
    states: new Map(entries.flatMap(([file, each]) => (each.there === 'unknown' ? [] : [[file, each.there] as const]))),
    baselines: new Map(
      entries.flatMap(([file, each]): (readonly [FileName, Baseline])[] =>
        each.base === undefined ? [] : [[file, agreed(file, each.base)]],
      ),
    ),
    ...options,
  };
}

/** The plan as lines: changes in order, then conflicts, deferred changes and diagnostics. */
function tell(plan: Plan): readonly string[] {
  return [
    ...plan.changes.map((each) => `${each.action} ${each.path} ${each.reason}`),
    ...plan.conflicts.map((each) => `conflict ${each.path} ${each.kind} ${each.resolution}`),
    ...plan.deferred.map((each) => `deferred ${each.path}`),
    ...plan.diagnostics.map((each) => `${each.code} ${each.path ?? ''}`),
  ];
}

const tellOf = (files: Readonly<Record<string, File>>, options: Partial<Observation> = {}, of = group()) =>
  tell(makePlan(inputs({ observations: [observe(files, options, of)] })));

const dir: Look = { type: 'directory' };
const missing: RemoteState = { kind: 'parent-missing' };

describe('makePlan: missing parents', () => {
  it.each<[string, Record<string, File>, readonly string[]]>([
    [
      'are created first',
      {
        '/d/a/b/f': { here: v1, there: missing },
        '/d/a/b': { here: dir, there: missing, parent: true },
        '/d/a': { here: dir, there: absent(name('/d/a')), parent: true },
        '/d': { here: dir, there: there(name('/d'), dir, dir), parent: true },
      },
      ['create /d/a missing-parent', 'create /d/a/b missing-parent', 'create /d/a/b/f new-here'],
    ],
    [
      'that stand there are left alone, whatever their mode',
      {
        '/d/f': { here: v1, there: absent(name('/d/f')) },
        '/d': { here: dir, there: there(name('/d'), { ...dir, mode: 0o700 }), parent: true },
      },
      ['create /d/f new-here'],
    ],
    [
      'outside of every group are a problem of each file',
      { '/d/f': { here: v1, there: missing }, '/d/g': { here: v1, there: missing } },
      ['PATH_OUTSIDE /d/f', 'PATH_OUTSIDE /d/g'],
    ],
    [
      'that are missing above the group are a problem of all below',
      { '/d/f': { here: v1, there: missing }, '/d': { here: dir, there: missing, parent: true } },
      ['PATH_OUTSIDE /d', 'PARTIAL /d/f'],
    ],
    [
      'removed there are a conflict, with what is new below',
      {
        '/d/a': { here: dir, there: absent(name('/d/a')), base: dir, parent: true },
        '/d/a/f': { here: v2, there: missing, base: v1 },
        '/d/a/new': { here: v1, there: missing },
      },
      [
        'conflict /d/a removed-there none',
        'conflict /d/a/f removed-there none',
        'conflict /d/a/new removed-there none',
      ],
    ],
    [
      'that gave way to a file there are a conflict, with all that is below',
      {
        '/d/a': { here: dir, there: there(name('/d/a'), v2, dir), base: dir, parent: true },
        '/d/a/f': { here: v2, there: { kind: 'behind-link' }, base: v1 },
        '/d/a/new': { here: v1, there: { kind: 'behind-link' } },
      },
      ['conflict /d/a type none', 'conflict /d/a/f removed-there none', 'conflict /d/a/new removed-there none'],
    ],
    [
      'there cannot give way to a file while something below is in conflict',
      {
        '/d/a': { here: v1, there: there(name('/d/a'), dir, v1), base: dir },
        '/d/a/f': { here: undefined, there: there(name('/d/a/f'), v2), base: v1 },
        '/d/a/g': { here: undefined, there: there(name('/d/a/g'), v1), base: v1 },
      },
      ['conflict /d/a type none', 'conflict /d/a/f removed-here none', 'conflict /d/a/g removed-here none'],
    ],
    ['behind a link are a problem', { '/d/a/f': { here: v1, there: { kind: 'behind-link' } } }, ['PATH_UNSAFE /d/a/f']],
    [
      'behind a link that becomes a directory are no problem',
      {
        '/d/a': { here: dir, there: there(name('/d/a'), { type: 'link' }), base: { type: 'link' } },
        '/d/a/f': { here: v1, there: { kind: 'behind-link' } },
      },
      ['update /d/a changed-here', 'create /d/a/f new-here'],
    ],
    [
      'that refuse are a problem of all below',
      {
        '/d/a': { here: dir, there: { kind: 'refused', answer: 'Permission denied!' }, parent: true },
        '/d/a/f': { here: v1, there: missing },
      },
      ['PEER_REFUSED /d/a', 'PARTIAL /d/a/f'],
    ],
  ])('%s', (_, files, told) => {
    expect(tellOf(files)).toEqual(told);
  });
  it('removed there come back as a whole when the method wins', () => {
    const files: Record<string, File> = {
      '/d/a': { here: dir, there: absent(name('/d/a')), base: dir, parent: true },
      '/d/a/f': { here: v2, there: missing, base: v1 },
      '/d/a/same': { here: v1, there: missing, base: v1, parent: true },
    };
    expect(tellOf(files, {}, auto('first')).filter((line) => !line.startsWith('conflict'))).toEqual([
      'create /d/a conflict-won',
      'create /d/a/f conflict-won',
      'create /d/a/same conflict-won',
    ]);
  });
});

describe('makePlan: directories that go', () => {
  it.each<[string, Record<string, File>, readonly string[]]>([
    [
      'go after what is in them',
      {
        '/d/a': { here: undefined, there: there(name('/d/a'), dir), base: dir },
        '/d/a/f': { here: undefined, there: there(name('/d/a/f'), v1), base: v1 },
      },
      ['delete /d/a/f removed-here', 'delete /d/a removed-here'],
    ],
    [
      'stay, and so do their parents, while a conflict keeps something in them',
      {
        '/d/a': { here: undefined, there: there(name('/d/a'), dir), base: dir },
        '/d/a/b': { here: undefined, there: there(name('/d/a/b'), dir), base: dir },
        '/d/a/b/f': { here: undefined, there: there(name('/d/a/b/f'), v2), base: v1 },
        '/d/a/g': { here: undefined, there: there(name('/d/a/g'), v1), base: v1 },
      },
      ['delete /d/a/g removed-here', 'conflict /d/a/b/f removed-here none', 'PARTIAL /d/a', 'PARTIAL /d/a/b'],
    ],
    [
      'that hold something in conflict are a conflict themselves where a file is to take their place',
      {
        '/d/a': { here: v1, there: there(name('/d/a'), dir), base: dir },
        '/d/a/f': { here: undefined, there: there(name('/d/a/f'), v2), base: v1 },
      },
      ['conflict /d/a type none', 'conflict /d/a/f removed-here none'],
    ],
    [
      'stay while it is not known what a file in them is',
      {
        '/d/a': { here: undefined, there: there(name('/d/a'), dir), base: dir },
        '/d/a/f': { here: undefined, there: { kind: 'failed', answer: 'Input/output error' }, base: v1 },
      },
      ['PEER_PROTOCOL /d/a/f', 'PARTIAL /d/a'],
    ],
  ])('%s', (_, files, told) => {
    expect(tellOf(files)).toEqual(told);
  });
});

describe('makePlan: as a whole', () => {
  const files: Record<string, File> = {
    '/d/new': { here: v1, there: absent(name('/d/new')) },
    '/d/changed': { here: v2, there: there(name('/d/changed'), v1, v2), base: v1 },
    '/d/gone': { here: undefined, there: there(name('/d/gone'), v1), base: v1 },
    '/d/same': { here: v1, there: there(name('/d/same'), v1, v1) },
    '/d/both': { here: v2, there: there(name('/d/both'), v3, v2), base: v1 },
    '/d/late': { here: v2, there: 'unknown' },
  };
  const plan = makePlan(inputs({ observations: [observe(files)] }));

  it('counts', () => {
    expect(plan.summary).toEqual({
      create: 1,
      update: 1,
      delete: 1,
      noOp: 1,
      conflict: 1,
      deferred: 1,
      bytes: 4,
      actions: 0,
      byPeer: { b: { create: 1, update: 1, delete: 1, noOp: 1, conflict: 1, deferred: 1, bytes: 4 } },
    });
  });
  it('is applyable, and not complete while a file was not asked about', () => {
    expect([plan.applyable, plan.complete, plan.errored]).toEqual([true, false, false]);
  });
  it('has a hash that neither its time nor its id changes, and everything else does', () => {
    const again = (options: Partial<PlanInputs>) =>
      makePlan(inputs({ observations: [observe(files)], ...options })).hash;
    expect(plan.hash).toMatch(/^[0-9a-f]{64}$/);
    expect(again({ timestamp: '2030-01-01T00:00:00Z', id: 'another' })).toBe(plan.hash);
    for (const other of [
      { serial: 4 },
      { lineage: undefined },
      { host: 'z' },
      { configHash: 'x' },
      { csxVersion: '9' },
    ]) {
      expect(again(other)).not.toBe(plan.hash);
    }
    expect(
      makePlan(inputs({ observations: [observe({ ...files, '/d/one-more': { here: v1, there: missing } })] })).hash,
    ).not.toBe(plan.hash);
  });
  it.each<[string, Partial<PlanInputs>, Partial<Plan>]>([
    ['nothing at all', {}, { applyable: false, complete: true, errored: false }],
    [
      'only no-ops: nothing to ask a person about',
      { observations: [observe({ '/d/same': files['/d/same'] ?? { here: v1, there: 'unknown' } })] },
      { applyable: false, complete: true },
    ],
    [
      'an unreachable peer: all deferred',
      { observations: [observe(files, { peer: planPeer('b', { reachable: false }), states: new Map() })] },
      { applyable: false, complete: false, errored: false },
    ],
    [
      'offline',
      {
        options: { ...inputs({}).options, offline: true },
        observations: [observe(files, { peer: planPeer('b', { reachable: 'unknown' }), states: new Map() })],
      },
      { applyable: false, complete: false },
    ],
    [
      'a failed check',
      { observations: [observe(files)], roots: [{ kind: 'root', file: name('/d'), state: 'missing', known: 3 }] },
      { applyable: false },
    ],
    [
      'an error',
      { problems: [{ severity: 'error', code: 'READ_FAILED', summary: 'No.' }] },
      { applyable: false, complete: false, errored: true },
    ],
    [
      'a warning',
      { problems: [{ severity: 'warning', code: 'PATH_OUTSIDE', summary: 'Hm.' }] },
      { complete: true, errored: false },
    ],
    [
      'commands left over',
      { pendingActions: [{ file: name('/d/x'), command: name('true'), logfile: name('/dev/null') }] },
      { applyable: true },
    ],
  ])('%s', (_, options, expected) => {
    expect(makePlan(inputs(options))).toMatchObject(expected);
  });
  it('defers everything for a peer that was lost in between, even what it had answered', () => {
    const lost = makePlan(inputs({ observations: [observe(files, { peer: planPeer('b', { reachable: false }) })] }));
    expect([lost.changes, lost.conflicts, lost.deferred.length]).toEqual([[], [], 6]);
  });
  it('sorts drift as the scan does: by stored names', () => {
    const found: Drift[] = ['/d/a~', '/d/a b', '/d/a'].map((file) => drift(name(file), undefined, v1));
    // "%20" stands before "~", and " " would as well; ":" is stored as "%3A", before "0".
    const made = makePlan(
      inputs({ drift: [...found, drift(name('/d/a:'), undefined, v1), drift(name('/d/a0'), undefined, v1)] }),
    );
    expect(made.drift.map((each) => each.file)).toEqual(['/d/a', '/d/a b', '/d/a:', '/d/a0', '/d/a~']);
  });
});

const look = fc.constantFrom<Look | undefined>(
  undefined,
  v1,
  v2,
  dir,
  { type: 'link', target: 't' },
  { type: 'socket' },
);
const paths = fc.constantFrom<FileName[]>(...['/d', '/d/a', '/d/a/b', '/d/a/b/c', '/d/a-', '/d/z', '/d/z/y'].map(name));
const remote = (file: FileName, here: Look | undefined): fc.Arbitrary<RemoteState | 'unknown'> =>
  fc.oneof(
    look.map((each) => (each === undefined ? absent(file) : there(file, each, here))),
    fc
      .tuple(look, look)
      .map(([each, row]) =>
        each === undefined ? absent(file, row ?? 'none') : there(file, each, here, row ?? 'none'),
      ),
    fc.constantFrom<RemoteState | 'unknown'>(
      missing,
      { kind: 'behind-link' },
      { kind: 'refused', answer: 'Permission denied!' },
      { kind: 'failed', answer: 'Input/output error' },
      'unknown',
    ),
  );
const file = fc.tuple(paths, look).chain(([path, here]) =>
  fc.record({
    path: fc.constant(path),
    here: fc.constant(here),
    there: remote(path, here),
    base: fc.option(
      look.map((each) => each ?? ('absent' as const)),
      { nil: undefined },
    ),
    before: fc.option(look, { nil: null }),
    parent: fc.boolean(),
    forced: fc.boolean(),
  }),
);
const methods = fc.constantFrom(
  ...(['none', 'first', 'younger', 'older', 'bigger', 'smaller', 'left', 'right'] as const),
);
const observation = fc
  .tuple(
    fc.constantFrom('b', 'c'),
    fc.uniqueArray(file, { selector: (each) => each.path, maxLength: 7 }),
    methods,
    fc.constantFrom<boolean | 'unknown'>(true, true, true, false, 'unknown'),
  )
  .map(([peer, files, method, reachable]): Observation => {
    const of = auto(method);
    return {
      peer: planPeer(peer, { reachable }),
      candidates: files.map((each) => {
        // An ancestor that is missing there stands here, or nobody would ask for it.
        const parent = each.parent && each.here !== undefined && each.here.type !== 'socket';
        return candidate(each.path, each.here, {
          peer: peerName(peer),
          group: of,
          groups: [of],
          forced: each.forced && !parent,
          origin: parent ? 'missing-parent' : 'marked',
          dirty: each.before === null && !parent ? dirty(each.path, { peer: peerName(peer) }) : undefined,
          drift: each.before === null || parent ? undefined : drift(each.path, each.before, each.here),
        });
      }),
      states: new Map(files.flatMap((each) => (each.there === 'unknown' ? [] : [[each.path, each.there] as const]))),
      baselines: new Map(
        files.flatMap((each) => (each.base === undefined ? [] : [[each.path, agreed(each.path, each.base)] as const])),
      ),
    };
  });
const observations = fc.uniqueArray(observation, { selector: (each) => each.peer.name });

describe('makePlan: always', () => {
  const plans = (check: (plan: Plan, of: readonly Observation[]) => void) => {
    fc.assert(
      fc.property(observations, (of) => {
        check(makePlan(inputs({ observations: of })), of);
      }),
      { numRuns: 400 },
    );
  };

  it('accounts for every candidate exactly once', () => {
    plans((plan, of) => {
      const settled = plan.conflicts
        .filter((each) => each.resolution === 'local')
        .map((each) => `${each.peer} ${each.path}`);
      const accounted = [
        ...plan.changes.map((each) => `${each.peer} ${each.path}`).filter((each) => !settled.includes(each)),
        ...plan.conflicts.map((each) => `${each.peer} ${each.path}`),
        ...plan.deferred.map((each) => `${each.peer} ${each.path}`),
        ...plan.diagnostics.map((each) => `${each.peer ?? ''} ${each.path ?? ''}`),
      ];
      const expected = of.flatMap((each) =>
        each.candidates
          .filter((one) => {
            const remote = each.peer.reachable === true ? each.states.get(one.file) : undefined;
            if (one.origin === 'marked') return true;
            if (remote === undefined) return false;
            // A directory that stands there needs nothing.
            const ours = one.local?.entry.type === 'directory';
            return remote.kind !== 'present' || (ours && remote.state.entry.type !== 'directory');
          })
          .map((one) => `${one.peer} ${one.file}`),
      );
      expect(accounted.sort(compareBytes)).toEqual(expected.sort(compareBytes));
    });
  });

  it('plans nothing for what was refused, failed or not asked', () => {
    plans((plan, of) => {
      for (const each of of) {
        for (const change of plan.changes) {
          if (change.peer !== each.peer.name || change.after?.entry.type === 'socket') continue;
          expect(each.peer.reachable).toBe(true);
          expect(['present', 'absent', 'parent-missing', 'behind-link']).toContain(each.states.get(change.path)?.kind);
        }
      }
    });
  });

  it('overwrites a change it knows of only with FLUSH, and never without a reason', () => {
    plans((plan) => {
      for (const conflict of plan.conflicts) {
        const change = plan.changes.find((each) => each.peer === conflict.peer && each.path === conflict.path);
        expect(change !== undefined).toBe(conflict.resolution === 'local');
        if (change !== undefined)
          expect([change.force, ['forced', 'conflict-won']]).toEqual([true, expect.arrayContaining([change.reason])]);
      }
    });
  });

  it('creates nothing whose directory will not be there, and empties every directory it removes', () => {
    plans((plan, of) => {
      for (const each of of) {
        const mine = plan.changes.filter((change) => change.peer === each.peer.name);
        const stands = new Map<FileName, string>();
        for (const one of each.candidates) {
          const state = each.states.get(one.file);
          if (state?.kind === 'present') stands.set(one.file, state.state.entry.type);
        }
        const said = (path: FileName) => each.candidates.some((one) => one.file === path);
        for (const change of mine) {
          if (change.action === 'no-op') continue;
          const replaces = change.action === 'delete' || change.aspects.includes('type');
          if (replaces && stands.get(change.path) === 'directory') {
            expect([...stands.keys()].filter((path) => path.startsWith(`${change.path}/`))).toEqual([]);
          }
          const parent = parentName(change.path);
          if (change.action === 'create' && parent !== undefined) {
            if (said(parent)) expect(stands.get(parent)).toBe('directory');
            else expect(each.states.get(change.path)?.kind).toBe('absent');
          }
          if (change.after === undefined) stands.delete(change.path);
          else stands.set(change.path, change.after.entry.type);
        }
      }
    });
  });

  it('is the same whatever the order it is told in', () => {
    const shuffle = <T>(list: readonly T[], key: number) =>
      [...list]
        .map((each, index) => ({ each, at: (index * 7919 + key * 104729) % 101 }))
        .sort((a, b) => a.at - b.at)
        .map(({ each }) => each);
    fc.assert(
      fc.property(observations, fc.nat(100), (of, key) => {
        const found = of.flatMap((each) =>
          each.candidates.flatMap((one) => (one.drift === undefined ? [] : [one.drift])),
        );
        const once = [...new Map(found.map((each) => [each.file, each])).values()];
        const shuffled = shuffle(of, key).map((each) => ({
          ...each,
          candidates: shuffle(each.candidates, key + 1),
          states: new Map(shuffle([...each.states], key + 2)),
          baselines: new Map(shuffle([...each.baselines], key + 3)),
        }));
        const a = makePlan(inputs({ observations: of, drift: once }));
        const b = makePlan(inputs({ observations: shuffled, drift: shuffle(once, key) }));
        expect(b).toEqual(a);
      }),
    );
  });
});
