/**
 * The last lines of a plan: the summary, whose words never change, and the next step.
 *
 *   Plan: 3 to create, 2 to update, 1 to delete, 1 conflict, 2 actions, 12.4 kB to send.
 *   Plan: 0 to create, 0 to update, 0 to delete, 0 conflicts, 0 actions, 0 B to send. 12 changes wait for 1 peer that could not be asked.
 *   No changes. Nothing to send to 3 peers.
 *
 * All six figures are always there, in this order; `1 conflict` and `1 action` are the only words that bend. Without changes it does not
 * say that all is the same everywhere: what was changed on a peer alone a plan does not see (`csx compare` does).
 */

import type { Plan } from '../model/plan.js';
import { quoteWord } from '../model/shell.js';
import { count, plural, size } from './quantity.js';

export interface NextStep {
  /** Where the plan was saved, as the user would type it; undefined: nowhere. */
  readonly savedTo?: string | undefined;
  /** Lines to show instead of the usual ones; an empty array: none (`apply` asks next). */
  readonly next?: readonly string[] | undefined;
}

/** The one line scripts and people look for. */
export function summaryLine(plan: Plan): string {
  const { summary } = plan;
  const waiting = deferredSentence(plan);
  if (!hasWork(plan)) {
    const asked = plan.peers.filter((peer) => peer.reachable !== false).length;
    if (plan.options.offline) return `No peer was asked.${waiting === '' ? ' Nothing waits for them.' : waiting}`;
    if (waiting !== '') return `No changes on the peers that could be asked.${waiting}`;
    if (asked === 0) return 'No changes. There is no peer to send to.';
    return `No changes. Nothing to send to ${plural(asked, 'peer')}.`;
  }
  return (
    `Plan: ${count(summary.create)} to create, ${count(summary.update)} to update, ${count(summary.delete)} to delete, ` +
    `${plural(summary.conflict, 'conflict')}, ${plural(summary.actions, 'action')}, ${size(summary.bytes)} to send.${waiting}`
  );
}

/** There is something to carry out or to decide now. */
export function hasWork(plan: Plan): boolean {
  const { create, update, delete: remove, conflict, actions } = plan.summary;
  return (
    create + update + remove + conflict + actions > 0 || plan.changes.some((change) => change.action === 'unknown')
  );
}

function deferredSentence(plan: Plan): string {
  const { deferred } = plan.summary;
  if (deferred === 0) return '';
  const peers = new Set(plan.deferred.map((change) => change.peer)).size;
  const verb = deferred === 1 ? 'waits' : 'wait';
  const why = plan.options.offline ? '' : ' that could not be asked';
  return ` ${plural(deferred, 'change')} ${verb} for ${plural(peers, 'peer')}${why}.`;
}

/** The heading above the peers that changes wait for. */
export function askedHeading(plan: Plan): string {
  return plan.options.offline ? 'Peers that were not asked' : 'Peers that could not be asked';
}

/** What to type next, one step each; empty when there is nothing to do. */
export function nextStep(plan: Plan, options: NextStep): string[] {
  if (options.next !== undefined) return [...options.next];
  const saved = options.savedTo === undefined ? undefined : quoteWord(options.savedTo);
  if (plan.checks.some((check) => check.status === 'fail')) {
    return ['settle the failed check above; this plan cannot be applied'];
  }
  if (plan.options.offline && plan.deferred.length > 0) return ['csx plan without --offline asks the peers'];
  if (!hasWork(plan)) return plan.changes.length === 0 ? [] : [equalStep(plan.changes.length, saved)];
  const undecided = plan.conflicts.filter((conflict) => conflict.resolution === 'none').length;
  const them = undecided === 1 ? 'it' : 'them';
  if (saved !== undefined) {
    const rest =
      undecided === 0
        ? []
        : [`csx resolve settles ${plural(undecided, 'conflict')}; the saved plan leaves ${them} alone`];
    return [`csx apply ${saved}`, ...rest];
  }
  const apply = isLimited(plan)
    ? 'add --out FILE to keep this plan; csx apply FILE then carries out just this'
    : 'csx apply';
  return undecided === 0
    ? [apply]
    : [apply, `it asks about ${plural(undecided, 'conflict')}; --on-conflict decides ${them} without asking`];
}

function equalStep(files: number, saved: string | undefined): string {
  const were = files === 1 ? '1 file was' : `${count(files)} files were`;
  return `csx apply${saved === undefined ? '' : ` ${saved}`} clears the marks: ${were} marked as changed and turned out equal`;
}

function isLimited(plan: Plan): boolean {
  const { targets, excludes, peers, groups } = plan.options;
  return targets.length + excludes.length + peers.length + groups.length > 0;
}
