/**
 * PACK: many new files and directories in one command, and one answer. csx alone; docs/extensions.md has the meaning.
 *
 *   body    = *( entry LF ) LF *BYTE                    ; the contents of the files follow each other
 *   entry   = "f" SP name attributes SP size SP digest / "d" SP name attributes
 *   attributes = SP uid SP gid SP mode SP mtime         ; decimal, or "-": not set
 *   answer  = "OK (data_follows)." LF "octet-stream " N LF *( number SP text LF )
 *
 * Names are URL-encoded; a directory stands before what is in it. `number` counts entries from 0; `text` says why that one was not
 * made. Both directions are bounded and read at once.
 */

import { decodeUrl, encodeUrl } from '../../model/encoding.js';
import type { Digest } from '../../model/entry.js';
import type { FileName } from '../../model/names.js';
import { isCanonical } from '../../model/names.js';
import { MAX_PACK_ENTRIES } from './limits.js';

/** What is to be made. Attributes that are undefined are not set. */
export interface PackedEntry {
  readonly kind: 'file' | 'directory';
  readonly file: FileName;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  /** The whole st_mode. */
  readonly mode: number | undefined;
  /** Whole seconds since 1970. */
  readonly mtime: number | undefined;
  /** Of a file: SHA-256 of its content. */
  readonly digest: Digest | undefined;
  /** Of a directory: empty. */
  readonly content: Buffer;
}

/** The body in pieces. Contents that lie behind each other in memory are one piece, and none is copied. */
export function writePack(entries: readonly PackedEntry[]): readonly Buffer[] {
  const lines = entries.map(({ kind, file, uid, gid, mode, mtime, digest, content }) => {
    const line = `${kind[0] ?? ''} ${encodeUrl(file)} ${word(uid)} ${word(gid)} ${word(mode)} ${word(mtime)}`;
    return kind === 'file' ? `${line} ${String(content.length)} ${digest ?? ''}\n` : `${line}\n`;
  });
  return [Buffer.from(`${lines.join('')}\n`, 'latin1'), ...joined(entries.map(({ content }) => content))];
}

function joined(contents: readonly Buffer[]): readonly Buffer[] {
  const pieces: Buffer[] = [];
  let first: Buffer = EMPTY;
  let length = 0;
  for (const content of contents) {
    if (content.length === 0) continue;
    if (content.buffer !== first.buffer || content.byteOffset !== first.byteOffset + length) {
      if (length > 0) pieces.push(Buffer.from(first.buffer, first.byteOffset, length));
      first = content;
      length = 0;
    }
    length += content.length;
  }
  if (length > 0) pieces.push(Buffer.from(first.buffer, first.byteOffset, length));
  return pieces;
}

const EMPTY: Buffer = Buffer.alloc(0);

function word(value: number | undefined): string {
  return value === undefined ? '-' : String(value);
}

const HEAD_END = Buffer.from('\n\n');
const ENTRY =
  /^(?:(f)|d) ([^ ]+) (-|\d{1,10}) (-|\d{1,10}) (-|\d{1,10}) (-|-?\d{1,16})(?: (\d{1,16}) ([0-9a-f]{64}))?$/;

/** Reads a body; undefined: it is none. The contents are views of it. */
export function parsePack(body: Buffer): readonly PackedEntry[] | undefined {
  const end = body.indexOf(HEAD_END);
  if (end < 0) return undefined;
  const lines = body.toString('latin1', 0, end).split('\n');
  if (lines.length > MAX_PACK_ENTRIES) return undefined;
  const entries: PackedEntry[] = [];
  let offset = end + HEAD_END.length;
  for (const line of lines) {
    const match = ENTRY.exec(line);
    if (match === null) return undefined;
    const [, isFile, name = '', uid, gid, mode, mtime, size, digest] = match;
    const file = decodeUrl(name);
    const length = Number(size ?? 0);
    if (!isCanonical(file) || (isFile === undefined) !== (digest === undefined) || offset + length > body.length)
      return undefined;
    entries.push({
      kind: isFile === undefined ? 'directory' : 'file',
      file: file as FileName,
      uid: number(uid),
      gid: number(gid),
      mode: number(mode),
      mtime: number(mtime),
      digest: digest as Digest | undefined,
      content: body.subarray(offset, offset + length),
    });
    offset += length;
  }
  return offset === body.length ? entries : undefined;
}

function number(text: string | undefined): number | undefined {
  return text === undefined || text === '-' ? undefined : Number(text);
}

/** An entry that was not made, by its number in the pack. */
export interface PackRefusal {
  readonly number: number;
  readonly text: string;
}

/** Longest reason that is told; bytes. */
const LONGEST_REASON = 500;

export function writePackAnswer(refusals: readonly PackRefusal[]): Buffer {
  const lines = refusals.map(({ number, text }) => {
    const reason = text.slice(0, LONGEST_REASON).replace(/[\0\r\n]+/g, ' ');
    return `${String(number)} ${reason === '' ? 'Error' : reason}\n`;
  });
  return Buffer.from(lines.join(''), 'latin1');
}

const REFUSAL = /^(\d{1,9}) (.+)$/s;

/** Why entries of a pack of `count` were not made, by their numbers; undefined: it is no such answer. */
export function parsePackAnswer(bytes: Buffer, count: number): ReadonlyMap<number, string> | undefined {
  const refusals = new Map<number, string>();
  const lines = bytes.toString('latin1').split('\n');
  if (lines.pop() !== '') return undefined;
  for (const line of lines) {
    const match = REFUSAL.exec(line);
    const index = Number(match?.[1]);
    if (match?.[2] === undefined || index >= count) return undefined;
    refusals.set(index, match[2]);
  }
  return refusals;
}
