/** Files on this host against a peer's: attributes line by line, contents as diffs. */

import { isAlike, isSame } from '../../model/both-sides.js';
import type { ComparedSides } from '../../model/both-sides.js';
import type { Problem } from '../../model/errors.js';
import { display } from '../../model/names.js';
import { describeEntry } from '../describe.js';
import { count, plural } from '../quantity.js';
import { screenOf } from '../terminal.js';
import type { Output } from '../terminal.js';
import { fileDiffsView } from './file-diffs.js';
import { paragraph } from './paragraph.js';
import { humanProblems } from './problem.js';

export function* comparedSidesView(
  output: Output,
  compared: readonly ComparedSides[],
  problems: readonly Problem[] = [],
): Generator<string> {
  const screen = screenOf(output);
  for (const sides of compared) {
    if (isSame(sides)) continue;
    if (sides.diff === undefined || sides.aspects.some((aspect) => aspect !== 'content')) {
      yield* paragraph(`${display(sides.path)} and ${display(sides.peer)}:${display(sides.path)}`, screen, {
        paint: screen.paint.bold,
      });
      yield* paragraph(`here: ${state(sides.here)}`, screen, { indent: 2, hanging: 6 });
      yield* paragraph(`there: ${state(sides.there)}`, screen, { indent: 2, hanging: 6 });
      if (sides.aspects.length > 0) yield* paragraph(`differ in ${sides.aspects.join(', ')}`, screen, { indent: 2 });
      const unread = sides.untold.includes('content') && sides.here?.signature === undefined;
      const unknown = unread
        ? 'content cannot be read here'
        : `${sides.untold.join(', ')} not told by ${display(sides.peer)}`;
      if (sides.untold.length > 0) yield* paragraph(unknown, screen, { indent: 2 });
      if (sides.diff === undefined) yield '\n';
    }
    if (sides.diff !== undefined) yield* fileDiffsView(output, { files: [sides.diff], left: 0 });
  }
  if (problems.length > 0) yield* humanProblems(problems, screen);
  const different = compared.filter((sides) => !isAlike(sides)).length;
  const untold = compared.filter((sides) => isAlike(sides) && !isSame(sides)).length;
  const peers = new Set(compared.map(({ peer }) => peer)).size;
  const pairs = `${plural(compared.length, 'comparison')} with ${plural(peers, 'peer')}`;
  const same = untold + problems.length === 0 ? `All the same in ${pairs}` : `Nothing different in ${pairs}`;
  const said = different === 0 ? same : `${count(different)} different in ${pairs}`;
  const rest = [
    ...(untold === 0 ? [] : [`${count(untold)} not told`]),
    ...(problems.length === 0 ? [] : [`${plural(problems.length, 'peer')} not asked`]),
  ];
  yield `${screen.paint.bold([said, ...rest].join(', '))}.\n`;
}

function state(side: ComparedSides['here']): string {
  return side === undefined ? 'does not exist' : describeEntry(side.entry, true);
}
