/**
 * Operator files (promise 16): a root process believes a configuration or key only if nobody but root can have written it.
 *
 * Every directory on the way and the file itself must belong to root (or to the user the process runs as) and be writable by
 * nobody else. A link is followed, and the way to its target held to the same rule. A sticky directory such as /tmp
 * may be open to all: there nobody can replace what is not theirs.
 */

import { lstatSync, readlinkSync } from 'node:fs';
import type { Stats } from 'node:fs';
import path from 'node:path';
import { CsxError, errnoOf } from '../model/errors.js';
import type { SourceRange } from '../model/errors.js';
import { display, fromBuffer, toBuffer } from '../model/names.js';

const LINKS = 40;

/**
 * Fails with FILE_UNSAFE when `uid` is root and another user could have written or replaced the file.
 * A missing file is no failure: opening it tells. `what` names it in the message ("key file").
 */
export function requireOperatorFile(file: string, uid: number, what: string, range?: SourceRange): void {
  if (uid !== 0) return;
  let links = LINKS;
  let rest = path.posix.resolve('/', file).split('/').slice(1);
  let at = '/';
  for (;;) {
    const stat = statOrUndefined(at);
    if (stat === undefined) return;
    const next = rest[0];
    if (stat.isSymbolicLink()) {
      links -= 1;
      if (links < 0) return;
      const target = fromBuffer(readlinkSync(toBuffer(at), { encoding: 'buffer' }));
      rest = [...path.posix.resolve(path.posix.dirname(at), target).split('/').slice(1), ...rest];
      at = '/';
      continue;
    }
    const trouble = troubleWith(stat, next === undefined);
    if (trouble !== undefined) {
      throw new CsxError('FILE_UNSAFE', `The ${what} ${display(file)} is not safe: ${display(at)} ${trouble.what}.`, {
        range,
        hint: `csx runs as root and would trust what another user can change. Close it: ${trouble.cure} ${display(at)}`,
        data: { path: display(file) },
      });
    }
    if (next === undefined) return;
    rest = rest.slice(1);
    at = path.posix.join(at, next);
  }
}

function troubleWith(stat: Stats, last: boolean): { readonly what: string; readonly cure: string } | undefined {
  if (stat.uid !== 0) return { what: `belongs to the user ${stat.uid}`, cure: 'chown root' };
  const sticky = !last && (stat.mode & 0o1000) !== 0;
  if (sticky) return undefined;
  if ((stat.mode & 0o002) !== 0) return { what: 'can be written by every user', cure: 'chmod o-w' };
  if ((stat.mode & 0o020) !== 0 && stat.gid !== 0) {
    return { what: `can be written by the group ${stat.gid}`, cure: 'chmod g-w' };
  }
  return undefined;
}

function statOrUndefined(file: string): Stats | undefined {
  try {
    return lstatSync(toBuffer(file));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}
