/** What cannot be had back once a plan is carried out: shown above the question, however much of the plan was folded. */

import { display } from '../../model/names.js';
import type { Plan } from '../../model/plan.js';
import { count, plural } from '../quantity.js';
import { screenOf } from '../terminal.js';
import type { Output } from '../terminal.js';
import { paragraph } from './paragraph.js';

/** Names shown of each kind. */
const SHOWN = 20;

/** Nothing where nothing is destroyed. */
export function* destroyedView(output: Output, plan: Plan): Generator<string> {
  const screen = screenOf(output);
  const updates = plan.changes.filter((change) => change.action === 'update');
  const lost = plan.conflicts.filter(({ resolution, remote }) => resolution === 'local' && remote !== undefined);
  const taken = plan.conflicts.filter(({ resolution, local }) => resolution === 'peer' && local !== undefined);
  const kinds = [
    ['will be deleted', plan.changes.filter((change) => change.action === 'delete')],
    ['will be replaced by another type', updates.filter((change) => change.aspects.includes('type'))],
    ['changed on the peer too, and will be overwritten there', lost],
  ] as const;
  for (const [what, files] of kinds) {
    if (files.length === 0) continue;
    yield `\n${screen.paint.red(`${plural(files.length, 'file')} ${what}:`)}\n`;
    for (const file of files.slice(0, SHOWN)) yield `  ${display(file.peer)}:${display(file.path)}\n`;
    if (files.length > SHOWN) yield* more(files.length - SHOWN);
  }
  if (taken.length > 0) {
    const text = `${plural(taken.length, 'file')} of this host will be replaced by a peer's version:`;
    yield '\n';
    yield* paragraph(text, screen, { paint: screen.paint.red });
    for (const { path } of taken.slice(0, SHOWN)) yield `  ${display(path)}\n`;
    if (taken.length > SHOWN) yield* more(taken.length - SHOWN);
  }
}

function* more(left: number): Generator<string> {
  yield `  ... and ${count(left)} more (csx plan --full shows all)\n`;
}
