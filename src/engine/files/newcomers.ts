/**
 * Makes many new files and directories as one group, where nothing stands: directories at once, in order, files staged beside their
 * places. As in commit.ts every file is durable before it is renamed, and every directory before a newcomer counts as made.
 *
 * One that fails leaves nothing behind, and the others go on; only what lies below a directory that could not be made durable fails
 * with it. Nothing that stands there already is ever replaced: EEXIST.
 */

import type { BigIntStats } from 'node:fs';
import type { DiskPath } from '../../model/names.js';
import { isWithin } from '../../model/names.js';
import { sideBySide } from './durable.js';
import { OpenDirectories } from './open-directories.js';
import { dress, stageFile } from './stage.js';
import type { Attributes, StagedFile } from './stage.js';

/** What is to be made. */
export interface Newcomer {
  readonly kind: 'file' | 'directory';
  readonly disk: DiskPath;
  readonly attributes: Attributes;
  /** Of a file. */
  readonly content: Buffer;
}

/** What became of one: `made` is what stands there now, durably; undefined: it was not made, and `error` says why. */
export interface Outcome {
  readonly made: BigIntStats | undefined;
  readonly error: unknown;
}

interface Making {
  readonly newcomer: Newcomer;
  staged: StagedFile | undefined;
  made: BigIntStats | undefined;
  error: unknown;
}

/** As closed as csync2 makes directories, until its mode is set. */
const NEW_DIRECTORY = 0o700;

/** One outcome for each, in order. Never rejects. At most a few hundred at once: each file is open. */
export async function makeNewcomers(
  group: readonly Newcomer[],
  temporaryDirectory: DiskPath | undefined,
): Promise<readonly Outcome[]> {
  const directories = new OpenDirectories();
  const makings = group.map((newcomer): Making => ({ newcomer, staged: undefined, made: undefined, error: undefined }));
  try {
    for (const making of makings) {
      guarded(making, () => {
        begin(making, directories, temporaryDirectory);
      });
    }
    const undurable = await sideBySide(makings, async ({ staged }) => staged?.makeDurable());
    for (const making of makings) {
      making.error ??= undurable.get(making);
      guarded(making, () => {
        place(making, directories);
      });
      making.staged?.discard();
    }
    await keep(makings, directories);
    return makings;
  } finally {
    directories.close();
  }
}

/** The next step of one that has not failed so far. */
function guarded(making: Making, step: () => void): void {
  if (making.error !== undefined) return;
  try {
    step();
  } catch (error) {
    making.error = error;
  }
}

function begin(making: Making, directories: OpenDirectories, temporaryDirectory: DiskPath | undefined): void {
  const { kind, disk, attributes, content } = making.newcomer;
  if (kind === 'directory') {
    makeDirectory(making.newcomer, directories);
    return;
  }
  making.staged = stageFile(disk, { temporaryDirectory, directories });
  making.staged.write(content);
  making.staged.dress(attributes);
}

/** mkdir(2) fails where anything stands, a directory too. */
function makeDirectory({ disk, attributes }: Newcomer, directories: OpenDirectories): void {
  const { directory, name } = directories.placeOf(disk);
  directory.mkdir(name, NEW_DIRECTORY);
  try {
    dress(directory, name, attributes);
  } catch (error) {
    directory.rmdir(name);
    throw error;
  }
}

function place(making: Making, directories: OpenDirectories): void {
  const { newcomer, staged } = making;
  const { directory, name } = staged?.place ?? directories.placeOf(newcomer.disk);
  const standing = directory.lstat(name);
  if (staged === undefined) {
    making.made = standing;
    return;
  }
  if (standing !== undefined) throw Object.assign(new Error('EEXIST'), { code: 'EEXIST' });
  staged.replace();
  making.made = staged.stats;
}

/** Makes the directories durable, those that were made and those that hold what was made. */
async function keep(makings: readonly Making[], directories: OpenDirectories): Promise<void> {
  const touched = new Set<DiskPath>();
  for (const { newcomer, error } of makings) {
    if (error !== undefined) continue;
    touched.add(directories.placeOf(newcomer.disk).directory.path);
    if (newcomer.kind === 'directory') touched.add(newcomer.disk);
  }
  const undurable = await sideBySide(touched, (path) => directories.directory(path).sync());
  if (undurable.size === 0) return;
  for (const making of makings) {
    const above = [...undurable].find(([path]) => isWithin(making.newcomer.disk, path));
    if (above === undefined) continue;
    making.made = undefined;
    making.error ??= above[1];
  }
}
