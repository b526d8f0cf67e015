/**
 * Operator files (promise 16): a root process believes a configuration, key, certificate or database, and writes to a log or a
 * backup directory, only if nobody but root can have written it, put it there, or put a link in its way.
 *
 * Links are followed one by one, as the kernel would, and each directory on the way is looked at: it must belong to root and be
 * writable by root alone (the group 0 is root too). A directory with the sticky bit (/tmp) on the way is no danger for names in
 * it that belong to root: only their owner can replace them. As the file's own place it is one, for anybody may add names.
 *
 * A process that is not root is refused little: it can do no more than its own user.
 */

import { lstatSync, readlinkSync } from 'node:fs';
import type { Stats } from 'node:fs';
import path from 'node:path';
import { CsxError, errnoOf } from '../model/errors.js';
import type { SourceRange } from '../model/errors.js';
import type { DiskPath } from '../model/names.js';
import { display, fromBuffer, fromText, toBuffer } from '../model/names.js';

export interface OperatorFileOptions {
  /** What it is, for the message: `key file`. */
  readonly what: string;
  /** Where it is named, for the error. */
  readonly range?: SourceRange | undefined;
  /** The user this process runs as; left out: asked of the system. */
  readonly uid?: number | undefined;
  /** No other user may even read it (keys). Refused to every user, not only to root. */
  readonly secret?: boolean;
  /**
   * The file and its own directory may belong to others (logs in a group-writable /var/log): for callers that open it without
   * following links and look at the owner of what they opened.
   */
  readonly guarded?: boolean;
  /**
   * The directory the file lies in must not be writable by others even if it is sticky, nor while there is no file: what others
   * put beside it counts (SQLite's journals, the other half of a certificate and its key).
   */
  readonly home?: boolean;
  /** `refuse`: the file itself must not be a link, to no user. Links on the way to it are followed. */
  readonly links?: 'follow' | 'refuse';
  /** How to name another file, for the hint, as a sentence without its end: `Choose another place with -D`. */
  readonly elsewhere?: string;
}

/** As many links as the kernel follows. */
const LINKS = 40;

/**
 * Checks the file (a byte string; relative to the working directory) and every directory and link on the way to it, and returns
 * its real path. What does not exist is not checked, only the way there: opening it tells. Throws FILE_UNSAFE, which names
 * what another user can write (`data.culprit`) and the cure.
 */
export function checkOperatorFile(file: string, options: OperatorFileOptions): DiskPath {
  const root = (options.uid ?? process.geteuid?.() ?? 0) === 0;
  return follow(path.isAbsolute(file) ? file : `${fromText(process.cwd())}/${file}`, root, (step) => {
    const trouble = (root ? troubleForRoot(step, options) : undefined) ?? troubleForAll(step, options, root);
    if (trouble !== undefined) throw unsafe(file, trouble, options);
  });
}

/** What stands on the way to a file: a directory, a link, or at last the file. */
interface Step {
  /** Its path, without links but perhaps itself. */
  readonly here: string;
  /** Undefined where there is nothing: the way ends. */
  readonly stats: Stats | undefined;
  /** How many names come after it. */
  readonly left: number;
  /** How many links were followed on the way to it. */
  readonly links: number;
}

/** Walks an absolute path as the kernel does, showing each step to `look` before taking the next; returns the real path. */
function follow(file: string, root: boolean, look: (step: Step) => void): DiskPath {
  const rest = components(file);
  let links = 0;
  let reached = '/';
  look({ here: '/', stats: lstatSync('/'), left: rest.length, links });
  for (let part = rest.shift(); part !== undefined; part = rest.shift()) {
    const here = part === '..' ? path.posix.dirname(reached) : path.posix.join(reached, part);
    const stats = lstat(here, root);
    look({ here, stats, left: rest.length, links });
    if (stats === undefined) return [here, ...rest].join('/') as DiskPath;
    if (stats.isSymbolicLink()) {
      links += 1;
      const target = fromBuffer(readlinkSync(toBuffer(here), { encoding: 'buffer' }));
      if (target.startsWith('/')) reached = '/';
      rest.unshift(...components(target));
    } else reached = here;
  }
  return reached as DiskPath;
}

