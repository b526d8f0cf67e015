/**
 * Many rows in one: SQLite joins each column of a batch with newlines into one BLOB, and this module takes it apart. It is several
 * times faster than fetching values one by one, and lossless. csync2's encoding leaves no newline in any value, so a batch whose
 * columns do not come apart into as many values as it has rows holds damaged ones, and is read row by row instead.
 */

import { hexAt, isEscape, KIND_OF_BYTE } from '../../model/encoding.js';

const NEWLINE = 0x0a;
const PERCENT = 0x25;

/** The SQL of a column of a batch. NULL becomes ''. */
export function packed(column: string): string {
  return `CAST(group_concat(coalesce(${column}, ''), char(10)) AS BLOB)`;
}

/** The stored names of a packed column; undefined when one of them is not encoded as csync2 encodes. */
export function unpackNames(column: Buffer, count: number): string[] | undefined {
  const names: string[] = [];
  let start = 0;
  for (let index = 0; index < column.length; index++) {
    const byte = column[index] ?? 0;
    if (KIND_OF_BYTE[byte] === 0) continue;
    if (byte === NEWLINE) {
      names.push(column.toString('latin1', start, index));
      start = index + 1;
    } else if (byte === PERCENT && isEscape(column, index)) index += 2;
    else return undefined;
  }
  names.push(column.toString('latin1', start));
  return names.length === count ? names : undefined;
}

/** The decoded values of a packed column; undefined when it does not hold `count` of them. Overwrites the column. */
export function unpackDecoded(column: Buffer, count: number): string[] | undefined {
  const values: string[] = [];
  let start = 0;
  let end = 0;
  for (let index = 0; index < column.length; index++) {
    let byte = column[index] ?? 0;
    if (byte === NEWLINE) {
      values.push(column.toString('latin1', start, end));
      start = end;
      continue;
    }
    if (byte === PERCENT) {
      const code = hexAt(column, index + 1);
      // Lower-case or broken escapes are not csync2's: the slow way decodes them as the rest of csx does.
      if (code === undefined) return undefined;
      byte = code;
      index += 2;
    }
    column[end] = byte;
    end += 1;
  }
  values.push(column.toString('latin1', start, end));
  return values.length === count ? values : undefined;
}

/** The values of a packed column as they are; undefined when it does not hold `count` of them. */
export function unpackPlain(column: Buffer, count: number): (string | undefined)[] | undefined {
  if (column.length === count - 1)
    return column.every((byte) => byte === NEWLINE) ? new Array<undefined>(count) : undefined;
  const values: (string | undefined)[] = [];
  let start = 0;
  for (let end = column.indexOf(NEWLINE); end >= 0; end = column.indexOf(NEWLINE, start)) {
    values.push(start === end ? undefined : column.toString('latin1', start, end));
    start = end + 1;
  }
  values.push(start === column.length ? undefined : column.toString('latin1', start));
  return values.length === count ? values : undefined;
}
