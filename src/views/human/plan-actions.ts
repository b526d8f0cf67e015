/** The commands that will run because of the plan: where, which, and for which files. */

import { display } from '../../model/names.js';
import type { Plan } from '../../model/plan.js';
import { actionGroups } from '../action-groups.js';
import { count, list } from '../quantity.js';
import type { Screen } from '../terminal.js';
import { wrap } from '../width.js';
import type { Fold } from './plan.js';

const SHOWN = 20;

export function* humanActions(plan: Plan, screen: Screen, fold: Fold): Generator<string> {
  if (plan.actions.length === 0) return;
  const { paint } = screen;
  const groups = actionGroups(plan.actions);
  const full = fold.perPeer === Infinity;
  yield `${paint.bold('Commands that will run')}\n`;
  for (const { action, hosts } of full ? groups : groups.slice(0, SHOWN)) {
    const place = action.when === 'local' ? `on this host (${list(hosts, 12)})` : `on ${list(hosts, 12)}`;
    yield `  ${paint.cyan(display(action.command))}\n`;
    const files = list(action.triggeredBy.map(display), full ? Infinity : 3);
    const log = action.logfile === '' || action.logfile === '/dev/null' ? '' : `, output to ${display(action.logfile)}`;
    // A command that was left waiting in the database does not tell its group.
    const group = action.group === '' ? '' : `, group ${display(action.group)}`;
    const text = `${place}${group}${log}${files === '' ? '' : `, because of ${files}`}`;
    for (const line of wrap(text, screen.width - 6)) yield `      ${line}\n`;
  }
  if (!full && groups.length > SHOWN) {
    yield `  ${paint.dim(`... and ${count(groups.length - SHOWN)} more (${fold.command} shows all)`)}\n`;
  }
  yield '\n';
}
