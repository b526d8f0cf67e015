/**
 * What an apply did, on a terminal: peer by peer, the commands that ran, what is left; last the one line whose words never
 * change, and what to type next.
 *
 *   Applied: 3 created, 2 updated, 1 deleted, 0 failed, 0 skipped, 0 not attempted, 0 conflicts, 12.4 kB sent in 1.2 s.
 */

import { display } from '../../model/names.js';
import type { ApplyResult, ChangeResult, ChangeStatus, PeerResult, ResultSummary } from '../../model/result.js';
import { describeConflict } from '../describe.js';
import { count, duration, list, plural, size } from '../quantity.js';
import { screenOf } from '../terminal.js';
import type { Output, Screen } from '../terminal.js';
import { textWidth, wrap } from '../width.js';
import { actionResults } from './apply-actions.js';
import { decidedView } from './decided.js';
import { nextLines } from './next.js';
import { humanProblems, safe } from './problem.js';

export interface ApplyResultOptions {
  /** Every file, also those that were done. */
  readonly full?: boolean;
  /** Lines to show instead of the usual next step. */
  readonly next?: readonly string[] | undefined;
}

/** Files listed per peer and status, unless `full`. */
const SHOWN = 10;
const CONFLICTS_SHOWN = 20;

export function* applyResultView(
  output: Output,
  result: ApplyResult,
  options: ApplyResultOptions = {},
): Generator<string> {
  const screen = screenOf(output);
  const { paint } = screen;
  const full = options.full === true;
  if (result.problems.length > 0) {
    yield* humanProblems(result.problems, screen, full ? Infinity : 20);
    yield '\n';
  }
  yield* decidedView(output, result.decided);
  const byPeer = Map.groupBy(result.changes, (each) => each.change.peer);
  for (const peer of result.peers) yield* peerResult(peer, byPeer.get(peer.name) ?? [], screen, full);
  if (result.peers.length > 0) yield '\n';
  yield* actionResults(result.actions, screen, full);
  yield* conflictsLeft(result, screen, full);
  if (result.interrupted !== undefined) {
    yield `${paint.yellow(`Interrupted by ${result.interrupted}. What was under way was finished; nothing is lost.`)}\n`;
  }
  const whole = isComplete(result);
  yield `${(whole ? paint.green : paint.yellow).bold(resultLine(result.summary))}\n`;
  yield* nextLines(options.next ?? nextAfterApply(result), screen);
}

/** The one line scripts and people look for. All figures are always there, in this order. */
export function resultLine(summary: ResultSummary): string {
  return (
    `Applied: ${count(summary.create)} created, ${count(summary.update)} updated, ${count(summary.delete)} deleted, ` +
    `${count(summary.failed)} failed, ${count(summary.skipped)} skipped, ${count(summary.notAttempted)} not attempted, ` +
    `${plural(summary.conflicts, 'conflict')}, ${size(summary.bytes)} sent in ${duration(summary.milliseconds)}.`
  );
}

/** All of the plan was carried out. */
function isComplete(result: ApplyResult): boolean {
  const { failed, skipped, notAttempted, unreachable, conflicts, actionsFailed } = result.summary;
  return (
    failed + skipped + notAttempted + unreachable + conflicts + actionsFailed === 0 && result.interrupted === undefined
  );
}

function* peerResult(
  peer: PeerResult,
  changes: readonly ChangeResult[],
  screen: Screen,
  full: boolean,
): Generator<string> {
  const { paint, width } = screen;
  const of = Map.groupBy(changes, (each) => each.status);
  const done = of.get('done') ?? [];
  const name = `${display(peer.name)}: `;
  const text = peer.reached === false ? `not reached, ${waitingWords(changes)}` : doneWords(done, of);
  const indent = '  ';
  for (const [index, line] of wrap(name + text, width).entries()) {
    yield index === 0 ? `${paint.bold(line.slice(0, name.length))}${line.slice(name.length)}\n` : `${indent}${line}\n`;
  }
  if (peer.problem !== undefined) {
    for (const line of wrap(safe(peer.problem.summary), width - 4)) yield `    ${paint.red(line)}\n`;
    if (peer.problem.hint !== undefined) {
      for (const line of wrap(safe(peer.problem.hint), width - 4)) yield `    ${line}\n`;
    }
  }
  yield* group('failed', of.get('failed') ?? [], screen, full);
  yield* group('skipped', of.get('skipped') ?? [], screen, full);
  const rest = of.get('not-attempted') ?? [];
  // An unreachable peer and an interrupt say it all; elsewhere each file has its own reason.
  if (peer.reached !== false || full) yield* group('not-attempted', rest, screen, full);
  if (full) yield* group('done', done, screen, full);
}

