/**
 * One sorted walk of the disk: every file that the configuration selects, in the order of stored names, so that it can be
 * merged with the `file` table row by row.
 *
 * The order is memcmp's over whole *encoded* names. It is not the order of a plain depth-first walk: `/` (0x2f) sorts behind
 * `-` and `.`, so `/t/a`, `/t/a-b`, `/t/a/x`. A directory therefore has two places among its siblings: its own at `a`, and that
 * of what lies below it at `a/`. The second ones wait on a stack; the last one pushed is always the first one due, because
 * whatever sorts between `a` and `a/` begins with `a`.
 *
 * Links are never followed. What cannot be read becomes a Problem, and a note (`unread`) that nothing below it is known to be gone.
 * What vanishes while the walk is under way was not there.
 *
 * The walk is a cursor, not an iterator of objects, and calls the system synchronously: it visits a million files, and both
 * make it several times faster than promises and entries would.
 */

import fs from 'node:fs';
import { decodeUrl, encodeUrl, storedName } from '../../model/encoding.js';
import type { Problem } from '../../model/errors.js';
import { errnoOf } from '../../model/errors.js';
import { compareBytes, display, isAscii, isReserved, RESERVED_PREFIX, toBuffer } from '../../model/names.js';
import type { DiskPath, FileName, StoredName } from '../../model/names.js';
import { lstat, reasonOf } from './lstat.js';
import type { Selected, Start } from './selected.js';

/** Longest path that Linux takes, without the closing NUL. */
const LONGEST_PATH = 4095;

/** Cuts that keep everybody busy. */
const ENOUGH_CUTS = 32;
/** Names of a directory that may be cut. */
const LONGEST_CUT = 10_000;

/** One directory being gone through. */
interface Frame {
  /** Encoded names, sorted. At the top: the stored names of the starts. */
  readonly names: readonly string[];
  next: number;
  /** What goes before a name: decoded, encoded, on disk. All end in a slash, or are empty at the top. */
  readonly file: string;
  readonly stored: string;
  readonly disk: string;
  /** Whether `disk` is. */
  readonly ascii: boolean;
  /** Subdirectories whose content is not due yet, the next one due last. */
  readonly waiting: Waiting[];
}

interface Waiting {
  /** The encoded name and a slash: where the content sorts. */
  readonly key: string;
  readonly file: string;
  readonly stored: string;
  readonly disk: string;
}

export class Walk {
  /** The file the cursor is on; meaningful after `next()` returned true. */
  stored = '' as StoredName;
  file = '' as FileName;
  disk = '' as DiskPath;
  stats: fs.BigIntStats | undefined;
  /** Whether the walk ended early because its steps were used up. */
  exhausted = false;
  /** Trouble since somebody last took it away. */
  problems: Problem[] = [];
  /** Directories (or single files) that could not be read: nothing at or below them is known to be gone. */
  readonly unread = new Set<FileName>();

  readonly #selected: Selected;
  readonly #starts: ReadonlyMap<string, Start>;
  readonly #stack: Frame[] = [];
  #steps: number;
  /** Where the walk begins; empty once it has come there. */
  #from: string;

