/**
 * Finds the blocks of one signature in a file that arrives in chunks. The work is done in WebAssembly (assembly/search.ts); this
 * lays out its memory, feeds it and tells where in the file the matches lie.
 *
 * Memory of one instance: matches | filter | table | sums | data. It is bounded by the signature and the block length, never by
 * the file.
 */

import { aligned, createKernel } from './kernel.js';
import type { Kernel } from './kernel.js';
import type { Signature } from './signature.js';

/** Most blocks that are looked for: 64 GiB of csync2's. What lies behind them in the old file is sent anew. */
export const MAX_SEARCHED_BLOCKS = 2 ** 25;

/** The `length` bytes at `offset` of the new file are those at `start` of the old one. */
export type OnMatch = (offset: number, start: number, length: number) => void;

/** All of the new file, in order: bytes that are those of the old one from `start` on, or are not there. A view, good until this returns. */
export type OnContent = (bytes: Uint8Array, start: number | undefined) => void;

export interface SearchOptions {
  readonly onContent?: OnContent | undefined;
  /** For tests: an instance that nobody else uses. */
  readonly kernel?: Kernel;
}

/** Bytes of new file that are searched by one call. */
const DATA = 256 * 1024;
/** Bytes for the matches of one call, 12 each. */
const MATCHES = 16 * 1024;
/** Blocks that are indexed by one call. */
const INDEXED = 16 * 1024;
/** Instances with more memory than this are not kept for another search. */
const KEPT = 16 * 1024 * 1024;
/** Instances that wait for another search: making one costs more than searching a small file. */
const idle: Kernel[] = [];
const MAX_IDLE = 4;

export class BlockSearch {
  readonly #kernel: Kernel;
  readonly #blockLength: number;
  readonly #onMatch: OnMatch;
  readonly #onContent: OnContent | undefined;
  readonly #matches: number;
  readonly #data: number;
  readonly #dataEnd: number;
  /** Addresses: the data that is not decided yet is from #from to #end. */
  #from: number;
  #end: number;
  /** Address up to which the content was told. */
  #told: number;
  /** Add to an address for the offset in the file. */
  #shift: number;
  #finished = false;

  /** The signature must have blocks. */
  constructor(signature: Signature, onMatch: OnMatch, options: SearchOptions = {}) {
    const { kind, blockLength, strongLength } = signature;
    const kernel = options.kernel ?? idle.pop() ?? createKernel();
    this.#onMatch = onMatch;
    this.#onContent = options.onContent;
    this.#blockLength = blockLength;
    this.#kernel = kernel;

    const blockCount = Math.min(signature.blockCount, MAX_SEARCHED_BLOCKS);
    const sumsLength = blockCount * (4 + strongLength);
    // A word of the filter for two blocks or less, two places of the table for a block or more.
    const bits = Math.max(6, Math.ceil(Math.log2(blockCount)));
    const [filterBits, tableBits] = [bits - 1, bits + 1];
    this.#matches = aligned(kernel.exports.freeFrom() >>> 0);
    const filter = this.#matches + MATCHES;
    const table = filter + 4 * 2 ** filterBits;
    const sums = table + 8 * 2 ** tableBits;
    this.#data = aligned(sums + sumsLength);
    this.#dataEnd = this.#data + Math.max(DATA, 2 * blockLength + PADDING);
    kernel.reserve(this.#dataEnd);
    kernel.memory().set(signature.sums.subarray(0, sumsLength), sums);
    kernel.exports.prepare(
      kind.weak === 'rollsum' ? 0 : 1,
      kind.strong === 'md4' ? 0 : 1,
      blockLength,
      strongLength,
      blockCount,
      sums,
      filter,
      filterBits,
      table,
      tableBits,
    );
    for (let block = 0; block < blockCount; block += INDEXED) {
      kernel.exports.index(block, Math.min(block + INDEXED, blockCount));
    }
    this.#from = this.#data;
    this.#end = this.#data;
    this.#told = this.#data;
    this.#shift = -this.#data;
  }

  update(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length;) {
      if (this.#end === this.#dataEnd) this.#makeRoom();
      const take = Math.min(this.#dataEnd - this.#end, chunk.length - at);
      this.#kernel.memory().set(chunk.subarray(at, at + take), this.#end);
      this.#end += take;
      at += take;
    }
  }

  finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#search(true);
    this.#tell(this.#kernel.memory(), this.#end, undefined);
    if (idle.length < MAX_IDLE && this.#kernel.memory().length <= KEPT) idle.push(this.#kernel);
  }

  /** Searches what is there and moves the undecided rest, less than a block as a rule, to the front. */
  #makeRoom(): void {
    this.#search(false);
    this.#kernel.memory().copyWithin(this.#data, this.#from, this.#end);
    const moved = this.#from - this.#data;
    this.#from -= moved;
    this.#end -= moved;
    this.#told -= moved;
    this.#shift += moved;
  }

  #search(final: boolean): void {
    const { exports } = this.#kernel;
    for (let more = 1; more !== 0;) {
      more = exports.search(this.#from, this.#end, final, this.#matches, this.#matches + MATCHES);
      this.#from = exports.position() >>> 0;
      const memory = this.#kernel.memory();
      const end = this.#matches + 12 * exports.matches();
      for (let at = this.#matches; at < end; at += 12) {
        const address = memory.readUInt32LE(at);
        const start = memory.readUInt32LE(at + 4) * this.#blockLength;
        const length = memory.readUInt32LE(at + 8);
        this.#onMatch(address + this.#shift, start, length);
        this.#tell(memory, address, undefined);
        this.#tell(memory, address + length, start);
      }
      this.#tell(memory, this.#from, undefined);
    }
  }

  /** Tells the content from where the last call ended up to `end`. */
  #tell(memory: Buffer, end: number, start: number | undefined): void {
    if (this.#told === end) return;
    this.#onContent?.(memory.subarray(this.#told, end), start);
    this.#told = end;
  }
}

/** Room beside two blocks, so that moving the rest to the front is rare. */
const PADDING = 64 * 1024;
