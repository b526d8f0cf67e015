/**
 * Who decides a conflict, in this order: a decision on this very conflict (the prompt, a resolutions file), then the rule of the run
 * (`--on-conflict`), then the group's method. What is beyond decision (Verdict.firm: forced files, slaves) stays as it is.
 *
 *   fail, skip   the method's word stands; what it leaves open stays open (and is the run's exit status, or not)
 *   auto         the method is followed both ways: where it says that this host loses, the peer's version is taken
 *   local        this host's version wins
 *   peer         the peer's version wins, also over the method
 */

import type { Conflict } from '../model/plan.js';
import type { Verdict } from './method.js';
import type { Decide } from './reconcile.js';
import { appliesTo } from './resolutions.js';
import type { Contents, Keep, Resolution } from './resolutions.js';
import { sameState } from './taken.js';

export const ON_CONFLICT = ['fail', 'skip', 'local', 'peer', 'auto'] as const;
export type OnConflict = (typeof ON_CONFLICT)[number];

export interface Deciding {
  readonly onConflict: OnConflict;
  readonly resolutions: readonly Resolution[];
  readonly contents: Contents;
  /** Conflicts whose versions were merged into this host's file: it replaces the version that went into it, and no other. */
  readonly merged?: readonly Conflict[];
}

/** The decisions of a run as the planner asks for them. */
export function decideWith(deciding: Deciding): Decide {
  const byFile = Map.groupBy(deciding.resolutions, (each) => `${each.peer}\0${each.path}`);
  return (conflict, verdict) => {
    if (verdict.firm === true) return undefined;
    const single = byFile
      .get(`${conflict.peer}\0${conflict.path}`)
      ?.find((each) => appliesTo(each, conflict, deciding.contents));
    if (single !== undefined) return possible(single.keep, conflict);
    if (deciding.merged?.some((each) => isMerged(each, conflict)) === true) return 'local';
    return byRule(deciding.onConflict, conflict, verdict);
  };
}

function isMerged(before: Conflict, now: Conflict): boolean {
  return before.path === now.path && before.peer === now.peer && sameState(before.remote, now.remote);
}

function byRule(rule: OnConflict, conflict: Conflict, verdict: Verdict): Conflict['resolution'] | undefined {
  switch (rule) {
    case 'fail':
    case 'skip':
      return undefined;
    case 'auto':
      return verdict.winner === 'peer' ? possible('peer', conflict) : undefined;
    case 'local':
      return 'local';
    case 'peer':
      return possible('peer', conflict);
  }
}

/** The nearest that can be done: of a version that does not exist, or that cannot be fetched, none can be kept. */
function possible(keep: Keep, conflict: Conflict): Conflict['resolution'] {
  switch (keep) {
    case 'skip':
      return 'none';
    case 'local':
      return 'local';
    case 'peer':
      return whyNotTaken(conflict) === undefined ? 'peer' : 'none';
    case 'both':
      // There is only one version to keep: the one that exists.
      if (conflict.remote === undefined) return 'local';
      // Then it is taken, or, where another peer's is, saved beside that (settle.ts).
      if (conflict.local === undefined) return whyNotTaken(conflict) === undefined ? 'both' : 'none';
      return whyNotSaved(conflict) === undefined ? 'both' : 'none';
  }
}

/** Why the peer's version cannot be taken, a clause; undefined: it can. */
export function whyNotTaken(conflict: Conflict): string | undefined {
  const there = conflict.remote?.entry;
  // csync2 shows no targets below a prefix: such a link could only be guessed.
  if (there?.type === 'link' && (there.target ?? '') === '')
    return `${conflict.peer} does not tell where its link points (csync2 shows no targets below a prefix)`;
  if (there?.type === 'socket') return 'sockets are never sent';
  return undefined;
}

/** Why the peer's version cannot be saved beside this host's, a clause; undefined: it can. */
export function whyNotSaved(conflict: Conflict): string | undefined {
  const type = conflict.remote?.entry.type;
  if (type !== 'file' && type !== 'link')
    return `only files and links can be saved beside another, and there it is a ${type}`;
  return whyNotTaken(conflict);
}

/** Decisions that no conflict of the plan answers to: void, because a side has moved, or settled since. */
export function voidResolutions(deciding: Deciding, conflicts: readonly Conflict[]): readonly Resolution[] {
  return deciding.resolutions.filter(
    (each) => !conflicts.some((conflict) => appliesTo(each, conflict, deciding.contents)),
  );
}
