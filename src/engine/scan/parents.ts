/**
 * What the directories above a path are. csync2 and csx never follow a link: a path with one among its parents holds
 * nothing to synchronise, and what was known there counts as removed.
 *
 * Answers are remembered, so that many files of one directory cost one look; one `Parents` serves one moment, not longer.
 */

import type { DiskPath } from '../../model/names.js';
import { lstat } from './lstat.js';

export type Above =
  /** All are directories. */
  | { readonly kind: 'directories' }
  /** One does not exist. */
  | { readonly kind: 'missing'; readonly at: DiskPath }
  /** The topmost that is no directory is a symbolic link. */
  | { readonly kind: 'link'; readonly at: DiskPath }
  /** The topmost that is no directory is something else. */
  | { readonly kind: 'not-directory'; readonly at: DiskPath };

const DIRECTORIES: Above = { kind: 'directories' };
/** Answers kept at most; the oldest go first. */
const MOST = 1024;

export class Parents {
  readonly #known = new Map<string, Above>();

  /** What stands above the path. Throws what lstat throws when a parent cannot be looked at (EACCES, EIO, ...). */
  of(disk: DiskPath): Above {
    const slash = disk.lastIndexOf('/');
    return slash <= 0 ? DIRECTORIES : this.#directory(disk.slice(0, slash) as DiskPath);
  }

  /** Whether the path itself and all above it are directories. */
  #directory(disk: DiskPath): Above {
    const known = this.#known.get(disk);
    if (known !== undefined) return known;
    const above = this.of(disk);
    const answer = above.kind === 'directories' ? look(disk) : above;
    if (this.#known.size >= MOST) this.#known.delete(this.#known.keys().next().value ?? '');
    this.#known.set(disk, answer);
    return answer;
  }
}

function look(disk: DiskPath): Above {
  const stats = lstat(disk);
  if (stats === undefined) return { kind: 'missing', at: disk };
  if (stats.isDirectory()) return DIRECTORIES;
  return { kind: stats.isSymbolicLink() ? 'link' : 'not-directory', at: disk };
}
