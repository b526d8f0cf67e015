/**
 * Carries out one peer's changes over one connection, in the order of the plan.
 *
 * Each change is checked at its moment: the file here must still be the one the plan saw (its stamp), and the peer's must be the one
 * the plan was told of. What the peer has is asked for ahead (SIG) while earlier files are on their way; where PATCH
 * shows it anyway, its signature is looked at instead. A change whose precondition fails is skipped and reported, never
 * forced. Commands leave without waiting for each other's answers; only PATCH makes the line wait.
 */

import type { Change } from '../../model/plan.js';
import type { ChangeResult } from '../../model/result.js';
import { CsxError } from '../../model/errors.js';
import type { Problem } from '../../model/errors.js';
import { display } from '../../model/names.js';
import type { DiskPath, FileName } from '../../model/names.js';
import type { Report } from '../../model/events.js';
import type { LocalState } from '../../model/scan.js';
import { openSource } from '../files/source.js';
import type { Source } from '../files/source.js';
import type { Command, Connection } from '../net/connection.js';
import type { Answer } from '../wire/response.js';
import type { PlainVerb } from '../wire/verbs.js';
import { outgoing, wholeOf } from './content.js';
import type { ContentDigests, Outgoing } from './content.js';
import { checkHere, checkSignature, checkThere, mustAsk } from './preconditions.js';
import type { Readiness } from './preconditions.js';
import { Running } from './running.js';
import { stepsOf } from './steps.js';
import type { Raw, Step } from './steps.js';
import { refusalProblem, staleHere, unsynced } from './trouble.js';

export interface TransferOptions {
  readonly connection: Connection;
  readonly changes: readonly Change[];
  /** The text of the pre-shared key for a change. */
  readonly keyOf: (change: Change) => string;
  readonly toDisk: (file: FileName) => DiskPath;
  /** What stands here now; undefined: nothing. Throws CsxError READ_FAILED. */
  readonly look: (file: FileName) => LocalState | undefined;
  /** What lstat says now. */
  readonly raw: (file: FileName) => Raw;
  /** The peer answers before it has made changes durable; SYNC asks for that. */
  readonly grouped: boolean;
  /** The peer knows PUT. */
  readonly puts: boolean;
  readonly report: Report;
  /** Ends the transfer after what is in flight. */
  readonly stop: AbortSignal;
  /** Called once for each change, in the order in which the peer answered. Undefined digests: no content was read. */
  readonly finished: (result: ChangeResult, digests: ContentDigests | undefined, refused: boolean) => void;
}

/** Changes that are looked at, and asked the peer about, before their turn. */
const AHEAD = 64;
/** Changes that may wait for answers; a stop waits for so many. */
const IN_FLIGHT = 64;
/** New files up to this size go with PUT, from memory. */
const PUT_BYTES = 256 * 1024;
/** Changes that one SYNC makes durable: half of what the daemon commits at most together. */
const GROUP = 128;

/** One call of `transfer`. */
interface Run extends TransferOptions {
  /** Changes whose answers were lost because csx itself gave the connection up. */
  readonly again: Change[];
  /** Answered, but not durable yet. */
  unsynced: { readonly change: Change; readonly end: End }[];
  /** SYNCs under way. */
  readonly syncing: Set<Promise<void>>;
  /** SYNCs sent. */
  syncs: number;
  /** Up to this SYNC none proves anything any more. */
  doubtful: number;
}

/**
 * Sends the changes. Resolves with those it did not come to, because it was stopped or gave the connection up after a file had
 * changed while it was sent: the caller may go on with them over another connection.
 * When the connection is lost, the changes that waited for answers fail, the rest is returned, and `connection.failure` says why.
 */
