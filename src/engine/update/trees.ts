/** The trees a group's include patterns name, none within another. */

import type { Selection } from '../../config/selection.js';
import type { Group } from '../../model/config.js';
import type { FileName } from '../../model/names.js';
import { isWithin } from '../../model/names.js';

export function treesOf(selection: Selection, group: Group): readonly FileName[] {
  const roots = new Set(selection.groupRoots().find((each) => each.group === group)?.roots);
  return [...roots].filter((file) => ![...roots].some((other) => other !== file && isWithin(file, other)));
}
