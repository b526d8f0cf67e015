/**
 * Carries out the decisions of a plan that concern this host: takes peers' versions and saves copies, before anything is sent. What the
 * other peers get of these files afterwards is what stands here then, so their changes are brought up to it here.
 */

import type { Config } from '../../model/config.js';
import type { Selection } from '../../config/selection.js';
import { CsxError } from '../../model/errors.js';
import type { Problem } from '../../model/errors.js';
import type { Report } from '../../model/events.js';
import type { FileName, PeerName } from '../../model/names.js';
import { compareBytes, display, isWithin } from '../../model/names.js';
import type { Change, Conflict, Plan } from '../../model/plan.js';
import type { ChangeResult, Decided } from '../../model/result.js';
import type { LocalState } from '../../model/scan.js';
import type { Store } from '../../model/store.js';
import { carrying, takenConflicts } from '../../planner/taken.js';
import type { Connection } from '../net/connection.js';
import type { Dialer } from './dial.js';
import { side } from './side.js';
import { saveBeside, take } from './take.js';

export interface TakesRequest {
  readonly plan: Plan;
  readonly config: Config;
  /** Everything this host has to do with. */
  readonly selection: Selection;
  readonly store: Store;
  readonly dialer: Dialer;
  readonly parallelism: number;
  readonly report: Report;
  readonly stop: AbortSignal;
  readonly now: () => number;
}

export interface Takes {
  /** What became of each, in the order of the plan's conflicts. */
  readonly decided: readonly Decided[];
  /** The plan's changes as they are to be sent now. */
  readonly changes: readonly Change[];
  /** Those among them that must not be sent, because the decision they belong to could not be carried out. */
  readonly blocked: ReadonlyMap<Change, ChangeResult>;
}

/** Carries them out, peer by peer. Trouble with one is in the result. */
export async function carryOutDecisions(request: TakesRequest): Promise<Takes> {
  const { plan } = request;
  const wanted = new Set([
    ...takenConflicts(plan.conflicts),
    ...plan.conflicts.filter((conflict) => conflict.resolution === 'both'),
  ]);
  if (wanted.size === 0) return { decided: [], changes: plan.changes, blocked: new Map() };
  const states = new Map<FileName, LocalState | undefined>();
  const byPeer = [...Map.groupBy(wanted, (conflict) => conflict.peer)];
  const done = await side(byPeer, request.parallelism, ([peer, conflicts]) =>
    withPeer(peer, inOrder(conflicts), states, request),
  );
  const results = new Map(done.flat().map((each) => [each.conflict, each]));
  const decided = plan.conflicts.flatMap((conflict) => results.get(conflict) ?? []);
  const changes = plan.changes.map((change) => broughtUp(change, states));
  return { decided, changes, blocked: blockedChanges(changes, decided) };
}

/** Removals deepest first, then the rest parents first: as a peer's changes are ordered. */
function inOrder(conflicts: readonly Conflict[]): readonly Conflict[] {
  const removes = (conflict: Conflict): boolean => conflict.resolution === 'peer' && conflict.remote === undefined;
  return [
    ...conflicts.filter(removes).sort((a, b) => compareBytes(b.path, a.path)),
    ...conflicts.filter((conflict) => !removes(conflict)).sort((a, b) => compareBytes(a.path, b.path)),
  ];
}

async function withPeer(
  peer: PeerName,
  conflicts: readonly Conflict[],
  states: Map<FileName, LocalState | undefined>,
  request: TakesRequest,
): Promise<readonly Decided[]> {
  const results: Decided[] = [];
  let connection: Connection | undefined;
  let me: PeerName | undefined;
  try {
    for (const conflict of conflicts) {
      if (request.stop.aborted) {
        results.push({ ...NOTHING, conflict, status: 'not-attempted' });
        continue;
      }
      try {
        if (connection === undefined || connection.failure !== undefined) {
          connection = (await request.dialer.dial(peer, conflict.me)).connection;
        } else if (conflict.me !== me) await connection.hello(conflict.me);
        ({ me } = conflict);
        const result = await carryOut(conflict, connection, states, request);
        results.push(result);
        request.report({ type: 'conflict_resolved', conflict });
      } catch (error) {
        if (!(error instanceof CsxError)) throw error;
        const problem = problemOf(error, conflict);
        request.report({ type: 'problem', problem });
        results.push({ ...NOTHING, conflict, status: 'failed', problem });
      }
    }
    if (connection !== undefined) await connection.bye();
  } finally {
    connection?.destroy();
  }
  return results;
}

const NOTHING = { problem: undefined, kept: undefined, savedAs: undefined, bytes: 0 } as const;

async function carryOut(
  conflict: Conflict,
  connection: Connection,
  states: Map<FileName, LocalState | undefined>,
  request: TakesRequest,
): Promise<Decided> {
  const options = { ...request, connection };
  if (conflict.resolution === 'both') {
    const savedAs = await saveBeside(conflict, options);
    return { ...NOTHING, conflict, status: 'done', savedAs };
  }
  const took = await take(conflict, options);
  for (const [file, state] of took.states) states.set(file, state);
  const problem = took.movedOn ? movedOn(conflict) : undefined;
  return { ...NOTHING, conflict, status: 'done', problem, kept: took.backup, bytes: took.bytes };
}

/** A change of a file that stands here anew: it brings that, and counts on that. */
function broughtUp(change: Change, states: ReadonlyMap<FileName, LocalState | undefined>): Change {
  if (!states.has(change.path)) return change;
  const state = states.get(change.path);
  const side = change.after?.signature;
  const carried = carrying(change, state && { ...state, signature: side });
  return {
    ...carried,
    precondition: { ...change.precondition, local: state },
  };
}

function blockedChanges(changes: readonly Change[], decided: readonly Decided[]): ReadonlyMap<Change, ChangeResult> {
  const blocked = new Map<Change, ChangeResult>();
  for (const { conflict, status } of decided) {
    if (status === 'done') continue;
    for (const change of changes) {
      const concerned =
        conflict.resolution === 'both'
          ? change.path === conflict.path && change.peer === conflict.peer
          : isWithin(change.path, conflict.path);
      if (concerned) blocked.set(change, { change, status: 'skipped', problem: waits(change, conflict), bytes: 0 });
    }
  }
  return blocked;
}

function waits(change: Change, conflict: Conflict): Problem {
  return {
    severity: 'warning',
    code: 'PLAN_STALE',
    summary: `${display(change.path)} was not sent to ${display(change.peer)}: the version of ${display(conflict.peer)} was to be kept first, and could not be.`,
    hint: 'Plan again when that is settled: it stays marked.',
    path: display(change.path),
    peer: change.peer,
  };
}

function movedOn(conflict: Conflict): Problem {
  return {
    severity: 'warning',
    code: 'CHANGED_MEANWHILE',
    summary: `${display(conflict.path)} was changed on ${display(conflict.peer)} again while its version was taken.`,
    hint: `${display(conflict.peer)} was told to send that with its next update.`,
    path: display(conflict.path),
    peer: conflict.peer,
  };
}

function problemOf(error: CsxError, conflict: Conflict): Problem {
  const { code, message, hint } = error;
  return { severity: 'error', code, summary: message, hint, path: display(conflict.path), peer: conflict.peer };
}
