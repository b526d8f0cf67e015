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

import type { Ignore } from '../../model/entry.js';
import type { FileName } from '../../model/names.js';
import type { Finding } from '../../model/scan.js';
import type { FileRow, Scope } from '../../model/store.js';
import { guardRoots } from './guard.js';
import type { Guarded } from './guard.js';
import { Merge } from './merge.js';
import type { Places } from './selected.js';

export interface ScanOptions {
  readonly selection: Places & Guarded;
  /** Rows of the `file` table in the order of their stored names: `Store.files`. Without scopes: all. */
  readonly files: (scopes?: readonly Scope[]) => AsyncIterable<readonly FileRow[]>;
  readonly ignore: Ignore;
  /** What to scan; without it everything. See resolveScopes. */
  readonly scopes?: readonly Scope[] | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told every few thousand files. */
  readonly onProgress?: ((entries: number, at: FileName) => void) | undefined;
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
  const merge = new Merge(options);
  yield* merge.run();
  if (merge.removed > 0) {
    const late = (await guardRoots(selection, options.files, scopes)).filter((finding) => finding.kind === 'root');
    const fresh = late.filter(({ file }) => !guarded.some((told) => told.kind === 'root' && told.file === file));
    if (fresh.length > 0) yield fresh;
  }
  const totals = merge.totals();
  const told = guarded.filter((finding) => finding.kind === 'problem').length;
  return { ...totals, problems: totals.problems + told };
}
