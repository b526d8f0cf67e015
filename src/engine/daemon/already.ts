/** Whether a file stands there already as a PATCH would make it: another session has brought the same, or a person made it. */

import type { Ignore } from '../../model/entry.js';
import { digestOf } from '../scan/digest.js';
import { stateOf } from '../scan/local-state.js';
import { lstat } from './check.js';
import type { Hold } from './hold.js';

/** Of a PATCH that is whole and dressed. */
export async function standsAlready(hold: Hold, ignore: Ignore): Promise<boolean> {
  const { disk, file, staged } = hold;
  const stats = lstat(disk);
  if (stats?.isFile() !== true) return false;
  const there = stateOf(stats, disk, file, ignore)?.checktxt;
  const made = stateOf(staged.stat(), disk, file, ignore)?.checktxt;
  return there === made && (await digestOf(disk)) === hold.facts().digest;
}
