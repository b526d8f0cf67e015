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

/** The stamp of what lstat or fstat saw (`bigint: true`). */
export function stampOf(stats: { readonly ino: bigint; readonly mtimeNs: bigint; readonly ctimeNs: bigint }): Stamp {
  return `${String(stats.ino)}:${String(stats.mtimeNs)}:${String(stats.ctimeNs)}` as Stamp;
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
