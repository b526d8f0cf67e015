/**
 * Carries a scan into the database while it runs, for the verbs that only record (`scan`, `csync2 -c`). What is new or changed is
 * written in groups, so that the first check of a million files needs no memory for a million findings; each finding's
 * row and marks are in one transaction, so whatever ends the run early, the next one finds the rest.
 *
 * Removals wait for the end of the scan: only then is it known that no root has vanished. Those at or below such a root are not
 * written at all.
 */

import type { Problem } from '../../model/errors.js';
import { isWithin } from '../../model/names.js';
import type { Finding } from '../../model/scan.js';
import type { Write } from '../../model/store.js';
import type { RootFinding } from './guard.js';
import { recordWrites } from './record.js';
import type { Membership } from './record.js';
import { NO_TOTALS } from './scan.js';
import type { ScanTotals } from './scan.js';

/** Findings recorded at a time, about. */
const GROUP = 4000;

export interface RecordOptions {
  /** False: record only, as `csync2 -I` does. */
  readonly mark: boolean;
  /** Mark as forced, as `csync2 -F` does. */
  readonly forced?: boolean | undefined;
  /** Unix milliseconds: since when the marks stand. */
  readonly now: number;
  /** False: removals are recorded even where a root has vanished: a person said so, or it is csync2's own way. */
  readonly guard?: boolean | undefined;
  /** Which findings still stand: asked right before they are written (second-look.ts). */
  readonly standing?: (<T extends Finding>(findings: readonly T[]) => Promise<readonly T[]>) | undefined;
}

export interface Recorded {
  readonly totals: ScanTotals;
  readonly roots: readonly RootFinding[];
  readonly problems: readonly Problem[];
  /** Removals that were not recorded because their root has vanished. */
  readonly withheld: number;
}

/** @param write one transaction: `Store.write` */
export async function recordScan(
  run: AsyncGenerator<readonly Finding[], ScanTotals, undefined>,
  membership: Membership,
  write: (writes: readonly Write[]) => Promise<void>,
  options: RecordOptions,
): Promise<Recorded> {
  const roots: RootFinding[] = [];
  const problems: Problem[] = [];
  const removals: Extract<Finding, { readonly kind: 'drift' }>[] = [];
  let pending: Finding[] = [];
  const record = async (findings: readonly Finding[]): Promise<void> => {
    const writes = recordWrites((await options.standing?.(findings)) ?? findings, membership, options);
    if (writes.length > 0) await write(writes);
  };
  let next = await run.next();
  try {
    for (; next.done !== true; next = await run.next()) {
      for (const finding of next.value) {
        if (finding.kind === 'root') roots.push(finding);
        else if (finding.kind === 'problem') problems.push(finding.problem);
        else if (finding.kind === 'drift' && finding.drift.after === undefined) removals.push(finding);
        else pending.push(finding);
      }
      if (pending.length < GROUP) continue;
      await record(pending);
      pending = [];
    }
  } finally {
    // Only when something failed is there anything left to end: the reader of the database.
    if (next.done !== true) await run.return(NO_TOTALS);
  }
  const gone =
    options.guard === false
      ? removals
      : removals.filter(({ drift }) => roots.every((root) => !isWithin(drift.file, root.file)));
  for (const removal of gone) pending.push(removal);
  await record(pending);
  return { totals: next.value, roots, problems, withheld: removals.length - gone.length };
}