function doneWords(done: readonly ChangeResult[], of: ReadonlyMap<ChangeStatus, readonly ChangeResult[]>): string {
  const tally = { create: 0, update: 0, delete: 0, 'no-op': 0, unknown: 0 };
  let bytes = 0;
  for (const each of done) {
    tally[each.change.action] += 1;
    bytes += each.bytes;
  }
  const parts = [
    [tally.create, 'created'],
    [tally.update + tally.unknown, 'updated'],
    [tally.delete, 'deleted'],
    [tally['no-op'], 'already equal'],
    [of.get('failed')?.length ?? 0, 'failed'],
    [of.get('skipped')?.length ?? 0, 'skipped'],
    [of.get('not-attempted')?.length ?? 0, 'not attempted'],
  ] as const;
  const words = parts.filter(([number]) => number > 0).map(([number, what]) => `${count(number)} ${what}`);
  if (words.length === 0) return 'nothing to do';
  return bytes > 0 ? `${words.join(', ')}; ${size(bytes)} sent` : words.join(', ');
}

function waitingWords(changes: readonly ChangeResult[]): string {
  if (changes.length === 0) return 'nothing waits for it';
  return changes.length === 1 ? '1 change waits for it' : `${count(changes.length)} changes wait for it`;
}

/** The files of one status; those that nobody explained one by one only counted. */
function* group(
  status: ChangeStatus,
  changes: readonly ChangeResult[],
  screen: Screen,
  full: boolean,
): Generator<string> {
  const { paint } = screen;
  const word = status.replace('-', ' ');
  const color = status === 'failed' ? paint.red : status === 'done' ? paint.green : paint.yellow;
  const told = status === 'not-attempted' && !full ? changes.filter((each) => each.problem !== undefined) : changes;
  for (const each of full ? told : told.slice(0, SHOWN)) {
    const head = `${each.change.action} ${display(each.change.path)}`;
    yield `  ${color(word)}  ${head}\n`;
    if (each.problem === undefined) continue;
    const indent = 4 + textWidth(word);
    const lines = [each.problem.summary, ...(each.problem.hint === undefined ? [] : [each.problem.hint])];
    for (const line of lines.flatMap((text) => wrap(safe(text), Math.max(24, screen.width - indent)))) {
      yield `${' '.repeat(indent)}${line}\n`;
    }
  }
  if (!full && told.length > SHOWN) yield `  ${paint.dim(`... and ${count(told.length - SHOWN)} more ${word}`)}\n`;
}

function* conflictsLeft(result: ApplyResult, screen: Screen, full: boolean): Generator<string> {
  const { conflicts } = result;
  if (conflicts.length === 0) return;
  yield `${screen.paint.bold('Conflicts left as they are')}\n`;
  for (const conflict of full ? conflicts : conflicts.slice(0, CONFLICTS_SHOWN)) {
    yield `  ${screen.paint.magenta('!')} ${display(conflict.path)}  ${describeConflict({ ...conflict, certainty: 'certain' })}\n`;
  }
  if (!full && conflicts.length > CONFLICTS_SHOWN) {
    yield `  ${screen.paint.dim(`... and ${count(conflicts.length - CONFLICTS_SHOWN)} more (csx conflicts shows all)`)}\n`;
  }
  yield '\n';
}

/** What to type next, one line each; nothing when all is done. */
export function nextAfterApply(result: ApplyResult): string[] {
  const { failed, skipped, notAttempted, unreachable, conflicts, actionsFailed } = result.summary;
  const lines: string[] = [];
  if (skipped > 0) lines.push('csx plan shows anew what was skipped because it changed after the plan was made');
  if (failed + notAttempted + unreachable > 0) {
    lines.push('csx apply tries again what is left; it stays marked until it is done');
  }
  if (conflicts > 0) lines.push(`csx resolve settles the ${conflicts === 1 ? 'conflict' : 'conflicts'}`);
  if (actionsFailed > 0) {
    const commands = result.actions
      .filter((each) => each.status === 'failed')
      .map((each) => display(each.action.command));
    lines.push(`look after ${list(commands, 3)}: the files are in place, the command failed`);
  }
  return lines;
}
