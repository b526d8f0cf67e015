/**
 * The version that is taken from a peer, on its way to the others: they get it in the place of the one that was here.
 */

import { withoutMtime } from '../model/checktxt.js';
import type { FileName } from '../model/names.js';
import type { Change, Conflict, SideState } from '../model/plan.js';
import { compareEntries } from './differences.js';

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

/** The conflicts over one file by the versions that the peers hold, each in the order of the conflicts. */
export function byVersion(conflicts: readonly Conflict[]): readonly (readonly [Conflict, ...Conflict[]])[] {
  const versions: [Conflict, ...Conflict[]][] = [];
  for (const conflict of conflicts) {
    const same = versions.find(([first]) => sameState(first.remote, conflict.remote));
    if (same === undefined) versions.push([conflict]);
    else same.push(conflict);
  }
  return versions;
}

/** Whether two peers show the same: type, attributes and content; times apart. */
export function sameState(a: SideState | undefined, b: SideState | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return withoutMtime(a.checktxt) === withoutMtime(b.checktxt) && a.signature === b.signature;
}
