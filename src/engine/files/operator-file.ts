/**
 * Whether a file of the operator's (key, configuration, lock, database, log, backup directory) can be trusted by a root process: nobody
 * but root (or the user csx runs as) can have written it, put it there, or put a link in its way.
 *
 * Links are followed one by one, as the kernel would, and each directory on the way is looked at. A directory with the sticky bit
 * (/tmp) is no danger for names in it that belong to root: only their owner can replace them.
 */

import fs from 'node:fs';
import type { Stats } from 'node:fs';
import { CsxError, errnoOf } from '../../model/errors.js';
import type { DiskPath } from '../../model/names.js';
import { display, fromBuffer, toBuffer } from '../../model/names.js';

export interface OperatorFileOptions {
  /** What it is, for the message: `The key file`. */
  readonly what: string;
  /** Others may not even read it (keys). */
  readonly secret?: boolean;
  /**
   * The file and its own directory may belong to others (logs in a group-writable /var/log): for callers that open it without
   * following links and look at the owner of what they opened.
   */
  readonly guarded?: boolean;
}

/** As many links as the kernel follows. */
const LINKS = 40;

/**
 * Checks the file and every directory and link on the way to it, and returns its real path. What does not exist yet is not
 * checked, only the way there. Throws FILE_UNSAFE, naming what another user can write and the cure. A process that is not root
 * checks nothing: it can do no more than its own user.
 */
export function checkOperatorFile(path: DiskPath, options: OperatorFileOptions): DiskPath {
  const root = process.geteuid?.() === 0;
  const rest = path.split('/').filter((part) => part !== '');
  let reached = '';
  let links = 0;
  let sticky = false;
  if (root) checkStep('/', fs.lstatSync('/'), path, options, false);
  for (let part = rest.shift(); part !== undefined; part = rest.shift()) {
    if (part === '' || part === '.') continue;
    if (part === '..') {
      reached = reached.slice(0, Math.max(reached.lastIndexOf('/'), 0));
      continue;
    }
    const here = `${reached}/${part}`;
    const stats = lstat(here);
    if (stats === undefined) return [here, ...rest].join('/') as DiskPath;
    const relaxed = options.guarded === true && !sticky && rest.length <= 1;
    if (root) checkStep(here, stats, path, options, relaxed);
    if (stats.isSymbolicLink()) {
      links += 1;
      if (links > LINKS) throw unsafe(path, options, 'it is a link to itself.', 'Name the file that is meant.');
      const target = fromBuffer(fs.readlinkSync(toBuffer(here), { encoding: 'buffer' }));
      if (target.startsWith('/')) reached = '';
      rest.unshift(...target.split('/'));
      continue;
    }
    if (root && options.secret === true && stats.isFile() && (stats.mode & 0o077) !== 0) {
      throw unsafe(path, options, 'other users can read it.', `Run: chmod 600 ${display(here)}`);
    }
    sticky = (stats.mode & 0o1000) !== 0;
    reached = here;
  }
  return (reached === '' ? '/' : reached) as DiskPath;
}

/** Refuses what somebody else owns or can write. Of a link only its owner counts. */
function checkStep(here: string, stats: Stats, path: string, options: OperatorFileOptions, relaxed: boolean): void {
  if (relaxed && !stats.isSymbolicLink()) return;
  if (stats.uid !== 0 && stats.uid !== process.geteuid?.()) {
    throw unsafe(path, options, `${display(here)} belongs to user ${stats.uid}.`, `Run: chown root ${display(here)}`);
  }
  if (stats.isSymbolicLink() || stats.isCharacterDevice()) return;
  const others = (stats.mode & 0o002) !== 0 || ((stats.mode & 0o020) !== 0 && stats.gid !== 0);
  if (others && (stats.mode & 0o1000) === 0) {
    throw unsafe(path, options, `other users can write ${display(here)}.`, `Run: chmod go-w ${display(here)}`);
  }
}

function lstat(path: string): Stats | undefined {
  try {
    return fs.lstatSync(toBuffer(path));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function unsafe(path: string, options: OperatorFileOptions, why: string, hint: string): CsxError {
  return new CsxError('FILE_UNSAFE', `${options.what} ${display(path)} is not safe to use as root: ${why}`, {
    hint,
    data: { path: display(path) },
  });
}
