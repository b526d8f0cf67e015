/**
 * The plan: everything the other files of this room find out, put together, sorted, counted and hashed.
 *
 * Pure: the same inputs give the same plan (but for its time and id), in whatever order they come.
 */

import type { Group, Limit } from '../model/config.js';
import type { Problem } from '../model/errors.js';
import type { FileName, PeerName } from '../model/names.js';
import { compareBytes } from '../model/names.js';
import { storedName } from '../model/encoding.js';
import { eachPaced } from '../model/paced.js';
import type { Paced } from '../model/paced.js';
import type {
  Change,
  Check,
  Conflict,
  Plan,
  PlanOptions,
  PlanOrigin,
  PlanPeer,
  RemoteState,
  SideState,
} from '../model/plan.js';
import { hashPlan, summarizePlan } from '../model/plan-summary.js';
import type { Drift, PlannedDrift, RootFinding } from '../model/scan.js';
import type { ActionRow, Baseline } from '../model/store.js';
import { expectActions } from './actions.js';
import type { Candidate, Membership } from './candidates.js';
import { runChecks } from './checks.js';
import { keepFeasible } from './feasible.js';
import type { Reconciled } from './feasible.js';
import { orderChanges } from './order.js';
import type { Decide, Outcome } from './reconcile.js';
import { reconcilePeer } from './reconcile-peer.js';
import { following, sending, settle } from './settle.js';

/** What was found out about one peer. */
export interface Observation {
  readonly peer: PlanPeer;
  /** Its candidates, those that parents.ts joined included. */
  readonly candidates: readonly Candidate[];
  /** Its answers. A candidate without one was not asked: it is deferred. */
  readonly states: ReadonlyMap<FileName, RemoteState>;
  readonly baselines: ReadonlyMap<FileName, Baseline>;
}

export interface PlanInputs extends PlanOrigin {
  readonly drift: readonly Drift[];
  /** Every peer of the run, those with nothing to send included. */
  readonly observations: readonly Observation[];
  readonly roots: readonly RootFinding[];
  /** What scan and candidates had to say. */
  readonly problems: readonly Problem[];
  readonly membership: Membership;
  /** All groups of this host that the run covers. */
  readonly groups: readonly Group[];
  /** Files known here in each group, by its name, those that are to be removed included. */
  readonly groupFiles: ReadonlyMap<string, number>;
  /** `--max-delete`. */
  readonly maxDelete: Limit | undefined;
  /** Commands left over from earlier runs. */
  readonly pendingActions: readonly ActionRow[];
  readonly decide?: Decide | undefined;
  /** Hashes of this host's files that are in conflict, where they are known: for whoever reads the plan. */
  readonly contents?: ReadonlyMap<FileName, Contents> | undefined;
}

type Contents = Pick<SideState, 'digest' | 'signature'>;

/**
 * Makes the plan. Every candidate ends in exactly one of `changes`, `conflicts` (and, where it is resolved for this host, `changes`
 * as well), `deferred` and `diagnostics`; only an ancestor that was asked about and stands on the peer leaves no trace.
 */
export function* makePlan(inputs: PlanInputs): Paced<Plan> {
  const changes: Change[] = [];
  const conflicts: Conflict[] = [];
  const deferred: Change[] = [];
  const problems: Problem[] = [...inputs.problems];

  const observations = [...inputs.observations].sort((a, b) => compareBytes(a.peer.name, b.peer.name));
  const reconciled: (readonly Reconciled[])[] = [];
  for (const observation of observations) reconciled.push(yield* reconcilePeer(observation, inputs.decide));
  const take = ({ outcome }: Reconciled): void => {
    switch (outcome?.kind) {
      case 'change':
        changes.push(outcome.change);
        break;
      case 'conflict':
        conflicts.push(withContents(outcome.met.conflict, inputs.contents));
        if (outcome.change !== undefined) changes.push(outcome.change);
        break;
      case 'deferred':
        deferred.push(outcome.change);
        break;
      case 'problem':
        problems.push(outcome.problem);
        break;
      case undefined:
        break;
    }
  };
  for (const all of settleAll(reconciled)) yield* eachPaced(yield* keepFeasible(all), take);

  const peers = observations.map((each) => each.peer);
  const ordered = orderChanges(changes);
  yield '';
  const diagnostics = problems.sort(compareProblems);
  const checks = runChecks({ ...inputs, peers, changes: ordered });
  const actions = yield* expectActions({
    host: inputs.host as PeerName,
    changes: ordered,
    conflicts,
    candidates: observations.map((each) => each.candidates),
    drift: inputs.drift,
    pending: inputs.pendingActions,
    membership: inputs.membership,
  });
  const plan: Omit<Plan, 'hash' | 'summary'> = {
    timestamp: inputs.timestamp,
    id: inputs.id,
    csxVersion: inputs.csxVersion,
    lineage: inputs.lineage,
    serial: inputs.serial,
    host: inputs.host,
    configHash: inputs.configHash,
    options: inputs.options,
    applyable: isApplyable(ordered, conflicts, actions.length, checks),
    complete: isComplete(inputs.options, peers, deferred, diagnostics),
    errored: diagnostics.some((each) => each.severity === 'error'),
    peers,
    drift: planned(inputs.drift, inputs.membership),
    changes: ordered,
    conflicts,
    actions,
    deferred,
    checks,
    diagnostics,
  };
  const counted = { ...plan, summary: summarizePlan(plan) };
  return { ...counted, hash: yield* hashPlan(counted) };
}

