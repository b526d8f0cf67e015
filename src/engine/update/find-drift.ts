/** What a scan finds, for a plan: the differences between disk and `file` table, sorted by what the planner makes of them. */

import type { FileName } from '../../model/names.js';
import type { Problem } from '../../model/errors.js';
import type { Drift, Finding, RootFinding } from '../../model/scan.js';
import { guardRoots } from '../scan/guard.js';
import type { PlanRequest } from './plan-request.js';
import { scanStore } from './scan-store.js';

export interface Found {
  readonly drift: readonly Drift[];
  readonly roots: readonly RootFinding[];
  readonly problems: readonly Problem[];
  /** Unchanged files whose row lacks what csx keeps beside it: to be completed by a run that writes. */
  readonly incomplete: number;
}

/** Scans, unless the request says that what is marked already is enough. */
export async function findDrift(request: PlanRequest): Promise<Found> {
  const { selection, store, config, scopes, report, stop } = request;
  const found = { drift: [] as Drift[], roots: [] as RootFinding[], problems: [] as Problem[], incomplete: 0 };
  if (request.scan === false) {
    if (request.guard === false) return found;
    for (const finding of await guardRoots(selection, (range) => store.files(range), scopes))
      sortFinding(finding, found, request.excludes);
    return found;
  }
  report({ type: 'scan_start', known: await store.countFiles(scopes) });
  const findings = scanStore({
    selection,
    store,
    ignore: config.ignore,
    scopes,
    signal: stop,
    onProgress: (entries, at) => {
      report({ type: 'scan_progress', entries, at });
    },
  });
  for (;;) {
    const step = await findings.next();
    if (step.done === true) {
      report({ type: 'scan_complete', entries: step.value.entries, drift: found.drift.length });
      return found;
    }
    for (const finding of step.value) {
      if (finding.kind !== 'root' || request.guard !== false) sortFinding(finding, found, request.excludes);
    }
  }
}

function sortFinding(
  finding: Finding,
  found: { drift: Drift[]; roots: RootFinding[]; problems: Problem[]; incomplete: number },
  excludes: (file: FileName) => boolean,
): void {
  switch (finding.kind) {
    case 'drift':
      if (!excludes(finding.drift.file)) found.drift.push(finding.drift);
      break;
    case 'root':
      found.roots.push(finding);
      break;
    case 'problem':
      found.problems.push(finding.problem);
      break;
    case 'refresh':
      found.incomplete += 1;
      break;
  }
}
