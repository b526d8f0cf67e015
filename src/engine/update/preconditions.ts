/**
 * What must still hold at the moment of a change, on both sides: a file that is not as the plan saw it is neither sent nor overwritten.
 */

import { withoutMtime } from '../../model/checktxt.js';
import { CsxError } from '../../model/errors.js';
import type { Problem } from '../../model/errors.js';
import type { FileName } from '../../model/names.js';
import type { Change } from '../../model/plan.js';
import type { LocalState } from '../../model/scan.js';
import { ABSENT_SIGNATURE, signatureDigest } from '../delta/signature.js';
import type { Answer } from '../wire/response.js';
import { heldThere, refusalProblem, staleHere, staleThere } from './trouble.js';

/** What was found when a change was looked at ahead. */
export type Readiness =
  | { readonly kind: 'ready' }
  /** Nothing is left to do: the peer has it already. */
  | { readonly kind: 'settled' }
  | { readonly kind: 'stale'; readonly problem: Problem };

/** What is sent by PATCH needs no question: its answer has the signature of what is there. */
export function mustAsk(change: Change): boolean {
  if (change.force || change.aspects.includes('type')) return true;
  const timeOnly = change.aspects.length === 1 && change.aspects[0] === 'mtime';
  return change.action === 'delete' || change.after?.entry.type !== 'file' || timeOnly;
}

/** Bytes the peer may have to read or write before it can answer: what it has, for a signature, and what it is to have. */
export function workOf(change: Change): number {
  return Math.max(change.before?.entry.size ?? 0, change.after?.entry.size ?? 0);
}

/** The file here, against the state the plan saw. */
export function checkHere(change: Change, look: (file: FileName) => LocalState | undefined): Problem | undefined {
  const expected = change.precondition.local;
  let now: LocalState | undefined;
  try {
    now = look(change.path);
  } catch (error) {
    if (error instanceof CsxError) return staleHere(change, error.message);
    throw error;
  }
  if (expected === undefined) return now === undefined ? undefined : staleHere(change, 'it exists again');
  if (now === undefined) return staleHere(change, 'it is gone');
  // A directory's stamp says nothing of what it holds; its check text says all that is sent.
  return now.checktxt === expected.checktxt && now.stamp === expected.stamp
    ? undefined
    : staleHere(change, 'it was changed');
}

/** The peer's answer to SIG, against the state the plan was told of. */
export function checkThere(change: Change, answer: Answer): Readiness {
  const expected = change.precondition.remote;
  switch (answer.kind) {
    case 'present': {
      if (expected === 'unknown') return { kind: 'ready' };
      if (expected === undefined) return { kind: 'stale', problem: staleThere(change, 'it exists there now') };
      const signature = answer.signature?.length ? signatureDigest(answer.signature) : undefined;
      const same =
        withoutMtime(answer.checktxt) === withoutMtime(expected.checktxt) &&
        (expected.signature === undefined || signature === expected.signature);
      return same ? { kind: 'ready' } : { kind: 'stale', problem: staleThere(change, 'it was changed there') };
    }
    case 'path-not-found':
    case 'not-found':
      return absentThere(change);
    case 'error':
      // Its parent is missing, or is no directory: it will be made before, or it is gone with it.
      if (answer.refusal.kind === 'parent-missing' || answer.refusal.errno === 'ENOTDIR') return absentThere(change);
      return { kind: 'stale', problem: refusalProblem(change, answer) };
    default:
      return { kind: 'stale', problem: staleThere(change, 'its state could not be asked for') };
  }
}

function absentThere(change: Change): Readiness {
  if (change.action === 'delete') return { kind: 'settled' };
  const expected = change.precondition.remote;
  if (expected === undefined || expected === 'unknown') return { kind: 'ready' };
  return { kind: 'stale', problem: staleThere(change, 'it was removed there') };
}

/** What PATCH says the peer has, against what the plan was told. */
export function checkSignature(change: Change, signature: Buffer | undefined): Problem | undefined {
  // A directory there gives way only when it is empty, and what the peer does not know of it, it does not tell.
  if (signature === undefined && change.before?.entry.type === 'directory') return heldThere(change);
  if (signature === undefined) return staleThere(change, 'the peer cannot read it');
  const expected = change.precondition.remote;
  // After FLUSH, and for another type in its place, SIG has been asked.
  if (expected === 'unknown' || mustAsk(change)) return undefined;
  const absent = signature.equals(ABSENT_SIGNATURE);
  if (expected === undefined) return absent ? undefined : staleThere(change, 'it exists there now');
  if (absent) return staleThere(change, 'it was removed there');
  if (expected.signature !== undefined && signatureDigest(signature) !== expected.signature)
    return staleThere(change, 'it was changed there');
  return undefined;
}
