/** The plan's checks: failures first, warnings, and how many passed. */

import type { Check } from '../../model/plan.js';
import { count } from '../quantity.js';
import type { Screen } from '../terminal.js';
import { padEnd, textWidth, wrap } from '../width.js';
import { safe } from './problem.js';

const ORDER = ['fail', 'warn', 'pass'] as const;

export function* humanChecks(checks: readonly Check[], screen: Screen, verbose: boolean): Generator<string> {
  const { paint } = screen;
  const passed = checks.filter((check) => check.status === 'pass').length;
  if (passed === checks.length && !verbose) return;
  const shown = ORDER.flatMap((status) =>
    status === 'pass' && !verbose ? [] : checks.filter((check) => check.status === status),
  );
  const names = Math.min(24, Math.max(...shown.map((check) => textWidth(safe(check.name)))));
  yield `${paint.bold('Checks')}\n`;
  for (const check of shown) {
    const indent = 2 + 6 + names + 2;
    const [first = '', ...rest] = wrap(safe(check.message), Math.max(16, screen.width - indent));
    yield `  ${statusWord(check.status, screen)}${padEnd(safe(check.name), names)}  ${first}\n`;
    for (const line of rest) yield `${' '.repeat(indent)}${line}\n`;
  }
  if (!verbose && passed > 0) yield `  ${paint.dim(`${count(passed)} passed`)}\n`;
  yield '\n';
}

function statusWord(status: Check['status'], screen: Screen): string {
  switch (status) {
    case 'fail':
      return screen.paint.red.bold('FAIL  ');
    case 'warn':
      return screen.paint.yellow('warn  ');
    case 'pass':
      return screen.paint.green('pass  ');
  }
}
