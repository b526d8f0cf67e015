import { describe, expect, it } from 'vitest';
import type { AutoMethod, Group } from '../../src/model/config.js';
import type { RemoteState, Weights } from '../../src/model/plan.js';
import type { Baseline } from '../../src/model/store.js';
import type { Candidate } from '../../src/planner/candidates.js';
import { reconcile } from '../../src/planner/reconcile.js';
import type { Outcome } from '../../src/planner/reconcile.js';
import { absent, agreed, auto, candidate, dirty, drift, group, here, name, text, there } from './make.js';
import type { Look } from './make.js';

const F = name('/d/f');
const L = name('%p%/l');
const v1: Look = { content: '1', mtime: 1000 };
const v2: Look = { content: 'two', mtime: 2000 };
const v3: Look = { content: 'three', mtime: 3000 };

/** An outcome as one line: `update content force conflict-won | both-changed local predicted`. */
function tell(outcome: Outcome): string {
  const change = outcome.kind === 'problem' ? undefined : outcome.change;
  const parts =
    change === undefined ? [] : [change.action, ...change.aspects, ...(change.force ? ['force'] : []), change.reason];
  switch (outcome.kind) {
    case 'change':
      return parts.join(' ');
    case 'deferred':
      return `deferred: ${parts.join(' ')}`;
    case 'problem':
      return `problem: ${outcome.problem.code}`;
    case 'conflict': {
      const { kind, resolution, certainty } = outcome.met.conflict;
      return [`conflict: ${kind} ${resolution} ${certainty}`, ...(parts.length > 0 ? [parts.join(' ')] : [])].join(
        ' | ',
      );
    }
  }
}

interface Case {
  readonly it: string;
  readonly here: Look | undefined;
  readonly there: RemoteState | 'unknown';
  readonly base?: Baseline;
  /** What the scan found it was before; `none`: new. Left out: no drift, the row of the file knows it. */
  readonly before?: Look | 'none';
  /** Marked before this run. */
  readonly marked?: boolean;
  readonly with?: Partial<Candidate>;
  readonly gives: string;
}

function run(each: Case, file = F): Outcome {
  const before = each.before === 'none' ? undefined : each.before;
  const found = each.before === undefined ? undefined : drift(file, before, each.here);
  const row = (each.marked ?? each.before === undefined) ? dirty(file) : undefined;
  return reconcile(candidate(file, each.here, { drift: found, dirty: row, ...each.with }), each.there, each.base);
}

function table(title: string, cases: readonly Case[]): void {
  describe(title, () => {
    it.each(cases.map((each) => [each.it, each] as const))('%s', (_, each) => {
      expect(tell(run(each))).toBe(each.gives);
    });
  });
}