export async function transfer(options: TransferOptions): Promise<readonly Change[]> {
  const { connection, changes, stop } = options;
  const run: Run = { ...options, again: [], unsynced: [], syncing: new Set(), syncs: 0, doubtful: 0 };
  const ready: Promise<Readiness>[] = [];
  const running = new Running();
  let index = 0;
  for (; index < changes.length; index++) {
    if (stop.aborted || connection.failure !== undefined) break;
    for (const change of changes.slice(ready.length, index + AHEAD)) {
      const readiness = lookAhead(change, run);
      // Its turn may never come when the connection is lost.
      readiness.catch(ignore);
      ready.push(readiness);
    }
    const [change, readiness] = [changes[index], ready[index]];
    if (change === undefined || readiness === undefined) break;
    const work = begin(change, readiness, run);
    running.add(work.answered);
    await work.given;
    await running.fewerThan(IN_FLIGHT);
    await connection.room();
  }
  await running.fewerThan(1);
  sync(run);
  await Promise.all(run.syncing);
  return [...run.again, ...changes.slice(index)];
}

/** Checks this host's side and, where PATCH will not show it, asks for the peer's. */
async function lookAhead(change: Change, run: Run): Promise<Readiness> {
  if (isPut(change, run)) return READY;
  const here = checkHere(change, run.look);
  if (here !== undefined) return { kind: 'stale', problem: here };
  if (change.action === 'no-op' || !mustAsk(change)) return READY;
  const answer = await run.connection.request('SIG', { key: run.keyOf(change), file: change.path });
  return checkThere(change, answer);
}

const READY = { kind: 'ready' } as const;

/** Whether the change is a new file that goes with PUT: both sides are checked when it is sent, here and there. */
function isPut(change: Change, { puts }: Run): boolean {
  const { action, force, after, precondition, bytes } = change;
  if (!puts || action !== 'create' || force || bytes > PUT_BYTES) return false;
  return after?.entry.type === 'file' && precondition.local !== undefined && precondition.remote === undefined;
}

/**
 * Makes one change. `given` resolves when its commands are with the connection, so that the next change's may follow;
 * `answered` when the peer has answered all of them. Neither rejects for trouble with the change.
 */
function begin(
  change: Change,
  readiness: Promise<Readiness>,
  run: Run,
): { given: Promise<void>; answered: Promise<void> } {
  const given = Promise.withResolvers<undefined>();
  const work = async (): Promise<void> => {
    const found = await readiness;
    if (found.kind === 'stale') {
      const { problem } = found;
      finish(run, change, { status: problem.code === 'PEER_REFUSED' ? 'failed' : 'skipped', problem, bytes: 0 });
      return;
    }
    run.report({
      type: 'change_start',
      peer: change.peer,
      path: change.path,
      action: change.action,
      bytes: change.bytes,
    });
    const answers = isPut(change, run) ? putNew(change, run) : carryOut(change, found, run);
    given.resolve(undefined);
    finish(run, change, await answers);
  };
  const answered = work()
    .catch((error: unknown) => {
      fail(run, change, error);
    })
    .finally(() => {
      given.resolve(undefined);
    });
  return { given: given.promise, answered };
}

interface End {
  readonly status: ChangeResult['status'];
  readonly problem: Problem | undefined;
  readonly bytes: number;
  readonly digests?: ContentDigests;
  readonly refused?: boolean;
}

/** Sends a new file in one command, and the usual way where the peer turns out to have something there. */
async function putNew(change: Change, run: Run): Promise<End> {
  const sent = readNew(change, run);
  if ('status' in sent) return sent;
  const entry = change.after?.entry;
  const word = (value: number | undefined): string => (value === undefined ? '-' : String(value));
  const attributes = {
    uid: word(entry?.uid),
    gid: word(entry?.gid),
    mode: word(entry?.mode),
    mtime: word(entry?.mtime),
  };
  const answer = await run.connection.put({ key: run.keyOf(change), file: change.path, ...attributes }, sent.delta);
  if (answer.kind === 'error' && answer.refusal.errno === 'EEXIST') return carryOut(change, READY, run);
  return { ...verdict(change, [answer], sent.delta.length), digests: sent.digests() };
}

