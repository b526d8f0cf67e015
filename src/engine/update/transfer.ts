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
import type { Recording } from './record.js';
import { Running } from './running.js';
import { carryOut } from './send-change.js';
import type { SendOptions } from './send-change.js';
import { isPackable, packFrom, PackMemory, sendPack } from './send-pack.js';

export interface TransferOptions extends SendOptions, EndingsOptions {
  readonly changes: readonly Change[];
  /** Says which of them are marked here, and so may be sent. */
  readonly recording: Pick<Recording, 'has' | 'until'>;
  /** The peer knows PACK. */
  readonly packs: boolean;
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
/** Packs that wait for their answers: one is received while the next is read. */
const PACKS_IN_FLIGHT = 3;

/**
 * Sends the changes. Resolves with those it did not come to, because it was stopped or gave the connection up after a file had
 * changed while it was sent: the caller may go on with them over another connection.
 * When the connection is lost, the changes that waited for answers fail, the rest is returned, and `connection.failure` says why.
 */
export async function transfer(options: TransferOptions): Promise<readonly Change[]> {
  const { connection, changes, recording, stop } = options;
  const endings = new Endings(options);
  const ready = new Map<Change, Promise<Readiness>>();
  const [running, packing] = [new Running(), new Running()];
  const memory = new PackMemory();
  let [index, looked] = [0, 0];
  while (index < changes.length && !stop.aborted && connection.failure === undefined) {
    for (; looked < Math.min(changes.length, index + AHEAD); looked++) {
      const change = changes[looked];
      if (change === undefined || (options.packs && isPackable(change))) continue;
      const readiness = lookAhead(change, options);
      // Its turn may never come when the connection is lost.
      readiness.catch(ignore);
      ready.set(change, readiness);
    }
    const next = changes[index];
    if (next !== undefined && !recording.has(next.path)) {
      if (await recording.until(next.path)) continue;
      break;
    }
    const pack = options.packs ? packFrom(changes, index, options) : [];
    if (pack.length > 0) {
      packing.add(makePack(pack, memory, endings, options));
      index += pack.length;
      await packing.fewerThan(PACKS_IN_FLIGHT);
    } else {
      const change = changes[index++];
      const readiness = change && ready.get(change);
      if (change === undefined || readiness === undefined) break;
      ready.delete(change);
      if (!options.grouped && change.bytes > LARGE) await running.fewerThan(1);
      const work = begin(change, readiness, endings, options);
      running.add(work.answered);
      await work.given;
      await running.fewerThan(IN_FLIGHT);
    }
    await connection.room();
  }
  await packing.fewerThan(1);
  await running.fewerThan(1);
  return [...(await endings.all()), ...changes.slice(index)];
}

/** Checks this host's side and, where PATCH will not show it, asks for the peer's. */
async function lookAhead(change: Change, options: TransferOptions): Promise<Readiness> {
  const here = checkHere(change, options.look);
  if (here !== undefined) return { kind: 'stale', problem: here };
  if (change.action === 'no-op' || !mustAsk(change)) return READY;
  const target = { key: options.keyOf(change), file: change.path };
  const answer = await options.connection.request('SIG', target, workOf(change));
  return checkThere(change, answer);
}

const READY = { kind: 'ready' } as const;

/** Makes new files and directories together; those that the peer turns out to know go the usual way. Never rejects for trouble with one. */
async function makePack(
  pack: readonly Change[],
  memory: PackMemory,
  endings: Endings,
  options: TransferOptions,
): Promise<void> {
  for (const change of pack) start(change, options);
  try {
    const elsewhere: Promise<void>[] = [];
    for (const { change, end } of await sendPack(pack, options, memory)) {
      if (end === 'elsewhere') elsewhere.push(begin(change, lookAhead(change, options), endings, options).answered);
      else endings.addDurable(change, end);
    }
    await Promise.all(elsewhere);
  } catch (error) {
    for (const change of pack) endings.fail(change, error);
  }
}

function start({ peer, path, action, bytes }: Change, { report }: TransferOptions): void {
  report({ type: 'change_start', peer, path, action, bytes });
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
    start(change, options);
    const answers = carryOut(change, found, options);
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
