/** System errors of the disk as CsxErrors: what was attempted on which path, what the system said, what to do next. */

import { getSystemErrorMap } from 'node:util';
import { CsxError, errnoOf } from '../../model/errors.js';
import type { ErrorCode } from '../../model/errors.js';
import { display } from '../../model/names.js';
import { strerror } from '../wire/strerror.js';

/** A failed read of `path`. CsxErrors pass unchanged. */
export function readFailure(error: unknown, path: string): CsxError {
  return failure(error, 'READ_FAILED', `Cannot read ${display(path)}`, path);
}

/** A failed change of `path`: NO_SPACE when the disk or a quota is full, otherwise WRITE_FAILED. CsxErrors pass unchanged. */
export function writeFailure(error: unknown, path: string): CsxError {
  const full = isFull(error);
  return failure(error, full ? 'NO_SPACE' : 'WRITE_FAILED', `Cannot write ${display(path)}`, path);
}

/** Whether the error says that the disk or a quota is full. */
export function isFull(error: unknown): boolean {
  const errno = errnoOf(error);
  return errno === 'ENOSPC' || errno === 'EDQUOT';
}

const HINTS: Readonly<Record<string, string>> = {
  EACCES: 'Run csx as a user who may, usually root.',
  EPERM: 'Run csx as root; where it is, look for an immutable file (lsattr).',
  ENOSPC: 'Make room on that file system; what is there is unchanged. Then run the same command again.',
  EDQUOT: 'Raise the quota or make room; what is there is unchanged. Then run the same command again.',
  EROFS: 'The file system is read-only: mount it writable.',
  EIO: 'The disk reports an error: look at the kernel log (dmesg).',
  ENOTEMPTY: 'Remove what is in the directory, or synchronise it too.',
  EMFILE: 'Raise the limit of open files (ulimit -n).',
};

function failure(error: unknown, code: ErrorCode, attempt: string, path: string): CsxError {
  if (error instanceof CsxError) return error;
  const errno = errnoOf(error);
  const why = errno === undefined ? String(error) : `${describeErrno(errno)} (${errno})`;
  return new CsxError(code, `${attempt}: ${why}.`, {
    hint: HINTS[errno ?? ''] ?? 'Look at the path and its directory, then run the same command again.',
    data: { path: display(path), errno },
    cause: error,
  });
}

function describeErrno(errno: string): string {
  for (const [name, message] of getSystemErrorMap().values()) if (name === errno) return message;
  return /^E[A-Z]+$/.test(errno) ? strerror(errno) : errno;
}
