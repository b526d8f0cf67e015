/**
 * What stands at one path of this host's disk now, as the rest of csx describes it: an entry, its check text, its stamp.
 * Owns how lstat's answer becomes an Entry; walks and single looks both come through here.
 */

import type { BigIntStats } from 'node:fs';
import { formatCheckText } from '../../model/checktxt.js';
import type { CheckText } from '../../model/checktxt.js';
import { stampOf } from '../../model/entry.js';
import type { Entry, FileType, Ignore } from '../../model/entry.js';
import { CsxError, errnoOf } from '../../model/errors.js';
import { display } from '../../model/names.js';
import type { Bytes, DiskPath, FileName } from '../../model/names.js';
import type { LocalState } from '../../model/scan.js';
import { lstat, readTarget, reasonOf } from './lstat.js';
import { Parents } from './parents.js';

/**
 * Looks at one file now. Undefined when nothing is there, or when it lies behind a symbolic link or a non-directory: such
 * a path holds nothing to synchronise.
 *
 * @param parents what is known of the directories above from earlier looks of the same moment; without it all are looked at
 * @throws CsxError READ_FAILED when the system does not let it be looked at: then nothing may be concluded from it
 */
export function lookAt(
  disk: DiskPath,
  file: FileName,
  ignore: Ignore,
  options: { readonly parents?: Parents } = {},
): LocalState | undefined {
  try {
    const parents = options.parents ?? new Parents();
    if (parents.of(disk).kind === 'link') return undefined;
    const stats = lstat(disk);
    return stats === undefined ? undefined : stateOf(stats, disk, file, ignore);
  } catch (error) {
    throw new CsxError('READ_FAILED', `Cannot look at ${display(disk)}: ${reasonOf(error)}.`, {
      hint: 'Check the permissions of the file and of the directories above it, and that its file system is healthy.',
      data: { path: disk, errno: errnoOf(error) },
      cause: error,
    });
  }
}

/** Whether a symbolic link, or anything else that is no directory, stands among the parents of a path. */
export function isBehindLink(disk: DiskPath): boolean {
  const above = new Parents().of(disk);
  return above.kind === 'link' || above.kind === 'not-directory';
}

/** The state that lstat's answer describes. Reads a link's target; undefined when the link went away meanwhile. */
export function stateOf(stats: BigIntStats, disk: DiskPath, file: FileName, ignore: Ignore): LocalState | undefined {
  const type = typeOf(stats);
  const target = type === 'link' ? readTarget(disk) : undefined;
  if (type === 'link' && target === undefined) return undefined;
  const entry = entryOf(stats, type, target, ignore);
  return { entry, checktxt: checkTextOf(entry, file), stamp: stampOf(stats), digest: undefined };
}

/** The check text as the `file` table holds it: csync2 leaves every link's target empty below a prefix. */
export function checkTextOf(entry: Entry, file: FileName): CheckText {
  return formatCheckText(entry, { emptyTarget: isBelowPrefix(file) });
}

/** Whether the file's name is of the form `%prefix%/x`. */
export function isBelowPrefix(file: string): boolean {
  return file.charCodeAt(0) === PERCENT;
}

const PERCENT = 0x25;

function entryOf(stats: BigIntStats, type: FileType, target: Bytes | undefined, ignore: Ignore): Entry {
  const timeless = type === 'link' || type === 'directory';
  return {
    type,
    mode: ignore.mod ? undefined : Number(stats.mode),
    uid: ignore.uid ? undefined : Number(stats.uid),
    gid: ignore.gid ? undefined : Number(stats.gid),
    // Divided as bigints, then rounded down: times before 1970 and those of the far future stay whole seconds.
    mtime: timeless ? undefined : wholeSeconds(stats.mtimeNs),
    size: type === 'file' ? Number(stats.size) : undefined,
    target,
    device: type === 'character-device' || type === 'block-device' ? Number(stats.rdev) : undefined,
  };
}

const NANOSECONDS = 1_000_000_000n;

/** tv_sec: rounded down, also before 1970. */
export function wholeSeconds(nanoseconds: bigint): number {
  const seconds = nanoseconds / NANOSECONDS;
  return Number(seconds * NANOSECONDS > nanoseconds ? seconds - 1n : seconds);
}

const TYPES: Readonly<Record<number, FileType>> = {
  0o140000: 'socket',
  0o120000: 'link',
  0o100000: 'file',
  0o060000: 'block-device',
  0o040000: 'directory',
  0o020000: 'character-device',
  0o010000: 'fifo',
};

/** The type bits of st_mode as a word. */
export function typeOf(stats: BigIntStats): FileType {
  const type = TYPES[Number(stats.mode) & 0o170000];
  if (type === undefined) throw new Error(`unknown file type in mode ${stats.mode.toString(8)}`);
  return type;
}
