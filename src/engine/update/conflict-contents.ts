/**
 * What this host's files in conflict hold, as hashes, so that a plan tells both versions apart by more than their sizes. The scan reads
 * contents only where it has to, and the plan stops reading where they begin to differ.
 */

import type { FileName } from '../../model/names.js';
import type { Conflict } from '../../model/plan.js';
import type { Selection } from '../../config/selection.js';
import { digestsOf } from './content.js';
import type { ContentDigests } from './content.js';

/** Bytes: what takes longer than seconds to read goes without. */
const LARGEST = 1024 ** 3;

/** By file. What cannot be read (any more) is left out: it is told where it is to be sent. */
export async function conflictContents(
  conflicts: readonly Conflict[],
  selection: Pick<Selection, 'toDisk'>,
): Promise<ReadonlyMap<FileName, ContentDigests>> {
  const contents = new Map<FileName, ContentDigests>();
  for (const { path, local } of conflicts) {
    if (local?.entry.type !== 'file' || (local.entry.size ?? 0) > LARGEST || contents.has(path)) continue;
    try {
      contents.set(path, await digestsOf(selection.toDisk(path)));
    } catch {
      continue;
    }
  }
  return contents;
}
