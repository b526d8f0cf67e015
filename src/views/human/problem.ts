/**
 * One error or problem for a person: what was attempted and went wrong, where in the file, what to do next.
 *
 *   Error: Group "web" has no key.
 *     csync2.cfg:12:3
 *     12 |   host web1 web2;
 *        |   ^
 *     Add `key FILE;` to the group; `csx keygen FILE` makes one.
 */

import { CsxError } from '../../model/errors.js';
import type { Problem, SourceRange } from '../../model/errors.js';
import { display, fromText } from '../../model/names.js';
import { screenOf } from '../terminal.js';
import type { Output, Screen } from '../terminal.js';
import { truncateEnd, textWidth, wrap } from '../width.js';

/**
 * An error that ended the command (anything thrown), or a problem that did not. With `verbose` also the errors behind it
 * and, for a fault of csx's own, the stack.
 */
export function* problemView(
  output: Output,
  thing: unknown,
  options: { readonly verbose?: boolean } = {},
): Generator<string> {
  const screen = screenOf(output);
  if (isProblem(thing)) yield* humanProblem(thing, screen);
  else yield* humanError(thing, screen, options.verbose === true);
}

function isProblem(thing: unknown): thing is Problem {
  return (
    typeof thing === 'object' &&
    thing !== null &&
    !(thing instanceof Error) &&
    'severity' in thing &&
    'summary' in thing
  );
}

function* humanError(error: unknown, screen: Screen, causes: boolean): Generator<string> {
  const { paint } = screen;
  if (error instanceof CsxError) {
    yield* sentence(paint.red.bold('Error:'), 'Error:', error.message, screen);
    yield* where(error.range, screen);
    yield* hint(error.hint, screen);
  } else {
    const text = error instanceof Error ? error.message : String(error);
    yield* sentence(paint.red.bold('Error:'), 'Error:', `csx failed in a way it should not: ${text}`, screen);
    yield* hint('This is a fault in csx. Run it again with -v and report what it prints.', screen);
  }
  if (!causes) return;
  const own = error instanceof CsxError && error.code !== 'INTERNAL';
  let cause = error instanceof Error ? error.cause : undefined;
  // A chain that refers to itself must not go on for ever.
  for (let depth = 0; cause !== undefined && depth < 10; depth += 1) {
    const text = cause instanceof Error ? cause.message : typeof cause === 'string' ? cause : 'unknown';
    yield* sentence(paint.dim('  caused by:'), '  caused by:', text, screen);
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  if (own || !(error instanceof Error) || error.stack === undefined) return;
  for (const line of error.stack.split('\n').filter((each) => /^\s+at /.test(each))) {
    yield `  ${paint.dim(safe(line.trim()))}\n`;
  }
}

/** Trouble that did not end the command. */
export function* humanProblem(problem: Problem, screen: Screen): Generator<string> {
  const { paint } = screen;
  const [label, painted] =
    problem.severity === 'error' ? ['Error:', paint.red.bold('Error:')] : ['Warning:', paint.yellow.bold('Warning:')];
  yield* sentence(painted, label, problem.summary, screen);
  yield* where(problem.range, screen);
  yield* hint(problem.hint, screen);
}

/** Problems, one after another; beyond `limit` only how many there are. */
export function* humanProblems(problems: readonly Problem[], screen: Screen, limit = Infinity): Generator<string> {
  for (const problem of problems.slice(0, limit)) yield* humanProblem(problem, screen);
  if (problems.length > limit) yield `... and ${String(problems.length - limit)} more like these\n`;
}

function* sentence(painted: string, label: string, text: string, screen: Screen): Generator<string> {
  const lines = wrap(safe(text), screen.width - textWidth(label) - 1);
  for (const [index, line] of lines.entries()) {
    yield index === 0 ? `${painted} ${line}\n` : `${' '.repeat(label.length)} ${line}\n`;
  }
}

/** The place, and the line with a caret below the column. */
function* where(range: SourceRange | undefined, screen: Screen): Generator<string> {
  if (range === undefined) return;
  const { paint } = screen;
  yield `  ${paint.cyan(`${safe(range.file)}:${range.line}:${range.column}`)}\n`;
  if (range.text === undefined) return;
  const number = String(range.line);
  const room = screen.width - number.length - 5;
  // Tabs would move the caret: each counts as one space here. A long line is shown from a little before the column.
  const text = range.text.replaceAll('\t', ' ');
  const start = range.column > room - 10 ? Math.max(0, range.column - Math.floor(room / 2)) : 0;
  const before = safe(text.slice(start, range.column - 1));
  const line = truncateEnd(before + safe(text.slice(range.column - 1)), room);
  yield `  ${paint.dim(`${number} |`)} ${line}\n`;
  yield `  ${paint.dim(`${' '.repeat(number.length)} |`)} ${' '.repeat(textWidth(before))}${paint.red('^')}\n`;
}

function* hint(text: string | undefined, screen: Screen): Generator<string> {
  if (text === undefined) return;
  for (const line of wrap(safe(text), screen.width - 2)) yield `  ${line}\n`;
}

/**
 * Messages quote names, answers of peers and lines of files. Whoever wrote them used `display`; this is the last gate, so
 * that no control character reaches a terminal whatever went wrong before.
 */
export function safe(text: string): string {
  return /^[\x20-\x7e]*$/.test(text) ? text : text.replace(/[^\\]+/g, (part) => display(fromText(part)));
}
