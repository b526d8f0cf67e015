/** Whether a file is as somebody has told it would become (csx_intent): one who died since, or who is just about to record it. */

import { parseCheckText } from '../../model/checktxt.js';
import type { LocalState } from '../../model/scan.js';
import type { Intent } from '../../model/store.js';

const ATTRIBUTES = ['type', 'size', 'target', 'device', 'mtime', 'mode', 'uid', 'gid'] as const;

/** Whether what stands there is what was told, in all that was told. Of a file's content only its size and time are looked at. */
export function describes({ checktxt }: Intent, state: LocalState | undefined): boolean {
  if (checktxt === undefined || state === undefined) return checktxt === undefined && state === undefined;
  const told = parseCheckText(checktxt);
  return told !== undefined && ATTRIBUTES.every((each) => told[each] === undefined || told[each] === state.entry[each]);
}
