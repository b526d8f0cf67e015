/**
 * Makes a plan: scans, reads the dirty rows, asks the peers, and lets the planner decide. Writes nothing anywhere.
 *
 *   disk + `file` table -> scan -> drift \
 *                       `dirty` table     > candidates for each peer -> peer's answers -> planner -> Plan
 *                       baselines        /
 */

import { randomUUID } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import type { Group } from '../../model/config.js';
import { CsxError } from '../../model/errors.js';
import type { PeerName } from '../../model/names.js';
import { inTurns } from '../../model/paced.js';
import type { Paced } from '../../model/paced.js';
import type { Plan } from '../../model/plan.js';
import type { Drift } from '../../model/scan.js';
import { findCandidates } from '../../planner/candidates.js';
import { makePlan } from '../../planner/plan.js';
import { lookAt } from '../scan/local-state.js';
import { Parents } from '../scan/parents.js';
import { askEverybody } from './ask-everybody.js';
import { conflictContents } from './conflict-contents.js';
import { findDrift } from './find-drift.js';
import { observePeer } from './observe-peer.js';
import type { Look, PlanRequest } from './plan-request.js';
import { side } from './side.js';
import { treesOf } from './trees.js';

export interface Planned {
  readonly plan: Plan;
  /** See `Found.incomplete`. */
  readonly incomplete: number;
  /** What `Store.foreignWrites` said before the scan: as long as it says the same, nobody else has recorded anything. */
  readonly seen: number;
}

/** Throws CsxError for what ends the whole run; trouble with a file or a peer is in the plan. */
export async function computePlan(request: PlanRequest): Promise<Planned> {
  const { config, selection, store, peers } = request;
  const seen = await store.foreignWrites();
  const found = await findDrift(request);
  const look = looker(request);
  const knownPeers = new Set(config.groups.flatMap((group) => others(group)));
  const rows = await store.dirty({ ...(peers && { peers }), ...(request.scopes && { scopes: request.scopes }) });
  const paced = <T>(work: Paced<T>): Promise<T> => inTurns(work, turn, request.stop);
  const candidates = await paced(
    findCandidates({
      drift: found.drift,
      dirty: rows.filter((row) => !request.excludes(row.file)),
      roots: found.roots,
      membership: selection,
      local: look,
      knownPeers,
      peers: peers && new Set(peers),
      limitedGroups: request.options.groups.length > 0,
    }),
  );

  const groups = config.groups.filter(
    (group) => request.options.groups.length === 0 || request.options.groups.includes(group.name),
  );
  const names = [...new Set(groups.flatMap((group) => (group.slave ? [] : others(group))))].filter(
    (name) => peers === undefined || peers.includes(name),
  );
  const observations = await side(names, request.parallelism, (peer) =>
    observePeer(peer, candidates.byPeer.get(peer) ?? [], groups, found.drift, look, request),
  );

  const identity = await store.identity();
  const inputs = {
    timestamp: new Date(request.now()).toISOString(),
    id: randomUUID(),
    csxVersion: request.csxVersion,
    lineage: identity.lineage,
    serial: identity.serial,
    host: config.host,
    configHash: config.hash,
    options: request.options,
    drift: found.drift,
    observations,
    roots: found.roots,
    problems: [...found.problems, ...candidates.diagnostics, ...(await request.dialer.certificateProblems())],
    membership: selection,
    groups,
    groupFiles: await countGroups(request, groups, found.drift),
    maxDelete: request.maxDelete,
    pendingActions: await store.actions(),
    decide: request.decide,
  };
  const plan = await paced(makePlan(inputs));
  if (plan.conflicts.length === 0) return { plan, incomplete: found.incomplete, seen };
  const wider =
    request.everybody === false
      ? undefined
      : await askEverybody(plan.conflicts, observations, look, request, (peer, beside) =>
          observePeer(peer, beside, groups, found.drift, look, request),
        );
  const contents = await conflictContents(plan.conflicts, selection);
  return {
    plan: await paced(makePlan({ ...inputs, observations: wider ?? observations, contents })),
    incomplete: found.incomplete,
    seen,
  };
}

function others(group: Group): PeerName[] {
  return group.members.filter((member) => !member.self).map((member) => member.name);
}

/** The disk's present state of single files, for rows without drift. */
function looker({ selection, config }: PlanRequest): Look {
  const parents = new Parents();
  return (file) => {
    try {
      return lookAt(selection.toDisk(file), file, config.ignore, { parents });
    } catch (error) {
      if (error instanceof CsxError) return 'unreadable';
      throw error;
    }
  };
}

/** What is known here below each group's roots; counted only when something is to be removed. */
async function countGroups(
  request: PlanRequest,
  groups: readonly Group[],
  drift: readonly Drift[],
): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  const dirtyRemovals = drift.some((each) => each.after === undefined) || (await request.store.dirty()).length > 0;
  if (!dirtyRemovals) return counts;
  for (const group of groups) {
    const trees = treesOf(request.selection, group).map((file) => ({ file, recursive: true }));
    counts.set(group.name, trees.length === 0 ? 0 : await request.store.countFiles(trees));
  }
  return counts;
}
