/** `csx status`: which peers are behind and since when, what else is pending, and what to type next. */

import { display } from '../../model/names.js';
import type { PeerStatus, Status } from '../../model/status.js';
import type { ActionRun } from '../../model/store.js';
import { nextAfterStatus } from '../next-after-status.js';
import { age, count, duration, list, plural, time } from '../quantity.js';
import { screenOf } from '../terminal.js';
import type { Output, Screen } from '../terminal.js';
import { wrap } from '../width.js';
import { nextLines } from './next.js';
import { paragraph } from './paragraph.js';
import { humanProblems, safe } from './problem.js';
import { table } from './table.js';
import type { Column } from './table.js';

export interface StatusOptions {
  /** Also the first waiting files of each peer. */
  readonly verbose?: boolean;
}

const CONFLICTS_SHOWN = 10;
/** Columns of a window in which all of the table has room; in others the rest is told below it. */
const WIDE = 100;
const ACTIONS_SHOWN = 10;
/** Runs of commands, of those that went well. */
const RUNS_SHOWN = 3;

export function* statusView(output: Output, status: Status, options: StatusOptions = {}): Generator<string> {
  const screen = screenOf(output);
  const { paint } = screen;
  if (status.problems.length > 0) {
    yield* humanProblems(status.problems, screen);
    yield '\n';
  }
  const known = `${paint.bold(display(status.host))}: ${plural(status.known, 'file')} known, state in ${safe(status.location)}`;
  yield `${known}\n`;
  yield `${lastRun(status, screen)}\n\n`;

  if (status.peers.length > 0) yield* peerTable(status, screen);
  else yield 'No peers: no group of this host lists another host.\n';
  for (const peer of status.peers) yield* peerNotes(peer, status.now, screen, options.verbose === true);
  yield '\n';

  yield* pendingConflicts(status, screen);
  yield* pendingActions(status, screen);
  yield* actionRuns(status, screen);
  if (status.hints > 0) {
    yield `${plural(status.hints, 'path')} hinted at and not scanned yet (csx scan --hints scans ${status.hints === 1 ? 'it' : 'them'})\n`;
  }
  if (status.drift !== undefined && status.drift > 0) {
    yield `${plural(status.drift, 'file')} changed on disk since the last scan\n`;
  }
  yield `${paint.bold(statusLine(status))}\n`;
  const next = nextAfterStatus(status);
  if (next !== undefined) yield* nextLines([next], screen);
}

/** The one line: `Status: 12 changes wait for 1 of 3 peers, 2 conflicts, 1 command to run here.` or that all was sent. */
export function statusLine(status: Status): string {
  const waiting = status.peers.reduce((sum, peer) => sum + peer.waiting, 0);
  const behind = status.peers.filter((peer) => peer.waiting > 0).length;
  if (waiting + status.conflicts.length + status.actions.length === 0) {
    return `Status: nothing waits to be sent to ${plural(status.peers.length, 'peer')}.`;
  }
  return (
    `Status: ${plural(waiting, 'change')} ${waiting === 1 ? 'waits' : 'wait'} for ${count(behind)} of ${plural(status.peers.length, 'peer')}, ` +
    `${plural(status.conflicts.length, 'conflict')}, ${plural(commands(status), 'command')} to run here.`
  );
}

/** One command for many files runs once. */
function commands(status: Status): number {
  return new Set(status.actions.map((action) => action.command)).size;
}

function lastRun(status: Status, screen: Screen): string {
  const run = status.lastRun;
  if (run === undefined) return 'Nothing was applied from this host yet';
  const at = run.finishedAt ?? run.startedAt;
  const when = `${age(status.now - at)} (${time(at, screen.timeZone)})`;
  if (run.finishedAt === undefined) return `Last apply: started ${when}, not finished: it still runs or was killed`;
  const how =
    run.exitStatus === undefined ? '' : run.exitStatus === 0 ? ', all done' : `, exit status ${run.exitStatus}`;
  const { lastSuccess } = status;
  const before =
    lastSuccess === undefined || lastSuccess >= at
      ? ''
      : `\nLast that did all: ${age(status.now - lastSuccess)} (${time(lastSuccess, screen.timeZone)})`;
  return `Last apply: ${when}${how}${before}`;
}

function peerTable(status: Status, screen: Screen): Generator<string> {
  const rows = status.peers.map((peer) => [
    display(peer.name) + (peer.slave ? ' (slave)' : ''),
    peer.waiting === 0
      ? 'nothing'
      : plural(peer.waiting, 'change') + (peer.forced > 0 ? `, ${count(peer.forced)} forced` : ''),
    since(peer, status.now),
    peer.conflicts === 0 ? '' : count(peer.conflicts),
    reachability(peer, status),
    peer.lastSuccess === undefined ? 'not known' : age(status.now - peer.lastSuccess),
    list(peer.groups.map(display), 3),
  ]);
  const asked = status.peers.some((peer) => peer.reachable !== 'unknown');
  const wide = screen.width >= WIDE;
  const shown = [true, true, true, wide && status.conflicts.length > 0, asked, wide && asked, true];
  const columns: Column[] = [
    { title: 'Peer' },
    { title: 'Waiting' },
    { title: 'Oldest' },
    { title: 'Conflicts' },
    { title: 'Reachable' },
    { title: 'Last all done' },
    { title: 'Groups', cut: 'end' },
  ];
  // A column that is empty, or full of "not asked", would say nothing.
  const keep = <Item>(cells: readonly Item[]) => cells.filter((_, index) => shown[index]);
  return table(keep(columns), rows.map(keep), screen);
}

