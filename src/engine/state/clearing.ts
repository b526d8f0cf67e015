/** Dirty rows that go: many in one statement, as bulk.ts puts them. */

import { storedName } from '../../model/encoding.js';
import type { FileName, PeerName } from '../../model/names.js';
import type { Write } from '../../model/store.js';
import { rowsOf, sized, TEXT } from './bulk.js';
import type { Connection } from './connection.js';
import { encodedParam, param } from './text.js';

export interface Clear {
  readonly file: FileName;
  readonly peer: PeerName;
}

export type Settle = Extract<Write, { kind: 'settle' }>;

const CLEARED = ['dirty', 'csx_dirty'].map((table) =>
  sized(
    (count) => `DELETE FROM ${table} WHERE (filename, peername) IN (VALUES ${rowsOf(`(${TEXT}, ${TEXT})`, count)})`,
  ),
);

/** Deletes the rows, whatever they were marked for. */
export function clearDirty(connection: Connection, rows: readonly Clear[]): void {
  const names = rows.flatMap(({ file, peer }) => [param(storedName(file)), encodedParam(peer)]);
  for (const sql of CLEARED) connection.statement(sql(rows.length)).run(names);
}

const SETTLE = sized(
  (count) =>
    `WITH sent (filename, peername, checktxt, stamp) AS (VALUES ${rowsOf(`(${TEXT}, ${TEXT}, ${TEXT}, ${TEXT})`, count)})
     DELETE FROM dirty WHERE rowid IN (
       SELECT d.rowid FROM sent s CROSS JOIN dirty d ON d.filename = +s.filename AND d.peername = +s.peername
         WHERE CASE WHEN s.checktxt IS NULL THEN NOT EXISTS (SELECT 1 FROM file f WHERE f.filename = +s.filename)
           ELSE EXISTS (SELECT 1 FROM file f WHERE f.filename = +s.filename AND f.checktxt = s.checktxt)
             AND NOT EXISTS (SELECT 1 FROM csx_file f
               WHERE f.filename = +s.filename AND f.checktxt = s.checktxt AND f.stamp <> s.stamp) END)`,
);
const SETTLE_BESIDE = sized(
  (count) =>
    `WITH sent (filename, peername) AS (VALUES ${rowsOf(`(${TEXT}, ${TEXT})`, count)})
     DELETE FROM csx_dirty WHERE (filename, peername) IN (
       SELECT s.filename, s.peername FROM sent s WHERE NOT EXISTS
         (SELECT 1 FROM dirty d WHERE d.filename = +s.filename AND d.peername = +s.peername))`,
);

/**
 * A file recorded anew while the old state was on its way keeps its dirty row. With a stamp on both sides that shows even where the
 * check text is the same; without one (csync2 wrote the row, or nobody ever recorded a stamp) the check text decides.
 */
export function settle(connection: Connection, rows: readonly Settle[]): void {
  const names: (string | Buffer)[] = [];
  const values: (string | Buffer | null)[] = [];
  for (const { file, peer, checktxt, stamp } of rows) {
    const name = param(storedName(file));
    const to = encodedParam(peer);
    names.push(name, to);
    values.push(
      name,
      to,
      checktxt === undefined ? null : encodedParam(checktxt),
      stamp === undefined ? null : param(stamp),
    );
  }
  connection.statement(SETTLE(rows.length)).run(values);
  // What csx keeps beside a row goes with it.
  connection.statement(SETTLE_BESIDE(rows.length)).run(names);
}
