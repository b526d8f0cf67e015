/** Asks one peer about its candidates, and about what turns out to be missing above them. Changes nothing there. */

import type { Group } from '../../model/config.js';
import { fileName } from '../../model/encoding.js';
import { CsxError } from '../../model/errors.js';
import type { Problem } from '../../model/errors.js';
import type { FileName, PeerName } from '../../model/names.js';
import { isCanonical, isWithin, parentName } from '../../model/names.js';
import type { PlanPeer, RemoteState } from '../../model/plan.js';
import type { Drift } from '../../model/scan.js';
import type { Baseline } from '../../model/store.js';
import { mustAsk } from '../../planner/candidates.js';
import type { Candidate, Route } from '../../planner/candidates.js';
import { ancestorsToAsk, directoriesToGo, joinMissing, missingTrees } from '../../planner/parents.js';
import type { Observation } from '../../planner/plan.js';
import { askAgreed } from './ask-agreed.js';
import { askExtensions } from './extensions.js';
import { observe } from './observe.js';
import type { ObserveOptions } from './observe.js';
import type { Look, PlanRequest } from './plan-request.js';

/** What one peer says. Trouble with it is in the observation. */
export async function observePeer(
  peer: PeerName,
  candidates: readonly Candidate[],
  groups: readonly Group[],
  drift: readonly Drift[],
  look: Look,
  request: PlanRequest,
): Promise<Observation> {
  const { dialer, report } = request;
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
      // Asking changes nothing in a session that only asks.
      const { grouped, packs } = await askExtensions(connection);
      const asked = await askAll({ connection, looks: packs }, peer, candidates, drift, look, request);
      const implementation = grouped ? 'csx' : 'csync2';
      const baselines = grouped ? await askAgreed({ connection, peer, ...asked }) : asked.baselines;
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
  asking: Pick<ObserveOptions, 'connection' | 'looks'>,
  peer: PeerName,
  marked: readonly Candidate[],
  drift: readonly Drift[],
  look: Look,
  request: PlanRequest,
): Promise<Pick<Observation, 'candidates' | 'states' | 'baselines'>> {
  const { selection, store, report } = request;
  const candidates = [...marked];
  const known = new Set(candidates.map((candidate) => candidate.file));
  const states = new Map<FileName, RemoteState>();
  const baselines = new Map<FileName, Baseline>();
  let answers = 0;
  report({ type: 'refresh_start', peer, files: candidates.length });

  const ask = async (files: readonly Candidate[]): Promise<void> => {
    const agreed = await store.baselines(
      peer,
      files.map((candidate) => candidate.file),
    );
    for (const [file, baseline] of agreed) baselines.set(file, baseline);
    const answered = await observe({
      ...asking,
      candidates: files.filter(mustAsk),
      toDisk: (file) => selection.toDisk(file),
      // That both had no such file may be long ago: csync2, which keeps no baselines, may have brought it and the peer removed it since.
      hasBaseline: (file) => agreed.get(file)?.checktxt !== undefined,
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
  // Only for what is sent in any case: nothing is made above a file that may stay undecided.
  if (candidates.every((candidate) => candidate.origin === 'settlement')) return { candidates, states, baselines };
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
  const going = directoriesToGo(candidates, states);
  if (going.length > 0) {
    const unknown = await beneath(asking.connection, peer, going, known, look, request);
    for (const candidate of unknown) known.add(candidate.file);
    candidates.push(...unknown);
    await ask(unknown);
  }
  report({ type: 'refresh_complete', peer, files: answers });
  return { candidates, states, baselines };
}

/** What the peer's database knows below directories that are to go, and this host does not. csync2 lists one file or all. */
async function beneath(
  connection: ObserveOptions['connection'],
  peer: PeerName,
  directories: readonly FileName[],
  known: ReadonlySet<FileName>,
  look: Look,
  { selection, excludes }: PlanRequest,
): Promise<readonly Candidate[]> {
  const going = new Set(directories);
  const isBelow = (file: FileName): boolean => {
    for (let above = parentName(file); above !== undefined; above = parentName(above))
      if (going.has(above)) return true;
    return false;
  };
  const routeOf = (file: FileName): Route | undefined =>
    selection.peersOf(file).find((each) => each.peer === peer && !each.slave);
  const keys = new Set(directories.flatMap((file) => routeOf(file)?.groups.map(({ key }) => key.secret()) ?? []));
  const found: Candidate[] = [];
  for await (const rows of connection.list({ peer, file: '-', keys: [...keys] })) {
    for (const row of rows) {
      const file = fileName(row.stored);
      if (known.has(file) || !isCanonical(file) || !isBelow(file) || excludes(file)) continue;
      const route = routeOf(file);
      const local = look(file);
      if (route === undefined || local === 'unreadable') continue;
      found.push({ ...route, file, origin: 'settlement', forced: false, local, drift: undefined, dirty: undefined });
    }
  }
  return found;
}