table('new here', [
  { it: 'absent there, nothing known', here: v1, before: 'none', there: absent(F), gives: 'create new-here' },
  {
    it: 'absent there, its database has no row',
    here: v1,
    before: 'none',
    there: absent(F, 'none'),
    gives: 'create new-here',
  },
  {
    it: 'absent there, but its database has a row: removed there and not scanned',
    here: v1,
    before: 'none',
    there: absent(F, v1),
    gives: 'conflict: removed-there none predicted',
  },
  {
    it: 'absent there as agreed',
    here: v1,
    before: 'none',
    there: absent(F),
    base: agreed(F, 'absent'),
    gives: 'create new-here',
  },
  {
    it: 'absent there, the baseline older than the removal csync2 settled: the missing row here is the better memory',
    here: v2,
    before: 'none',
    there: absent(F),
    base: agreed(F, v1),
    gives: 'create new-here',
  },
  {
    it: 'its directory is missing there',
    here: v1,
    before: 'none',
    there: { kind: 'parent-missing' },
    gives: 'create new-here',
  },
  { it: 'behind a link there', here: v1, before: 'none', there: { kind: 'behind-link' }, gives: 'create new-here' },
  { it: 'the same there', here: v1, before: 'none', there: there(F, v1, v1), gives: 'no-op equal' },
  { it: 'the same there, unscanned', here: v1, before: 'none', there: there(F, v1, v1, 'none'), gives: 'no-op equal' },
  {
    it: 'the same there but for the time',
    here: v1,
    before: 'none',
    there: there(F, { ...v1, mtime: 9 }, v1, 'none'),
    gives: 'update mtime changed-here',
  },
  {
    it: 'another there, unscanned: its check will mark it',
    here: v1,
    before: 'none',
    there: there(F, v2, v1, 'none'),
    gives: 'conflict: both-created none predicted',
  },
  {
    it: 'another there, scanned',
    here: v1,
    before: 'none',
    there: there(F, v2, v1, v2),
    gives: 'conflict: both-created none predicted',
  },
  {
    it: 'another there, agreed to be absent',
    here: v1,
    before: 'none',
    there: there(F, v2, v1),
    base: agreed(F, 'absent'),
    gives: 'conflict: both-created none predicted',
  },
  {
    it: 'another type there',
    here: v1,
    before: 'none',
    there: there(F, { type: 'directory' }, v1),
    gives: 'conflict: type none predicted',
  },
]);

table('changed here', [
  {
    it: 'there as agreed',
    here: v2,
    before: v1,
    there: there(F, v1, v2),
    base: agreed(F, v1),
    gives: 'update content mtime changed-here',
  },
  {
    it: 'only the mode differs',
    here: { ...v1, mode: 0o600 },
    before: v1,
    there: there(F, v1, v1),
    base: agreed(F, v1),
    gives: 'update mode changed-here',
  },
  {
    it: 'only the owner differs',
    here: { ...v1, uid: 7 },
    before: v1,
    there: there(F, v1, v1),
    base: agreed(F, v1),
    gives: 'update owner changed-here',
  },
  {
    it: 'its type differs from what is there as agreed',
    here: { type: 'directory' },
    before: v1,
    there: there(F, v1),
    base: agreed(F, v1),
    gives: 'update type changed-here',
  },
  {
    it: 'there something else than agreed',
    here: v3,
    before: v1,
    there: there(F, v2, v3),
    base: agreed(F, v1),
    gives: 'conflict: both-changed none predicted',
  },
  {
    it: 'there the same size and mode as agreed, but other content',
    here: v2,
    before: v1,
    there: there(F, { content: 'x', mtime: 1000 }, v2),
    base: agreed(F, v1),
    gives: 'conflict: both-changed none predicted',
  },
  {
    it: 'there the content agreed, but touched: the check text counts the time',
    here: v2,
    before: v1,
    there: there(F, { ...v1, mtime: 1500 }, v2),
    base: agreed(F, v1),
    gives: 'conflict: both-changed none predicted',
  },
  {
    it: 'there changed to the very same',
    here: v2,
    before: v1,
    there: there(F, v2, v2),
    base: agreed(F, v1),
    gives: 'no-op equal',
  },
  {
    it: 'there changed to the same at another time',
    here: v2,
    before: v1,
    there: there(F, { ...v2, mtime: 2500 }, v2),
    base: agreed(F, v1),
    gives: 'update mtime changed-here',
  },
  {
    it: 'removed there since',
    here: v2,
    before: v1,
    there: absent(F),
    base: agreed(F, v1),
    gives: 'conflict: removed-there none predicted',
  },
  {
    it: 'removed there with its directory',
    here: v2,
    before: v1,
    there: { kind: 'parent-missing' },
    base: agreed(F, v1),
    gives: 'conflict: removed-there none predicted',
  },
  {
    it: 'never there, nothing known (a host new to the group)',
    here: v2,
    before: v1,
    there: absent(F, 'none'),
    gives: 'create missing-there',
  },
  {
    it: 'no baseline, there as it was here',
    here: v2,
    before: v1,
    there: there(F, { ...v1, mtime: 7 }, v2),
    gives: 'update content mtime changed-here',
  },
  {
    it: 'no baseline, there neither as it was nor as it is',
    here: v3,
    before: v1,
    there: there(F, v2, v3),
    gives: 'conflict: both-changed none predicted',
  },
  {
    it: 'no baseline, marked before: what was here says nothing about there',
    here: v3,
    before: v2,
    marked: true,
    there: there(F, v1, v3),
    gives: 'update content mtime changed-here',
  },
  {
    it: 'baseline older than what csync2 brought since: the row here is the better memory',
    here: v3,
    before: v2,
    there: there(F, v2, v3),
    base: agreed(F, v1),
    gives: 'update content mtime changed-here',
  },
  {
    it: 'marked before, and there as it was here: it was sent, and the answer never came',
    here: v3,
    before: v2,
    marked: true,
    there: there(F, v2, v3),
    base: agreed(F, v1),
    gives: 'update content mtime changed-here',
  },
  {
    it: 'marked before, made again here, absent there: the removal was sent, and the answer never came',
    here: v3,
    before: 'none',
    marked: true,
    there: absent(F),
    base: agreed(F, v1),
    gives: 'create new-here',
  },
  {
    it: 'marked before, and there neither as agreed nor as it was here',
    here: v3,
    before: v2,
    marked: true,
    there: there(F, { content: 'four', mtime: 4000 }, v3),
    base: agreed(F, v1),
    gives: 'conflict: both-changed none predicted',
  },
  {
    it: 'the same, but the second differs: no proof',
    here: v3,
    before: v2,
    there: there(F, { ...v2, mtime: 2001 }, v3),
    base: agreed(F, v1),
    gives: 'conflict: both-changed none predicted',
  },
  {
    it: 'there as agreed, but its database says something else: an unscanned change taken back is marked all the same',
    here: v2,
    before: v1,
    there: there(F, v1, v2, v3),
    base: agreed(F, v1),
    gives: 'conflict: both-changed none predicted',
  },
]);

