/** Which rows of a listing two hosts see of each other: those of files that lie in one of some groups. */

import type { Group } from '../model/config.js';
import { fileName } from '../model/encoding.js';
import { isReserved } from '../model/names.js';
import type { FileName } from '../model/names.js';
import type { Shown } from '../model/store.js';
import type { Selection } from './selection.js';

/** @param versioned see `Shown` */
export function shownIn(selection: Selection, groups: ReadonlySet<Group>, versioned: boolean): Shown {
  const isOne = (group: Group): boolean => groups.has(group);
  return {
    directory: (stored) => selection.groupsOfAll(fileName(stored))?.some(isOne),
    file(stored) {
      const name: FileName = fileName(stored);
      return !isReserved(name) && selection.groupsOf(name).some(isOne);
    },
    versioned,
  };
}