interface Trouble {
  readonly culprit: string;
  /** Follows the culprit's name. */
  readonly what: string;
  /** A sentence, or a command to copy. */
  readonly cure: string;
}

/** What a process of root must not touch: what another user can write, replace, or put beside it. */
function troubleForRoot({ here, stats, left }: Step, options: OperatorFileOptions): Trouble | undefined {
  const directory = path.posix.dirname(here);
  if (left === 0 && options.home === true) {
    const trouble = othersCanChange(directory, lstatSync(toBuffer(directory)), true);
    if (trouble !== undefined) return trouble;
  }
  if (stats === undefined) return undefined;
  const relaxed = options.guarded === true && left <= 1 && !stats.isSymbolicLink() && !isSticky(directory);
  return relaxed ? undefined : othersCanChange(here, stats, left === 0);
}

function troubleForAll(
  { here, stats, left, links }: Step,
  options: OperatorFileOptions,
  root: boolean,
): Trouble | undefined {
  if (links > LINKS) return { culprit: here, what: 'is a link to itself', cure: 'Name the file that is meant.' };
  if (left > 0 || stats === undefined) return undefined;
  if (options.links === 'refuse' && stats.isSymbolicLink()) {
    return { culprit: here, what: 'is a symbolic link', cure: 'Put the file itself there.' };
  }
  return options.secret === true ? othersCanRead(here, stats, root) : undefined;
}

/** Who else could write or replace it. Of a link only its owner counts; what a device holds nobody writes. */
function othersCanChange(culprit: string, stats: Stats, last: boolean): Trouble | undefined {
  if (stats.uid !== 0) {
    return { culprit, what: `belongs to the user ${stats.uid}`, cure: `Close it: chown root ${display(culprit)}` };
  }
  if (stats.isSymbolicLink() || stats.isCharacterDevice()) return undefined;
  const everybody = (stats.mode & 0o002) !== 0;
  const group = (stats.mode & 0o020) !== 0 && stats.gid !== 0;
  if (!everybody && !group) return undefined;
  const what = `can be written by ${everybody ? 'every user' : `the group ${stats.gid}`}`;
  if (stats.isDirectory() && (stats.mode & 0o1000) !== 0) {
    return last ? { culprit, what, cure: 'Choose a directory that only root can write.' } : undefined;
  }
  return { culprit, what, cure: `Close it: chmod ${everybody ? 'go-w' : 'g-w'} ${display(culprit)}` };
}

function othersCanRead(culprit: string, stats: Stats, root: boolean): Trouble | undefined {
  if (!stats.isFile()) return undefined;
  // root:root 0640 keeps everybody out whom 0600 does; any other group is other people.
  const group = (stats.mode & 0o070) !== 0 && !(root && stats.gid === 0);
  if ((stats.mode & 0o007) === 0 && !group) return undefined;
  return {
    culprit,
    what: `is open to other users (mode ${(stats.mode & 0o7777).toString(8).padStart(4, '0')})`,
    cure: `If others may have read it, make a new one. Close it: chmod 600 ${display(culprit)}`,
  };
}

function components(name: string): string[] {
  return name.split('/').filter((part) => part !== '' && part !== '.');
}

function isSticky(directory: string): boolean {
  return (lstatSync(toBuffer(directory)).mode & 0o1000) !== 0;
}

/** Undefined when there is none. What root cannot look at is trouble; for others opening it tells. */
function lstat(file: string, root: boolean): Stats | undefined {
  try {
    return lstatSync(toBuffer(file));
  } catch (error) {
    if (!root || errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

function unsafe(file: string, { culprit, what, cure }: Trouble, options: OperatorFileOptions): CsxError {
  return new CsxError('FILE_UNSAFE', `The ${options.what} ${display(file)} is not safe: ${display(culprit)} ${what}.`, {
    range: options.range,
    hint: options.elsewhere === undefined ? cure : `${options.elsewhere}. ${cure}`,
    data: { path: display(file), culprit: display(culprit) },
  });
}