table('removed here', [
  {
    it: 'there as agreed',
    here: undefined,
    before: v1,
    there: there(F, v1),
    base: agreed(F, v1),
    gives: 'delete removed-here',
  },
  { it: 'gone there too', here: undefined, before: v1, there: absent(F), base: agreed(F, v1), gives: 'no-op equal' },
  {
    it: 'its directory gone there too',
    here: undefined,
    before: v1,
    there: { kind: 'parent-missing' },
    gives: 'no-op equal',
  },
  {
    it: 'behind a link there: nothing of ours',
    here: undefined,
    before: v1,
    there: { kind: 'behind-link' },
    gives: 'no-op equal',
  },
  {
    it: 'changed there',
    here: undefined,
    before: v1,
    there: there(F, v2),
    base: agreed(F, v1),
    gives: 'conflict: removed-here none predicted',
  },
  {
    it: 'created there after both had agreed on its absence',
    here: undefined,
    there: there(F, v2),
    base: agreed(F, 'absent'),
    gives: 'conflict: removed-here none predicted',
  },
  {
    it: 'no baseline, there as it was here',
    here: undefined,
    before: v1,
    there: there(F, v1),
    gives: 'delete removed-here',
  },
  {
    it: 'no baseline, there another',
    here: undefined,
    before: v1,
    there: there(F, v2),
    gives: 'conflict: removed-here none predicted',
  },
  {
    it: 'no baseline, marked before, nothing else known',
    here: undefined,
    there: there(F, v2),
    gives: 'delete removed-here',
  },
  {
    it: 'unscanned change there',
    here: undefined,
    there: there(F, v2, undefined, v1),
    gives: 'conflict: removed-here none predicted',
  },
]);

