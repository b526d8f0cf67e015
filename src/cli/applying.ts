/** What stands between a plan and its being carried out (checks, the question), and what the result means as an exit status. */

import { CsxError } from '../model/errors.js';
import type { Plan } from '../model/plan.js';
import type { ApplyResult } from '../model/result.js';
import { destroyedView } from '../views/human/destroyed.js';
import { print } from '../views/terminal.js';
import type { Output } from '../views/terminal.js';
import { EXIT, statusOfPeer, worstStatus } from './exit-status.js';
import { statusOfSignal } from './interrupt.js';
import { question } from './question.js';

/** Fails with CHECK_FAILED when a check of the plan does: nothing is sent then. */
export function refuseUnfit(plan: Plan): void {
  const failed = plan.checks.filter((check) => check.status === 'fail');
  const [first] = failed;
  if (first === undefined) return;
  const more = failed.length > 1 ? ` (and ${failed.length - 1} more)` : '';
  throw new CsxError('CHECK_FAILED', `Nothing was done, because a check failed: ${first.message}${more}`, {
    hint: 'If it is what you want, say so: --max-delete 100% lifts the limit on deletions. If a tree is not mounted, mount it.',
    data: { check: first.name },
  });
}

/**
 * Asks whether to go on; only `yes` counts.
 * @throws CsxError NEEDS_INPUT where nobody can be asked
 */
export async function confirm(plan: Plan, interactive: boolean, out: Output): Promise<boolean> {
  if (!interactive) {
    throw new CsxError('NEEDS_INPUT', 'Nothing was done: the plan has to be approved, and there is nobody to ask.', {
      hint: 'Approve it with --auto-approve, or run csx apply on a terminal.',
    });
  }
  await print(out, destroyedView(out, plan));
  if ((await question("Carry this out? Only 'yes' is accepted:")) === 'yes') return true;
  await print(out, ['Declined. Nothing was changed.\n']);
  return false;
}

/** The exit status of a run. */
export function applyStatus(result: ApplyResult, plan: Plan, detailed: boolean): number {
  if (result.interrupted !== undefined) return statusOfSignal(result.interrupted);
  const { skipped, actionsFailed, conflicts } = result.summary;
  const statuses = leftUndone(result);
  const stale =
    result.problems.some((problem) => problem.code === 'PLAN_STALE') ||
    result.decided.some((each) => each.status !== 'done');
  const refusedOnly = result.changes.filter(
    (each) => each.status === 'skipped' && each.problem?.code === 'CONFLICTS',
  ).length;
  if (actionsFailed > 0 || skipped > refusedOnly || stale || plan.errored) {
    statuses.push(EXIT.partial);
  }
  if (conflicts > 0) statuses.push(EXIT.conflicts);
  const { create, update, delete: removed } = result.summary;
  const taken = result.decided.filter((each) => each.status === 'done').length;
  if (detailed && create + update + removed + taken > 0) statuses.push(EXIT.changes);
  return worstStatus(statuses);
}

/** What peers and changes that were not come to say: a peer that let the deadline pass explains all that was left for it. */
function leftUndone(result: ApplyResult): number[] {
  const problems = new Map(result.peers.map((peer) => [peer.name, peer.problem]));
  const left = result.changes.filter(({ status }) => status === 'failed' || status === 'not-attempted');
  return [
    ...result.peers.filter((peer) => peer.reached === false).map((peer) => statusOfPeer(peer.problem)),
    ...left.map(({ change, problem }) => statusOfPeer(problem ?? problems.get(change.peer))),
  ];
}

/** What actions inherit. */
export function actionEnvironment(): Readonly<Record<string, string | undefined>> {
  return process.env;
}
