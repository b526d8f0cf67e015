/** What stands at a path: the attributes csync2 compares, and the ones csx adds to notice more. */

import type { Bytes } from './names.js';

export type FileType = 'file' | 'directory' | 'link' | 'fifo' | 'character-device' | 'block-device' | 'socket';

/** The state of one path, as lstat(2) sees it or as a check text tells it. */
export interface Entry {
  readonly type: FileType;
  /** The whole st_mode, type bits included. Undefined where `ignore mod` leaves it out. */
  readonly mode: number | undefined;
  /** Undefined where `ignore uid` leaves it out. */
  readonly uid: number | undefined;
  /** Undefined where `ignore gid` leaves it out. */
  readonly gid: number | undefined;
  /** Whole seconds since 1970; undefined for links and directories, whose times csync2 does not keep. */
  readonly mtime: number | undefined;
  /** Bytes; regular files only. */
  readonly size: number | undefined;
  /** Where a link points; links only. `''` may stand for "not told": csync2 does so below a prefix. */
  readonly target: Bytes | undefined;
  /** st_rdev; devices only. */
  readonly device: number | undefined;
}

/**
 * What identifies one state of one inode on this host: nanosecond mtime and ctime, and inode number, as one opaque
 * string. Equal stamps: nothing was written since. Meaningless on any other host.
 */
export type Stamp = string & { readonly stamp: unique symbol };

const numbers = new BigInt64Array(3);
const numberBytes = Buffer.from(numbers.buffer);
const TYPE_BITS = 0o170000;
const DIRECTORY_BITS = 0o040000;

/**
 * The stamp of what lstat or fstat saw (`bigint: true`). Of a directory only the inode counts: its times change with every name
 * in it, which is no change of the directory itself (its mode and owner are in the check text).
 *
 * The numbers' bytes in base64: a scan makes one stamp for every file, and printing three bigints takes 1.1 us, this 0.06.
 */
export function stampOf(stats: {
  readonly mode: bigint;
  readonly ino: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
}): Stamp {
  const directory = (Number(stats.mode) & TYPE_BITS) === DIRECTORY_BITS;
  numbers[0] = stats.ino;
  numbers[1] = directory ? 0n : stats.mtimeNs;
  numbers[2] = directory ? 0n : stats.ctimeNs;
  return numberBytes.toString('base64') as Stamp;
}

/** SHA-256 of a regular file's content, lower-case hex. */
export type Digest = string & { readonly digest: unique symbol };

/** SHA-256 of the librsync signature csync2 makes of a file, lower-case hex: all a csync2 peer shows of its content. */
export type SignatureDigest = string & { readonly signatureDigest: unique symbol };

/** Which attributes the configuration's `ignore` statement leaves out of comparison and transfer. */
export interface Ignore {
  readonly uid: boolean;
  readonly gid: boolean;
  readonly mod: boolean;
}
