/**
 * A conflict on a terminal: both sides, and what becomes of it.
 *
 *   ! /etc/hosts  changed here and on web2
 *       here  12,345 bytes ...
 *       web2  12,220 bytes ...
 *       -> needs a decision
 */

import { display } from '../../model/names.js';
import type { Conflict } from '../../model/plan.js';
import { describeConflict, describeResolution, describeSide } from '../describe.js';
import type { Screen } from '../terminal.js';
import { padEnd, textWidth, wrap } from '../width.js';
import { safe } from './problem.js';
import { nameColumn, row } from './row.js';

export interface ConflictPlace {
  readonly indent: number;
  readonly digests: boolean;
}

export function* humanConflict(conflict: Conflict, screen: Screen, place: ConflictPlace): Generator<string> {
  const { paint } = screen;
  const name = display(conflict.path);
  const nameWidth = nameColumn([name], screen);
  yield* row('conflict', name, describeConflict(conflict), { indent: place.indent, nameWidth }, screen);

  const sides: [string, string][] = [
    ['here', describeSide(conflict.local, screen.timeZone, place)],
    [display(conflict.peer), describeSide(conflict.remote, screen.timeZone, place)],
  ];
  if (conflict.base !== undefined) sides.push(['before', describeSide(conflict.base, screen.timeZone, place)]);
  const labels = Math.min(24, Math.max(...sides.map(([label]) => textWidth(label))));
  const indent = place.indent + 8;
  for (const [label, text] of sides) {
    const [first = '', ...rest] = wrap(text, Math.max(16, screen.width - indent - labels - 2));
    yield `${' '.repeat(indent)}${padEnd(label, labels)}  ${first}\n`;
    for (const line of rest) yield `${' '.repeat(indent + labels + 2)}${line}\n`;
  }
  const undecided = conflict.resolution === 'none';
  for (const [index, line] of wrap(
    `${describeResolution(conflict)}. ${safe(conflict.because)}`,
    screen.width - indent - 3,
  ).entries()) {
    const lead = index === 0 ? '-> ' : '   ';
    yield `${' '.repeat(indent)}${undecided ? paint.magenta(lead + line) : lead + line}\n`;
  }
}
