/**
 * Where the database of a host lies: the value of `-D` or of the `database` statement, read as csync2 2.0 reads it.
 *
 *   (nothing), '', sqlite3://   /var/lib/csync2/HOST.db3, or HOST_CONFIG.db3 with a configuration name
 *   DIRECTORY                   HOST.db3 in it; csync2 takes every absolute path for a directory
 *   sqlite3://PATH              PATH (three slashes make it absolute), or HOST.db3 in PATH when that is a directory
 *   FILE                        that file; relative ones as csync2 does, absolute ones where csync2 would only fail
 *   pgsql://, mysql://          not supported
 */

import { statSync } from 'node:fs';
import path from 'node:path';
import { CsxError } from '../../model/errors.js';

const DEFAULT_DIRECTORY = '/var/lib/csync2';

export interface Place {
  /** `-D`, or the `database` statement; undefined: neither. */
  readonly database?: string | undefined;
  /** Lower case. */
  readonly host: string;
  readonly configName?: string | undefined;
}

/** The absolute path of the database file. Throws STATE_UNSUPPORTED, or USAGE for names that are no file names. */
export function databasePath(place: Place): string {
  const file = fileFor(place);
  const written = place.database ?? '';
  const url = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/(.*)$/s.exec(written);
  const scheme = url?.[1];
  if (scheme !== undefined && scheme !== 'sqlite' && scheme !== 'sqlite3') throw unsupported(scheme, written);
  const named = url?.[2] ?? written;
  if (named === '') return path.join(DEFAULT_DIRECTORY, file);
  const absolute = path.resolve(named);
  const standing = statSync(absolute, { throwIfNoEntry: false });
  if (standing?.isDirectory() === true || named.endsWith('/')) return path.join(absolute, file);
  if (standing !== undefined || scheme !== undefined || !named.startsWith('/')) return absolute;
  return /\.(?:db3?|sqlite3?)$/.test(named) ? absolute : path.join(absolute, file);
}

function fileFor({ host, configName }: Place): string {
  const name = configName === undefined || configName === '' ? host : `${host}_${configName}`;
  if (host === '' || /[/\0]/.test(name)) {
    throw new CsxError('USAGE', `The database of host "${host}" cannot be named: "${name}.db3" is not a file name.`, {
      hint: 'Give host and configuration names without slashes.',
    });
  }
  return `${name}.db3`;
}

function unsupported(scheme: string, written: string): CsxError {
  const location = withoutPassword(written);
  const known = /^(?:pgsql|postgres|postgresql|mysql)$/i.test(scheme);
  return new CsxError(
    'STATE_UNSUPPORTED',
    known
      ? `The database ${location} is a server's; csx keeps its state in SQLite only.`
      : `The database ${location} has a scheme that neither csync2 nor csx knows.`,
    {
      hint:
        'Name a directory or sqlite3:///DIRECTORY/FILE.db3 with -D or in the database statement, then run' +
        ' "csx scan --init" to record the files as they are.',
      data: { database: location },
    },
  );
}

/** The text with the passwords of URLs in it blotted out. */
export function withoutPassword(text: string): string {
  return text.replace(/(\w+:\/\/[^/\s:@]*):[^/\s]*@/g, '$1:***@');
}
