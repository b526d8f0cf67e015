/** The part of a plan that concerns some files: what `csx resolve` carries out of it. */

import type { FileName } from '../model/names.js';
import { isWithin } from '../model/names.js';
import { atOnce } from '../model/paced.js';
import { hashPlan, summarizePlan } from '../model/plan-summary.js';
import type { Plan } from '../model/plan.js';

/** The plan less everything that is not about these files. What is missing above them comes along. */
export function partOf(plan: Plan, files: ReadonlySet<FileName>): Plan {
  const concerns = (path: FileName): boolean => files.has(path);
  const leads = (path: FileName): boolean => concerns(path) || [...files].some((file) => isWithin(file, path));
  const part = {
    ...plan,
    drift: plan.drift.filter((drift) => (drift.after === undefined ? concerns(drift.file) : leads(drift.file))),
    changes: plan.changes.filter((change) =>
      change.action === 'create' || change.action === 'no-op' ? leads(change.path) : concerns(change.path),
    ),
    conflicts: plan.conflicts.filter((conflict) => concerns(conflict.path)),
    deferred: plan.deferred.filter((change) => concerns(change.path)),
    actions: plan.actions.filter((action) => action.triggeredBy.some(concerns)),
  };
  const counted = { ...part, summary: summarizePlan(part) };
  return { ...counted, hash: atOnce(hashPlan(counted)) };
}