table('marked, unchanged since both agreed', [
  { it: 'the same there', here: v1, there: there(F, v1, v1), base: agreed(F, v1), gives: 'no-op equal' },
  {
    it: 'changed there only',
    here: v1,
    there: there(F, v2, v1),
    base: agreed(F, v1),
    gives: 'conflict: both-changed none predicted',
  },
  {
    it: 'removed there only',
    here: v1,
    there: absent(F),
    base: agreed(F, v1),
    gives: 'conflict: removed-there none predicted',
  },
  { it: 'never sent', here: v1, there: absent(F), gives: 'create new-here' },
]);

table('forced', [
  {
    it: 'nothing speaks against it',
    here: v2,
    there: there(F, v1, v2),
    base: agreed(F, v1),
    with: { forced: true },
    gives: 'update content mtime force forced',
  },
  {
    it: 'changed there',
    here: v2,
    there: there(F, v3, v2),
    base: agreed(F, v1),
    with: { forced: true },
    gives: 'conflict: both-changed local predicted | update content mtime force forced',
  },
  {
    it: 'removed here, changed there',
    here: undefined,
    there: there(F, v3),
    base: agreed(F, v1),
    with: { forced: true },
    gives: 'conflict: removed-here local predicted | delete force forced',
  },
  {
    it: 'removed there',
    here: v1,
    there: absent(F),
    base: agreed(F, v1),
    with: { forced: true },
    gives: 'conflict: removed-there local predicted | create force forced',
  },
  {
    it: 'equal: nothing to overwrite, but the peer forgets its marks',
    here: v1,
    there: there(F, v1, v1),
    with: { forced: true },
    gives: 'no-op force equal',
  },
  { it: 'not asked', here: v1, there: 'unknown', with: { forced: true }, gives: 'deferred: unknown force forced' },
  {
    it: 'refused',
    here: v1,
    there: { kind: 'refused', answer: 'Permission denied!' },
    with: { forced: true },
    gives: 'problem: PEER_REFUSED',
  },
]);

table('refused when it was last sent', [
  {
    it: 'is certain, whatever else is known',
    here: v2,
    there: there(F, v1, v2),
    base: agreed(F, v1),
    with: { dirty: dirty(F, { refused: 9 }) },
    gives: 'conflict: both-changed none certain',
  },
  {
    it: 'is over once both are equal',
    here: v2,
    there: there(F, v2, v2),
    base: agreed(F, v1),
    with: { dirty: dirty(F, { refused: 9 }) },
    gives: 'no-op equal',
  },
  {
    it: 'and forced since',
    here: v2,
    there: there(F, v1, v2),
    with: { forced: true, dirty: dirty(F, { refused: 9, forced: true }) },
    gives: 'conflict: both-changed local certain | update content mtime force forced',
  },
]);

table('what the peer does not tell', [
  { it: 'not asked', here: v1, before: 'none', there: 'unknown', gives: 'deferred: unknown new-here' },
  { it: 'not asked, removed here', here: undefined, there: 'unknown', gives: 'deferred: unknown removed-here' },
  { it: 'refused', here: v1, there: { kind: 'refused', answer: 'Permission denied!' }, gives: 'problem: PEER_REFUSED' },
  { it: 'failed', here: v1, there: { kind: 'failed', answer: 'Input/output error' }, gives: 'problem: PEER_PROTOCOL' },
  { it: 'a socket here is never sent', here: { type: 'socket' }, there: 'unknown', gives: 'no-op equal' },
]);

