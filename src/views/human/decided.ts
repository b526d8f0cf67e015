/** What became of the decisions that concern this host's files: one line each, and where the other version is now. */

import { display } from '../../model/names.js';
import type { Decided } from '../../model/result.js';
import { plural } from '../quantity.js';
import { screenOf } from '../terminal.js';
import type { Output } from '../terminal.js';
import { wrap } from '../width.js';
import { humanProblems } from './problem.js';

export function* decidedView(output: Output, decided: readonly Decided[]): Generator<string> {
  if (decided.length === 0) return;
  const screen = screenOf(output);
  yield `${screen.paint.bold('Conflicts settled here')}\n`;
  for (const each of decided.filter(({ status }) => status === 'done')) {
    const [first = '', ...rest] = wrap(sentence(each), screen.width - 6);
    yield `  ${screen.paint.green('=')}   ${first}\n`;
    for (const line of rest) yield `      ${line}\n`;
  }
  const left = decided.filter(({ status }) => status !== 'done');
  if (left.length > 0) yield `  ${screen.paint.red('!')}   ${plural(left.length, 'decision')} not carried out\n`;
  yield* humanProblems(
    decided.flatMap(({ problem }) => problem ?? []),
    screen,
  );
  yield '\n';
}

function sentence({ conflict, kept, savedAs }: Decided): string {
  const peer = display(conflict.peer);
  const name = display(conflict.path);
  if (savedAs !== undefined) return `${name}  ${peer}'s version saved as ${display(savedAs)}`;
  const was = kept === undefined ? '' : `; what was here is kept in ${display(kept)}`;
  return conflict.remote === undefined ? `${name}  removed, as on ${peer}${was}` : `${name}  taken from ${peer}${was}`;
}
