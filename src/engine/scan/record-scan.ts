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
import type { ScanTotals } from './scan.js';

/** Writes handed over at a time, about. */
const GROUP = 8000;

export interface RecordOptions {
  /** False: record only, as `csync2 -I` does. */
  readonly mark: boolean;
  /** Mark as forced, as `csync2 -F` does. */
  readonly forced?: boolean | undefined;
  /** Unix milliseconds: since when the marks stand. */
  readonly now: number;
  /** False: removals are recorded even where a root has vanished: a person said so, or it is csync2's own way. */
  readonly guard?: boolean | undefined;
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
  let writes: Write[] = [];
  let next = await run.next();
  try {
    for (; next.done !== true; next = await run.next()) {
      const found: Finding[] = [];
      for (const finding of next.value) {
        if (finding.kind === 'root') roots.push(finding);
        else if (finding.kind === 'problem') problems.push(finding.problem);
        else if (finding.kind === 'drift' && finding.drift.after === undefined) removals.push(finding);
        else found.push(finding);
      }
      for (const each of recordWrites(found, membership, options)) writes.push(each);
      if (writes.length >= GROUP) {
        await write(writes);
        writes = [];
      }
    }
  } finally {
    // Only when something failed is there anything left to end: the reader of the database.
    if (next.done !== true) await run.return(NOTHING);
  }
  const gone =
    options.guard === false
      ? removals
      : removals.filter(({ drift }) => roots.every((root) => !isWithin(drift.file, root.file)));
  for (const each of recordWrites(gone, membership, options)) writes.push(each);
  if (writes.length > 0) await write(writes);
  return { totals: next.value, roots, problems, withheld: removals.length - gone.length };
}

const NOTHING: ScanTotals = { entries: 0, known: 0, drift: 0, refreshed: 0, problems: 0 };
