/** How the commands went that an apply set off. */

import { display } from '../../model/names.js';
import type { ActionResult } from '../../model/result.js';
import { count, duration } from '../quantity.js';
import type { Screen } from '../terminal.js';
import { wrap } from '../width.js';

const SHOWN = 20;
const OUTPUT_LINES = 10;

export function* actionResults(results: readonly ActionResult[], screen: Screen, full: boolean): Generator<string> {
  if (results.length === 0) return;
  const { paint, width } = screen;
  // Failures first: they are what somebody has to look after.
  const sorted = [
    ...results.filter((each) => each.status === 'failed'),
    ...results.filter((each) => each.status !== 'failed'),
  ];
  yield `${paint.bold('Commands')}\n`;
  for (const result of full ? sorted : sorted.slice(0, SHOWN)) {
    yield `  ${word(result, screen)}  ${display(result.action.command)}\n`;
    for (const line of wrap(facts(result), width - 11)) yield `           ${line}\n`;
    if (result.status !== 'failed' || result.output === '') continue;
    const lines = result.output.trimEnd().split('\n');
    for (const line of lines.slice(-OUTPUT_LINES)) yield `           ${paint.dim('|')} ${display(line)}\n`;
  }
  if (!full && sorted.length > SHOWN) yield `  ${paint.dim(`... and ${count(sorted.length - SHOWN)} more`)}\n`;
  yield '\n';
}

function word(result: ActionResult, screen: Screen): string {
  const { paint } = screen;
  switch (result.status) {
    case 'done':
      return paint.green('ok     ');
    case 'failed':
      return paint.red.bold('FAILED ');
    case 'delegated':
      return paint.cyan('sent   ');
    case 'not-run':
      return paint.yellow('not run');
  }
}

function facts(result: ActionResult): string {
  const host = display(result.action.host);
  const place = result.action.when === 'local' ? `on this host (${host})` : `on ${host}`;
  const took = result.milliseconds === undefined ? '' : `, ${duration(result.milliseconds)}`;
  switch (result.status) {
    case 'done':
      return place + took;
    case 'failed':
      return `${place}, ${result.exitStatus === undefined ? 'did not end by itself' : `exit status ${result.exitStatus}`}${took}`;
    case 'delegated':
      return `${host} runs it by itself and does not tell how it went`;
    case 'not-run':
      return `${place}, did not come to run`;
  }
}
