/**
 * Counted bodies, in both directions: `octet-stream N LF` and exactly N bytes. `octet-stream -1` stands for content that could
 * not be read, `ERROR` (client to daemon only) for a delta that could not be made.
 */

import { MAX_DIGITS } from './limits.js';

const HEADER = new RegExp(`^octet-stream (-1|[0-9]{1,${MAX_DIGITS}})$`);

/** Writes the line before a body of so many bytes; undefined: there is none. */
export function writeBodyHeader(length: number | undefined): Buffer {
  return Buffer.from(`octet-stream ${length === undefined ? '-1' : String(length)}\n`, 'latin1');
}

/** What a client sends instead of a delta that it cannot make. */
export function writeBodyRefusal(): Buffer {
  return Buffer.from('ERROR\n', 'latin1');
}

/** Reads such a line: the length, `none` for -1, undefined when it is no header or announces more than `limit`. */
export function parseBodyHeader(line: string, limit: number): number | 'none' | undefined {
  const match = HEADER.exec(line);
  if (match?.[1] === undefined) return undefined;
  const length = Number(match[1]);
  if (length < 0) return 'none';
  return length <= limit ? length : undefined;
}
