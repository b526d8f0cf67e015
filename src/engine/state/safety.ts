/**
 * Refuses databases that somebody else could have planted: root must not follow another user's link, nor open a file beside which
 * another user can put a journal (SQLite would play it back). Promise 16.
 */

import { lstatSync, realpathSync, type Stats } from 'node:fs';
import path from 'node:path';
import { CsxError } from '../../model/errors.js';

/**
 * Checks a database file (which need not exist) and every directory above it, by the name given and by the name it resolves to.
 * Processes of other users than root are not checked: they can reach only what is theirs. Throws FILE_UNSAFE.
 */
export function refuseUnsafe(file: string, user: number | undefined): void {
  if (user !== 0) return;
  checkAncestors(path.dirname(file), file);
  const directory = realpathSync(path.dirname(file));
  checkAncestors(directory, file);
  checkHome(directory, file);
  const standing = lstatSync(file, { throwIfNoEntry: false });
  if (standing === undefined) return;
  if (!isOurs(standing)) throw unsafe(file, file, 'belongs to another user');
  if (standing.isSymbolicLink()) refuseUnsafe(realpathSync(file), user);
  else if (isWritableByOthers(standing)) throw unsafe(file, file, 'can be written by other users');
}

/** No component of the way may be replaced by another user. In a sticky directory only what is ours is safe from that. */
function checkAncestors(directory: string, file: string): void {
  const above = path.dirname(directory);
  if (above !== directory) checkAncestors(above, file);
  const standing = lstatSync(directory);
  if (!isOurs(standing)) throw unsafe(file, directory, 'belongs to another user');
  if (standing.isSymbolicLink()) return;
  const sticky = (standing.mode & 0o1000) !== 0;
  if (isWritableByOthers(standing) && !sticky) throw unsafe(file, directory, 'can be written by other users');
}

/** The directory that holds the file: sticky does not help, for a journal may be planted beside the database. */
function checkHome(directory: string, file: string): void {
  if (isWritableByOthers(lstatSync(directory))) throw unsafe(file, directory, 'can be written by other users');
}

function isOurs(standing: Stats): boolean {
  return standing.uid === 0;
}

function isWritableByOthers(standing: Stats): boolean {
  return (standing.mode & 0o002) !== 0 || ((standing.mode & 0o020) !== 0 && standing.gid !== 0);
}

function unsafe(file: string, culprit: string, why: string): CsxError {
  return new CsxError('FILE_UNSAFE', `The database ${file} is not safe to open as root: ${culprit} ${why}.`, {
    hint: `Make ${culprit} root's and writable by root alone (chown root:root, chmod go-w), or choose another place with -D.`,
    data: { path: file, culprit },
  });
}
