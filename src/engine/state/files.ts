/**
 * Reads the `file` table in order, in batches, joined with csx_file. Both tables are read packed (packed.ts) over the same range of
 * names; where the two agree byte for byte, as they do when csx wrote last, nothing is compared row by row.
 */

import type { CheckText } from '../../model/checktxt.js';
import { decodeUrl } from '../../model/encoding.js';
import type { Digest, Stamp } from '../../model/entry.js';
import { fromBuffer, type Bytes, type StoredName } from '../../model/names.js';
import type { FileRow } from '../../model/store.js';
import type { Connection } from './connection.js';
import { isEncoded, type Damage } from './damage.js';
import { packed, unpackDecoded, unpackNames, unpackPlain } from './packed.js';
import type { Range } from './ranges.js';
import { bytesIn, bytesOf, param, textOf } from './text.js';

/** Rows of one batch. Larger ones are no faster, and cost memory. */
const BATCH = 500;

/** Told when csx_file has rows for files that csync2 has forgotten; false: what csx keeps beside the rows is not wanted. */
type Beside = (() => void) | false;

/** The rows in the ranges. Run it within one read transaction to see one moment. */
export function* fileBatches(
  connection: Connection,
  ranges: readonly Range[],
  damage: Damage,
  beside: Beside,
): Generator<FileRow[]> {
  if (!connection.has('file')) return;
  tellUnnamed(connection, damage);
  for (const range of ranges) yield* batchesOf(connection, range, damage, beside);
}

/** The rows of the files named. */
export function fileRows(connection: Connection, stored: readonly StoredName[]): Map<StoredName, FileRow> {
  const rows = new Map<StoredName, FileRow>();
  if (!connection.has('file')) return rows;
  const text = connection.statement(`SELECT ${bytesIn('checktxt')} FROM file WHERE filename = CAST(? AS TEXT)`).pluck();
  const hasExtras = connection.has('csx_file');
  for (const name of stored) {
    const value = text.get(param(name));
    if (value === undefined) continue;
    const plain = bytesOf(value) ?? '';
    const extra = hasExtras ? extrasBetween(connection, name, name, undefined).get(name) : undefined;
    rows.set(name, rowOf(name, decodeUrl(plain), extra?.checktxt === plain ? extra : undefined));
  }
  return rows;
}

/** How many rows the ranges hold, damaged ones included. */
export function countFiles(connection: Connection, ranges: readonly Range[]): number {
  if (!connection.has('file')) return 0;
  const count = connection.statement(`SELECT count(*) FROM file WHERE ${FROM_LOW} AND ${BELOW_HIGH}`).pluck();
  return ranges.reduce((sum, { low, high }) => sum + Number(count.get({ low: param(low), high: highParam(high) })), 0);
}

// Text sorts before every BLOB: x'' ends it. Numbers and NULL sort before '' and are never in a range.
const BELOW_HIGH = "filename < iif(@high IS NULL, x'', CAST(@high AS TEXT))";
export const FROM_LOW = 'filename >= CAST(@low AS TEXT)';
export const AFTER_LOW = 'filename > CAST(@low AS TEXT)';

function batch(from: string): string {
  return `SELECT filename, checktxt FROM file WHERE ${from} AND ${BELOW_HIGH} ORDER BY filename LIMIT ${String(BATCH)}`;
}

function packedBatch(from: string): string {
  return `SELECT count(*), ${packed('filename')}, ${packed('checktxt')} FROM (${batch(from)})`;
}

function plainBatch(from: string): string {
  return `SELECT CAST(filename AS BLOB), CAST(checktxt AS BLOB) FROM (${batch(from)})`;
}

function highParam(high: string | undefined): string | Buffer | null {
  return high === undefined ? null : param(high);
}

function* batchesOf(
  connection: Connection,
  { low, high }: Range,
  damage: Damage,
  beside: Beside,
): Generator<FileRow[]> {
  let from = FROM_LOW;
  for (let after = low; ; from = AFTER_LOW) {
    const parameters = { low: param(after), high: highParam(high) };
    const [count, names, texts] = connection.statement(packedBatch(from)).raw().get(parameters) as PackedFiles;
    if (count === 0) return;
    const rows = unpackRows(connection, count, names, texts, beside);
    if (rows === undefined) {
      const read = plainRows(connection, from, parameters, damage);
      if (read.rows.length > 0) yield read.rows;
      after = read.last;
    } else {
      after = rows.at(-1)?.stored ?? after;
      yield rows;
    }
    if (count < BATCH) return;
  }
}

type PackedFiles = readonly [count: number, names: Buffer, texts: Buffer];
type PackedExtras = readonly [
  count: number,
  names: Buffer | null,
  texts: Buffer | null,
  stamps: Buffer | null,
  targets: Buffer | null,
  digests: Buffer | null,
];

/** What csx keeps of a file, with the check text it belongs to (encoded). */
interface Extra {
  readonly checktxt: string;
  readonly stamp: Stamp | undefined;
  readonly target: Bytes | undefined;
  readonly digest: Digest | undefined;
}