describe("auto methods, in the sender's role", () => {
  const old: Look = { content: 'long', mtime: 100 };
  const young: Look = { content: 's', mtime: 200 };
  const lost = 'conflict: both-changed none predicted';
  const won = 'conflict: both-changed local predicted | update content mtime force conflict-won';
  it.each<[string, Group, Look, Look, string]>([
    ['none', auto('none'), old, young, lost],
    ['first', auto('first'), old, young, won],
    ['younger, and it is', auto('younger'), young, old, won],
    ['younger, and it is not', auto('younger'), old, young, lost],
    [
      'younger, equally old: not larger',
      auto('younger'),
      { ...old, mtime: 200 },
      young,
      'conflict: both-changed none predicted',
    ],
    ['older, and it is', auto('older'), old, young, won],
    ['older, and it is not', auto('older'), young, old, lost],
    ['bigger, and it is', auto('bigger'), old, young, won],
    ['bigger, and it is not', auto('bigger'), young, old, lost],
    ['bigger, equally big: not larger', auto('bigger'), { content: 'x', mtime: 100 }, young, lost],
    ['smaller, and it is', auto('smaller'), young, old, won],
    ['smaller, equally big: not larger', auto('smaller'), { content: 'x', mtime: 100 }, young, won],
    ['left, and this host is', auto('left', 'a b'), old, young, won],
    ['left, and the peer is', auto('left', 'b a'), old, young, lost],
    ['right, and this host is', auto('right', 'b a'), old, young, won],
    ['right, and the peer is', auto('right', 'a b'), old, young, lost],
    ['slave peer, whatever the method', group({ peerSlave: true, auto: 'younger' }), old, young, won],
  ])('%s', (_, of, mine, theirs, gives) => {
    const outcome = reconcile(
      candidate(F, mine, { group: of, dirty: dirty(F) }),
      there(F, theirs, mine),
      agreed(F, v3),
    );
    expect(tell(outcome)).toBe(gives);
  });

  it('older, equally old: not larger, so it wins', () => {
    const of = auto('older');
    const outcome = reconcile(
      candidate(F, v1, { group: of, dirty: dirty(F) }),
      there(F, { ...v2, mtime: 1000 }, v1),
      agreed(F, v3),
    );
    expect(tell(outcome)).toBe('conflict: both-changed local predicted | update content force conflict-won');
  });

  it.each(['younger', 'older', 'bigger', 'smaller'] as const)(
    '%s: removed there is won, removed here never',
    (method) => {
      const of = auto(method);
      const gone = reconcile(candidate(F, v1, { group: of }), absent(F), agreed(F, v1));
      expect(tell(gone)).toBe('conflict: removed-there local predicted | create force conflict-won');
      const mine = reconcile(candidate(F, undefined, { group: of }), there(F, v2), agreed(F, v1));
      expect(tell(mine)).toBe('conflict: removed-here none predicted');
    },
  );

  it('first: a removal here wins', () => {
    const outcome = reconcile(candidate(F, undefined, { group: auto('first') }), there(F, v2), agreed(F, v1));
    expect(tell(outcome)).toBe('conflict: removed-here local predicted | delete force conflict-won');
  });

  it.each<[string, AutoMethod, Weights | undefined, string]>([
    ['younger, and it is', 'younger', { here: 200, there: 100 }, 'local'],
    ['younger, and it is not', 'younger', { here: 100, there: 100 }, 'none'],
    ['older, and it is', 'older', { here: 100, there: 100 }, 'local'],
    ['bigger, and it is', 'bigger', { here: 8192, there: 4096 }, 'local'],
    ['smaller, and it is not', 'smaller', { here: 8192, there: 4096 }, 'none'],
    ['younger, and the peer does not say', 'younger', undefined, 'none'],
  ])('directories are weighed by what lstat tells: %s', (_, method, weights, resolution) => {
    const mine: Look = { type: 'directory', mode: 0o700 };
    const theirs = there(F, { type: 'directory', mode: 0o755 }, mine);
    const outcome = reconcile(
      candidate(F, mine, { group: auto(method) }),
      theirs.kind === 'present' ? { ...theirs, weights } : theirs,
      agreed(F, { type: 'directory', mode: 0o750 }),
    );
    expect(tell(outcome)).toContain(`conflict: both-changed ${resolution} predicted`);
  });

  it('says why, in one sentence', () => {
    const outcome = reconcile(candidate(F, v1, { group: auto('younger') }), there(F, v2, v1), agreed(F, v3));
    expect(outcome.kind === 'conflict' && outcome.met.conflict.because).toBe(
      "Changed here, and on b it was changed there since both last agreed; auto younger: this host's version is not younger, so the peer keeps its version until it sends it here.",
    );
  });
});

