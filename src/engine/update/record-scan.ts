/** Scans and records in one go, without a plan, and counts what it did: `csx scan`, `csync2 -c`. */

import type { Selection } from '../../config/selection.js';
import type { Ignore } from '../../model/entry.js';
import type { Report } from '../../model/events.js';
import { isWithin } from '../../model/names.js';
import type { ScanResult } from '../../model/result.js';
import type { Drift, Finding } from '../../model/scan.js';
import type { Scope, Store } from '../../model/store.js';
import { recordScan as record } from '../scan/record-scan.js';
import type { ScanTotals } from '../scan/scan.js';
import { SecondLook } from '../scan/second-look.js';
import { scanStore } from './scan-store.js';

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
  /** False: take a tree that vanished as a whole for removed. */
  readonly guard?: boolean | undefined;
  /** Told of every change that is recorded. */
  readonly onDrift?: ((drift: Drift) => void) | undefined;
  readonly report: Report;
  readonly stop: AbortSignal;
  readonly now: () => number;
}

/** Changes kept for showing. */
const SHOWN = 1000;

/** Records what the scan finds. A tree that vanished as a whole is told, and its files are not recorded as removed. */
export async function recordScan(options: RecordScanOptions): Promise<ScanResult> {
  const { selection, everything, store, scopes, mark, report, now } = options;
  const seen = { new: 0, changed: 0, removed: 0, shown: [] as Drift[] };
  report({ type: 'scan_start', known: await store.countFiles(scopes) });
  const second = await SecondLook.before(store, options.ignore);
  const findings = scanStore({
    selection,
    store,
    ignore: options.ignore,
    scopes,
    signal: options.stop,
    onProgress: (entries, at) => {
      report({ type: 'scan_progress', entries, at });
    },
  });
  const removals: Drift[] = [];
  const tell = (drift: Drift): void => {
    if (drift.after === undefined) removals.push(drift);
    else options.onDrift?.(drift);
  };
  const recorded = await record(counted(findings, seen, tell), everything, (writes) => store.write(writes), {
    mark,
    forced: options.forced,
    guard: options.guard,
    now: now(),
    standing: (found) => second.among(found),
  });
  const withheld = ({ file }: Drift): boolean =>
    options.guard !== false && recorded.roots.some((root) => isWithin(file, root.file));
  for (const drift of removals) if (!withheld(drift)) options.onDrift?.(drift);
  const removed = seen.removed - recorded.withheld;
  report({ type: 'scan_complete', entries: recorded.totals.entries, drift: seen.new + seen.changed + removed });
  return {
    entries: recorded.totals.entries,
    new: seen.new,
    changed: seen.changed,
    removed,
    marked: mark,
    shown: seen.shown.filter((drift) => drift.after !== undefined || !withheld(drift)),
    roots: recorded.roots,
    problems: recorded.problems,
  };
}

/** Passes the findings on, counts the changes among them, and tells of each. */
async function* counted(
  findings: AsyncGenerator<readonly Finding[], ScanTotals, undefined>,
  seen: { new: number; changed: number; removed: number; shown: Drift[] },
  tell: (drift: Drift) => void,
): AsyncGenerator<readonly Finding[], ScanTotals, undefined> {
  for (;;) {
    const step = await findings.next();
    if (step.done === true) return step.value;
    for (const finding of step.value) {
      if (finding.kind !== 'drift') continue;
      const { drift } = finding;
      tell(drift);
      if (drift.after === undefined) seen.removed += 1;
      else if (drift.before === undefined) seen.new += 1;
      else seen.changed += 1;
      if (seen.shown.length < SHOWN) seen.shown.push(drift);
    }
    yield step.value;
  }
}
