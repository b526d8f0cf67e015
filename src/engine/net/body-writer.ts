/** The body of a PATCH on its way out: made by the caller, announced, and written exactly as announced. */

import { CsxError } from '../../model/errors.js';
import { writeBodyHeader } from '../wire/body.js';
import type { Deadline } from './deadline.js';
import type { Body, PatchJob } from './exchange.js';
import type { Outbox } from './outbox.js';

/** Asks the caller for the delta; its failure is kept in the job, and there is no body then. Never rejects. */
export async function makeBody(job: PatchJob, signature: Buffer | undefined): Promise<Body | undefined> {
  try {
    return await job.respond(signature);
  } catch (error) {
    job.failure = asError(error);
    return undefined;
  }
}

/**
 * Writes header and content. The deadline, paused by the caller, runs while the peer does not take more. Stops when `stopped`.
 * Rejects with the source's own failure, and when there is more or less than was announced: nothing beyond the announced
 * length is ever written, and a peer that did not get all of it applies nothing.
 */
export async function writeChunks(
  body: Body,
  outbox: Outbox,
  deadline: Deadline,
  stopped: () => boolean,
): Promise<void> {
  let left = body.length;
  outbox.write(writeBodyHeader(body.length));
  for await (const chunk of body.chunks) {
    if (stopped()) return;
    if (chunk.length > left) {
      throw new CsxError('INTERNAL', `A delta announced as ${body.length} bytes is longer.`);
    }
    left -= chunk.length;
    outbox.write(chunk);
    if (!outbox.blocked) continue;
    deadline.resume();
    await outbox.ready();
    deadline.pause();
  }
  if (left > 0 && !stopped()) {
    throw new CsxError('INTERNAL', `A delta announced as ${body.length} bytes ended ${left} bytes early.`);
  }
}

/** Whatever was thrown, as an Error. */
export function asError(error: unknown): Error {
  return error instanceof Error ? error : new CsxError('INTERNAL', 'A delta could not be made.', { cause: error });
}