describe('links below a prefix, whose target csync2 does not show', () => {
  const mine: Look = { type: 'link', target: 'new' };
  it.each<[string, Baseline | undefined, string]>([
    ['are sent once', undefined, 'update target changed-here'],
    ['are sent when the target was another', agreed(L, { type: 'link', target: 'old' }), 'update target changed-here'],
    ['are not sent again', agreed(L, mine), 'no-op equal'],
  ])('%s', (_, base, gives) => {
    expect(tell(reconcile(candidate(L, mine, { dirty: dirty(L) }), there(L, mine, mine), base))).toBe(gives);
  });
});

describe('links elsewhere', () => {
  it.each([
    ['same', 'no-op equal'],
    ['other', 'update target changed-here'],
  ])('target %s', (target, gives) => {
    const mine: Look = { type: 'link', target: 'same' };
    const outcome = reconcile(candidate(F, mine, { dirty: dirty(F) }), there(F, { type: 'link', target }), undefined);
    expect(tell(outcome)).toBe(gives);
  });
});

describe('decisions', () => {
  const conflicting = (decide: Parameters<typeof reconcile>[3]) =>
    reconcile(candidate(F, v2), there(F, v3, v2), agreed(F, v1), decide);

  it('for this host sends it by force', () => {
    expect(tell(conflicting(() => 'local'))).toBe(
      'conflict: both-changed local predicted | update content mtime force conflict-won',
    );
  });
  it('both sends this version, when the other is saved', () => {
    expect(tell(conflicting(() => 'both'))).toBe(
      'conflict: both-changed both predicted | update content mtime force conflict-won',
    );
  });
  it.each(['peer', 'none'] as const)('%s sends nothing', (resolution) => {
    expect(tell(conflicting(() => resolution))).toBe(`conflict: both-changed ${resolution} predicted`);
  });
  it('are told who the method says has won', () => {
    const winners: string[] = [];
    reconcile(candidate(F, v2, { group: auto('younger') }), there(F, v3, v2), agreed(F, v1), (_, verdict) => {
      winners.push(verdict.winner);
      return undefined;
    });
    expect(winners).toEqual(['peer']);
  });
});

describe('a change', () => {
  it('carries both states, the bytes at most, and what must still hold', () => {
    const outcome = run({ it: '', here: v2, before: v1, there: there(F, v1, v2), base: agreed(F, v1), gives: '' });
    expect(outcome.kind === 'change' && outcome.change).toMatchObject({
      peer: 'b',
      me: 'a',
      path: F,
      groups: ['g'],
      bytes: 3,
      before: { checktxt: 'v1:mtime=0:mode=33188:uid=0:gid=0:type=reg:size=1', signature: 's:1' },
      after: { checktxt: text(F, v2) },
      precondition: {
        local: { checktxt: text(F, v2), stamp: here(F, v2).stamp },
        remote: { checktxt: 'v1:mtime=0:mode=33188:uid=0:gid=0:type=reg:size=1', signature: 's:1' },
      },
    });
  });
  it('names the group first whose key and method count', () => {
    const [own, other] = [group(), group({ name: 'h' })];
    const outcome = reconcile(candidate(F, v1, { group: other, groups: [own, other] }), absent(F), undefined);
    expect(outcome.kind === 'change' && outcome.change.groups).toEqual(['h', 'g']);
  });
  it('of attributes alone sends no content', () => {
    const mine = { ...v2, mode: 0o600 };
    const outcome = run({ it: '', here: mine, before: v2, there: there(F, v2, mine), gives: '' });
    expect(outcome.kind === 'change' && outcome.change.bytes).toBe(0);
  });
});
