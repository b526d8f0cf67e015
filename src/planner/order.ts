/**
 * The order of changes on one peer: removals deepest first, then what makes directories and new entries parents first, then the rest.
 *
 * Why this order comes out right under csync2's rules (rmdir needs an empty directory, a parent must exist, MKDIR removes
 * a file in its place and PATCH an empty directory):
 *  - a directory that becomes a file: its children are removed in the first phase, so it is empty when it is replaced;
 *  - a file that becomes a directory: it is replaced in the second phase, in the order of names, so before its children are created.
 *
 * In the order of bytes a directory stands before everything below it, whatever stands between them.
 */

import { compareBytes } from '../model/names.js';
import type { Change } from '../model/plan.js';

/** Sorted by peer, then as above. */
export function orderChanges(changes: readonly Change[]): readonly Change[] {
  return [...changes].sort(
    (a, b) =>
      compareBytes(a.peer, b.peer) ||
      phase(a) - phase(b) ||
      (a.action === 'delete' ? compareBytes(b.path, a.path) : compareBytes(a.path, b.path)),
  );
}

function phase(change: Change): number {
  switch (change.action) {
    case 'delete':
      return 0;
    case 'create':
      return 1;
    case 'update':
      return change.aspects.includes('type') ? 1 : 2;
    case 'no-op':
    case 'unknown':
      return 3;
  }
}
