/**
 * The first half of applying: what the plan's scan found goes into the state, and with it the marks for every peer. From then on
 * nothing is lost, whatever happens: a mark stands until its peer has acknowledged the change.
 */

import type { Selection } from '../../config/selection.js';
import type { Ignore } from '../../model/entry.js';
import { CsxError } from '../../model/errors.js';
import type { Problem } from '../../model/errors.js';
import { display } from '../../model/names.js';
import type { Plan } from '../../model/plan.js';
import type { Drift, Finding, LocalState } from '../../model/scan.js';
import type { FileRow, Store, Write } from '../../model/store.js';
import { lookAt } from '../scan/local-state.js';
import { Parents } from '../scan/parents.js';
import { recordWrites } from '../scan/record.js';
import { SecondLook } from '../scan/second-look.js';

export interface RecordOptions {
  readonly store: Store;
  /** Everything this host has to do with: a file is marked for all its peers, also those this run does not send to. */
  readonly selection: Selection;
  readonly ignore: Ignore;
  /** False: a file that is settled is not marked for those it was not marked for. */
  readonly everybody: boolean | undefined;
  readonly now: () => number;
}

/** Findings of one transaction. */
const BATCH = 2000;

/**
 * Records the plan's drift, as far as the disk still shows it.
 * @returns a problem for each file that was changed since the plan was made: it is left for the next plan
 */
export async function recordPlan(plan: Plan, options: RecordOptions): Promise<readonly Problem[]> {
  const { store, selection, now } = options;
  const stale: Problem[] = [];
  const parents = new Parents();
  const second = SecondLook.late(store, options.ignore);
  for (let start = 0; start < plan.drift.length; start += BATCH) {
    const findings: Finding[] = [];
    const batch = plan.drift.slice(start, start + BATCH);
    const rows = await store.file(batch.map(({ file }) => file));
    for (const drift of batch) {
      const problem = checkDrift(drift, options, parents);
      if (problem !== undefined) stale.push(problem);
      // Whoever recorded it since has marked it, and what was sent since needs no mark any more.
      else if (!isRecorded(drift, rows.get(drift.file))) findings.push({ kind: 'drift', drift });
    }
    const standing = await second.among(findings);
    await store.write(recordWrites(standing, selection, { mark: true, now: now() }));
  }
  // What lies below a directory that a peer lost was not marked for it before.
  const marks: Write[] = plan.changes
    .filter((change) => change.reason === 'missing-parent')
    .map(({ path, peer, me }) => ({ kind: 'mark', file: path, peer, me, forced: false, since: now() }));
  if (options.everybody !== false) marks.push(...(await marksForSettled(plan, options)));
  if (marks.length > 0) await store.write(marks);
  return stale;
}

/**
 * A file that is settled is marked for all who share it before anything is sent: one of them may hold another version, with no mark of
 * its own, and whom this run does not reach the next one asks.
 */
async function marksForSettled(plan: Plan, { store, selection, now }: RecordOptions): Promise<readonly Write[]> {
  const files = new Set(plan.conflicts.filter(({ resolution }) => resolution !== 'none').map(({ path }) => path));
  if (files.size === 0) return [];
  const rows = await store.dirty({ scopes: [...files].map((file) => ({ file, recursive: false })) });
  const known = new Set(rows.map(({ peer, file }) => `${peer}\0${file}`));
  return [...files].flatMap((file) =>
    selection
      .peersOf(file)
      .filter(({ peer, slave }) => !slave && !known.has(`${peer}\0${file}`))
      .map(({ peer, me }): Write => ({ kind: 'mark', file, peer, me, forced: false, since: now() })),
  );
}

/** Whether a scan would find the row as the disk is. */
function isRecorded({ after }: Drift, row: FileRow | undefined): boolean {
  if (after === undefined || row === undefined) return after === row;
  return row.checktxt === after.checktxt && (row.stamp === undefined || row.stamp === after.stamp);
}

function checkDrift(drift: Drift, options: RecordOptions, parents: Parents): Problem | undefined {
  let present: LocalState | undefined;
  try {
    present = lookAt(drift.disk, drift.file, options.ignore, { parents });
  } catch (error) {
    if (error instanceof CsxError) return moved(drift, error.message);
    throw error;
  }
  if (drift.after === undefined) return present === undefined ? undefined : moved(drift, 'it exists again');
  if (present === undefined) return moved(drift, 'it is gone');
  return present.stamp === drift.after.stamp && present.checktxt === drift.after.checktxt
    ? undefined
    : moved(drift, 'it was changed again');
}

function moved(drift: Drift, what: string): Problem {
  return {
    severity: 'warning',
    code: 'PLAN_STALE',
    summary: `${display(drift.file)} was not recorded: ${what} since the plan was made.`,
    hint: 'Plan again to see what is to be done now.',
    path: display(drift.file),
  };
}
