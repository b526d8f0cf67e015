/** The question about one conflict, and what its answers mean. */

import type { Bytes } from '../../model/names.js';
import { display } from '../../model/names.js';
import type { Conflict, SideState } from '../../model/plan.js';
import { describeConflict, describeSide } from '../describe.js';
import type { DiffSide } from '../diff.js';
import { screenOf } from '../terminal.js';
import type { Output } from '../terminal.js';
import { padEnd, textWidth, wrap } from '../width.js';
import { safe } from './problem.js';

/** Printed before the prompt; lines fit the screen as wide as it is now. */
export function* conflictQuestion(
  output: Output,
  conflict: Conflict,
  place: { readonly index: number; readonly total: number },
): Generator<string> {
  const screen = screenOf(output);
  const { paint, width, timeZone } = screen;
  const peer = display(conflict.peer);
  const count = place.total > 1 ? `Conflict ${place.index + 1} of ${place.total}: ` : 'Conflict: ';
  const [head = '', ...more] = wrap(`${count}${display(conflict.path)}  ${describeConflict(conflict)}`, width);
  yield `\n${paint.bold(head)}\n`;
  for (const line of more) yield `${line}\n`;
  const labels = Math.min(24, Math.max(textWidth(peer), 6));
  const sides: readonly (readonly [string, SideState | undefined])[] = [
    ['here', conflict.local],
    [peer, conflict.remote],
    ...(conflict.base === undefined ? [] : ([['before', conflict.base]] as const)),
  ];
  for (const [label, side] of sides) {
    const [first = '', ...rest] = wrap(describeSide(side, timeZone), Math.max(16, width - labels - 4));
    yield `  ${padEnd(label, labels)}  ${first}\n`;
    for (const line of rest) yield `${' '.repeat(labels + 4)}${line}\n`;
  }
  for (const line of wrap(safe(conflict.because), width - 2)) yield `  ${paint.dim(line)}\n`;
  const remote = conflict.remote === undefined;
  const keys: readonly (readonly [string, string])[] = [
    ['l', conflict.local === undefined ? `remove it on ${peer} too` : `keep local (${peer} gets this version)`],
    ['p', remote ? `remove it here too, as on ${peer}` : `take ${peer}'s version`],
    ['b', `keep both (${peer}'s is saved beside it)`],
    ['m', 'merge in $EDITOR'],
    ['d', 'diff'],
    ['s', 'skip'],
    ['L/P', 'the same for all that remain'],
    ['q', 'stop here'],
  ];
  for (const [key, meaning] of keys) {
    const [first = '', ...rest] = wrap(meaning, width - 7);
    yield `  ${paint.cyan(key.padEnd(4))} ${first}\n`;
    for (const line of rest) yield `       ${line}\n`;
  }
}

/** Both versions as the diff shows them: the peer's first, since keeping local turns it into this host's. */
export function conflictDiffSides(
  conflict: Conflict,
  versions: { readonly here: Bytes | undefined; readonly there: Bytes | undefined },
): readonly [DiffSide, DiffSide] {
  return [
    { label: `${conflict.peer}:${conflict.path}`, content: versions.there, digest: undefined },
    { label: `here:${conflict.path}`, content: versions.here, digest: conflict.local?.digest },
  ];
}
