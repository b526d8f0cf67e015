/**
 * Cuts a listing (the lines with which LIST tells it, in the order of their names) into blocks, each with a digest, so that two hosts find
 * out with few bytes where their listings differ (DIGEST, docs/extensions.md).
 *
 *   line   = check-text HT stored-name LF          the check text in csync2's encoding
 *
 * A block ends behind a name whose hash says so, one in 512: both sides cut at the same names, whatever else one of them has. The last
 * block ends with the listing. The digest is SHA-256 over the lines, its first 16 bytes.
 */

import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import { encodeUrl, isEscape, KIND_OF_BYTE } from '../../model/encoding.js';
import { CsxError } from '../../model/errors.js';
import type { StoredName } from '../../model/names.js';
import type { Block, ListedRow, Shown } from '../../model/store.js';

/** Bits of a name's hash that are zero where a block ends. */
const ENDS = 511;
const DIGITS = 32;

const [TAB, LINE_FEED, PERCENT, DOT, SLASH, V] = [0x09, 0x0a, 0x25, 0x2e, 0x2f, 0x76];

/** FNV-1a, 32 bits. */
const [BASIS, PRIME] = [0x811c9dc5, 0x01000193];

export class BlockMaker {
  readonly #shown: Shown;
  #hash: Hash | undefined;
  #last = '' as StoredName;
  /** The directory of the last name, with its slash; the hash of its name, and what is shown of it. */
  #directory = new Uint8Array();
  #directoryHash = BASIS;
  #every: boolean | undefined;

  constructor(shown: Shown) {
    this.#shown = shown;
  }

  /** Takes rows in order, shown or not; gives the blocks that end among them. */
  add(rows: readonly ListedRow[]): Block[] {
    const lines = rows.map(({ stored, checktxt }) => `${encodeUrl(checktxt)}\t${stored}\n`).join('');
    const blocks = this.addLines(Buffer.from(lines, 'latin1'), rows.length);
    if (blocks === undefined) throw new CsxError('INTERNAL', 'A listing holds a name that is not encoded.');
    return blocks;
  }

  /**
   * The same from the lines of rows. Undefined, and nothing is taken, where they are not `count` lines with names in
   * csync2's encoding: then a value is damaged.
   */
  addLines(lines: Buffer, count: number): Block[] | undefined {
    const cuts = this.#cuts(lines, count);
    if (cuts === undefined) return undefined;
    const blocks: Block[] = [];
    for (const { start, end, last, ends } of cuts) {
      this.#hash ??= createHash('sha256');
      this.#hash.update(lines.subarray(start, end));
      this.#last = last;
      if (ends) blocks.push(...this.end());
    }
    return blocks;
  }

  /** The block that is left at the end; none when the last one ended there. */
  end(): Block[] {
    if (this.#hash === undefined) return [];
    const digest = this.#hash.digest('hex').slice(0, DIGITS);
    this.#hash = undefined;
    return [{ last: this.#last, digest }];
  }

  /** The parts of the lines that are shown, each within one block. One pass over the names, byte by byte; check texts are skipped. */
  #cuts(lines: Buffer, count: number): Cut[] | undefined {
    const cuts: Cut[] = [];
    let start = 0;
    let lastName = 0;
    let found = 0;
    for (let line = 0; line < lines.length; found++) {
      const name = lines.indexOf(TAB, line) + 1;
      const end = lines.indexOf(LINE_FEED, line);
      if (name === 0 || end <= name) return undefined;
      // Neighbours lie in the same directory nearly always: what is known of it is not looked at again.
      const known = isAt(lines, name, this.#directory) ? this.#directory.length : 0;
      let hash = known > 0 ? this.#directoryHash : BASIS;
      let base = name + known;
      let baseHash = hash;
      for (let index = base; index < end; index++) {
        const byte = lines[index] ?? 0;
        if (KIND_OF_BYTE[byte] !== 0 && !(byte === PERCENT && isEscape(lines, index))) return undefined;
        hash = Math.imul(hash ^ byte, PRIME);
        if (byte !== SLASH) continue;
        base = index + 1;
        baseHash = hash;
      }
      if (base - name !== known) this.#enter(lines, name, base, baseHash);
      if (this.#isShown(lines, line, name, base, end)) {
        lastName = name;
        if (((hash ^ (hash >>> 16)) & ENDS) === 0) {
          cuts.push({ start, end: end + 1, last: nameAt(lines, name), ends: true });
          start = end + 1;
        }
      } else {
        if (start < line) cuts.push({ start, end: line, last: nameAt(lines, lastName), ends: false });
        start = end + 1;
      }
      line = end + 1;
    }
    if (start < lines.length) cuts.push({ start, end: lines.length, last: nameAt(lines, lastName), ends: false });
    return found === count ? cuts : undefined;
  }

  #isShown(lines: Buffer, line: number, name: number, base: number, end: number): boolean {
    if (this.#shown.versioned && lines[line] !== V) return false;
    if (this.#every !== undefined && base > name && lines[base] !== DOT) return this.#every;
    return this.#shown.file(lines.toString('latin1', name, end) as StoredName);
  }

  #enter(lines: Buffer, name: number, base: number, hash: number): void {
    this.#directory = Uint8Array.prototype.slice.call(lines, name, base);
    this.#directoryHash = hash;
    this.#every = base === name ? undefined : this.#shown.directory(lines.toString('latin1', name, base) as StoredName);
  }
}

/** Lines that follow each other, up to and without `end`. */
interface Cut {
  readonly start: number;
  readonly end: number;
  readonly last: StoredName;
  /** A block ends with them. */
  readonly ends: boolean;
}

function nameAt(lines: Buffer, start: number): StoredName {
  return lines.toString('latin1', start, lines.indexOf(LINE_FEED, start)) as StoredName;
}

/** Whether these bytes stand at `start`; quicker for a few than a call that leaves JavaScript. The last ones differ most often. */
function isAt(lines: Buffer, start: number, bytes: Uint8Array): boolean {
  for (let index = bytes.length - 1; index >= 0; index--) {
    if (lines[start + index] !== bytes[index]) return false;
  }
  return true;
}