/** The new file's content, which is the one that was planned; otherwise why it is not sent. */
function readNew(change: Change, run: Run): NonNullable<ReturnType<typeof wholeOf>> | End {
  let source: Source | undefined;
  try {
    source = openSource(run.toDisk(change.path));
    const whole = source.stamp === change.precondition.local?.stamp ? wholeOf(source) : undefined;
    if (whole !== undefined) return whole;
  } catch (error) {
    if (!(error instanceof CsxError)) throw error;
    const stale = checkHere(change, run.look);
    if (stale === undefined) throw error;
    return { status: 'skipped', problem: stale, bytes: 0 };
  } finally {
    source?.close();
  }
  return { status: 'skipped', problem: checkHere(change, run.look) ?? staleHere(change, 'it was changed'), bytes: 0 };
}

/** Queues the commands at once; resolves with the peer's last answer. */
function carryOut(change: Change, found: Exclude<Readiness, { kind: 'stale' }>, run: Run): Promise<End> {
  const steps: readonly Step[] = found.kind === 'settled' ? [] : stepsOf(change, run.raw(change.path));
  const target = { key: run.keyOf(change), file: change.path };
  const content = steps.findIndex((step) => step.kind === 'content');
  const commands = steps.filter((step) => step.kind === 'command').map((step) => commandOf(step, target));
  if (content < 0) return sendCommands(change, commands, run);
  const before = Promise.all(commands.slice(0, content).map((command) => send(command, run)));
  // What fails with the connection is seen below; until then nobody waits for it.
  before.catch(ignore);
  return sendContent(change, before, commands.slice(content), run);
}

/**
 * SETIME waits for the others' success: a daemon does not check it for conflicts, but forgets one for it, so that behind a refused
 * MKDIR or SETMOD it would make the peer forget what it refused for.
 */
async function sendCommands(change: Change, commands: readonly Command[], run: Run): Promise<End> {
  const last = commands.at(-1);
  if (last?.verb !== 'SETIME')
    return verdict(change, await Promise.all(commands.map((command) => send(command, run))), 0);
  const answers = await Promise.all(commands.slice(0, -1).map((command) => send(command, run)));
  const end = verdict(change, answers, 0);
  return end.status === 'done' ? verdict(change, [await send(last, run)], 0) : end;
}

function send(command: Command, run: Run): Promise<Answer> {
  return run.connection.request<PlainVerb>(command.verb, command.args);
}

async function sendContent(
  change: Change,
  before: Promise<readonly Answer[]>,
  followers: readonly Command[],
  run: Run,
): Promise<End> {
  const opened: { source?: Source; sent?: Outgoing; stale?: Problem } = {};
  try {
    const { answer, followers: later } = await run.connection.patch(
      { key: run.keyOf(change), file: change.path },
      async (signature) => {
        const stale = checkSignature(change, signature);
        if (stale !== undefined || signature === undefined) {
          if (stale !== undefined) opened.stale = stale;
          return undefined;
        }
        const source = openSource(run.toDisk(change.path));
        opened.source = source;
        if (change.precondition.local !== undefined && source.stamp !== change.precondition.local.stamp) {
          opened.stale = staleHere(change, 'it was changed');
          return undefined;
        }
        opened.sent = await outgoing(source, signature);
        return opened.sent.body;
      },
      followers,
    );
    const earlier = await before;
    if (opened.stale !== undefined) return { status: 'skipped', problem: opened.stale, bytes: 0 };
    const end = verdict(change, [...earlier, answer, ...later], opened.sent?.body.length ?? 0);
    return opened.sent === undefined ? end : { ...end, digests: opened.sent.digests() };
  } finally {
    opened.source?.close();
  }
}

