/** SQLite's errors in csx's words: which database, what was attempted, what to do. */

import Database from 'better-sqlite3';
import { CsxError, errnoOf } from '../../model/errors.js';

export type Doing = 'open' | 'read' | 'write';

/** Another process is in the way; the same call may succeed in a moment. */
export function isBusy(error: unknown): boolean {
  return /^SQLITE_(?:BUSY|LOCKED|PROTOCOL)/.test(sqliteCode(error) ?? '');
}

/**
 * The database can be read, but not in place: a journal must be played back, or shared memory made, where this process may not write.
 */
export function needsCopy(error: unknown): boolean {
  return /^SQLITE_(?:READONLY|CANTOPEN)/.test(sqliteCode(error) ?? '');
}

/** The CsxError for whatever a database call threw; a CsxError stays what it is. */
export function stateError(error: unknown, doing: Doing, location: string): CsxError {
  if (error instanceof CsxError) return error;
  const code = sqliteCode(error) ?? errnoOf(error) ?? '';
  const reason = error instanceof Error ? error.message : String(error);
  const details = { data: { path: location, sqlite: code }, cause: error };
  const attempt = `Could not ${doing} the database ${location}`;
  if (/^SQLITE_(?:CORRUPT|NOTADB)/.test(code) || isShapeError(code, reason)) {
    return damaged(reason, code, location, error);
  }
  // SHMSIZE: the shared memory beside the database could not grow, for which there is hardly another reason.
  if (/^SQLITE_FULL|^SQLITE_IOERR_SHMSIZE|^ENOSPC|^EDQUOT/.test(code)) {
    return new CsxError('NO_SPACE', `${attempt}: the disk is full. Nothing of this was recorded.`, {
      ...details,
      hint: 'Make room on that filesystem and run the command again.',
    });
  }
  if (/^SQLITE_READONLY|^EROFS/.test(code)) {
    return new CsxError('STATE_READ_ONLY', `${attempt}: it is read-only (${reason}).`, {
      ...details,
      hint: 'Check the permissions of the file and its directory, and whether the filesystem is mounted read-only.',
    });
  }
  if (doing === 'write' && /^SQLITE_IOERR|^EIO/.test(code)) {
    return new CsxError('WRITE_FAILED', `${attempt}: ${reason}. Nothing of this was recorded.`, {
      ...details,
      hint: 'Look for disk errors (dmesg) before running the command again.',
    });
  }
  if (code === '') {
    return new CsxError('INTERNAL', `${attempt}: ${reason}.`, {
      ...details,
      hint: 'This is a mistake in csx: please report it.',
    });
  }
  return new CsxError('STATE_UNREADABLE', `${attempt}: ${reason}.`, {
    ...details,
    hint: 'Check that the path is right (-D, the database statement) and that this user may read it.',
  });
}

/** STATE_CORRUPT, for a reason that completes `The database is damaged: ...`. */
export function damaged(reason: string, code: string, location: string, cause?: unknown): CsxError {
  return new CsxError('STATE_CORRUPT', `The database ${location} is damaged: ${reason}.`, {
    hint:
      'Stop csx and csync2, move the file away and run "csx scan --init" to record the files as they are;' +
      ' or save what can be saved: sqlite3 FILE .recover | sqlite3 NEW.',
    data: { path: location, sqlite: code },
    cause,
  });
}

/** A table that lacks its columns, or is something else: valid SQLite, but not a database of csync2 or csx. */
function isShapeError(code: string, reason: string): boolean {
  return (
    code === 'SQLITE_ERROR' &&
    /no such column|has no column|no such table|malformed|cannot (?:modify|UPSERT)/.test(reason)
  );
}

function sqliteCode(error: unknown): string | undefined {
  return error instanceof Database.SqliteError ? error.code : undefined;
}
