/** The system calls of a scan on byte paths: lstat, readlink, and the words of their errors. Links are never followed. */

import fs from 'node:fs';
import { errnoOf } from '../../model/errors.js';
import { isAscii, toBuffer } from '../../model/names.js';
import type { Bytes } from '../../model/names.js';

const LSTAT = { bigint: true, throwIfNoEntry: false } as const;

/** lstat(2) of a byte path; undefined when nothing is there (ENOENT, ENOTDIR). Throws on every other trouble. */
export function lstat(disk: string, ascii = isAscii(disk)): fs.BigIntStats | undefined {
  try {
    return fs.lstatSync(ascii ? disk : toBuffer(disk), LSTAT);
  } catch (error) {
    // A parent that is no directory (any more). Node forgives ENOENT only.
    if (errnoOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

/** Where a link points; undefined when it is gone or no link any more. */
export function readTarget(disk: string): Bytes | undefined {
  try {
    return fs.readlinkSync(isAscii(disk) ? disk : toBuffer(disk), 'latin1') as Bytes;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT' || errno === 'ENOTDIR' || errno === 'EINVAL') return undefined;
    throw error;
  }
}

/** What went wrong, as the system says it: `EACCES: permission denied`. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message.replace(/, \w+(?: '[^]*)?$/, '');
}
