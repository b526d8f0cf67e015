/**
 * Carries out a plan and nothing but the plan: records what its scan found, sends every peer its changes, settles each as soon
 * as the peer has acknowledged it, and runs the local actions. Every step can be killed: what was not acknowledged stays marked.
 */

import type { Selection } from '../../config/selection.js';
import type { Config } from '../../model/config.js';
import type { Report } from '../../model/events.js';
import type { Change, Conflict, Plan } from '../../model/plan.js';
import { summarizeResult } from '../../model/result.js';
import type { ApplyResult, ChangeResult, Decided } from '../../model/result.js';
import { NO_STANDING, nextStanding, readStanding, standingJson } from '../../model/standing.js';
import type { Standing } from '../../model/standing.js';
import type { Store, Write } from '../../model/store.js';
import { applyToPeer } from './apply-peer.js';
import type { Sent } from './apply-peer.js';
import { completePeers } from './complete-peers.js';
import type { Dialer } from './dial.js';
import { runLocalActions } from './local-actions.js';
import { foreseenWrites, openConflicts, passedWrites } from './open-conflicts.js';
import { Recording } from './record.js';
import { Settlement } from './settlement.js';
import { side } from './side.js';
import { carryOutDecisions } from './takes.js';

export interface ApplyRequest {
  readonly plan: Plan;
  readonly config: Config;
  /** Everything this host has to do with. */
  readonly selection: Selection;
  readonly store: Store;
  readonly dialer: Dialer;
  /** Peers served at a time. */
  readonly parallelism: number;
  /** `Planned.seen`; undefined: the plan was saved. */
  readonly seen?: number | undefined;
  /** As for the plan: false leaves who is not marked for a file as it is. */
  readonly everybody?: boolean | undefined;
  /** For the actions' processes. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly report: Report;
  /** Fires at the first interrupt: what is in flight is finished, nothing new begun. Its reason is the signal's name. */
  readonly stop: AbortSignal;
  readonly now: () => number;
  /** What the run ends with, for `history`. */
  readonly statusOf: (result: ApplyResult) => number;
}

/**
 * Applies the plan. Trouble with a file or a peer is in the result.
 * Throws CsxError when the state cannot be written: then nothing more is sent, and what was sent is found equal next time.
 */
export async function applyPlan(request: ApplyRequest): Promise<ApplyResult> {
  const { plan, store, selection, config, now } = request;
  const startedAt = now();
  const [last] = await store.runs(1);
  const before = last === undefined ? NO_STANDING : readStanding(last.summary);
  const { everybody } = request;
  const recording = new Recording(
    plan,
    { store, selection, ignore: config.ignore, everybody, seen: request.seen, now },
    [putRun(plan, startedAt, before)],
  );
  // Decisions rest on what is recorded of all files; what is only sent, on what is recorded of itself.
  if (plan.conflicts.length > 0) await recording.finished;
  const undecided = await openConflicts(plan, store);
  if (undecided.length > 0) await store.write(foreseenWrites(undecided, startedAt));
  const { decided, changes: due, blocked } = await carryOutDecisions(request);
  const settlement = new Settlement(store);
  const names = plan.peers.map((peer) => peer.name);
  const toSend = { ...request, plan: { ...plan, changes: due.filter((change) => !blocked.has(change)) } };
  const sent = await side(names, request.parallelism, (peer) =>
    applyToPeer(peer, toSend, recording, settlement),
  ).finally(() => recording.ended);
  await settlement.flush();
  const problems = [...(await recording.finished)];

  const changes = inPlanOrder([...due, ...plan.deferred], blocked, sent);
  const actions = await runLocalActions(plan, request, problems);
  const partial = {
    peers: sent.map((each) => each.peer),
    changes,
    actions,
    decided,
    conflicts: [
      ...undecided,
      ...decided.filter((each) => each.status !== 'done').map(stillOpen),
      ...sent.flatMap((each) => each.refused),
    ],
  };
  const finishedAt = now();
  const result: ApplyResult = {
    planId: plan.id,
    planHash: plan.hash,
    host: plan.host,
    startedAt: new Date(startedAt).toISOString(),
    finishedAt: new Date(finishedAt).toISOString(),
    ...partial,
    problems,
    interrupted: request.stop.aborted ? String(request.stop.reason) : undefined,
    summary: summarizeResult(partial, finishedAt - startedAt),
  };
  const status = request.statusOf(result);
  const standing = nextStanding(before, {
    planned: plan.peers,
    results: result.peers,
    plannedAt: Date.parse(plan.timestamp),
    finishedAt,
    succeeded: status === 0 || status === 2,
    complete: completePeers(plan, result),
  });
  await store.write([
    ...foreseenWrites(
      decided.filter((each) => each.status !== 'done').map(({ conflict }) => conflict),
      startedAt,
    ),
    ...passedWrites(changes, result.conflicts),
    putRun(plan, startedAt, standing, { result, status }),
  ]);
  return result;
}

function putRun(
  plan: Plan,
  startedAt: number,
  standing: Standing,
  end?: { readonly result: ApplyResult; readonly status: number },
): Write {
  return {
    kind: 'put-run',
    run: {
      id: plan.id,
      planHash: plan.hash,
      startedAt,
      finishedAt: end && Date.parse(end.result.finishedAt),
      exitStatus: end?.status,
      summary: JSON.stringify({ ...end?.result.summary, standing: standingJson(standing) }),
    },
  };
}

function inPlanOrder(
  changes: readonly Change[],
  blocked: ReadonlyMap<Change, ChangeResult>,
  sent: readonly Sent[],
): readonly ChangeResult[] {
  const done = new Map([...blocked, ...sent.flatMap((each) => [...each.changes])]);
  return changes.map((change) => done.get(change) ?? { change, status: 'not-attempted', problem: undefined, bytes: 0 });
}

/** A decision that could not be carried out leaves the conflict as it was. */
function stillOpen({ conflict, problem }: Decided): Conflict {
  return { ...conflict, resolution: 'none', because: problem?.summary ?? conflict.because };
}
