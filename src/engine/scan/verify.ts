/** What only the content can tell: whether a file with a known digest, written at another time, says something else now. */

import { setImmediate as turn } from 'node:timers/promises';
import { errnoOf } from '../../model/errors.js';
import type { Drift, Finding, LocalState } from '../../model/scan.js';
import type { FileRow } from '../../model/store.js';
import { digestOf } from './digest.js';

export interface Suspicion {
  readonly kind: 'verify';
  readonly row: FileRow;
  /** What it is if the content differs. */
  readonly drift: Drift & { readonly after: LocalState };
}

/**
 * Reads the file. The same content: nothing but the stamp is new (`rewritten`), or nothing but the time is (`content`).
 * A file that cannot be read counts as changed; the sender will say what is wrong with it.
 */
export async function verify({ row, drift }: Suspicion, signal: AbortSignal | undefined): Promise<Finding> {
  const digest = await digestIfReadable(drift, signal);
  await turn();
  const state: LocalState = { ...drift.after, digest };
  if (digest === undefined || digest !== row.digest) return { kind: 'drift', drift: { ...drift, after: state } };
  return drift.reason === 'rewritten'
    ? { kind: 'refresh', file: drift.file, state }
    : { kind: 'drift', drift: { ...drift, reason: 'times', after: state } };
}

async function digestIfReadable(drift: Drift, signal: AbortSignal | undefined): Promise<LocalState['digest']> {
  try {
    return await digestOf(drift.disk, signal);
  } catch (error) {
    signal?.throwIfAborted();
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
}
