/**
 * Makes a plan: scans, reads the dirty rows, asks the peers, and lets the planner decide. Writes nothing anywhere.
 *
 *   disk + `file` table -> scan -> drift \
 *                       `dirty` table     > candidates for each peer -> peer's answers -> planner -> Plan
 *                       baselines        /
 */

import { randomUUID } from 'node:crypto';
import type { Selection } from '../../config/selection.js';
import type { Config, Group, Limit } from '../../model/config.js';
import { fileName } from '../../model/encoding.js';
import { CsxError } from '../../model/errors.js';
import type { Problem } from '../../model/errors.js';
import type { Report } from '../../model/events.js';
import type { FileName, PeerName } from '../../model/names.js';
import { isWithin } from '../../model/names.js';
import type { Plan, PlanOptions, PlanPeer, RemoteState } from '../../model/plan.js';
import type { Drift, Finding, LocalState, RootFinding } from '../../model/scan.js';
import type { Scope, Store } from '../../model/store.js';
import { findCandidates, mustAsk } from '../../planner/candidates.js';
import type { Candidate } from '../../planner/candidates.js';
import { ancestorsToAsk, joinMissing, missingTrees } from '../../planner/parents.js';
import { makePlan } from '../../planner/plan.js';
import type { Observation } from '../../planner/plan.js';
import type { Decide } from '../../planner/reconcile.js';
import { guardRoots } from '../scan/guard.js';
import { lookAt } from '../scan/local-state.js';
import { Parents } from '../scan/parents.js';
import { scan } from '../scan/scan.js';
import type { Dialer } from './dial.js';
import { observe } from './observe.js';
import { treesOf } from './trees.js';
import { side } from './side.js';

export interface PlanRequest {
  readonly config: Config;
  /** What the run is limited to. */
  readonly selection: Selection;
  readonly peers: readonly PeerName[] | undefined;
  readonly store: Store;
  readonly dialer: Dialer;
  /** Undefined: everything the selection holds. */
  readonly scopes: readonly Scope[] | undefined;
  /** Files that are left for another time (`--exclude`): neither recorded nor sent. */
  readonly excludes: (file: FileName) => boolean;
  /** False: only what is marked already is planned (`csync2 -u`); the disk is not scanned, but vanished trees are noticed. */
  readonly scan?: boolean | undefined;
  /** False: a tree that vanished as a whole counts as removed. */
  readonly guard?: boolean | undefined;
  readonly options: PlanOptions;
  readonly maxDelete: Limit | undefined;
  readonly decide: Decide | undefined;
  /** Peers asked at a time. */
  readonly parallelism: number;
  readonly csxVersion: string;
  readonly report: Report;
  readonly stop: AbortSignal;
  readonly now: () => number;
}

/** What a scan found, sorted by what the planner makes of it. */
interface Found {
  readonly drift: readonly Drift[];
  readonly roots: readonly RootFinding[];
  readonly problems: readonly Problem[];
  /** Unchanged files whose row lacks what csx keeps beside it: to be completed by a run that writes. */
  readonly incomplete: number;
}

export interface Planned {
  readonly plan: Plan;
  /** See `Found.incomplete`. */
  readonly incomplete: number;
}

/** Throws CsxError for what ends the whole run; trouble with a file or a peer is in the plan. */
export async function computePlan(request: PlanRequest): Promise<Planned> {
  const { config, selection, store, peers } = request;
  const found = await findDrift(request);
  const look = looker(request);
  const knownPeers = new Set(config.groups.flatMap((group) => others(group)));
  const rows = await store.dirty({ ...(peers && { peers }), ...(request.scopes && { scopes: request.scopes }) });
  const candidates = findCandidates({
    drift: found.drift,
    dirty: rows.filter((row) => !request.excludes(row.file)),
    roots: found.roots,
    membership: selection,
    local: look,
    knownPeers,
    peers: peers && new Set(peers),
    limitedGroups: request.options.groups.length > 0,
  });

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
  const plan = makePlan({
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
  });
  return { plan, incomplete: found.incomplete };
}

function others(group: Group): PeerName[] {
  return group.members.filter((member) => !member.self).map((member) => member.name);
}

async function findDrift(request: PlanRequest): Promise<Found> {
  const { selection, store, config, scopes, report, stop } = request;
  const found = { drift: [] as Drift[], roots: [] as RootFinding[], problems: [] as Problem[], incomplete: 0 };
  if (request.scan === false) {
    if (request.guard === false) return found;
    for (const finding of await guardRoots(selection, (range) => store.files(range), scopes))
      sortFinding(finding, found, request.excludes);
    return found;
  }
  report({ type: 'scan_start', known: await store.countFiles(scopes) });
  const findings = scan({
    selection,
    files: (range) => store.files(range),
    ignore: config.ignore,
    scopes,
    signal: stop,
    onProgress: (entries, at) => {
      report({ type: 'scan_progress', entries, at });
    },
  });
  for (;;) {
    const step = await findings.next();
    if (step.done === true) {
      report({ type: 'scan_complete', entries: step.value.entries, drift: found.drift.length });
      return found;
    }
    for (const finding of step.value) {
      if (finding.kind !== 'root' || request.guard !== false) sortFinding(finding, found, request.excludes);
    }
  }
}

