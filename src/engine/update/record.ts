/**
 * The first half of applying: what the plan's scan found goes into the state, and with it the marks for every peer. From then on
 * nothing is lost, whatever happens: a mark stands until its peer has acknowledged the change.
 */

import type { Selection } from '../../config/selection.js';
import type { Ignore } from '../../model/entry.js';
import { CsxError } from '../../model/errors.js';
import type { Problem } from '../../model/errors.js';
import { display } from '../../model/names.js';
import type { FileName } from '../../model/names.js';
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
  /** What `Store.foreignWrites` said before the plan's scan, of this very store; undefined: that is not known. */
  readonly seen: number | undefined;
  readonly now: () => number;
}

/** Findings of one transaction: some tens of milliseconds, for which a peer that waits for more has enough to do. */
const BATCH = 1024;

/**
 * Records the plan's drift, as far as the disk still shows it, in the order in which it is sent: what is recorded may be sent while the
 * rest is still written. Whatever is killed on the way, a file that a peer has got is marked here, and one that is not recorded yet
 * is found by the next scan.
 */
export class Recording {
  /** Resolves, with a problem for each file that was changed since the plan was made and is left for the next one, when all is recorded. */
  readonly finished: Promise<readonly Problem[]>;
  /** The same, whatever came of it. */
  readonly ended: Promise<unknown>;
  readonly #options: RecordOptions;
  /** Files that are not recorded yet. */
  readonly #pending: Set<FileName>;
  #failed = false;
  /** Resolves when a batch is recorded, or the work has failed. */
  #next = Promise.withResolvers<undefined>();

  /** Begins. @param first what else is to be written before anything is sent, in the first transaction */
  constructor(plan: Plan, options: RecordOptions, first: readonly Write[]) {
    this.#options = options;
    const drift = inSendingOrder(plan);
    this.#pending = new Set(drift.map(({ file }) => file));
    this.finished = this.#record(plan, drift, first).catch((error: unknown) => {
      this.#failed = true;
      throw error;
    });
    this.ended = this.finished.catch(ignore).finally(() => {
      this.#next.resolve(undefined);
    });
  }

  /** Whether the file may be sent: what the scan found of it is on disk, with its marks. */
  has(file: FileName): boolean {
    return !this.#pending.has(file);
  }

  /** Resolves with true when the file may be sent, and with false when that will never be. */
  async until(file: FileName): Promise<boolean> {
    while (this.#pending.has(file) && !this.#failed) await this.#next.promise;
    return !this.#failed;
  }

  /** Recording has failed: nothing more is to be sent. */
  get failed(): boolean {
    return this.#failed;
  }

  async #record(plan: Plan, drift: readonly Drift[], first: readonly Write[]): Promise<readonly Problem[]> {
    const { store, selection, everybody, now } = this.#options;
    // What lies below a directory that a peer lost was not marked for it before.
    const lost = plan.changes
      .filter((change) => change.reason === 'missing-parent')
      .map(({ path, peer, me }): Write => ({ kind: 'mark', file: path, peer, me, forced: false, since: now() }));
    let writes = [...first, ...lost];
    const stale: Problem[] = [];
    const parents = new Parents();
    const second = SecondLook.since(store, this.#options.ignore, this.#options.seen);
    for (let start = 0; start === 0 || start < drift.length; start += BATCH) {
      const batch = drift.slice(start, start + BATCH);
      const findings: Finding[] = [];
      const rows = await this.#rowsSince(batch);
      for (const each of batch) {
        const problem = checkDrift(each, this.#options, parents);
        if (problem !== undefined) stale.push(problem);
        // Whoever recorded it since has marked it, and what was sent since needs no mark any more.
        else if (rows === undefined || !isRecorded(each, rows.get(each.file)))
          findings.push({ kind: 'drift', drift: each });
      }
      const standing = await second.among(findings);
      await store.write([...writes, ...recordWrites(standing, selection, { mark: true, now: now() })]);
      writes = [];
      for (const { file } of batch) this.#pending.delete(file);
      this.#next.resolve(undefined);
      this.#next = Promise.withResolvers();
    }
    if (everybody !== false) await store.write(await marksForSettled(plan, this.#options));
    return stale;
  }

  /** The rows of the files as they are now; undefined: as they were when the plan was made. */
  async #rowsSince(batch: readonly Drift[]): Promise<ReadonlyMap<FileName, FileRow> | undefined> {
    const { store, seen } = this.#options;
    if (seen !== undefined && (await store.foreignWrites()) === seen) return undefined;
    return store.file(batch.map(({ file }) => file));
  }
}

/** As the plan's changes come, then what goes to nobody. */
function inSendingOrder(plan: Plan): readonly Drift[] {
  const left = new Map(plan.drift.map((drift) => [drift.file, drift]));
  const order: Drift[] = [];
  for (const { path } of plan.changes) {
    const drift = left.get(path);
    if (drift === undefined) continue;
    left.delete(path);
    order.push(drift);
  }
  return [...order, ...left.values()];
}

function ignore(): void {
  // It is seen where `finished` is awaited.
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
