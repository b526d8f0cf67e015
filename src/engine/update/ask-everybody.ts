/**
 * Asks about files in conflict also the peers that have nothing to get of them: one may hold a version of its own, from the peer in
 * conflict or a third one, and nobody would send it what stands in the end. Changes nothing there.
 */

import type { FileName, PeerName } from '../../model/names.js';
import type { Conflict } from '../../model/plan.js';
import type { Candidate } from '../../planner/candidates.js';
import type { Observation } from '../../planner/plan.js';
import type { Look, PlanRequest } from './plan-request.js';
import { side } from './side.js';

/**
 * @param observations what all the peers of the run have said
 * @param observe asks one peer
 * @returns the observations, with these files among them; undefined: there was nobody else to ask
 */
export async function askEverybody(
  conflicts: readonly Conflict[],
  observations: readonly Observation[],
  look: Look,
  request: Pick<PlanRequest, 'selection' | 'parallelism'>,
  observe: (peer: PeerName, beside: readonly Candidate[]) => Promise<Observation>,
): Promise<readonly Observation[] | undefined> {
  const files = new Set(conflicts.map((conflict) => conflict.path));
  if (files.size === 0) return undefined;
  const beside = new Map(observations.map((each) => [each, besideFor(each, files, look, request)]));
  if ([...beside.values()].every((candidates) => candidates.length === 0)) return undefined;
  return side(observations, request.parallelism, async (before) => {
    const candidates = beside.get(before) ?? [];
    if (candidates.length === 0) return before;
    const all = { ...before, candidates: [...before.candidates, ...candidates] };
    // Who could not be reached a moment ago is not tried again.
    if (before.peer.reachable === false) return all;
    const after = await observe(before.peer.name, candidates);
    return {
      ...all,
      peer: after.peer,
      states: new Map([...before.states, ...after.states]),
      baselines: new Map([...before.baselines, ...after.baselines]),
    };
  });
}

function besideFor(
  { peer, candidates }: Observation,
  files: ReadonlySet<FileName>,
  look: Look,
  { selection }: Pick<PlanRequest, 'selection'>,
): readonly Candidate[] {
  const known = new Set(candidates.map((candidate) => candidate.file));
  return [...files].flatMap((file): readonly Candidate[] => {
    const route = known.has(file) ? undefined : selection.peersOf(file).find((each) => each.peer === peer.name);
    const local = route === undefined || route.slave ? 'unreadable' : look(file);
    if (route === undefined || local === 'unreadable') return [];
    return [{ ...route, file, origin: 'settlement', forced: false, local, drift: undefined, dirty: undefined }];
  });
}
