/** The text a client is answered with when something went wrong: the system's own words, as csync2's daemon says them. */

import { CsxError, errnoOf } from '../../model/errors.js';
import { strerror } from '../wire/strerror.js';

/** One line, without newline. Never a path outside the request, never a key. */
export function answerText(error: unknown): string {
  if (error instanceof CsxError) {
    const errno = error.data['errno'];
    if (error.code === 'PATH_UNSAFE') return strerror('ENOTDIR');
    return typeof errno === 'string' ? strerror(aliasOf(errno)) : error.message;
  }
  const errno = errnoOf(error);
  return errno === undefined || !/^E[A-Z0-9]+$/.test(errno) ? strerror('EIO') : strerror(aliasOf(errno));
}

/** Linux has one number for both; Node names it the other way than glibc's table does. */
function aliasOf(errno: string): string {
  return errno === 'ENOTSUP' ? 'EOPNOTSUPP' : errno;
}
