/**
 * What an apply did, as data: one outcome for every change of its plan, one for every action. engine/update makes it,
 * views show it, cli/exit-status.ts derives the exit status from its summary.
 */

import type { Problem } from './errors.js';
import type { DiskPath, PeerName } from './names.js';
import type { ActionInvocation, Change, Conflict } from './plan.js';
import type { Drift, RootFinding } from './scan.js';

/**
 * done: the peer holds it durably (or needed nothing). failed: tried, and the peer or the disk refused. skipped: not
 * tried because a precondition no longer held or a conflict is unsettled. not-attempted: never reached (interrupt, peer
 * lost or unreachable, an earlier failure it depends on).
 */
export type ChangeStatus = 'done' | 'failed' | 'skipped' | 'not-attempted';

export interface ChangeResult {
  readonly change: Change;
  readonly status: ChangeStatus;
  /** Why it is not done; undefined when it is, and where the peer's own problem says it all. */
  readonly problem: Problem | undefined;
  /** Bytes of content sent for it. */
  readonly bytes: number;
}

/**
 * done: ran, exit status 0. failed: ran, another status, or could not be started. delegated: the peer runs it by itself
 * and (csync2) never tells how it went. not-run: nothing triggered it after all, or the apply ended before.
 */
export type ActionStatus = 'done' | 'failed' | 'delegated' | 'not-run';

export interface ActionResult {
  readonly action: ActionInvocation;
  readonly status: ActionStatus;
  /** Undefined when it did not run here, or was ended by a signal or its timeout. */
  readonly exitStatus: number | undefined;
  readonly milliseconds: number | undefined;
  /** The end of what it printed, as bytes; at most a few kB. */
  readonly output: string;
}

/** What became of a decision that concerns this host's file: a peer's version taken, or saved beside it. */
export interface Decided {
  readonly conflict: Conflict;
  /** failed: tried; the file here is as it was, and the conflict stands. not-attempted: interrupted before. */
  readonly status: 'done' | 'failed' | 'not-attempted';
  /** Why not; or, when done, what there is to know. */
  readonly problem: Problem | undefined;
  /** Where the version that was here is kept; undefined: there was no content to keep. */
  readonly kept: DiskPath | undefined;
  /** Where the peer's version was saved (`both`). */
  readonly savedAs: DiskPath | undefined;
  /** Bytes of content fetched. */
  readonly bytes: number;
}

export interface PeerResult {
  readonly name: PeerName;
  readonly address: string | undefined;
  /** 'not-needed': the plan had nothing for it. */
  readonly reached: boolean | 'not-needed';
  readonly tls: boolean | 'unknown';
  /** Why it was not reached, or why its session ended early. */
  readonly problem: Problem | undefined;
}

export interface ResultSummary {
  /** Changes done, by kind. */
  readonly create: number;
  readonly update: number;
  readonly delete: number;
  readonly noOp: number;
  readonly failed: number;
  readonly skipped: number;
  readonly notAttempted: number;
  /** Peers that could not be reached. */
  readonly unreachable: number;
  /** Conflicts left undecided. */
  readonly conflicts: number;
  /** Actions that ran here, and those of them that failed. */
  readonly actions: number;
  readonly actionsFailed: number;
  /** Bytes of content sent. */
  readonly bytes: number;
  readonly milliseconds: number;
}

export interface ApplyResult {
  readonly planId: string;
  readonly planHash: string;
  readonly host: string;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly peers: readonly PeerResult[];
  /** Every change of the plan (no-ops and deferred ones too), in the order of the plan. */
  readonly changes: readonly ChangeResult[];
  readonly actions: readonly ActionResult[];
  /** Decisions carried out here, or tried. */
  readonly decided: readonly Decided[];
  /** Left undecided: their dirty rows stay. */
  readonly conflicts: readonly Conflict[];
  /** Trouble that belongs to no single change. */
  readonly problems: readonly Problem[];
  /** Signal that stopped it (`SIGINT`); undefined when it ran to its end. */
  readonly interrupted: string | undefined;
  readonly summary: ResultSummary;
}

/** Counts a result. Pure. `milliseconds` is the time the apply took. */
export function summarizeResult(
  result: Pick<ApplyResult, 'peers' | 'changes' | 'actions' | 'conflicts'>,
  milliseconds: number,
): ResultSummary {
  const done = { create: 0, update: 0, delete: 0, 'no-op': 0, unknown: 0 };
  const status = { done: 0, failed: 0, skipped: 0, 'not-attempted': 0 };
  let bytes = 0;
  for (const each of result.changes) {
    status[each.status] += 1;
    bytes += each.bytes;
    if (each.status === 'done') done[each.change.action] += 1;
  }
  const ran = result.actions.filter((each) => each.status === 'done' || each.status === 'failed');
  return {
    create: done.create,
    // A change nobody could foresee (offline plan) that was carried out after all is an update.
    update: done.update + done.unknown,
    delete: done.delete,
    noOp: done['no-op'],
    failed: status.failed,
    skipped: status.skipped,
    notAttempted: status['not-attempted'],
    unreachable: result.peers.filter((peer) => peer.reached === false).length,
    conflicts: result.conflicts.length,
    actions: ran.length,
    actionsFailed: ran.filter((each) => each.status === 'failed').length,
    bytes,
    milliseconds,
  };
}

/** What a recording scan did. */
export interface ScanResult {
  /** Selected files found on the disk. */
  readonly entries: number;
  readonly new: number;
  readonly changed: number;
  readonly removed: number;
  /** False: recorded only (`--init`). */
  readonly marked: boolean;
  /** The first thousand or so of the changes, removals last. */
  readonly shown: readonly Drift[];
  /** Trees that vanished as a whole: what was known below them stays as it was. */
  readonly roots: readonly RootFinding[];
  readonly problems: readonly Problem[];
}