function sortFinding(
  finding: Finding,
  found: { drift: Drift[]; roots: RootFinding[]; problems: Problem[]; incomplete: number },
  excludes: (file: FileName) => boolean,
): void {
  switch (finding.kind) {
    case 'drift':
      if (!excludes(finding.drift.file)) found.drift.push(finding.drift);
      break;
    case 'root':
      found.roots.push(finding);
      break;
    case 'problem':
      found.problems.push(finding.problem);
      break;
    case 'refresh':
      found.incomplete += 1;
      break;
  }
}

/** The disk's present state of single files, for rows without drift. */
function looker(request: PlanRequest): (file: FileName) => LocalState | 'unreadable' | undefined {
  const parents = new Parents();
  return (file) => {
    try {
      return lookAt(request.selection.toDisk(file), file, request.config.ignore, { parents });
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

/** Asks one peer about its candidates, and about what turns out to be missing above them. */
async function observePeer(
  peer: PeerName,
  candidates: readonly Candidate[],
  groups: readonly Group[],
  drift: readonly Drift[],
  look: (file: FileName) => LocalState | 'unreadable' | undefined,
  request: PlanRequest,
): Promise<Observation> {
  const { dialer, report, store } = request;
  const facts: PlanPeer = {
    name: peer,
    address: undefined,
    groups: groups.filter((group) => group.members.some((member) => member.name === peer)).map((group) => group.name),
    reachable: 'unknown',
    implementation: 'unknown',
    protocol: undefined,
    tls: !dialer.isPlain(peer),
    problem: undefined,
  };
  const nobody: Observation = { peer: facts, candidates, states: new Map(), baselines: new Map() };
  const me = candidates[0]?.me;
  if (request.options.offline || me === undefined) return nobody;

  report({ type: 'peer_connecting', peer, address: peer });
  try {
    const { connection, cipher } = await dialer.dial(peer, me);
    const tls = cipher !== undefined;
    try {
      report({ type: 'peer_connected', peer, tls });
      // It changes nothing in a session that only asks; csync2 does not know the command, says so, and goes on.
      const csx = connection.request('CSX', { extension: 'group-commit' });
      const asked = await askAll(connection, peer, candidates, drift, look, request);
      const baselines = await store.baselines(
        peer,
        asked.candidates.map((candidate) => candidate.file),
      );
      const implementation = (await csx).kind === 'ok' ? 'csx' : 'csync2';
      await connection.bye();
      return {
        peer: {
          ...facts,
          implementation,
          address: connection.address,
          reachable: true,
          tls,
          protocol: cipher?.split(' ')[0],
        },
        ...asked,
        baselines,
      };
    } finally {
      connection.destroy();
    }
  } catch (error) {
    if (!(error instanceof CsxError) || request.stop.aborted) throw error;
    const problem: Problem = { severity: 'error', code: error.code, summary: error.message, hint: error.hint, peer };
    report({ type: 'peer_unreachable', peer, problem });
    return { ...nobody, peer: { ...facts, reachable: false, problem } };
  }
}

async function askAll(
  connection: Awaited<ReturnType<Dialer['dial']>>['connection'],
  peer: PeerName,
  marked: readonly Candidate[],
  drift: readonly Drift[],
  look: (file: FileName) => LocalState | 'unreadable' | undefined,
  request: PlanRequest,
): Promise<Pick<Observation, 'candidates' | 'states'>> {
  const { selection, store, report } = request;
  const candidates = [...marked];
  const known = new Set(candidates.map((candidate) => candidate.file));
  const states = new Map<FileName, RemoteState>();
  let answers = 0;
  report({ type: 'refresh_start', peer, files: candidates.length });

  const ask = async (files: readonly Candidate[]): Promise<void> => {
    const baselines = await store.baselines(
      peer,
      files.map((candidate) => candidate.file),
    );
    const answered = await observe({
      connection,
      candidates: files.filter(mustAsk),
      toDisk: (file) => selection.toDisk(file),
      hasBaseline: (file) => baselines.has(file),
      onAnswer: () => {
        report({ type: 'refresh_progress', peer, files: ++answers });
      },
      stop: request.stop,
    });
    for (const [file, state] of answered) states.set(file, state);
  };
  const join = async (files: readonly FileName[]): Promise<void> => {
    const joined = joinMissing(peer, files, known, selection, look);
    for (const candidate of joined) known.add(candidate.file);
    candidates.push(...joined);
    await ask(joined);
  };

  await ask(candidates);
  const belongs = (file: FileName): boolean => selection.peersOf(file).some((route) => route.peer === peer);
  await join(ancestorsToAsk(states, belongs));
  const trees = missingTrees(states);
  if (trees.length > 0) {
    const below = drift.filter((each) => trees.some((tree) => isWithin(each.file, tree))).map((each) => each.file);
    for await (const rows of store.files(trees.map((file) => ({ file, recursive: true })))) {
      for (const row of rows) below.push(fileName(row.stored));
    }
    await join(below.filter((file) => !request.excludes(file)));
  }
  report({ type: 'refresh_complete', peer, files: answers });
  return { candidates, states };
}
