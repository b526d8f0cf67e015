/**
 * Carries out one peer's changes over one connection, in the order of the plan.
 *
 * Each change is checked at its moment: the file here must still be the one the plan saw (its stamp), and the peer's must be the one
 * the plan was told of. What the peer has is asked for ahead (SIG) while earlier files are on their way; where PATCH
 * shows it anyway, its signature is looked at instead. A change whose precondition fails is skipped and reported, never
 * forced. Commands leave without waiting for each other's answers; only PATCH makes the line wait, and toward csync2 a
 * file's attributes wait for its content to be taken.
 */

import type { Report } from '../../model/events.js';
import type { Change } from '../../model/plan.js';
import { Endings } from './endings.js';
import type { EndingsOptions } from './endings.js';
import { checkHere, checkThere, mustAsk, workOf } from './preconditions.js';
import type { Readiness } from './preconditions.js';
import { Running } from './running.js';
import { carryOut, putNew } from './send-change.js';
import type { SendOptions } from './send-change.js';

export interface TransferOptions extends SendOptions, EndingsOptions {
  readonly changes: readonly Change[];
  /** The peer knows PUT. */
  readonly puts: boolean;
  readonly report: Report;
  /** Ends the transfer after what is in flight. */
  readonly stop: AbortSignal;
}

/** Changes that are looked at, and asked the peer about, before their turn. */
const AHEAD = 64;
/** Changes that may wait for answers; a stop waits for so many. */
const IN_FLIGHT = 64;
/** Toward csync2 attributes leave with the next file's content: one that takes long to make and send waits until they have left. */
const LARGE = 1024 * 1024;
/** New files up to this size go with PUT, from memory. */
const PUT_BYTES = 256 * 1024;

/**
 * Sends the changes. Resolves with those it did not come to, because it was stopped or gave the connection up after a file had
 * changed while it was sent: the caller may go on with them over another connection.
 * When the connection is lost, the changes that waited for answers fail, the rest is returned, and `connection.failure` says why.
 */
export async function transfer(options: TransferOptions): Promise<readonly Change[]> {
  const { connection, changes, stop } = options;
  const endings = new Endings(options);
  const ready: Promise<Readiness>[] = [];
  const running = new Running();
  let index = 0;
  for (; index < changes.length; index++) {
    if (stop.aborted || connection.failure !== undefined) break;
    for (const change of changes.slice(ready.length, index + AHEAD)) {
      const readiness = lookAhead(change, options);
      // Its turn may never come when the connection is lost.
      readiness.catch(ignore);
      ready.push(readiness);
    }
    const [change, readiness] = [changes[index], ready[index]];
    if (change === undefined || readiness === undefined) break;
    if (!options.grouped && change.bytes > LARGE) await running.fewerThan(1);
    const work = begin(change, readiness, endings, options);
    running.add(work.answered);
    await work.given;
    await running.fewerThan(IN_FLIGHT);
    await connection.room();
  }
  await running.fewerThan(1);
  return [...(await endings.all()), ...changes.slice(index)];
}

/** Checks this host's side and, where PATCH will not show it, asks for the peer's. */
async function lookAhead(change: Change, options: TransferOptions): Promise<Readiness> {
  if (isPut(change, options)) return READY;
  const here = checkHere(change, options.look);
  if (here !== undefined) return { kind: 'stale', problem: here };
  if (change.action === 'no-op' || !mustAsk(change)) return READY;
  const target = { key: options.keyOf(change), file: change.path };
  const answer = await options.connection.request('SIG', target, workOf(change));
  return checkThere(change, answer);
}

const READY = { kind: 'ready' } as const;

/** Whether the change is a new file that goes with PUT: both sides are checked when it is sent, here and there. */
function isPut(change: Change, { puts }: TransferOptions): boolean {
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
  endings: Endings,
  options: TransferOptions,
): { given: Promise<void>; answered: Promise<void> } {
  const given = Promise.withResolvers<undefined>();
  const work = async (): Promise<void> => {
    const found = await readiness;
    if (found.kind === 'stale') {
      const { problem } = found;
      endings.add(change, { status: problem.code === 'PEER_REFUSED' ? 'failed' : 'skipped', problem, bytes: 0 });
      return;
    }
    options.report({
      type: 'change_start',
      peer: change.peer,
      path: change.path,
      action: change.action,
      bytes: change.bytes,
    });
    const answers = isPut(change, options) ? putNew(change, options) : carryOut(change, found, options);
    given.resolve(undefined);
    endings.add(change, await answers);
  };
  const answered = work()
    .catch((error: unknown) => {
      endings.fail(change, error);
    })
    .finally(() => {
      given.resolve(undefined);
    });
  return { given: given.promise, answered };
}

function ignore(): void {
  // The failure is seen where the promise is awaited.
}
