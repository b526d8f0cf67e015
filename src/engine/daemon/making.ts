/** Makes the newcomers of a pack and says what stands there then; the same in the daemon's own thread and in one beside it (maker.ts). */

import type { Ignore } from '../../model/entry.js';
import { CsxError } from '../../model/errors.js';
import type { ErrorCode, ErrorDetails } from '../../model/errors.js';
import type { DiskPath, FileName } from '../../model/names.js';
import type { LocalState } from '../../model/scan.js';
import { makeNewcomers } from '../files/newcomers.js';
import type { Newcomer } from '../files/newcomers.js';
import { stateOf } from '../scan/local-state.js';

/** What is to be made, in this order. */
export interface Making {
  readonly newcomers: readonly (Newcomer & { readonly file: FileName })[];
  readonly temporaryDirectory: DiskPath | undefined;
  readonly ignore: Ignore;
}

/** What became of one: what stands there now, durably, or why it was not made. */
export interface Made {
  readonly state: LocalState | undefined;
  readonly error: unknown;
}

/**
 * One for each newcomer, in order. Never rejects. All directories stand and all files are staged when this returns: another making
 * that lies in those directories may begin then.
 */
export async function makeAll({ newcomers, temporaryDirectory, ignore }: Making): Promise<readonly Made[]> {
  const outcomes = await makeNewcomers(newcomers, temporaryDirectory);
  return newcomers.map(({ disk, file }, index): Made => {
    const outcome = outcomes[index];
    if (outcome?.made === undefined) return { state: undefined, error: outcome?.error };
    try {
      return { state: stateOf(outcome.made, disk, file, ignore), error: outcome.error };
    } catch (error) {
      return { state: undefined, error: outcome.error ?? error };
    }
  });
}

/** To the thread: makings are begun in the order in which they come. */
export interface ToMaker {
  readonly number: number;
  readonly making: Making;
  /** What the contents are views of: handed over, and back. */
  readonly body: ArrayBuffer;
}

/** From the thread. */
export interface FromMaker {
  readonly number: number;
  readonly body: ArrayBuffer;
  readonly made: readonly (Omit<Made, 'error'> & { readonly error: FlatError | undefined })[];
}

/** An error as it goes from one thread to another: a CsxError, or one of the system. */
export type FlatError =
  | { readonly csx: ErrorCode; readonly message: string; readonly details: Omit<ErrorDetails, 'cause'> }
  | { readonly csx: undefined; readonly message: string; readonly facts: Readonly<Record<string, unknown>> };

export function flattenError(error: unknown): FlatError | undefined {
  if (error === undefined) return undefined;
  if (error instanceof CsxError) {
    const { code, message, hint, range, data } = error;
    return { csx: code, message, details: { hint, range, data } };
  }
  if (!(error instanceof Error)) return { csx: undefined, message: 'It failed.', facts: {} };
  const { code, errno, syscall } = error as NodeJS.ErrnoException;
  return { csx: undefined, message: error.message, facts: { code, errno, syscall } };
}

export function unflattenError(flat: FlatError | undefined): Error | undefined {
  if (flat === undefined) return undefined;
  if (flat.csx !== undefined) return new CsxError(flat.csx, flat.message, flat.details);
  return Object.assign(new Error(flat.message), flat.facts);
}
