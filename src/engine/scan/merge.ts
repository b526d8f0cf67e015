/**
 * The merge of disk and table: steps through both in the order of stored names and says what each pair means. It asks the
 * disk again before it calls anything removed, and decides by content what neither check text nor stamp decides.
 */

import { setImmediate as turn } from 'node:timers/promises';
import type { Ignore } from '../../model/entry.js';
import type { Problem } from '../../model/errors.js';
import { CsxError, errnoOf } from '../../model/errors.js';
import type { DiskPath, FileName, StoredName } from '../../model/names.js';
import { display } from '../../model/names.js';
import type { DriftReason, Finding, LocalState } from '../../model/scan.js';
import type { FileRow, Scope, Stretch } from '../../model/store.js';
import { compare } from './drift.js';
import { stateOf } from './local-state.js';
import { lstat, reasonOf } from './lstat.js';
import { Parents } from './parents.js';
import { RowCursor } from './row-cursor.js';
import { hasAncestor, startsOf } from './selected.js';
import type { Places, Start } from './selected.js';
import { nameOf } from './strange-rows.js';
import { verify } from './verify.js';
import type { Suspicion } from './verify.js';
import { Walk } from './walk.js';

/** Steps of the merge between two turns of the event loop: some milliseconds. */
const SLICE = 2000;
/** Findings handed out at a time. */
const BATCH = 512;

export interface MergeOptions {
  readonly selection: Places;
  /** Rows of the `file` table in the order of their stored names: `Store.files`. */
  readonly files: (scopes?: readonly Scope[], stretch?: Stretch) => AsyncIterable<readonly FileRow[]>;
  readonly ignore: Ignore;
  readonly scopes?: readonly Scope[] | undefined;
  readonly signal?: AbortSignal | undefined;
  /** The part of the names that is merged. */
  readonly stretch: Stretch;
  /** Steps between two turns of the event loop; for tests. */
  readonly slice?: number | undefined;
  /** Called after each slice. */
  readonly onSlice: (merge: Merge) => void;
}

/** A finding, or a row whose name cannot be one. */
export type Found = Finding | { readonly kind: 'strange'; readonly stored: StoredName };

export interface MergeTotals {
  readonly entries: number;
  readonly known: number;
  readonly drift: number;
  readonly refreshed: number;
  readonly removed: number;
}

export class Merge {
  readonly #options: MergeOptions;
  readonly #walk: Walk;
  readonly #rows: RowCursor;
  readonly #parents = new Parents();
  #findings: (Found | Suspicion)[] = [];
  #walking = false;
  #before: StoredName | undefined;
  #entries = 0;
  #drift = 0;
  #refreshed = 0;
  #removed = 0;
  readonly #pathless = new Set<string>();

  constructor(options: MergeOptions) {
    const { selection, scopes, stretch } = options;
    this.#options = options;
    this.#before = stretch.before;
    const starts = startsOf(selection, scopes);
    this.#walk = new Walk(selection, this.#reachable(starts), { from: stretch.from });
    this.#rows = new RowCursor(options.files(scopes, stretch));
  }

  /** Files met so far. */
  get entries(): number {
    return this.#entries;
  }

  /** The last file met. */
  get at(): FileName {
    return this.#walk.file;
  }

  /** Stored names at which `endBefore` can cut off what is still to come, in order. */
  cuts(): readonly StoredName[] {
    const before = this.#before;
    return this.#walk.cuts().filter((cut) => before === undefined || cut < before);
  }

  /** Leaves a name and all behind it to others. The name is one of `cuts()`. */
  endBefore(name: StoredName): void {
    this.#before = name;
  }

