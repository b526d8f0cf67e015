/**
 * Trees that vanished as a whole. csync2 takes them for deletions and removes them everywhere; csx does not, since a file system that is
 * not mounted looks the same. A tree of a handful of files is let go as csync2 does: who empties a small directory means it.
 */

import { guardRoots } from '../engine/scan/guard.js';
import type { Scope } from '../model/store.js';
import type { Job, Place } from './place.js';

/** Files known below a root up to which its vanishing counts as a deletion. */
const HANDFUL = 9;
/** Set to 1: trees of any size may vanish. */
export const ALLOW_VANISHED = 'CSX_ALLOW_VANISHED';

/** Whether everything that vanished, if anything did, may be taken for removed. */
export async function mayVanish(job: Job, place: Place, scopes: readonly Scope[] | undefined): Promise<boolean> {
  if (job.around.environment[ALLOW_VANISHED] === '1') return true;
  const { selection, store } = place;
  const found = await guardRoots(selection, (range) => store.files(range), scopes);
  return found.every((finding) => finding.kind !== 'root' || finding.known <= HANDFUL);
}