function since(peer: PeerStatus, now: number): string {
  if (peer.waiting === 0) return '';
  return peer.oldest === undefined ? 'unknown' : age(now - peer.oldest);
}

/** What runs found: `yes` in the latest, `yes, 2 days ago` in one before it, `NO, 2 days` for as long as it has not answered. */
function reachability({ reachable, asked, since }: PeerStatus, { now, lastRun: run }: Status): string {
  if (reachable === 'unknown') return 'not asked';
  if (reachable) {
    const when = asked === undefined ? undefined : age(now - asked);
    const known = when === undefined || (run !== undefined && when === age(now - (run.finishedAt ?? run.startedAt)));
    return known ? 'yes' : `yes, ${when}`;
  }
  if (since === undefined) return 'NO';
  return `NO, ${age(now - since).replace(/ ago$/, '')}`;
}

function* peerNotes(peer: PeerStatus, now: number, screen: Screen, verbose: boolean): Generator<string> {
  const { paint, width } = screen;
  if (width < WIDE && peer.waiting > 0) {
    const done = peer.lastSuccess === undefined ? 'not known' : age(now - peer.lastSuccess);
    const conflicts = peer.conflicts === 0 ? '' : `, ${plural(peer.conflicts, 'conflict')}`;
    yield* paragraph(`${display(peer.name)}: last all done ${done}${conflicts}`, screen, { indent: 2 });
  }
  if (peer.problem !== undefined) {
    const lines = wrap(`${display(peer.name)}: ${safe(peer.problem.summary)}`, width - 2);
    for (const line of lines) yield `  ${paint.red(line)}\n`;
    if (peer.problem.hint !== undefined)
      for (const line of wrap(safe(peer.problem.hint), width - 4)) yield `    ${line}\n`;
  }
  if (!verbose || peer.waiting === 0) return;
  yield `  ${display(peer.name)} waits for\n`;
  for (const path of peer.first) yield `    ${display(path)}\n`;
  const more = peer.waiting - peer.first.length;
  if (more > 0) yield `    ${paint.dim(`... and ${count(more)} more (csx db list dirty shows all)`)}\n`;
}

function* pendingConflicts(status: Status, screen: Screen): Generator<string> {
  if (status.conflicts.length === 0) return;
  yield `${screen.paint.bold('Conflicts that need a decision')}\n`;
  for (const conflict of status.conflicts.slice(0, CONFLICTS_SHOWN)) {
    const seen = conflict.seen === undefined ? '' : `, seen ${age(status.now - conflict.seen)}`;
    yield `  ${screen.paint.magenta('!')} ${display(conflict.path)}  with ${display(conflict.peer)}${seen}\n`;
  }
  const more = status.conflicts.length - CONFLICTS_SHOWN;
  if (more > 0) yield `  ${screen.paint.dim(`... and ${count(more)} more (csx conflicts shows all)`)}\n`;
  yield '\n';
}

function* pendingActions(status: Status, screen: Screen): Generator<string> {
  if (status.actions.length === 0) return;
  yield `${screen.paint.bold('Commands that wait to run on this host')}\n`;
  const commands = Map.groupBy(status.actions, (action) => action.command);
  for (const [command, rows] of [...commands].slice(0, ACTIONS_SHOWN)) {
    const files = list(
      rows.map((row) => display(row.file)),
      3,
    );
    yield `  ${screen.paint.cyan(display(command))}\n`;
    yield* paragraph(`for ${files}`, screen, { indent: 6 });
  }
  const more = commands.size - ACTIONS_SHOWN;
  if (more > 0) yield `  ${screen.paint.dim(`... and ${count(more)} more (csx db list actions shows all)`)}\n`;
  yield '\n';
}

/** The latest few, and every one that failed. */
function* actionRuns(status: Status, screen: Screen): Generator<string> {
  const shown = status.actionRuns
    .filter((run, index) => index < RUNS_SHOWN || run.status !== 0)
    .slice(0, ACTIONS_SHOWN);
  if (shown.length === 0) return;
  const rows = shown.map((run) => [
    display(run.command),
    run.status === 0 ? 'done' : screen.paint.red(endOf(run)),
    duration(run.milliseconds),
    age(status.now - run.startedAt),
  ]);
  const columns: Column[] = [
    { title: 'Command', cut: 'end' },
    { title: 'Ended' },
    { title: 'Took' },
    { title: 'Last run' },
  ];
  yield* table(columns, rows, screen);
  const more = status.actionRuns.length - shown.length;
  if (more > 0) yield `  ${screen.paint.dim(`... and ${count(more)} more (csx status --json shows all)`)}\n`;
  yield '\n';
}

function endOf({ status, signal, timedOut }: ActionRun): string {
  if (timedOut) return 'time limit';
  return status === undefined ? (signal ?? 'not started') : `exit status ${String(status)}`;
}