  async *run(): AsyncGenerator<readonly Found[], void, undefined> {
    try {
      this.#options.signal?.throwIfAborted();
      this.#walking = this.#goOn();
      for (let more = true; more;) {
        if (this.#rows.needsMore) await this.#rows.load();
        more = this.#slice();
        this.#takeProblems();
        if (this.#findings.length >= BATCH) yield await this.#handOut();
        await turn();
        this.#options.signal?.throwIfAborted();
        if (more) this.#options.onSlice(this);
      }
      if (this.#findings.length > 0) yield await this.#handOut();
    } finally {
      await this.#rows.close();
    }
  }

  totals(): MergeTotals {
    return {
      entries: this.#entries,
      known: this.#rows.count,
      drift: this.#drift,
      refreshed: this.#refreshed,
      removed: this.#removed,
    };
  }

  /** Moves the walk on; false at its end, and at the end of the stretch. */
  #goOn(): boolean {
    const walk = this.#walk;
    return walk.next() && (this.#before === undefined || walk.stored < this.#before);
  }

  /** Some steps of the merge; false when both sides are at their end. */
  #slice(): boolean {
    const walk = this.#walk;
    const rows = this.#rows;
    const before = this.#before;
    const steps = this.#options.slice ?? SLICE;
    for (let step = 0; step < steps && !rows.needsMore && this.#findings.length < BATCH; step++) {
      // The rows may have been asked for before the stretch was cut.
      const row = before === undefined || rows.row === undefined || rows.row.stored < before ? rows.row : undefined;
      if (row === undefined) {
        if (!this.#walking) return false;
        this.#onlyOnDisk();
        this.#walking = this.#goOn();
      } else if (!this.#walking || row.stored < walk.stored) {
        this.#onlyKnown(row);
        rows.advance();
      } else if (row.stored === walk.stored) {
        this.#both(row);
        this.#walking = this.#goOn();
        rows.advance();
      } else {
        this.#onlyOnDisk();
        this.#walking = this.#goOn();
      }
    }
    return true;
  }

  #both(row: FileRow): void {
    this.#entries++;
    const { stats, disk, file } = this.#walk;
    if (stats === undefined) return;
    try {
      const found = compare(row, stats, disk, file, this.#options.ignore);
      switch (found.kind) {
        case 'same':
          return;
        case 'refresh':
          this.#findings.push({ kind: 'refresh', file, state: found.state });
          return;
        case 'changed':
          this.#changed(file, disk, found.reason, row, found.state);
          return;
        case 'verify': {
          const drift = { file, disk, reason: found.changed, before: row.checktxt, after: found.state };
          this.#findings.push({ kind: 'verify', row, drift });
          return;
        }
        case 'gone':
          this.#onlyKnown(row);
      }
    } catch (error) {
      this.#unreadable(file, disk, error);
    }
  }

  #onlyOnDisk(): void {
    this.#entries++;
    const { stats, disk, file } = this.#walk;
    if (stats === undefined) return;
    try {
      const state = stateOf(stats, disk, file, this.#options.ignore);
      if (state !== undefined) this.#changed(file, disk, 'new', undefined, state);
    } catch (error) {
      this.#unreadable(file, disk, error);
    }
  }

  /** A row whose file the walk did not meet. That alone proves nothing: the disk is asked again. */
  #onlyKnown(row: FileRow): void {
    const file = nameOf(row.stored);
    if (file === undefined) {
      this.#findings.push({ kind: 'strange', stored: row.stored });
      return;
    }
    const { unread } = this.#walk;
    if (!this.#concerns(file) || unread.has(file) || hasAncestor(file, unread)) return;
    const disk = this.#diskOf(file);
    if (disk === undefined) return;
    try {
      const above = this.#parents.of(disk).kind;
      if (above === 'link') this.#changed(file, disk, 'behind-link', row, undefined);
      else if (above !== 'directories' || lstat(disk) === undefined)
        this.#changed(file, disk, 'removed', row, undefined);
    } catch (error) {
      this.#unreadable(file, disk, error);
    }
  }

  /**
   * Whether a scan has to do with the file. csync2 also forgets a row, without marking it for anybody, whose file no group holds
   * but which leads to one that may be (it was a directory that groups held once).
   */
  #concerns(file: FileName): boolean {
    const { selection } = this.#options;
    return selection.includes(file) || selection.entered(file);
  }

  /** Where the file of a row lies. Tells once for each prefix that has no path here (any more). */
  #diskOf(file: FileName): DiskPath | undefined {
    try {
      return this.#options.selection.toDisk(file);
    } catch (error) {
      if (!(error instanceof CsxError)) throw error;
      const prefix = file.slice(0, file.indexOf('/') + 1);
      if (!this.#pathless.has(prefix)) {
        this.#problem({ severity: 'error', code: error.code, summary: error.message, hint: error.hint, path: file });
      }
      this.#pathless.add(prefix);
      return undefined;
    }
  }

  #changed(
    file: FileName,
    disk: DiskPath,
    reason: DriftReason,
    row: FileRow | undefined,
    after: LocalState | undefined,
  ): void {
    if (after === undefined) this.#removed++;
    this.#findings.push({ kind: 'drift', drift: { file, disk, reason, before: row?.checktxt, after } });
  }

  #unreadable(file: FileName, disk: DiskPath, error: unknown): void {
    if (errnoOf(error) === undefined) throw error;
    this.#problem({
      severity: 'error',
      code: 'READ_FAILED',
      summary: `Cannot look at ${display(disk)}: ${reasonOf(error)}.`,
      hint: 'It counts neither as changed nor as removed. Check permissions and the file system, then scan again.',
      path: file,
    });
  }

  #problem(problem: Problem): void {
    this.#findings.push({ kind: 'problem', problem });
  }

  #takeProblems(): void {
    if (this.#walk.problems.length === 0) return;
    for (const problem of this.#walk.problems) this.#problem(problem);
    this.#walk.problems = [];
  }

  /** The starts that do not lie behind a link: the others hold nothing to synchronise. */
  #reachable(starts: readonly Start[]): readonly Start[] {
    return starts.filter((start) => {
      try {
        return this.#parents.of(start.disk).kind === 'directories';
      } catch {
        // Not known to be a link: the walk will meet the same trouble and tell.
        return true;
      }
    });
  }

  async #handOut(): Promise<readonly Found[]> {
    const findings: Found[] = [];
    const pending = this.#findings;
    this.#findings = [];
    for (const found of pending) {
      const finding = found.kind === 'verify' ? await verify(found, this.#options.signal) : found;
      if (finding.kind === 'drift') this.#drift++;
      if (finding.kind === 'refresh') this.#refreshed++;
      findings.push(finding);
    }
    return findings;
  }
}
