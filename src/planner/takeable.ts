/**
 * Withholds versions that cannot stand here beside what was decided about the files around them: nothing lies below what is no directory,
 * and a directory gives way only with all it holds. The conflict stays undecided then, and says why.
 */

import type { FileName } from '../model/names.js';
import { compareBytes, display, parentName } from '../model/names.js';
import type { Conflict } from '../model/plan.js';

/**
 * @param local what stands here, of every file in conflict
 * @param takenFrom the conflict whose peer's version is to stand here, by file
 * @returns why it is not taken, a clause, by file
 */
export function untakeable(
  local: ReadonlyMap<FileName, Conflict['local']>,
  takenFrom: ReadonlyMap<FileName, Conflict>,
): ReadonlyMap<FileName, string> {
  const why = new Map<FileName, string>();
  const names = [...local.keys()].sort(compareBytes);
  const taken = (file: FileName): Conflict | undefined => (why.has(file) ? undefined : takenFrom.get(file));
  /** Directories here, each with one of the files below it that stay. */
  const holds = new Map<FileName, FileName>();
  for (const file of names.toReversed()) {
    const stays = holds.get(file);
    const version = taken(file);
    if (stays !== undefined && version !== undefined && version.remote?.entry.type !== 'directory')
      why.set(file, `${display(stays)}, which it holds here, is to stay`);
    const goes = version !== undefined && !why.has(file) && version.remote === undefined;
    if (local.get(file) === undefined || goes) continue;
    for (let above = parentName(file); above !== undefined && !holds.has(above); above = parentName(above))
      holds.set(above, file);
  }
  for (const file of names) {
    if (taken(file)?.remote === undefined) continue;
    for (let above = parentName(file); above !== undefined; above = parentName(above)) {
      const type = local.get(above)?.entry.type;
      if (type === undefined || type === 'directory') continue;
      if (taken(above)?.remote?.entry.type !== 'directory')
        why.set(file, `${display(above)}, in which it lies, is no directory here`);
      break;
    }
  }
  return why;
}
