/** Makes files and directories durable, side by side: each fsync waits for the disk, many at once share its flushes. */

import fs from 'node:fs';
import { posix } from 'node:path';
import { errnoOf } from '../../model/errors.js';
import type { DiskPath } from '../../model/names.js';
import { openDirectory, within } from './confined.js';
import { syncDescriptor } from './sync.js';

/** How many fsyncs are in flight at once; the runtime's thread pool may allow fewer (UV_THREADPOOL_SIZE). */
const IN_FLIGHT = 64;

/** What could not be made durable, and why. */
export type SyncFailures = ReadonlyMap<DiskPath, unknown>;

/**
 * Makes the names in these directories durable, each directory once. Rejects never: failures are returned. A directory that is gone,
 * or has something else in its place, is none: it went with its names (a tree removed in one group), and its own going is kept by the directory it was in.
 */
export async function syncDirectories(directories: Iterable<DiskPath>): Promise<SyncFailures> {
  return sideBySide(directories, async (path) => {
    const directory = ifThere(path, () => (isDirectory(path) ? openDirectory(path) : undefined));
    if (directory === undefined) return;
    try {
      await directory.sync();
    } finally {
      directory.close();
    }
  });
}

/** Makes content and attributes of these regular files and directories durable; others, and what is gone, need nothing of their own. */
export async function syncFiles(paths: Iterable<DiskPath>): Promise<SyncFailures> {
  return sideBySide(paths, async (path) => {
    const descriptor = ifThere(path, () =>
      within(path, (directory, name) => {
        const stats = directory.lstat(name);
        return stats?.isFile() === true || stats?.isDirectory() === true
          ? directory.open(name, fs.constants.O_RDONLY)
          : undefined;
      }),
    );
    if (descriptor === undefined) return;
    try {
      await syncDescriptor(descriptor);
    } finally {
      fs.closeSync(descriptor);
    }
  });
}

function isDirectory(path: DiskPath): boolean {
  return path === '/' || within(path, (directory, name) => directory.lstat(name)?.isDirectory() === true);
}

function ifThere<T>(path: DiskPath, open: () => T): T | undefined {
  try {
    return open();
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || (errnoOf(error) === 'PATH_UNSAFE' && isBelowFile(path))) return undefined;
    throw error;
  }
}

/** A directory above it gave way to something that is none: it went with that. Behind a link it may still be. */
function isBelowFile(path: DiskPath): boolean {
  const above = posix.dirname(path) as DiskPath;
  if (above === '/') return false;
  try {
    const stats = within(above, (directory, name) => directory.lstat(name));
    return stats !== undefined && !stats.isDirectory() && !stats.isSymbolicLink();
  } catch {
    return isBelowFile(above);
  }
}

/** Runs `work` for each item, at most IN_FLIGHT at once. */
export async function sideBySide<T>(items: Iterable<T>, work: (item: T) => Promise<void>): Promise<Map<T, unknown>> {
  const failures = new Map<T, unknown>();
  const all = new Set(items);
  const queue = all.values();
  const worker = async () => {
    for (const item of queue) {
      try {
        await work(item);
      } catch (error) {
        failures.set(item, error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(IN_FLIGHT, all.size) }, worker));
  return failures;
}
