/**
 * The last words of most views: what to type next.
 *
 *   Next: csx apply
 *         csx resolve settles the conflict
 */

import type { Screen } from '../terminal.js';
import { wrap } from '../width.js';

const LABEL = 'Next: ';

export function* nextLines(steps: readonly string[], screen: Screen): Generator<string> {
  let lead = LABEL;
  for (const step of steps) {
    for (const line of wrap(step, screen.width - LABEL.length - 2)) {
      yield `${lead}${line}\n`;
      // What goes on is set in further than the next step.
      lead = ' '.repeat(LABEL.length + 2);
    }
    lead = ' '.repeat(LABEL.length);
  }
}