function commandOf(
  step: Extract<Step, { kind: 'command' }>,
  target: { readonly key: string; readonly file: FileName },
): Command {
  const [first = '', second = ''] = step.rest;
  switch (step.verb) {
    case 'SETOWN':
      return { verb: 'SETOWN', args: { ...target, uid: Number(first), gid: Number(second) } };
    case 'SETMOD':
      return { verb: 'SETMOD', args: { ...target, mode: Number(first) } };
    case 'SETIME':
      return { verb: 'SETIME', args: { ...target, mtime: Number(first) } };
    case 'MKLINK':
      return { verb: 'MKLINK', args: { ...target, target: first } };
    case 'MKCHR':
    case 'MKBLK':
      return { verb: step.verb, args: { ...target, device: Number(first) } };
    case 'FLUSH':
    case 'DEL':
    case 'MKDIR':
    case 'MKFIFO':
      return { verb: step.verb, args: target };
  }
}

/** Done when every answer is OK; otherwise the first refusal says why not. */
function verdict(change: Change, answers: readonly Answer[], bytes: number): End {
  const refusal = answers.find((answer) => answer.kind === 'error');
  if (refusal === undefined) return { status: 'done', problem: undefined, bytes };
  const dirty = refusal.refusal.kind === 'marked-dirty';
  return { status: dirty ? 'skipped' : 'failed', problem: refusalProblem(change, refusal), bytes, refused: dirty };
}

/** A change that ended with an exception: the connection's, or trouble with the file here. */
function fail(run: Run, change: Change, error: unknown): void {
  if (!(error instanceof CsxError)) throw error;
  if (error.code === 'PEER_CLOSED' && run.connection.failure?.code === 'CHANGED_MEANWHILE') {
    run.again.push(change);
    return;
  }
  const problem: Problem = {
    severity: 'error',
    code: error.code,
    summary: error.message,
    hint: error.hint,
    path: display(change.path),
    peer: change.peer,
  };
  finish(run, change, { status: error.code === 'CHANGED_MEANWHILE' ? 'skipped' : 'failed', problem, bytes: 0 });
}

/** A change that is done toward a peer that groups its commits is done when a SYNC behind it was answered. */
function finish(run: Run, change: Change, end: End): void {
  if (!run.grouped || end.status !== 'done') {
    conclude(run, change, end);
    return;
  }
  run.unsynced.push({ change, end });
  if (run.unsynced.length >= GROUP) sync(run);
}

/**
 * Asks the peer to make durable what it has answered so far. A peer that could not do so has tried with everything that came before the
 * SYNC, also with what was sent but not answered when the SYNC left: what waits then for later SYNCs is in doubt as well.
 */
function sync(run: Run): void {
  const group = run.unsynced;
  if (group.length === 0) return;
  run.unsynced = [];
  run.syncs += 1;
  const number = run.syncs;
  const work = run.connection.request('SYNC', {}).then(
    (answer) => {
      if (answer.kind === 'error') run.doubtful = Math.max(run.doubtful, run.syncs + 1);
      const text = answer.kind === 'error' ? answer.text : undefined;
      for (const { change, end } of group)
        conclude(
          run,
          change,
          number <= run.doubtful ? { status: 'failed', problem: unsynced(change, text), bytes: 0 } : end,
        );
    },
    (error: unknown) => {
      for (const { change } of group) fail(run, change, error);
    },
  );
  const tracked = work.finally(() => run.syncing.delete(tracked));
  run.syncing.add(tracked);
}

function conclude(run: Run, change: Change, end: End): void {
  const { status, problem, bytes } = end;
  const place = { peer: change.peer, path: change.path, action: change.action };
  if (status === 'done') run.report({ type: 'change_complete', ...place, bytes });
  else if (problem !== undefined)
    run.report({ type: status === 'failed' ? 'change_errored' : 'change_skipped', ...place, problem });
  run.finished({ change, status, problem, bytes }, end.digests, end.refused === true);
}

function ignore(): void {
  // The failure is seen where the promise is awaited.
}
