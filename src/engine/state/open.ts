/** Opens the state of a host: finds the database, refuses one that is not safe or not usable, and hands out the Store. */

import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import { CsxError, errnoOf, type Problem } from '../../model/errors.js';
import { fromText } from '../../model/names.js';
import type { Store } from '../../model/store.js';
import { checkOperatorFile } from '../../operator/operator-file.js';
import { databasePath } from './location.js';
import { SqliteStore } from './store.js';
import { damaged, stateError } from './trouble.js';

export interface StoreOptions {
  /** The value of `-D` or of the `database` statement. Undefined: HOST.db3 in /var/lib/csync2. */
  readonly database?: string | undefined;
  /** This host's name, lower case. */
  readonly host: string;
  /** The name given with `-C`; the database is then HOST_CONFIG.db3. */
  readonly configName?: string | undefined;
  /** `read` changes nothing on disk: not the database, whose bytes stay as they are, and makes none where there is none. */
  readonly access: 'read' | 'write';
  /** Seconds to wait for other processes. */
  readonly lockTimeout: number;
  /** Unix milliseconds. */
  readonly now?: () => number;
  /** Told of rows that are damaged and therefore skipped, each once. */
  readonly onProblem?: (problem: Problem) => void;
}

/** Bytes: one page of the smallest size. */
const SMALLEST = 512;

/**
 * A database that does not exist yet reads as an empty one; the first write makes it. The caller closes the store.
 *
 * Errors: USAGE, STATE_UNSUPPORTED (a server's database), FILE_UNSAFE, STATE_UNREADABLE (also: no such directory), STATE_READ_ONLY,
 * STATE_CORRUPT, STATE_TOO_NEW, STATE_LOCKED.
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const location = databasePath(options);
  checkDirectory(location);
  // SQLite plays back a journal that lies beside the database, whoever put it there.
  checkOperatorFile(fromText(location), { what: 'database', home: true, elsewhere: 'Choose another place with -D' });
  checkFile(location, options.access);
  const store = new SqliteStore({
    location,
    access: options.access,
    lockTimeout: options.lockTimeout,
    now: options.now ?? Date.now,
    report: options.onProblem ?? (() => undefined),
  });
  try {
    await store.open();
    return store;
  } catch (error) {
    await store.close();
    throw error;
  }
}

function checkDirectory(location: string): void {
  const directory = path.dirname(location);
  let isDirectory: boolean;
  try {
    isDirectory = statSync(realpathSync(directory)).isDirectory();
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw stateError(error, 'open', location);
    isDirectory = false;
  }
  if (isDirectory) return;
  throw new CsxError(
    'STATE_UNREADABLE',
    `Could not open the database ${location}: there is no directory ${directory}.`,
    {
      hint: `Make it (mkdir -p ${directory}), or name another with -D or the database statement.`,
      data: { path: location, directory },
    },
  );
}

function checkFile(location: string, access: 'read' | 'write'): void {
  let isFile: boolean | undefined;
  let size = 0;
  try {
    const standing = statSync(location, { throwIfNoEntry: false });
    isFile = standing?.isFile();
    size = standing?.size ?? 0;
    if (isFile === true) accessSync(location, constants.R_OK);
  } catch (error) {
    throw stateError(error, 'open', location);
  }
  if (isFile === false) {
    throw new CsxError('STATE_UNREADABLE', `Could not open the database ${location}: it is not a regular file.`, {
      hint: 'Name a database file, or a directory that holds HOST.db3, with -D or the database statement.',
      data: { path: location },
    });
  }
  // SQLite takes what is left of a header for an empty database, and would start over in it.
  if (size > 0 && size < SMALLEST) {
    throw damaged(`it holds ${String(size)} bytes, less than any database`, 'SQLITE_NOTADB', location);
  }
  if (access === 'read') return;
  for (const written of isFile === true ? [location, path.dirname(location)] : [path.dirname(location)]) {
    try {
      accessSync(written, constants.W_OK);
    } catch (error) {
      throw new CsxError(
        'STATE_READ_ONLY',
        `Could not open the database ${location} for writing: ${written} is not writable.`,
        {
          hint: 'Run csx as the user that owns it (root, as a rule), and check that the filesystem is not mounted read-only.',
          data: { path: location, culprit: written, errno: errnoOf(error) },
          cause: error,
        },
      );
    }
  }
}
