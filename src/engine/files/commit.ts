/**
 * Puts staged files in their places as a group, so that their fsyncs share the disk's flushes.
 *
 * 1. every staged file is made durable, side by side; 2. each is renamed over its target; 3. each directory is made durable
 * once. Only then is a change told as done. A file that fails in any step is discarded and its target is as it was;
 * the others go on.
 */

import type { BigIntStats } from 'node:fs';
import { errnoOf } from '../../model/errors.js';
import type { DiskPath } from '../../model/names.js';
import type { Directory } from './confined.js';
import { within } from './confined.js';
import { sideBySide, syncDirectories } from './durable.js';
import { reservedName, sweep } from './reserved-name.js';
import type { Staged } from './stage.js';
import { dress } from './stage.js';

export interface CommitOptions<T extends Staged> {
  /** Asked right before each rename; throws when the target is no longer what it should be. */
  readonly guard?: (staged: T) => void;
  /** What must be done before the first rename, besides; it is waited for together with the disk. When it rejects, nothing is renamed. */
  readonly ahead?: Promise<void> | undefined;
}

export interface CommitOutcome {
  readonly target: DiskPath;
  /** Undefined: in place and durable. Otherwise why not. */
  readonly error: unknown;
  /** In place, though not known to be durable (only with an error). */
  readonly replaced: boolean;
}

/** Commits a group; one outcome for each staged file, in order. Never rejects. At most a few hundred at once: each is open. */
export async function commit<T extends Staged>(
  group: readonly T[],
  options: CommitOptions<T> = {},
): Promise<readonly CommitOutcome[]> {
  const failures = await putInPlace(group, options);
  const placed = group.filter((staged) => !failures.has(staged));
  const unsynced = await syncDirectories(new Set(placed.map((staged) => staged.place.directory.path)));
  return group.map((staged) => ({
    target: staged.target,
    error: failures.get(staged) ?? unsynced.get(staged.place.directory.path),
    replaced: !failures.has(staged),
  }));
}

/** The first two steps: contents durable, renamed. The caller makes the directories durable. What failed is returned, and discarded. */
export async function putInPlace<T extends Staged>(
  group: readonly T[],
  { guard, ahead }: CommitOptions<T>,
): Promise<ReadonlyMap<T, unknown>> {
  const [failures, [told]] = await Promise.all([
    sideBySide(group, (staged) => staged.makeDurable()),
    Promise.allSettled([ahead]),
  ]);
  for (const staged of group) {
    try {
      if (told.status === 'rejected') throw told.reason;
      if (!failures.has(staged)) {
        guard?.(staged);
        replace(staged);
      }
    } catch (error) {
      failures.set(staged, error);
    }
    staged.discard();
  }
  return failures;
}

/** Puts one staged file in its place, not yet durable; an empty directory in the way goes first, and comes back when that fails. */
export function replace(staged: Staged): void {
  const { directory, name } = staged.place;
  const before = directory.lstat(name);
  if (before?.isDirectory() !== true) {
    staged.replace();
    return;
  }
  removeDirectory(directory, name);
  try {
    staged.replace();
  } catch (error) {
    directory.mkdir(name, 0o700);
    dress(directory, name, attributesOf(before));
    throw error;
  }
}

/**
 * Makes a directory. What stands there and is none is removed; it stays when the directory cannot be made. False: there was one
 * already. The caller makes the parent durable.
 */
export function makeDirectory(path: DiskPath, mode: number): boolean {
  return within(path, (directory, name) => {
    const before = directory.lstat(name);
    if (before?.isDirectory() === true) return false;
    if (before === undefined) {
      directory.mkdir(name, mode);
      return true;
    }
    const aside = reservedName();
    directory.rename(name, aside);
    try {
      directory.mkdir(name, mode);
    } catch (error) {
      directory.rename(aside, name);
      throw error;
    }
    directory.unlink(aside);
    return true;
  });
}

/** Removes a file or an empty directory; false when nothing stands there. The caller makes the parent durable. */
export function remove(path: DiskPath): boolean {
  return within(path, (directory, name) => {
    const stats = directory.lstat(name);
    if (stats === undefined) return false;
    if (stats.isDirectory()) removeDirectory(directory, name);
    else directory.unlink(name);
    return true;
  });
}

/** rmdir(2) of a directory that nobody but dead processes have anything in. */
function removeDirectory(directory: Directory, name: string): void {
  try {
    directory.rmdir(name);
  } catch (error) {
    if (errnoOf(error) !== 'ENOTEMPTY' && errnoOf(error) !== 'EEXIST') throw error;
    const inside = directory.enter(name);
    try {
      if (sweep(inside, Date.now()).length === 0) throw error;
    } finally {
      inside.close();
    }
    directory.rmdir(name);
  }
}

function attributesOf(stats: BigIntStats): { mode: number; uid: number; gid: number; mtime: number } {
  return {
    mode: Number(stats.mode),
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    mtime: Number(stats.mtimeNs / 1_000_000_000n),
  };
}
