/** With which peers a run left nothing to do: what `csx status` calls the last success. */

import type { PeerName } from '../../model/names.js';
import type { Plan } from '../../model/plan.js';
import type { ApplyResult } from '../../model/result.js';

/** Peers that answered, and with which nothing is left to be sent or decided. */
export function completePeers(
  plan: Plan,
  { peers, changes, conflicts }: Pick<ApplyResult, 'peers' | 'changes' | 'conflicts'>,
): ReadonlySet<PeerName> {
  const open = new Set(conflicts.map(({ peer }) => peer));
  for (const { change, status } of changes) if (status !== 'done') open.add(change.peer);
  const answered = new Set(plan.peers.flatMap(({ name, reachable }) => (reachable === true ? [name] : [])));
  const complete = peers.filter(
    ({ name, reached, problem }) =>
      problem === undefined && (reached === true || (reached === 'not-needed' && answered.has(name))),
  );
  return new Set(complete.map(({ name }) => name).filter((name) => !open.has(name)));
}
