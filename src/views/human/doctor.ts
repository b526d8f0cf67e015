/**
 * `csx doctor`: a line for each finding, the worst last, with its cure.
 *
 *   ok       keys         /etc/csync2.key_web can be read by its owner alone.
 *   error    port         web2 (10.0.0.2:30865) refuses connections. Cure: Check that the daemon of web2 runs ...
 */

import type { Finding } from '../../model/finding.js';
import { plural } from '../quantity.js';
import { screenOf } from '../terminal.js';
import type { Output } from '../terminal.js';
import { wrap } from '../width.js';
import { safe } from './problem.js';

const STATUS_WIDTH = 9;
const CHECK_WIDTH = 15;

/** `quiet` leaves out what is well. */
export function* doctorView(
  output: Output,
  findings: readonly Finding[],
  options: { readonly quiet: boolean },
): Generator<string> {
  const screen = screenOf(output);
  const { paint } = screen;
  const colors = { ok: paint.green, warning: paint.yellow, error: paint.red.bold };
  const indent = ' '.repeat(STATUS_WIDTH + CHECK_WIDTH);
  for (const { status, check, message, cure } of findings) {
    if (options.quiet && status === 'ok') continue;
    const text = safe(cure === undefined ? message : `${message} Cure: ${cure}`);
    // In a pipe each finding is one line, for grep.
    const [first = '', ...rest] = screen.isTTY ? wrap(text, screen.width - indent.length) : [text];
    yield `${colors[status](status.padEnd(STATUS_WIDTH))}${check.padEnd(CHECK_WIDTH)}${first}\n`;
    for (const line of rest) yield `${indent}${line}\n`;
  }
  yield `${findings.length > 0 ? '\n' : ''}${paint.bold(doctorVerdict(findings))}\n`;
}

/** The last line. */
export function doctorVerdict(findings: readonly Finding[]): string {
  const errors = findings.filter((each) => each.status === 'error').length;
  const warnings = findings.filter((each) => each.status === 'warning').length;
  const warned = warnings === 0 ? '' : `, ${plural(warnings, 'warning')}`;
  return errors === 0
    ? `Nothing is wrong${warned}.`
    : `${plural(errors, 'thing')} ${errors === 1 ? 'is' : 'are'} wrong${warned}.`;
}

/** The same for programs. */
export function doctorJson(findings: readonly Finding[]): object {
  return {
    format_version: '1.0',
    healthy: !findings.some((each) => each.status === 'error'),
    findings: findings.map(({ check, status, message, cure }) => ({ check, status, message, cure: cure ?? null })),
  };
}
