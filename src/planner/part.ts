/** The part of a plan that concerns some files: what `csx resolve` carries out of it. */

import type { FileName } from '../model/names.js';
import { parentName } from '../model/names.js';
import { atOnce } from '../model/paced.js';
import { hashPlan, summarizePlan } from '../model/plan-summary.js';
import type { Plan } from '../model/plan.js';

/** The plan less everything that is not about these files. What is missing above them comes along, and what has to go below them. */
export function partOf(plan: Plan, files: ReadonlySet<FileName>): Plan {
  const above = new Set([...files].flatMap(ancestors));
  const concerns = (path: FileName): boolean => files.has(path);
  const leads = (path: FileName): boolean => concerns(path) || above.has(path);
  const goes = (path: FileName): boolean => concerns(path) || ancestors(path).some(concerns);
  const part = {
    ...plan,
    drift: plan.drift.filter((drift) => (drift.after === undefined ? goes(drift.file) : leads(drift.file))),
    changes: plan.changes.filter(({ action, path }) =>
      action === 'delete' ? goes(path) : action === 'update' ? concerns(path) : leads(path),
    ),
    conflicts: plan.conflicts.filter((conflict) => concerns(conflict.path)),
    deferred: plan.deferred.filter((change) => concerns(change.path)),
    actions: plan.actions.filter((action) => action.triggeredBy.some(concerns)),
  };
  const counted = { ...part, summary: summarizePlan(part) };
  return { ...counted, hash: atOnce(hashPlan(counted)) };
}

function ancestors(file: FileName): readonly FileName[] {
  const above = parentName(file);
  return above === undefined ? [] : [above, ...ancestors(above)];
}
