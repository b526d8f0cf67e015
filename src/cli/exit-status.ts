/** The one place where errors become exit statuses. The table: design/plan-contract.md, "Exit status"; README lists it. */

import { CsxError } from '../model/errors.js';
import type { ErrorCode } from '../model/errors.js';

export const EXIT = {
  done: 0,
  error: 1,
  changes: 2,
  conflicts: 3,
  partial: 4,
  checkFailed: 5,
  planMismatch: 6,
  unexpectedChanges: 7,
  declined: 8,
  timedOut: 9,
  usage: 64,
  interrupted: 130,
  terminated: 143,
} as const;

const STATUS_OF: Partial<Record<ErrorCode, number>> = {
  USAGE: EXIT.usage,
  NEEDS_INPUT: EXIT.usage,
  CONFLICTS: EXIT.conflicts,
  PARTIAL: EXIT.partial,
  CHECK_FAILED: EXIT.checkFailed,
  PLAN_MISMATCH: EXIT.planMismatch,
  PLAN_STALE: EXIT.planMismatch,
  DECLINED: EXIT.declined,
  STATE_LOCKED: EXIT.timedOut,
  PEER_TIMEOUT: EXIT.timedOut,
  INTERRUPTED: EXIT.interrupted,
};

/** The exit status for an error that ended a command. */
export function exitStatusOf(error: unknown): number {
  if (!(error instanceof CsxError)) return EXIT.error;
  if (error.code === 'INTERRUPTED' && error.data['signal'] === 'SIGTERM') return EXIT.terminated;
  return STATUS_OF[error.code] ?? EXIT.error;
}

/** The status for a peer that could not be asked or served: `--timeout` has one of its own, everything else is work left undone. */
export function statusOfPeer(problem: { readonly code: ErrorCode } | undefined): number {
  return problem?.code === 'PEER_TIMEOUT' ? EXIT.timedOut : EXIT.partial;
}

/**
 * The status that counts where several apply: 6, 5, 1, 4, 9, 3, 2, then 0. A timeout comes after 4: where something else is wrong as
 * well, waiting longer would not help.
 */
export function worstStatus(statuses: readonly number[]): number {
  const order = [
    EXIT.interrupted,
    EXIT.terminated,
    EXIT.planMismatch,
    EXIT.checkFailed,
    EXIT.error,
    EXIT.partial,
    EXIT.timedOut,
    EXIT.conflicts,
    EXIT.changes,
  ];
  return order.find((status) => statuses.includes(status)) ?? EXIT.done;
}
