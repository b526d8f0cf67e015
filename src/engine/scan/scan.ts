/**
 * The scan: one sorted walk of the disk against one sorted walk of the `file` table. It finds what is new, changed and gone, and
 * writes nothing. No query for a file, nothing kept for an unchanged one: memory does not grow with the tree.
 *
 * What csync2's check does, and this does too:
 * - A row counts as removed when its file is selected by the configuration, and does not exist or has a symbolic link
 *   among its parents. A row that the configuration no longer selects is left alone (`csync2 -R` cleans those), and so is one whose
 *   file exists where no walk comes by.
 * - Sockets are recorded like everything else; it is the sender who passes them over.
 *
 * What csync2 does not: names that are not canonical (`/t/../etc/x` in a damaged database) are reported and never touched;
 * below what cannot be read nothing counts as removed; roots are guarded (guard.ts).
 *
 * Findings come in the order of stored names, `root` findings first (and once more at the end if a root vanished while the scan
 * was under way). Removals below such a root are still reported, so that a person can see them: whoever acts on the
 * findings takes the `root` ones as a failed check, and therefore acts after the last one.
 */

import type { Problem } from '../../model/errors.js';
import type { Finding } from '../../model/scan.js';
import { guardRoots } from './guard.js';
import type { Guarded } from './guard.js';
import type { Found } from './merge.js';
import type { Places } from './selected.js';
import { StrangeRows } from './strange-rows.js';
import { Sweep } from './sweep.js';
import type { SweepOptions } from './sweep.js';

/** Without `scopes` everything is scanned (see resolveScopes). `onProgress` is told every few thousand files. */
export interface ScanOptions extends SweepOptions {
  readonly selection: Places & Guarded;
}

export interface ScanTotals {
  /** Selected files found on the disk. */
  readonly entries: number;
  /** Rows read. */
  readonly known: number;
  readonly drift: number;
  readonly refreshed: number;
  readonly problems: number;
}

/** Of a scan that was given up. */
export const NO_TOTALS: ScanTotals = { entries: 0, known: 0, drift: 0, refreshed: 0, problems: 0 };

/**
 * Scans. Batches of findings in the order of stored names; the totals at the end. Must be drained or returned: it holds a
 * reader of the database.
 *
 * @throws the signal's reason when it is aborted, and what `files` throws
 */
export async function* scan(options: ScanOptions): AsyncGenerator<readonly Finding[], ScanTotals, undefined> {
  const { selection, scopes } = options;
  const guarded = await guardRoots(selection, options.files, scopes);
  if (guarded.length > 0) yield guarded;
  const sweep = new Sweep(options);
  const problems = new Problems();
  for await (const batch of sweep.run()) {
    const findings = problems.among(batch);
    if (findings.length > 0) yield findings;
  }
  const rest = problems.rest();
  if (rest.length > 0) yield rest;
  const { removed, ...totals } = sweep.totals;
  if (removed > 0) {
    const late = (await guardRoots(selection, options.files, scopes)).filter((finding) => finding.kind === 'root');
    const fresh = late.filter(({ file }) => !guarded.some((told) => told.kind === 'root' && told.file === file));
    if (fresh.length > 0) yield fresh;
  }
  const told = guarded.filter((finding) => finding.kind === 'problem').length;
  return { ...totals, problems: problems.count + told };
}

/** Trouble is told once, whoever met it: parts of a scan look at the same directories above them. */
class Problems {
  count = 0;
  readonly #told = new Set<string>();
  readonly #strange = new StrangeRows();

  /** The findings, with the trouble that is new among them. */
  among(batch: readonly Found[]): readonly Finding[] {
    if (batch.every((found) => found.kind !== 'problem' && found.kind !== 'strange')) return batch;
    return batch.flatMap((found): readonly Finding[] => {
      if (found.kind === 'problem') return this.#tell(found.problem);
      if (found.kind === 'strange') return this.#tell(this.#strange.tell(found.stored));
      return [found];
    });
  }

  /** What is to be told at the end. */
  rest(): readonly Finding[] {
    return this.#tell(this.#strange.tellRest());
  }

  #tell(problem: Problem | undefined): readonly Finding[] {
    const key = problem === undefined ? '' : `${problem.code} ${problem.summary}`;
    if (problem === undefined || this.#told.has(key)) return [];
    this.#told.add(key);
    this.count++;
    return [{ kind: 'problem', problem }];
  }
}
