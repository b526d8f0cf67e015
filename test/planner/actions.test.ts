import { describe, expect, it } from 'vitest';
import type { ActionRule, Group } from '../../src/model/config.js';
import type { Change, Conflict } from '../../src/model/plan.js';
import type { ActionInputs } from '../../src/planner/actions.js';
import { reconcile } from '../../src/planner/reconcile.js';
import {
  absent,
  agreed,
  candidate,
  drift,
  expectActions,
  group,
  membership,
  name,
  peerName,
  rule,
  there,
} from './make.js';
import type { Look } from './make.js';

const v1: Look = { content: '1' };
const v2: Look = { content: 'two' };

interface Setting {
  readonly groups: readonly Group[];
  /** Files that changed here and go to b. */
  readonly changed?: readonly string[];
  readonly options?: Partial<ActionInputs>;
}

function inputs({ groups, changed = ['/d/x'], options = {} }: Setting): ActionInputs {
  const candidates = changed.map((file) =>
    candidate(name(file), v2, { groups, group: groups[0] ?? group(), drift: drift(name(file), v1, v2) }),
  );
  return {
    host: peerName('a'),
    changes: candidates.flatMap((each) => {
      const outcome = reconcile(each, there(each.file, v1, v2), agreed(each.file, v1));
      return outcome.kind === 'change' ? [outcome.change] : [];
    }),
    conflicts: [],
    candidates: [candidates],
    drift: candidates.flatMap((each) => (each.drift === undefined ? [] : [each.drift])),
    pending: [],
    membership: membership('/d', groups),
    ...options,
  };
}

/** `a local [g] reload <- /d/x`. */
const tell = (setting: Setting) =>
  expectActions(inputs(setting)).map(
    (each) => `${each.host} ${each.when} [${each.group}] ${each.command} <- ${each.triggeredBy.join(' ')}`,
  );

const only = (...actions: Group['actions']) => [group({ actions, hosts: 'a b' })];

describe('expectActions', () => {
  it.each([
    ['peers', ['b remote [g] reload <- /d/x']],
    ['everywhere', ['a local [g] reload <- /d/x', 'b remote [g] reload <- /d/x']],
    ['here', ['a local [g] reload <- /d/x']],
  ] as const)('%s', (where, expected) => {
    expect(tell({ groups: only(rule({ run: 'reload', where })) })).toEqual(expected);
  });

  it('runs each distinct command once on a host, whatever asks for it', () => {
    const groups = [
      group({ actions: [rule({ run: 'reload' })] }),
      group({ name: 'h', actions: [rule({ run: 'reload' })] }),
    ];
    expect(tell({ groups, changed: ['/d/y', '/d/x'] })).toEqual(['b remote [g] reload <- /d/x /d/y']);
  });
  it('looks at the patterns', () => {
    const groups = only(rule({ run: 'reload', on: '/d/x' }), rule({ run: 'other', on: '/d/y' }));
    expect(tell({ groups })).toEqual(['b remote [g] reload <- /d/x']);
  });
  it('writes the names so that none is read as shell syntax', () => {
    const groups = only(rule({ run: 'reload %%' }));
    expect(tell({ groups, changed: ['/d/a b', "/d/; reboot #'"] })).toEqual([
      `b remote [g] reload '/d/; reboot #'\\''' '/d/a b' <- /d/; reboot #' /d/a b`,
    ]);
  });
  it('runs what an earlier run left behind, here', () => {
    const [pending] = only(rule({ run: 'reload' })).flatMap((each) => each.actions);
    if (pending === undefined) throw new Error('no rule');
    const rows = [{ file: name('/d/old'), command: pending.commands[0] ?? pending.logfile, logfile: pending.logfile }];
    expect(tell({ groups: only(), changed: [], options: { pending: rows } })).toEqual(['a local [] reload <- /d/old']);
  });

  const carry = (change: Partial<Change>) => {
    const made = inputs({ groups: only(rule({ run: 'reload' })) });
    const changes = made.changes.map((each) => ({ ...each, ...change }));
    return expectActions({ ...made, changes }).length;
  };
  // As csync2 2.0 does, seen from its client to its daemon.
  it.each<[string, Partial<Change>, number]>([
    ['a creation', { action: 'create', aspects: [] }, 1],
    ['new content', { aspects: ['content', 'mode'] }, 1],
    ['another type', { aspects: ['type'] }, 1],
    ['another link target', { aspects: ['target'] }, 1],
    ['attributes alone', { aspects: ['owner', 'mode'] }, 1],
    ['times alone', { aspects: ['mtime'] }, 0],
    ['a removal', { action: 'delete', aspects: [] }, 1],
    ['a no-op', { action: 'no-op', aspects: [] }, 0],
  ])('on the peer: %s', (_, change, count) => {
    expect(carry(change)).toBe(count);
  });

  it('here: also when the peers have the same already', () => {
    const made = inputs({ groups: only(rule({ run: 'reload', where: 'here' })) });
    expect(expectActions({ ...made, changes: [] })).toHaveLength(1);
  });
  it('here: as on a receiver, for a version that is taken and the directories that come with it', () => {
    const [file, above] = [name('/d/x/y'), name('/d/x')];
    const outcome = reconcile(
      candidate(file, undefined),
      there(file, { content: 'x' }),
      agreed(file, { content: 'old' }),
    );
    if (outcome.kind !== 'conflict') throw new Error(outcome.kind);
    const told = (where: ActionRule['where'], resolution: Conflict['resolution']): string[] =>
      expectActions({
        ...inputs({ groups: only(rule({ run: 'reload', where })) }),
        changes: [],
        drift: [drift(above, { type: 'directory' }, undefined)],
        conflicts: [{ ...outcome.met.conflict, resolution }],
      }).map((each) => `${each.when} ${each.triggeredBy.join(' ')}`);
    expect(told('peers', 'peer')).toEqual(['local /d/x /d/x/y']);
    expect(told('everywhere', 'peer')).toEqual(['local /d/x /d/x/y']);
    expect(told('here', 'peer')).toEqual(['local /d/x']);
    expect(told('peers', 'local')).toEqual([]);
  });
  it('here: not where this host sends nothing', () => {
    const made = inputs({ groups: only(rule({ run: 'reload', where: 'here' })) });
    expect(expectActions({ ...made, membership: membership('/elsewhere') })).toEqual([]);
  });
  it('here: not for sockets', () => {
    const found = drift(name('/d/s'), undefined, { type: 'socket' });
    const made = inputs({ groups: only(rule({ run: 'reload', where: 'here' })), changed: [] });
    expect(expectActions({ ...made, drift: [found] })).toEqual([]);
  });
  it('nothing for a conflict that is not won', () => {
    const groups = only(rule({ run: 'reload' }));
    const lost = candidate(name('/d/x'), v2, { groups });
    expect(reconcile(lost, absent(name('/d/x')), agreed(name('/d/x'), v1)).kind).toBe('conflict');
    expect(expectActions({ ...inputs({ groups, changed: [] }), candidates: [[lost]] })).toEqual([]);
  });
});
