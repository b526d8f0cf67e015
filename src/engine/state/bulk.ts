/**
 * put-file, mark and put-baseline, many rows in one statement: an initial scan or transfer brings them by the hundred thousand, and
 * the calls into SQLite cost more than the rows.
 */

import { storedName } from '../../model/encoding.js';
import type { Write } from '../../model/store.js';
import type { Connection } from './connection.js';
import { encodedParam, integer, param } from './text.js';

export type PutFile = Extract<Write, { kind: 'put-file' }>;
export type Mark = Extract<Write, { kind: 'mark' }>;
export type PutBaseline = Extract<Write, { kind: 'put-baseline' }>;

/** A parameter of `param` or `encodedParam`. */
export const TEXT = 'CAST(? AS TEXT)';

/** `count` rows of VALUES. */
export function rowsOf(row: string, count: number): string {
  return new Array<string>(count).fill(row).join(', ');
}

/** SQL by its number of rows, each made once: so long a text takes longer to put together and to look up than its rows to write. */
export function sized(make: (count: number) => string): (count: number) => string {
  const made = new Map<number, string>();
  return (count) => {
    let sql = made.get(count);
    if (sql === undefined) made.set(count, (sql = make(count)));
    return sql;
  };
}

function optional(bytes: string | undefined): string | Buffer | null {
  return bytes === undefined || bytes === '' ? null : encodedParam(bytes);
}

const PUT_FILES = sized(
  (count) =>
    `INSERT INTO file (filename, checktxt) VALUES ${rowsOf(`(${TEXT}, ${TEXT})`, count)}
     ON CONFLICT (filename) DO UPDATE SET checktxt = excluded.checktxt`,
);
const PUT_EXTRAS = sized(
  (count) =>
    `INSERT INTO csx_file (filename, checktxt, stamp, target, digest)
     VALUES ${rowsOf(`(${TEXT}, ${TEXT}, ?, ${TEXT}, ?)`, count)}
     ON CONFLICT (filename) DO UPDATE SET checktxt = excluded.checktxt, stamp = excluded.stamp, target = excluded.target,
       digest = excluded.digest`,
);

/** Upserts: REPLACE, as the table has it, would move each row to the end of the table, away from its neighbours. */
export function putFiles(connection: Connection, rows: readonly PutFile[]): void {
  const file: (string | Buffer)[] = [];
  const extra: (string | Buffer | null)[] = [];
  for (const row of rows) {
    const name = param(storedName(row.file));
    const checktxt = encodedParam(row.checktxt);
    file.push(name, checktxt);
    extra.push(name, checktxt, row.stamp ?? null, optional(row.target), row.digest ?? null);
  }
  // A first scan brings rows by the million before anything is marked.
  if (connection.statement('SELECT EXISTS (SELECT 1 FROM csx_dirty)').pluck().get() === 1)
    untie(connection, file, rows.length);
  connection.statement(PUT_FILES(rows.length)).run(file);
  connection.statement(PUT_EXTRAS(rows.length)).run(extra);
}

const UNTIE = sized(
  (count) =>
    `WITH put (filename, checktxt) AS (VALUES ${rowsOf(`(${TEXT}, ${TEXT})`, count)})
     UPDATE csx_dirty SET checktxt = put.checktxt FROM put WHERE csx_dirty.filename = put.filename
       AND csx_dirty.checktxt IS (SELECT checktxt FROM file WHERE filename = put.filename)`,
);

/** What csx_dirty says of rows that are about to change goes along with them. */
function untie(connection: Connection, file: readonly (string | Buffer)[], count: number): void {
  connection.statement(UNTIE(count)).run(file);
}

/** The check text of the file that row d of dirty is about. */
export const CHECKTXT_OF_D = '(SELECT checktxt FROM file WHERE filename = d.filename)';
/** In an upsert: what the row of csx_dirty says still belongs to the row of dirty. */
export const STILL_TIED = 'csx_dirty.number = excluded.number AND csx_dirty.checktxt IS excluded.checktxt';

const PUT_MARKS = sized(
  (count) =>
    `INSERT INTO dirty (filename, forced, myname, peername)
     VALUES ${rowsOf(`(${TEXT}, CAST(? AS INTEGER), ${TEXT}, ${TEXT})`, count)}
     ON CONFLICT (filename, peername) DO UPDATE
       SET forced = max(coalesce(CAST(forced AS INTEGER), 0), excluded.forced), myname = excluded.myname`,
);
const PUT_SINCE = sized(
  (count) =>
    `WITH marked (filename, peername, since) AS (VALUES ${rowsOf(`(${TEXT}, ${TEXT}, ?)`, count)})
     INSERT INTO csx_dirty (filename, peername, number, checktxt, since)
     SELECT d.filename, d.peername, d.rowid, ${CHECKTXT_OF_D}, m.since FROM marked m
       CROSS JOIN dirty d ON d.filename = +m.filename AND d.peername = +m.peername WHERE true
     ON CONFLICT (filename, peername) DO UPDATE SET number = excluded.number, checktxt = excluded.checktxt,
       since = excluded.since, refused = iif(${STILL_TIED}, refused, NULL),
       foreseen = iif(${STILL_TIED}, foreseen, NULL)`,
);

export function putMarks(connection: Connection, rows: readonly Mark[]): void {
  const dirty: (string | Buffer)[] = [];
  const since: (string | Buffer | bigint)[] = [];
  for (const row of rows) {
    const name = param(storedName(row.file));
    const peer = encodedParam(row.peer);
    dirty.push(name, row.forced ? '1' : '0', encodedParam(row.me), peer);
    since.push(name, peer, integer(row.since));
  }
  connection.statement(PUT_MARKS(rows.length)).run(dirty);
  connection.statement(PUT_SINCE(rows.length)).run(since);
}

const PUT_BASELINES = sized(
  (count) =>
    `INSERT OR REPLACE INTO csx_baseline (peername, filename, checktxt, target, digest, signature, at)
     VALUES ${rowsOf(`(${TEXT}, ${TEXT}, ${TEXT}, ${TEXT}, ?, ?, ?)`, count)}`,
);

export function putBaselines(connection: Connection, rows: readonly PutBaseline[]): void {
  const values = rows.flatMap(({ baseline: { file, peer, checktxt, target, digest, signature, at } }) => [
    encodedParam(peer),
    param(storedName(file)),
    checktxt === undefined ? null : encodedParam(checktxt),
    target === undefined ? null : encodedParam(target),
    digest ?? null,
    signature ?? null,
    integer(at),
  ]);
  connection.statement(PUT_BASELINES(rows.length)).run(values);
}
