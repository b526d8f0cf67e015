/**
 * The merge of disk and table: steps through both in the order of stored names and says what each pair means. It asks the
 * disk again before it calls anything removed, and decides by content what neither check text nor stamp decides.
 */

import { setImmediate as turn } from 'node:timers/promises';
import { fileName, storedName } from '../../model/encoding.js';
import type { Problem } from '../../model/errors.js';
import { CsxError, errnoOf } from '../../model/errors.js';
import type { DiskPath, FileName, StoredName } from '../../model/names.js';
import { display, isCanonical } from '../../model/names.js';
import type { Drift, DriftReason, Finding, LocalState } from '../../model/scan.js';
import type { FileRow } from '../../model/store.js';
import { digestOf } from './digest.js';
import { compare } from './drift.js';
import { stateOf } from './local-state.js';
import { lstat, reasonOf } from './lstat.js';
import { Parents } from './parents.js';
import { RowCursor } from './row-cursor.js';
import type { ScanOptions, ScanTotals } from './scan.js';
import { hasAncestor, startsOf } from './selected.js';
import type { Start } from './selected.js';
import { Walk } from './walk.js';

/** Steps of the merge between two turns of the event loop: some milliseconds. */
const SLICE = 2000;
/** Findings handed out at a time. */
const BATCH = 512;
/** Rows that no scan may touch are told one by one up to this many, then counted. */
const MOST_STRANGE = 100;

/** A finding, or one that the content of the file has yet to decide. */
type Pending =
  Finding | { readonly kind: 'verify'; readonly row: FileRow; readonly drift: Drift & { readonly after: LocalState } };

export class Merge {
  removed = 0;
  readonly #options: ScanOptions;
  readonly #walk: Walk;
  readonly #rows: RowCursor;
  readonly #parents = new Parents();
  #findings: Pending[] = [];
  #walking = false;
  #entries = 0;
  #drift = 0;
  #refreshed = 0;
  #problems = 0;
  #strange = 0;
  readonly #pathless = new Set<string>();

  constructor(options: ScanOptions) {
    this.#options = options;
    const starts = startsOf(options.selection, options.scopes);
    this.#walk = new Walk(options.selection, this.#reachable(starts));
    this.#rows = new RowCursor(options.files(options.scopes));
  }

  async *run(): AsyncGenerator<readonly Finding[], void, undefined> {
    try {
      this.#options.signal?.throwIfAborted();
      this.#walking = this.#walk.next();
      for (let more = true; more;) {
        if (this.#rows.needsMore) await this.#rows.load();
        more = this.#slice();
        this.#takeProblems();
        if (this.#findings.length >= BATCH) yield await this.#handOut();
        await turn();
        this.#options.signal?.throwIfAborted();
        this.#options.onProgress?.(this.#entries, this.#walk.file);
      }
      this.#countStrange();
      if (this.#findings.length > 0) yield await this.#handOut();
    } finally {
      await this.#rows.close();
    }
  }

  totals(): ScanTotals {
    return {
      entries: this.#entries,
      known: this.#rows.count,
      drift: this.#drift,
      refreshed: this.#refreshed,
      problems: this.#problems,
    };
  }

  /** Some steps of the merge; false when both sides are at their end. */
  #slice(): boolean {
    const walk = this.#walk;
    const rows = this.#rows;
    for (let step = 0; step < SLICE && !rows.needsMore && this.#findings.length < BATCH; step++) {
      const row = rows.row;
      if (row === undefined) {
        if (!this.#walking) return false;
        this.#onlyOnDisk();
        this.#walking = walk.next();
      } else if (!this.#walking || row.stored < walk.stored) {
        this.#onlyKnown(row);
        rows.advance();
      } else if (row.stored === walk.stored) {
        this.#both(row);
        this.#walking = walk.next();
        rows.advance();
      } else {
        this.#onlyOnDisk();
        this.#walking = walk.next();
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
          this.#refreshed++;
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
    const file = fileName(row.stored);
    if (!isCanonical(file) || storedName(file) !== row.stored) {
      this.#tellStrange(row.stored);
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
    this.#drift++;
    if (after === undefined) this.removed++;
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
    this.#problems++;
    this.#findings.push({ kind: 'problem', problem });
  }

  #takeProblems(): void {
    if (this.#walk.problems.length === 0) return;
    for (const problem of this.#walk.problems) this.#problem(problem);
    this.#walk.problems = [];
  }

  #tellStrange(stored: StoredName): void {
    this.#strange++;
    if (this.#strange > MOST_STRANGE) return;
    this.#problem({
      severity: 'warning',
      code: 'STATE_CORRUPT',
      summary: `The database knows a file by a name that cannot be one: ${display(stored)}. It is left alone.`,
      hint: STRANGE,
    });
  }

  #countStrange(): void {
    if (this.#strange <= MOST_STRANGE) return;
    const more = String(this.#strange - MOST_STRANGE);
    this.#problem({
      severity: 'warning',
      code: 'STATE_CORRUPT',
      summary: `${more} more names in the database cannot be file names. They are left alone.`,
      hint: STRANGE,
    });
  }

  /** The starts that do not lie behind a link: the others hold nothing to synchronise. */
  #reachable(starts: readonly Start[]): readonly Start[] {
    return starts.filter((start) => {
      try {
        const above = this.#parents.of(start.disk);
        if (above.kind === 'link') this.#tellBehindLink(start, above.at);
        return above.kind === 'directories';
      } catch {
        // Not known to be a link: the walk will meet the same trouble and tell.
        return true;
      }
    });
  }

  #tellBehindLink(start: Start, link: DiskPath): void {
    this.#problem({
      severity: 'warning',
      code: 'PATH_UNSAFE',
      summary: `${display(start.disk)} lies behind the symbolic link ${display(link)}: nothing there is synchronised.`,
      hint: 'Links are never followed. Name the path the link leads to instead, in the configuration or as the path of a prefix.',
      path: start.file,
    });
  }

  async #handOut(): Promise<readonly Finding[]> {
    const findings: Finding[] = [];
    const pending = this.#findings;
    this.#findings = [];
    for (const finding of pending) {
      findings.push(finding.kind === 'verify' ? await this.#verify(finding.row, finding.drift) : finding);
    }
    return findings;
  }

  /** Reads a file whose content is known by its digest: was it really written anew? */
  async #verify(row: FileRow, drift: Drift & { readonly after: LocalState }): Promise<Finding> {
    const { file, disk, after } = drift;
    let digest;
    try {
      digest = await digestOf(disk, this.#options.signal);
    } catch (error) {
      this.#options.signal?.throwIfAborted();
      if (errnoOf(error) === undefined) throw error;
      // Not readable even so: it counts as changed, and the sender will say what is wrong with it.
    }
    await turn();
    const state: LocalState = { ...after, digest };
    if (digest !== undefined && digest === row.digest) {
      if (drift.reason === 'rewritten') {
        this.#refreshed++;
        return { kind: 'refresh', file, state };
      }
      this.#drift++;
      return { kind: 'drift', drift: { ...drift, reason: 'times', after: state } };
    }
    this.#drift++;
    return { kind: 'drift', drift: { ...drift, after: state } };
  }
}

const STRANGE = 'csync2 never writes such a name. `csx db clean` removes the rows that no configuration selects.';
