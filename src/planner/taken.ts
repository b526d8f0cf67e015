/**
 * What a decision to take a peer's version means for the other peers: the version taken goes to them, not the one that was here.
 *
 *  - Of several peers whose versions are to be taken for one file, the first in the order of names is. Another that holds the same
 *    version has nothing to get; one that holds a third stays undecided, because two versions cannot both be taken.
 *  - Where the decision for another peer is `local`, what stands here afterwards goes there: the version taken.
 */

import type { Change, Conflict, SideState } from '../model/plan.js';
import type { FileName } from '../model/names.js';
import { display } from '../model/names.js';
import { withoutMtime } from '../model/checktxt.js';
import { compareEntries } from './differences.js';

export interface Settled {
  readonly changes: readonly Change[];
  readonly conflicts: readonly Conflict[];
}

/**
 * Makes changes and conflicts agree with what is taken.
 * @param overwrites for each conflict the change that would send this host's version
 */
export function followTaken(
  changes: readonly Change[],
  conflicts: readonly Conflict[],
  overwrites: ReadonlyMap<Conflict, Change>,
): Settled {
  const takenFrom = new Map<FileName, Conflict>();
  for (const conflict of conflicts) {
    if (conflict.resolution === 'peer' && !takenFrom.has(conflict.path)) takenFrom.set(conflict.path, conflict);
  }
  if (takenFrom.size === 0) return { changes, conflicts };

  const joined: Change[] = [];
  const settled = conflicts.map((conflict): Conflict => {
    const taken = takenFrom.get(conflict.path);
    if (taken === undefined || taken === conflict || conflict.resolution !== 'peer') return conflict;
    const overwrite = overwrites.get(conflict);
    if (overwrite !== undefined && sameState(conflict.remote, taken.remote)) {
      joined.push(overwrite);
      return conflict;
    }
    const because = `${conflict.because} The version of ${display(taken.peer)} is taken; two versions cannot both be.`;
    return { ...conflict, resolution: 'none', because };
  });
  const followed = [...changes, ...joined].map((change) => {
    const taken = takenFrom.get(change.path);
    return taken === undefined || taken.peer === change.peer ? change : carrying(change, taken.remote);
  });
  return { changes: followed, conflicts: settled };
}

/** The conflicts whose peer's version is taken: one for each file. The others with `peer` hold the same version. */
export function takenConflicts(conflicts: readonly Conflict[]): readonly Conflict[] {
  const files = new Set<FileName>();
  return conflicts.filter((conflict) => {
    if (conflict.resolution !== 'peer' || files.has(conflict.path)) return false;
    files.add(conflict.path);
    return true;
  });
}

/** The change with another state to bring. Its precondition here is left to the moment when that state stands here. */
export function carrying(change: Change, state: SideState | undefined): Change {
  const { before } = change;
  if (state === undefined) {
    return { ...change, action: before === undefined ? 'no-op' : 'delete', aspects: [], after: undefined, bytes: 0 };
  }
  const size = state.entry.type === 'file' ? (state.entry.size ?? 0) : 0;
  if (before === undefined) return { ...change, action: 'create', aspects: [], after: state, bytes: size };
  const aspects = compareEntries(state.entry, before.entry);
  const sameContent = state.signature !== undefined && state.signature === before.signature;
  const replaced = aspects.includes('type') || aspects.includes('content');
  if (state.entry.type === 'file' && !replaced && !sameContent) aspects.unshift('content');
  return {
    ...change,
    action: aspects.length === 0 ? 'no-op' : 'update',
    aspects,
    after: state,
    bytes: aspects.includes('type') || aspects.includes('content') ? size : 0,
  };
}

/** Whether two peers show the same: type, attributes and content; times apart. */
export function sameState(a: SideState | undefined, b: SideState | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return withoutMtime(a.checktxt) === withoutMtime(b.checktxt) && a.signature === b.signature;
}
