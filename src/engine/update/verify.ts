/** Checks every precondition of a plan before anything is done (`apply --strict`): then it is all or nothing. */

import type { Selection } from '../../config/selection.js';
import type { Config } from '../../model/config.js';
import type { Problem } from '../../model/errors.js';
import type { PeerName } from '../../model/names.js';
import type { Plan } from '../../model/plan.js';
import { lookAt } from '../scan/local-state.js';
import { Parents } from '../scan/parents.js';
import type { Dialer } from './dial.js';
import { checkHere, checkThere } from './preconditions.js';
import { side } from './side.js';

export interface VerifyRequest {
  readonly plan: Plan;
  readonly config: Config;
  readonly selection: Selection;
  readonly dialer: Dialer;
  readonly parallelism: number;
  readonly keyOf: (change: Plan['changes'][number]) => string;
}

/** What no longer holds, here and there. Throws the CsxError of a peer that cannot be reached. */
export async function verifyPlan(request: VerifyRequest): Promise<readonly Problem[]> {
  const { plan, config, selection } = request;
  const parents = new Parents();
  const look = (file: Plan['changes'][number]['path']): ReturnType<typeof lookAt> =>
    lookAt(selection.toDisk(file), file, config.ignore, { parents });
  const here = plan.changes.flatMap((change) => checkHere(change, look) ?? []);
  const names = [...new Set(plan.changes.filter((change) => change.action !== 'no-op').map((change) => change.peer))];
  const there = await side(names, request.parallelism, (peer) => verifyPeer(peer, request));
  return [...here, ...there.flat()];
}

async function verifyPeer(peer: PeerName, request: VerifyRequest): Promise<readonly Problem[]> {
  const changes = request.plan.changes.filter((change) => change.peer === peer && change.action !== 'no-op');
  const [first] = changes;
  if (first === undefined) return [];
  const { connection } = await request.dialer.dial(peer, first.me);
  try {
    const problems: Problem[] = [];
    let me = first.me;
    const asked: Promise<void>[] = [];
    for (const change of changes) {
      if (change.me !== me) await connection.hello((me = change.me));
      asked.push(
        connection.request('SIG', { key: request.keyOf(change), file: change.path }).then((answer) => {
          const readiness = checkThere(change, answer);
          if (readiness.kind === 'stale') problems.push(readiness.problem);
        }),
      );
      await connection.room();
    }
    await Promise.all(asked);
    await connection.bye();
    return problems;
  } finally {
    connection.destroy();
  }
}
