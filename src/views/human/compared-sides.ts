/** Files on this host against a peer's: attributes line by line, contents as diffs. */

import { isSame } from '../../model/both-sides.js';
import type { ComparedSides } from '../../model/both-sides.js';
import { display } from '../../model/names.js';
import { describeEntry } from '../describe.js';
import { plural } from '../quantity.js';
import { screenOf } from '../terminal.js';
import type { Output } from '../terminal.js';
import { fileDiffsView } from './file-diffs.js';
import { paragraph } from './paragraph.js';

export function* comparedSidesView(output: Output, compared: readonly ComparedSides[]): Generator<string> {
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
      if (sides.diff === undefined) yield '\n';
    }
    if (sides.diff !== undefined) yield* fileDiffsView(output, { files: [sides.diff], left: 0 });
  }
  const different = compared.filter((sides) => !isSame(sides)).length;
  const peers = new Set(compared.map(({ peer }) => peer)).size;
  const pairs = `${plural(compared.length, 'comparison')} with ${plural(peers, 'peer')}`;
  yield `${screen.paint.bold(different === 0 ? `All the same in ${pairs}.` : `${different} different in ${pairs}.`)}\n`;
}

function state(side: ComparedSides['here']): string {
  return side === undefined ? 'does not exist' : describeEntry(side.entry, true);
}
