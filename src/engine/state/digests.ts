/**
 * The listing as digests of its blocks. SQLite writes the lines of many rows as one BLOB, which is hashed as it is: no row becomes a string
 * or an object of JavaScript. Where a value is damaged the batch is read row by row instead (files.ts).
 */

import type { Block, Shown } from '../../model/store.js';
import { BlockMaker } from '../wire/block-maker.js';
import type { Connection } from './connection.js';
import type { Damage } from './damage.js';
import { AFTER_LOW, FROM_LOW, plainRows, tellUnnamed } from './files.js';
import { param } from './text.js';

/** Rows of one batch. Larger ones are no faster. */
const BATCH = 2000;

/** Run it within one read transaction to see one moment. */
export function* digestBatches(connection: Connection, shown: Shown, damage: Damage): Generator<Block[]> {
  if (!connection.has('file')) return;
  tellUnnamed(connection, damage);
  const maker = new BlockMaker(shown);
  let from = FROM_LOW;
  for (let after = ''; ; from = AFTER_LOW) {
    const [count, lines] = connection
      .statement(linesBatch(from))
      .raw()
      .get({ low: param(after) }) as Lines;
    if (lines === null) break;
    const blocks = maker.addLines(lines, count);
    if (blocks === undefined) {
      const read = plainRows(connection, from, { low: param(after), high: null }, damage);
      yield maker.add(read.rows);
      after = read.last;
    } else {
      yield blocks;
      if (count < BATCH) break;
      after = lastName(lines);
    }
  }
  yield maker.end();
}

type Lines = readonly [count: number, lines: Buffer | null];

/** The lines with which LIST tells the rows, NULL where there are none. */
function linesBatch(from: string): string {
  return `SELECT count(*), CAST(group_concat(coalesce(checktxt, '') || x'09' || filename || x'0a', '') AS BLOB)
    FROM (SELECT filename, checktxt FROM file WHERE ${from} AND filename < x'' ORDER BY filename LIMIT ${String(BATCH)})`;
}

function lastName(lines: Buffer): string {
  return lines.toString('latin1', lines.lastIndexOf('\t') + 1, lines.length - 1);
}
