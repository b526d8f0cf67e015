/** The question about one file in conflict, with one peer or several, and what its answers mean. */

import type { Bytes } from '../../model/names.js';
import { display } from '../../model/names.js';
import type { Conflict, SideState } from '../../model/plan.js';
import { describeConflict, describeSide } from '../describe.js';
import type { DiffSide } from '../diff.js';
import { screenOf } from '../terminal.js';
import type { Output } from '../terminal.js';
import { padEnd, textWidth, wrap } from '../width.js';
import { safe } from './problem.js';

/** The conflicts over one file, by the versions that the peers hold: those in one element hold the same. Never empty. */
export type Versions = readonly (readonly [Conflict, ...Conflict[]])[];

/** Printed before the prompt; lines fit the screen as wide as it is now. */
export function* conflictQuestion(
  output: Output,
  versions: Versions,
  place: { readonly index: number; readonly total: number },
): Generator<string> {
  const [[conflict] = []] = versions;
  if (conflict === undefined) return;
  const screen = screenOf(output);
  const { paint, width, timeZone } = screen;
  const count = place.total > 1 ? `Conflict ${place.index + 1} of ${place.total}: ` : 'Conflict: ';
  const what = versions.flat().map(describeConflict).join('; ');
  const [head = '', ...more] = wrap(`${count}${display(conflict.path)}  ${what}`, width);
  yield `\n${paint.bold(head)}\n`;
  for (const line of more) yield `${line}\n`;
  const sides: readonly (readonly [string, SideState | undefined])[] = [
    ['here', conflict.local],
    ...versions.map((same) => [namesOf(same), same[0].remote] as const),
    ...(conflict.base === undefined ? [] : ([['before', conflict.base]] as const)),
  ];
  const labels = Math.min(24, Math.max(...sides.map(([label]) => textWidth(label)), 6));
  for (const [label, side] of sides) {
    const [first = '', ...rest] = wrap(describeSide(side, timeZone), Math.max(16, width - labels - 4));
    yield `  ${padEnd(label, labels)}  ${first}\n`;
    for (const line of rest) yield `${' '.repeat(labels + 4)}${line}\n`;
  }
  for (const same of versions) {
    for (const line of wrap(safe(same[0].because), width - 2)) yield `  ${paint.dim(line)}\n`;
  }
  for (const [key, meaning] of meanings(versions, conflict)) {
    const [first = '', ...rest] = wrap(meaning, width - 7);
    yield `  ${paint.cyan(key.padEnd(4))} ${first}\n`;
    for (const line of rest) yield `       ${line}\n`;
  }
}

/** The keys that can be typed: one for each version that could be taken. */
export function conflictKeys(versions: Versions): readonly string[] {
  const take = versions.length === 1 ? ['p'] : versions.map((_, index) => String(index + 1));
  return ['l', ...take, 'b', 'm', 'd', 's', 'L', 'P', 'q'];
}

function meanings(versions: Versions, { local }: Conflict): readonly (readonly [string, string])[] {
  const all = namesOf(versions.flat());
  const several = versions.length > 1;
  const take = versions.map((same, index): readonly [string, string] => {
    const names = namesOf(same);
    const others = several ? ' (the others get it too)' : '';
    const what = same[0].remote === undefined ? `remove it here too, as on ${names}` : `take ${names}'s version`;
    return [several ? String(index + 1) : 'p', what + others];
  });
  const gets = versions.flat().length > 1 ? 'get' : 'gets';
  return [
    ['l', local === undefined ? `remove it on ${all} too` : `keep local (${all} ${gets} this version)`],
    ...take,
    ['b', several ? "keep all (the peers' versions are saved beside it)" : `keep both (${all}'s is saved beside it)`],
    ['m', several ? 'merge in $EDITOR, one version after the other' : 'merge in $EDITOR'],
    ['d', 'diff'],
    ['s', 'skip'],
    [
      'L/P',
      several ? "the same for all that remain (P: where peers' versions are the same)" : 'the same for all that remain',
    ],
    ['q', 'stop here'],
  ];
}

/** `web2`, `web2 and web3`, `web2, web3 and web4`. */
function namesOf(conflicts: readonly Conflict[]): string {
  const names = conflicts.map(({ peer }) => display(peer));
  const last = names.pop() ?? '';
  return names.length === 0 ? last : `${names.join(', ')} and ${last}`;
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
