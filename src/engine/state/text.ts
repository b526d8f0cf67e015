/**
 * Byte strings in and out of SQLite. TEXT values hold csync2's URL-encoded bytes, which need not be UTF-8, and better-sqlite3 reads
 * TEXT as UTF-8, with loss. So bytes are read as BLOB (`bytesIn`, or packed.ts) and written as `CAST(? AS TEXT)` of a Buffer.
 */

import { encodeUrl } from '../../model/encoding.js';
import { fromBuffer, toBuffer, type Bytes } from '../../model/names.js';

/** Text as SQLite takes it: ASCII, and no zero byte, at which some of its functions stop. */
const PLAIN = /^[\x01-\x7f]*$/;

/** A parameter for `CAST(? AS TEXT)`. */
export function param(bytes: string): string | Buffer {
  return PLAIN.test(bytes) ? bytes : toBuffer(bytes);
}

/** A parameter for `CAST(? AS TEXT)` that holds the bytes in csync2's URL encoding. */
export function encodedParam(bytes: string): string | Buffer {
  return param(encodeUrl(bytes));
}

/** The SQL that reads a column for `bytesOf`: as BLOB, or, which is faster and as good, as TEXT where every byte is ASCII. */
export function bytesIn(column: string): string {
  return `CASE WHEN typeof(${column}) = 'text' AND ${column} NOT GLOB '*[^ -~]*' THEN ${column} ELSE CAST(${column} AS BLOB) END`;
}

/** The bytes of a column read with `bytesIn`; undefined for NULL. */
export function bytesOf(value: unknown): Bytes | undefined {
  if (typeof value === 'string') return value as Bytes;
  return value instanceof Uint8Array ? fromBuffer(value) : undefined;
}

/** The number of a column; undefined for NULL and for what is no number. */
export function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** The text of a column that csx wrote as text. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** better-sqlite3 stores a JavaScript number as a floating-point value, which csync2's columns would keep. */
export function integer(value: number): bigint {
  return BigInt(Math.trunc(value));
}