/** The fast way; undefined when a value is damaged. */
function unpackRows(
  connection: Connection,
  count: number,
  names: Buffer,
  texts: Buffer,
  beside: Beside,
): FileRow[] | undefined {
  const stored = unpackNames(names, count);
  const first = stored?.[0];
  const last = stored?.[count - 1];
  if (stored === undefined || first === undefined || last === undefined) return undefined;
  const columns =
    beside !== false && connection.has('csx_file') ? packedExtras(connection, first, last, count) : undefined;
  const [extras, extraNames, extraTexts, stamps, targets, digests] = columns ?? [0];
  const rows: FileRow[] = [];
  if (extras === count && extraNames?.equals(names) === true && extraTexts?.equals(texts) === true) {
    const stamp = unpackPlain(stamps ?? NOTHING, count);
    const target = unpackPlain(targets ?? NOTHING, count);
    const digest = unpackPlain(digests ?? NOTHING, count);
    const checktxt = unpackDecoded(texts, count);
    if (checktxt === undefined || stamp === undefined || target === undefined || digest === undefined) return undefined;
    for (const [index, name] of stored.entries()) {
      const to = target[index];
      rows.push({
        stored: name as StoredName,
        checktxt: (checktxt[index] ?? '') as CheckText,
        stamp: stamp[index] as Stamp | undefined,
        target: to === undefined ? undefined : (decodeUrl(to) as Bytes),
        digest: digest[index] as Digest | undefined,
      });
    }
    return rows;
  }
  const plain = extras === 0 ? undefined : unpackPlain(texts, count);
  const found = extras === 0 ? undefined : extrasBetween(connection, first, last, new Set(stored), beside || undefined);
  const checktxt = unpackDecoded(texts, count);
  if (checktxt === undefined) return undefined;
  for (const [index, name] of stored.entries()) {
    const extra = found?.get(name);
    rows.push(rowOf(name, checktxt[index] ?? '', extra?.checktxt === (plain?.[index] ?? '') ? extra : undefined));
  }
  return rows;
}

const NOTHING = Buffer.alloc(0);

/** The slow way, for a batch with damaged values. `last` is the last key read, skipped or not. */
export function plainRows(
  connection: Connection,
  from: string,
  parameters: { readonly low: string | Buffer; readonly high: string | Buffer | null },
  damage: Damage,
): { readonly rows: FileRow[]; readonly last: string } {
  const read = connection.statement(plainBatch(from)).raw().all(parameters) as [Buffer, Buffer | null][];
  const pairs = read.map(([name, text]) => [fromBuffer(name), bytesOf(text) ?? ''] as const);
  const first = pairs[0]?.[0] ?? '';
  const last = pairs.at(-1)?.[0] ?? '';
  const names = new Set<string>(pairs.map(([name]) => name));
  const extras = connection.has('csx_file') ? extrasBetween(connection, first, last, names) : undefined;
  const rows: FileRow[] = [];
  for (const [name, text] of pairs) {
    const extra = extras?.get(name);
    if (isEncoded(name)) rows.push(rowOf(name, decodeUrl(text), extra?.checktxt === text ? extra : undefined));
    else damage.row('file', name, 'its file name is none that csync2 or csx writes');
  }
  return { rows, last };
}

function rowOf(stored: string, checktxt: string, extra: Extra | undefined): FileRow {
  return {
    stored: stored as StoredName,
    checktxt: checktxt as CheckText,
    stamp: extra?.stamp,
    target: extra?.target,
    digest: extra?.digest,
  };
}

const BETWEEN =
  'FROM csx_file WHERE filename >= CAST(@low AS TEXT) AND filename <= CAST(@high AS TEXT) ORDER BY filename';
const EXTRA_COLUMNS = ['filename', 'checktxt', 'stamp', 'target', 'digest'];
const PACKED_EXTRAS = `SELECT count(*), ${EXTRA_COLUMNS.map(packed).join(', ')}
  FROM (SELECT ${EXTRA_COLUMNS.join(', ')} ${BETWEEN} LIMIT @limit)`;
const PLAIN_EXTRAS = `SELECT ${bytesIn('filename')}, ${bytesIn('checktxt')}, stamp, ${bytesIn('target')}, digest ${BETWEEN}`;

/** At most one more than `count`, so that a surplus shows. */
function packedExtras(connection: Connection, first: string, last: string, count: number): PackedExtras {
  return connection
    .statement(PACKED_EXTRAS)
    .raw()
    .get({ low: param(first), high: param(last), limit: count + 1 }) as PackedExtras;
}

/** By stored name, those of `wanted` only (csync2 leaves rows of csx_file behind whose file it has forgotten). */
function extrasBetween(
  connection: Connection,
  first: string,
  last: string,
  wanted: ReadonlySet<string> | undefined,
  onOrphan: () => void = () => undefined,
): ReadonlyMap<string, Extra> {
  const extras = new Map<string, Extra>();
  for (const row of connection
    .statement(PLAIN_EXTRAS)
    .raw()
    .iterate({ low: param(first), high: param(last) })) {
    const [key, checktxt, stamp, target, digest] = row as readonly unknown[];
    const name = bytesOf(key) ?? '';
    if (wanted?.has(name) === false) {
      onOrphan();
      continue;
    }
    const to = bytesOf(target);
    extras.set(name, {
      checktxt: bytesOf(checktxt) ?? '',
      stamp: textOf(stamp) as Stamp | undefined,
      target: to === undefined || to === '' ? undefined : (decodeUrl(to) as Bytes),
      digest: textOf(digest) as Digest | undefined,
    });
  }
  return extras;
}

/** Rows whose file name is NULL, a number or a BLOB lie outside of every range. */
export function tellUnnamed(connection: Connection, damage: Damage): void {
  const outside = connection.statement(
    "SELECT 1 FROM file WHERE filename IS NULL UNION ALL SELECT 1 FROM file WHERE filename < '' UNION ALL SELECT 1 FROM file WHERE filename >= x'' LIMIT 1",
  );
  if (outside.get() !== undefined) damage.row('file', undefined, 'its file name is NULL, a number or a BLOB');
}