/**
 * Every file in conflict, settled with all its peers. What was asked only because of others counts where they are settled; a conflict
 * of its own is shown in any case.
 */
function settleAll(reconciled: readonly (readonly Reconciled[])[]): readonly (readonly Reconciled[])[] {
  const met = reconciled.flat().flatMap(({ outcome }) => (outcome?.kind === 'conflict' ? outcome.met : []));
  if (met.length === 0) return reconciled;
  const settlement = settle(met);
  const settled = (each: Reconciled): Outcome | undefined => {
    const { candidate, outcome } = each;
    if (outcome?.kind === 'conflict') {
      const conflict = settlement.conflicts.get(outcome.met) ?? outcome.met.conflict;
      return { ...outcome, met: { ...outcome.met, conflict }, change: sending(outcome.met, settlement) };
    }
    if (candidate.origin === 'settlement' && !settlement.files.has(candidate.file)) return undefined;
    return outcome?.kind === 'change' ? { ...outcome, change: following(outcome.change, settlement) } : outcome;
  };
  return reconciled.map((all) => all.map((each) => ({ ...each, outcome: settled(each) })));
}

function withContents(conflict: Conflict, contents: PlanInputs['contents']): Conflict {
  const known = contents?.get(conflict.path);
  return known === undefined || conflict.local === undefined
    ? conflict
    : { ...conflict, local: { ...conflict.local, ...known } };
}

/** Whether it makes sense to offer applying it. No-ops alone settle rows without being worth a question. */
function isApplyable(
  changes: readonly Change[],
  conflicts: readonly Conflict[],
  actions: number,
  checks: readonly Check[],
): boolean {
  if (checks.some((check) => check.status === 'fail')) return false;
  if (conflicts.some((conflict) => conflict.resolution === 'peer' || conflict.resolution === 'both')) return true;
  return actions > 0 || changes.some((change) => change.action !== 'no-op');
}

function isComplete(
  options: PlanOptions,
  peers: readonly PlanPeer[],
  deferred: readonly Change[],
  diagnostics: readonly Problem[],
): boolean {
  if (options.offline || deferred.length > 0 || peers.some((peer) => peer.reachable === false)) return false;
  // An error about a peer's file or about a file that could not be read leaves something unknown.
  return !diagnostics.some((each) => each.severity === 'error');
}

function compareProblems(a: Problem, b: Problem): number {
  return (
    compareBytes(a.severity, b.severity) ||
    compareBytes(a.peer ?? '', b.peer ?? '') ||
    compareBytes(a.path ?? '', b.path ?? '') ||
    compareBytes(a.code, b.code) ||
    compareBytes(a.summary, b.summary)
  );
}

/** One list for all files of the same groups: a plan has as many lists as files otherwise. */
function namesOf(groups: readonly Group[]): readonly string[] {
  const known = NAMES.get(groups);
  if (known !== undefined) return known;
  const names = groups.map(({ name }) => name);
  NAMES.set(groups, names);
  return names;
}

const NAMES = new WeakMap<readonly Group[], readonly string[]>();

/** As the scan gives it, in the order of stored names, and with the groups that hold each. */
function planned(drift: readonly Drift[], membership: Membership): readonly PlannedDrift[] {
  return drift
    .map((each) => ({ each, key: storedName(each.file) }))
    .sort((a, b) => compareBytes(a.key, b.key))
    .map(({ each }) => ({ ...each, groups: namesOf(membership.groupsOf(each.file)) }));
}
