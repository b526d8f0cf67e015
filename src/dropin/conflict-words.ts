/** What csync2 says of a conflict, and at which level. */

import type { Conflict } from '../model/plan.js';
import { fromText } from '../model/names.js';

const DIRTY = [1, 'File stays in dirty state. Try again later...'] as const;

export function conflictLines(conflict: Conflict): readonly (readonly [level: number, text: string])[] {
  const test = testOf(conflict);
  if (conflict.resolution === 'local') return [[1, `Auto-resolving conflict: Won '${test}' test.`]];
  if (conflict.autoMethod === 'none') return [[2, fromText(conflict.because)], DIRTY];
  return [[0, `Do not auto-resolve conflict: Lost '${test}' test.`], DIRTY];
}

/** csync2 names its methods in pairs. */
function testOf({ autoMethod, because }: Conflict): string {
  if (because.includes('slave')) return 'master/slave';
  switch (autoMethod) {
    case 'none':
    case 'first':
      return autoMethod;
    case 'younger':
    case 'older':
      return 'younger/older';
    case 'bigger':
    case 'smaller':
      return 'bigger/smaller';
    case 'left':
    case 'right':
      return 'left/right';
  }
}
