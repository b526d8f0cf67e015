/** Scans and records in one go, without a plan: `csx scan`, `csync2 -c`. */

import type { Selection } from '../../config/selection.js';
import type { Ignore } from '../../model/entry.js';
import type { Report } from '../../model/events.js';
import type { ScanResult } from '../../model/result.js';
import type { Drift, Finding } from '../../model/scan.js';
import type { Scope, Store } from '../../model/store.js';
import type { Problem } from '../../model/errors.js';
import { isWithin } from '../../model/names.js';
import { recordWrites } from '../scan/record.js';
import { scan } from '../scan/scan.js';

export interface RecordScanOptions {
  /** What is scanned. */
  readonly selection: Selection;
  /** For whom changes are marked. */
  readonly everything: Selection;
  readonly store: Store;
  readonly ignore: Ignore;
  readonly scopes: readonly Scope[] | undefined;
  readonly mark: boolean;
  /** Mark as forced (`csync2 -F`). */
  readonly forced?: boolean | undefined;
  /** Take a tree that vanished as a whole for removed: for those who said that it is. */
  readonly allowVanished?: boolean | undefined;
  /** Told of every change that is recorded. */
  readonly onDrift?: ((drift: Drift) => void) | undefined;
  readonly report: Report;
  readonly stop: AbortSignal;
  readonly now: () => number;
}

/**
 * Records what the scan finds. Writes while the scan goes on, since a tree may hold more files than fit in memory; removals
 * wait for its end, when it is known whether a whole tree vanished: those are not recorded.
 */
export async function recordScan(options: RecordScanOptions): Promise<ScanResult> {
  const { selection, everything, store, scopes, mark, report, stop, now } = options;
  const roots: Extract<Finding, { kind: 'root' }>[] = [];
  const problems: Problem[] = [];
  const removals: Drift[] = [];
  const counts = { new: 0, changed: 0, removed: 0 };
  const shown: Drift[] = [];
  report({ type: 'scan_start', known: await store.countFiles(scopes) });
  const findings = scan({
    selection,
    files: (range) => store.files(range),
    ignore: options.ignore,
    scopes,
    signal: stop,
    onProgress: (entries, at) => {
      report({ type: 'scan_progress', entries, at });
    },
  });
  const write = async (batch: readonly Finding[]): Promise<void> => {
    if (batch.length > 0) await store.write(recordWrites(batch, everything, { mark, forced: options.forced, now: now() }));
  };
  let entries = 0;
  for (;;) {
    const step = await findings.next();
    if (step.done === true) {
      entries = step.value.entries;
      break;
    }
    const present: Finding[] = [];
    for (const finding of step.value) {
      if (finding.kind === 'root') {
        if (options.allowVanished !== true) roots.push(finding);
        continue;
      }
      if (finding.kind === 'problem') problems.push(finding.problem);
      else if (finding.kind === 'drift' && finding.drift.after === undefined) removals.push(finding.drift);
      else present.push(finding);
      if (finding.kind !== 'drift' || finding.drift.after === undefined) continue;
      options.onDrift?.(finding.drift);
      if (finding.drift.before === undefined) counts.new += 1;
      else counts.changed += 1;
      if (shown.length < SHOWN) shown.push(finding.drift);
    }
    await write(present);
  }
  const gone = removals.filter((drift) => !roots.some((root) => isWithin(drift.file, root.file)));
  for (const drift of gone) options.onDrift?.(drift);
  for (let start = 0; start < gone.length; start += BATCH) {
    await write(gone.slice(start, start + BATCH).map((drift) => ({ kind: 'drift', drift })));
  }
  counts.removed = gone.length;
  shown.push(...gone.slice(0, SHOWN));
  report({ type: 'scan_complete', entries, drift: counts.new + counts.changed + counts.removed });
  return { entries, ...counts, marked: mark, shown, roots, problems };
}

/** Changes kept for showing, of each kind. */
const SHOWN = 1000;
const BATCH = 2000;
