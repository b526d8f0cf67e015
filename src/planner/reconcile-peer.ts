/**
 * What is to be done on one peer: each file by itself (reconcile.ts), and where files around it stand in its way.
 *
 *  - Below a directory that is in conflict because it is none there, everything is in conflict: it goes with that directory, or comes
 *    back with it.
 *  - A directory there that holds something in conflict cannot give way to what stands here: that is a conflict as well, and what
 *    it holds goes or stays with it.
 */

import type { FileName } from '../model/names.js';
import { compareBytes, display, parentName } from '../model/names.js';
import { mapPaced } from '../model/paced.js';
import type { Paced } from '../model/paced.js';
import type { RemoteState } from '../model/plan.js';
import type { Candidate } from './candidates.js';
import type { Reconciled } from './feasible.js';
import { isDirectory } from './parents.js';
import type { Observation } from './plan.js';
import { reconcile } from './reconcile.js';
import type { Decide, Outcome } from './reconcile.js';

/** Its candidates in the order of their names. */
export function* reconcilePeer(observation: Observation, decide: Decide | undefined): Paced<readonly Reconciled[]> {
  const asked = observation.peer.reachable === true;
  /** Directories in conflict that stand here, and are none there: what is below them is in conflict as well. */
  const lost = new Set<FileName>();
  const decideOn = (candidate: Candidate, remote: RemoteState | 'unknown', around?: string): Outcome =>
    reconcile(candidate, remote, observation.baselines.get(candidate.file), decide, around);
  const candidates = [...observation.candidates].sort((a, b) => compareBytes(a.file, b.file));
  const all = yield* mapPaced(candidates, (candidate): Reconciled => {
    const { file, local } = candidate;
    const remote = asked ? (observation.states.get(file) ?? 'unknown') : 'unknown';
    const ours = local?.entry.type === 'directory';
    // Only a directory that is missing has to be made: one that stands there was never marked for the peer.
    if (
      candidate.origin === 'missing-parent' &&
      (remote === 'unknown' || (remote.kind === 'present' && (!ours || isDirectory(remote))))
    ) {
      return { candidate, remote, outcome: undefined };
    }
    const above = parentName(file);
    const isLost = above !== undefined && lost.has(above) && local !== undefined;
    const gone = isLost && remote !== 'unknown' && remote.kind !== 'present';
    const around = gone ? `${display(above)}, in which it lies, is no directory any more` : undefined;
    const outcome = decideOn(candidate, remote, around);
    if (ours && outcome.kind === 'conflict' && remote !== 'unknown' && !isDirectory(remote)) lost.add(file);
    return { candidate, remote, outcome };
  });
  if (!all.some(({ outcome }) => outcome?.kind === 'conflict')) return all;
  const held = heldBy(all);
  /** Directories there whose place something else is to take here, in conflict: what they hold goes or stays with them. */
  const contested = new Set<FileName>();
  return all.map((each) => {
    const { candidate, remote, outcome } = each;
    const child = held.get(candidate.file);
    const replaces = remote !== 'unknown' && isDirectory(remote) && candidate.local !== undefined;
    if (outcome?.kind === 'change' && child !== undefined && replaces && outcome.change.aspects.includes('type')) {
      contested.add(candidate.file);
      return { ...each, outcome: decideOn(candidate, remote, `it holds ${display(child)}, which is in conflict`) };
    }
    if (outcome?.kind === 'conflict' && replaces && candidate.local.entry.type !== 'directory')
      contested.add(candidate.file);
    const above =
      outcome?.kind === 'change' && outcome.change.action === 'delete' ? within(candidate.file, contested) : undefined;
    if (above === undefined) return each;
    return { ...each, outcome: decideOn(candidate, remote, `${display(above)}, in which it lies, is in conflict`) };
  });
}

function within(file: FileName, directories: ReadonlySet<FileName>): FileName | undefined {
  for (let above = parentName(file); above !== undefined; above = parentName(above))
    if (directories.has(above)) return above;
  return undefined;
}

/** Directories there with something in conflict that is not here: nothing else can take their place before that is decided. */
function heldBy(all: readonly Reconciled[]): ReadonlyMap<FileName, FileName> {
  const held = new Map<FileName, FileName>();
  for (const { candidate, outcome } of all) {
    if (outcome?.kind !== 'conflict' || candidate.local !== undefined) continue;
    for (let above = parentName(candidate.file); above !== undefined && !held.has(above); above = parentName(above)) {
      held.set(above, candidate.file);
    }
  }
  return held;
}
