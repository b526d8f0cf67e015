/**
 * Backups: the last N generations of a file that is about to be replaced or removed, exactly.
 *
 *   DIR/<the file's whole path>   newest;   .1, .2, ... older;   N in all
 *
 * Each is a copy with owner, mode and time of what it copies; directories in between have the originals' owner and mode. The
 * copy is whole and durable before an older one moves. csync2 2.0 gets the rotation wrong (with three generations it keeps two
 * copies, at the wrong names). A backup that fails throws, and the change it was for must not be made.
 */

import fs from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { CsxError } from '../../model/errors.js';
import type { Backup } from '../../model/config.js';
import type { DiskPath } from '../../model/names.js';
import { display } from '../../model/names.js';
import { checkOperatorFile } from '../../operator/operator-file.js';
import type { Directory } from './confined.js';
import { openDirectory, openParent, within } from './confined.js';
import { syncDescriptor } from './sync.js';
import { writeFailure } from './failure.js';
import type { StagedFile } from './stage.js';
import { dress, stageFile } from './stage.js';

/**
 * Backs up a regular file; returns where, or undefined when there is none (nothing stands there, or no regular file: csync2 backs
 * up no others). Throws WRITE_FAILED, NO_SPACE, PATH_UNSAFE or FILE_UNSAFE.
 */
export async function backUp(path: DiskPath, backup: Backup): Promise<DiskPath | undefined> {
  let descriptor: number | undefined;
  try {
    descriptor = openRegular(path);
    if (descriptor === undefined) return undefined;
    const stats = fs.fstatSync(descriptor, { bigint: true });
    const root = checkOperatorFile(backup.directory, { what: 'backup directory' });
    const copy = makeParents(root, path);
    await write(copy, descriptor, stats, backup.generations);
    return copy;
  } catch (error) {
    const failure = writeFailure(error, backup.directory);
    throw new CsxError(
      failure.code,
      `${display(path)} was left as it is: its backup could not be made. ${failure.message}`,
      {
        hint: failure.hint,
        data: { ...failure.data, path: display(path) },
        cause: error,
      },
    );
  } finally {
    if (descriptor !== undefined) fs.closeSync(descriptor);
  }
}

function openRegular(path: DiskPath): number | undefined {
  return within(path, (directory, name) => {
    if (directory.lstat(name)?.isFile() !== true) return undefined;
    const descriptor = directory.open(name, fs.constants.O_RDONLY);
    if (fs.fstatSync(descriptor).isFile()) return descriptor;
    fs.closeSync(descriptor);
    return undefined;
  });
}

/** Copies, makes the copy durable, moves the older generations on and puts the copy in its place. */
async function write(copy: DiskPath, from: number, stats: BigIntStats, generations: number): Promise<void> {
  const staged = stageFile(copy);
  try {
    fs.copyFileSync(
      `/proc/self/fd/${String(from)}`,
      `/proc/self/fd/${String(staged.descriptor)}`,
      fs.constants.COPYFILE_FICLONE,
    );
    dressLike(staged, stats);
    await syncDescriptor(staged.descriptor);
    const { directory, name } = staged.place;
    rotate(directory, name, generations);
    staged.replace();
  } finally {
    staged.discard();
  }
  const directory = openParent(copy).directory;
  try {
    await directory.sync();
  } finally {
    directory.close();
  }
}

/** Moves each generation one on, up to the first number that is free; the oldest one is replaced when none is. */
function rotate(directory: Directory, name: string, generations: number): void {
  const at = (generation: number) => (generation === 0 ? name : `${name}.${String(generation)}`);
  let free = 0;
  while (free < generations - 1 && directory.lstat(at(free)) !== undefined) free += 1;
  for (let generation = free; generation > 0; generation -= 1) directory.rename(at(generation - 1), at(generation));
}

function dressLike(staged: StagedFile, stats: BigIntStats): void {
  staged.dress({
    mode: Number(stats.mode),
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    mtime: Number(stats.mtimeNs / 1_000_000_000n),
  });
}

/** Makes the directories between the backup directory and the copy, each with its original's owner and mode. */
function makeParents(root: DiskPath, path: DiskPath): DiskPath {
  let copy = openOrMake(root);
  let original = openDirectory('/' as DiskPath);
  try {
    const parts = path.split('/').slice(1, -1);
    for (const part of parts) {
      const next = original.enter(part);
      original.close();
      original = next;
      const made = enterOrMake(copy, part, original.stat());
      copy.close();
      copy = made;
    }
    const name = path.slice(path.lastIndexOf('/') + 1);
    return `${copy.path === '/' ? '' : copy.path}/${name}` as DiskPath;
  } finally {
    copy.close();
    original.close();
  }
}

/** The backup directory itself is made when it is missing: closed to others, since copies lie in it. */
function openOrMake(root: DiskPath): Directory {
  within(root, (directory, name) => {
    if (directory.lstat(name) === undefined) directory.mkdir(name, 0o700);
  });
  return openDirectory(root);
}

function enterOrMake(parent: Directory, name: string, like: BigIntStats): Directory {
  if (parent.lstat(name) === undefined) {
    parent.mkdir(name, 0o700);
    dress(parent, name, { uid: Number(like.uid), gid: Number(like.gid), mode: Number(like.mode) });
  }
  return parent.enter(name);
}
