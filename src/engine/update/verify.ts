/**
 * Checks every precondition of a plan before anything is done (`apply --strict`): then it is all or nothing. A decision that concerns
 * this host's file (a version taken, or saved beside it) holds when both sides are what it was taken on.
 */

import type { Selection } from '../../config/selection.js';
import type { Config } from '../../model/config.js';
import { CsxError } from '../../model/errors.js';
import type { Problem } from '../../model/errors.js';
import { display } from '../../model/names.js';
import type { FileName, PeerName } from '../../model/names.js';
import type { Change, Conflict, Plan } from '../../model/plan.js';
import type { LocalState } from '../../model/scan.js';
import { sameState } from '../../planner/taken.js';
import { lookAt } from '../scan/local-state.js';
import { Parents } from '../scan/parents.js';
import type { Dialer } from './dial.js';
import { askPeer } from './fetch.js';
import { checkHere, checkThere, workOf } from './preconditions.js';
import { side } from './side.js';

export interface VerifyRequest {
  readonly plan: Plan;
  readonly config: Config;
  readonly selection: Selection;
  readonly dialer: Dialer;
  readonly parallelism: number;
  readonly keyOf: (change: Pick<Change, 'peer' | 'path'>) => string;
}

/** What no longer holds, here and there. Throws the CsxError of a peer that cannot be reached. */
export async function verifyPlan(request: VerifyRequest): Promise<readonly Problem[]> {
  const { plan, config, selection } = request;
  const parents = new Parents();
  const look = (file: FileName): ReturnType<typeof lookAt> =>
    lookAt(selection.toDisk(file), file, config.ignore, { parents });
  const decided = plan.conflicts.filter(isCarriedOutHere);
  const here = [
    ...plan.changes.flatMap((change) => checkHere(change, look) ?? []),
    ...decided.flatMap((conflict) =>
      checkDecided(conflict, 'here', () => isAsPlanned(look(conflict.path), conflict, plan)),
    ),
  ];
  const sent = plan.changes.filter((change) => change.action !== 'no-op');
  const names = [...new Set([...sent, ...decided].map(({ peer }) => peer))];
  const there = await side(names, request.parallelism, (peer) =>
    verifyPeer(
      peer,
      sent.filter((change) => change.peer === peer),
      decided.filter((conflict) => conflict.peer === peer),
      request,
    ),
  );
  return [...here, ...there.flat()];
}

function isCarriedOutHere({ resolution }: Conflict): boolean {
  return resolution === 'peer' || resolution === 'both';
}

/** What changed here since the last scan is in the plan with its stamp; anything else has a row, which apply looks at. */
function isAsPlanned(now: LocalState | undefined, conflict: Conflict, plan: Plan): boolean {
  const drift = plan.drift.find(({ file }) => file === conflict.path);
  return now?.checktxt === conflict.local?.checktxt && (drift === undefined || now?.stamp === drift.after?.stamp);
}

async function verifyPeer(
  peer: PeerName,
  changes: readonly Change[],
  decided: readonly Conflict[],
  request: VerifyRequest,
): Promise<readonly Problem[]> {
  const [first] = [...changes, ...decided];
  if (first === undefined) return [];
  const { connection } = await request.dialer.dial(peer, first.me);
  try {
    const problems: Problem[] = [];
    let me = first.me;
    const asked: Promise<void>[] = [];
    for (const change of changes) {
      if (change.me !== me) await connection.hello((me = change.me));
      asked.push(
        connection.request('SIG', { key: request.keyOf(change), file: change.path }, workOf(change)).then((answer) => {
          const readiness = checkThere(change, answer);
          if (readiness.kind === 'stale') problems.push(readiness.problem);
        }),
      );
      await connection.room();
    }
    await Promise.all(asked);
    for (const conflict of decided) {
      if (conflict.me !== me) await connection.hello((me = conflict.me));
      const now = await askPeer(connection, { peer, me, file: conflict.path, key: request.keyOf(conflict) });
      problems.push(...checkDecided(conflict, `on ${display(peer)}`, () => sameState(now, conflict.remote)));
    }
    await connection.bye();
    return problems;
  } finally {
    connection.destroy();
  }
}

function checkDecided(conflict: Conflict, where: string, holds: () => boolean): readonly Problem[] {
  let what = `it was changed ${where} since it was decided`;
  try {
    if (holds()) return [];
  } catch (error) {
    if (!(error instanceof CsxError)) throw error;
    what = error.message;
  }
  return [
    {
      severity: 'warning',
      code: 'PLAN_STALE',
      summary: `The conflict over ${display(conflict.path)} with ${display(conflict.peer)} would not be settled: ${what}.`,
      hint: 'Plan again, and decide on what is there now.',
      path: display(conflict.path),
      peer: conflict.peer,
    },
  ];
}
