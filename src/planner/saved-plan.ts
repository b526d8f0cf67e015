/**
 * Whether a saved plan belongs to this host, its database and its configuration, and was not applied yet. What became of the single
 * files since is another question: every change carries its own preconditions.
 *
 *   host      the plan's is this host
 *   config    the resolved configuration means the same as then
 *   lineage   the database is the one the plan was made from. A plan made before csx first wrote to the database has
 *             none: then host and configuration have to do
 *   serial    the database did not go back (a backup was put in its place): marks the plan counts on may be gone. That
 *             it went on is no mismatch: csync2 does not count, and other files may have been scanned
 *   applied   the plan was begun before: what it found then is not what is there now
 */

import { CsxError } from '../model/errors.js';
import type { Plan } from '../model/plan.js';
import type { Identity, Run } from '../model/store.js';

/** What the plan is to be applied to. */
export interface Place {
  readonly host: string;
  readonly configHash: string;
  readonly identity: Identity;
  /** `store.run(plan.hash)`. */
  readonly run: Run | undefined;
}

export interface Mismatch {
  readonly what: 'host' | 'config' | 'lineage' | 'serial' | 'applied';
  /** A clause: "it was made on web1, and this is web2". */
  readonly because: string;
}

/** All that does not match, the most telling first; empty: the plan may be applied. */
export function matchSavedPlan(plan: Plan, place: Place): readonly Mismatch[] {
  const { identity, run } = place;
  const found: Mismatch[] = [];
  if (plan.host !== place.host) {
    found.push({ what: 'host', because: `it was made on ${plan.host}, and this is ${place.host}` });
  }
  if (plan.lineage !== undefined && plan.lineage !== identity.lineage) {
    found.push({ what: 'lineage', because: 'it was made from another database' });
  } else if (plan.serial > identity.serial) {
    found.push({ what: 'serial', because: 'the database is older than the plan, as if a backup had been put back' });
  }
  if (plan.configHash !== place.configHash) {
    found.push({ what: 'config', because: 'the configuration was changed since' });
  }
  if (run !== undefined) {
    const since = new Date(run.startedAt).toISOString();
    found.push({
      what: 'applied',
      because:
        run.finishedAt === undefined
          ? `applying it was begun at ${since}, and a plan can be applied once`
          : `it was applied at ${since}, and a plan can be applied once`,
    });
  }
  return found;
}

/** @throws CsxError PLAN_MISMATCH unless the plan matches */
export function requireMatch(plan: Plan, place: Place): void {
  const found = matchSavedPlan(plan, place);
  if (found.length === 0) return;
  throw new CsxError(
    'PLAN_MISMATCH',
    `Saved plan does not match: ${found.map((each) => each.because).join('; ')}. Nothing was done.`,
    {
      hint: found.some((each) => each.what === 'host')
        ? `Apply it on ${plan.host}, or make a plan of this host.`
        : 'Make a new plan: it starts from what is there now.',
      data: { mismatch: found.map((each) => each.what).join(' ') },
    },
  );
}