  /**
   * @param starts none within another recursive one
   * @param options `steps`: names and directories looked at at most; `from`: the first stored name
   */
  constructor(
    selected: Selected,
    starts: readonly Start[],
    options: { readonly steps?: number; readonly from?: StoredName } = {},
  ) {
    this.#selected = selected;
    this.#steps = options.steps ?? Infinity;
    this.#from = options.from ?? '';
    this.#starts = new Map(starts.map((start) => [storedName(start.file) as string, start]));
    const names = [...this.#starts.keys()].sort(compareBytes);
    this.#stack.push({ names, next: 0, file: '', stored: '', disk: '', ascii: true, waiting: [] });
  }

  /** Goes on to the next file; false at the end. Runs in the time of a few system calls. */
  next(): boolean {
    for (;;) {
      if (--this.#steps < 0) this.#stop();
      const frame = this.#stack.at(-1);
      if (frame === undefined) return false;
      const name = frame.names[frame.next];
      const waiting = frame.waiting.at(-1);
      if (waiting !== undefined && (name === undefined || waiting.key < name)) {
        frame.waiting.pop();
        this.#open(waiting);
      } else if (name === undefined) {
        this.#stack.pop();
      } else {
        frame.next++;
        if (this.#from !== '' && this.#isPassed(frame.stored + name)) continue;
        const due = this.#stack.length === 1 ? this.#begin(frame, name) : this.#visit(frame, name);
        if (due && (this.#from === '' || this.stored >= this.#from)) {
          this.#from = '';
          return true;
        }
      }
    }
  }

  /** Whether the name and all below it sort before the place where the walk begins. */
  #isPassed(stored: string): boolean {
    return stored < this.#from && endOfContent(stored) <= this.#from;
  }

  /**
   * Stored names behind the cursor, in order, at which what is still to come can be cut: another walk can begin there. Directories
   * near the top give them first, since what lies behind their names is most.
   */
  cuts(): readonly StoredName[] {
    const cuts = new Set<string>();
    for (const frame of this.#stack) {
      if (cuts.size >= ENOUGH_CUTS) break;
      // Whoever begins in it lists it once more.
      if (frame.names.length > LONGEST_CUT) continue;
      for (const { stored } of frame.waiting) cuts.add(stored);
      for (const name of frame.names.slice(frame.next)) cuts.add(frame.stored + name);
    }
    return [...cuts].sort() as StoredName[];
  }

  #stop(): void {
    this.exhausted ||= this.#stack.length > 0;
    this.#stack.length = 0;
  }

  /** Looks at a start. True when the cursor is on it. */
  #begin(top: Frame, stored: string): boolean {
    const start = this.#starts.get(stored);
    if (start === undefined || isReserved(start.file)) return false;
    const included = this.#selected.includes(start.file);
    if (!included && !this.#selected.entered(start.file)) return false;
    const stats = this.#look(start.file, start.disk, isAscii(start.disk));
    if (stats === undefined) return false;
    if (start.recursive && isDirectory(stats)) {
      const file = withSlash(start.file);
      const below = withSlash(stored);
      top.waiting.push({ key: below, file, stored: below, disk: withSlash(start.disk) });
    }
    if (!included) return false;
    this.#stand(stored, start.file, start.disk, stats);
    return true;
  }

  /** Looks at a name of a directory. True when the cursor is on it. */
  #visit(frame: Frame, encoded: string): boolean {
    const name = decodeUrl(encoded);
    const file = (frame.file + name) as FileName;
    const included = this.#selected.includes(file);
    if (!included && !this.#selected.entered(file)) return false;
    // One string wherever two are equal: building and flattening them costs as much as the merge.
    const disk = (frame.disk === frame.file ? file : frame.disk + name) as DiskPath;
    const stats = this.#look(file, disk, frame.ascii && isAscii(name));
    if (stats === undefined) return false;
    const stored = name === encoded && frame.stored === frame.file ? file : frame.stored + encoded;
    if (isDirectory(stats)) {
      const below = `${file}/`;
      frame.waiting.push({
        key: `${encoded}/`,
        file: below,
        stored: stored === file ? below : `${stored}/`,
        disk: frame.disk === frame.file ? below : `${disk}/`,
      });
    }
    if (!included) return false;
    this.#stand(stored, file, disk, stats);
    return true;
  }

  #stand(stored: string, file: FileName, disk: DiskPath, stats: fs.BigIntStats): void {
    this.stored = stored as StoredName;
    this.file = file;
    this.disk = disk;
    this.stats = stats;
  }

  #look(file: FileName, disk: DiskPath, ascii: boolean): fs.BigIntStats | undefined {
    if (disk.length > LONGEST_PATH || file.length > LONGEST_PATH) {
      this.#fail(file, 'PATH_UNSAFE', `The path ${display(disk)} is longer than ${String(LONGEST_PATH)} bytes.`, LONG);
      return undefined;
    }
    try {
      return lstat(disk, ascii);
    } catch (error) {
      this.#fail(file, 'READ_FAILED', `Cannot look at ${display(disk)}: ${reasonOf(error)}.`, UNREAD);
      return undefined;
    }
  }

  #open(directory: Waiting): void {
    const names = this.#list(directory);
    if (names === undefined) return;
    this.#stack.push({
      names,
      next: 0,
      file: directory.file,
      stored: directory.stored,
      disk: directory.disk,
      ascii: isAscii(directory.disk),
      waiting: [],
    });
  }

  /** The encoded names of a directory, sorted; undefined when it is gone or cannot be read. */
  #list(directory: Waiting): string[] | undefined {
    // Without the slash: a path may be exactly as long as the system takes.
    const path = directory.disk.length > 1 ? directory.disk.slice(0, -1) : directory.disk;
    try {
      const names = fs.readdirSync(isAscii(path) ? path : toBuffer(path), 'latin1');
      let reserved = false;
      for (let index = 0; index < names.length; index++) {
        const name = names[index] ?? '';
        names[index] = encodeUrl(name);
        reserved ||= name.startsWith(RESERVED_PREFIX);
      }
      // Without a comparator: UTF-16 units of byte strings are bytes.
      return (reserved ? names.filter((name) => !name.startsWith(RESERVED_PREFIX)) : names).sort();
    } catch (error) {
      const errno = errnoOf(error);
      // Gone, or replaced by a file, since it was looked at.
      if (errno === 'ENOENT' || errno === 'ENOTDIR') return undefined;
      const file = (directory.file.length > 1 ? directory.file.slice(0, -1) : directory.file) as FileName;
      this.#fail(file, 'READ_FAILED', `Cannot read the directory ${display(path)}: ${reasonOf(error)}.`, UNREAD);
      return undefined;
    }
  }

  #fail(file: FileName, code: Problem['code'], summary: string, hint: string): void {
    this.problems.push({ severity: 'error', code, summary, hint, path: file });
    this.unread.add(file);
  }
}

const UNREAD =
  'Nothing at or below it counts as removed. Check its permissions and that its file system is mounted and healthy, then scan again.';
const LONG =
  'Rename it, or a directory above it, to something shorter, or exclude it; until then it is not synchronised.';

function withSlash(name: string): string {
  return name === '/' ? name : `${name}/`;
}

/** The first string behind everything below a stored name: `0` follows `/`. */
function endOfContent(stored: string): string {
  return stored === '/' ? '0' : `${stored}0`;
}

const TYPE_BITS = 0o170000;
const DIRECTORY_BITS = 0o040000;

function isDirectory(stats: fs.BigIntStats): boolean {
  return (Number(stats.mode) & TYPE_BITS) === DIRECTORY_BITS;
}
