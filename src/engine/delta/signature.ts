/**
 * librsync signatures: one weak and one strong sum for each block of a file. Makes csync2's kind, reads all four.
 *
 * Signatures are compared byte for byte by csync2, so those made here are exactly what csync2 (and
 * `rdiff -H md4 -R rollsum -b 2048 -S 16 signature`) makes. Format: format.ts.
 */

import { hash } from 'node:crypto';
import type { SignatureDigest } from '../../model/entry.js';
import { CsxError } from '../../model/errors.js';
import { BLOCK_LENGTH, SIGNATURE_HEADER_LENGTH, SIGNATURE_KINDS, SIGNATURE_MAGIC, STRONG_LENGTH } from './format.js';
import type { SignatureKind } from './format.js';
import { blockSummer } from './kernel.js';

/** What csync2 sends for a file that does not exist. Note the strong length of 8: an empty file has 16. */
export const ABSENT_SIGNATURE: Buffer = header(BLOCK_LENGTH, 8);

/** The signature of an empty file. */
export const EMPTY_SIGNATURE: Buffer = header(BLOCK_LENGTH, STRONG_LENGTH);

/** Longest signature that is accepted: 1 GiB, which is a file of 107 GB in csync2's blocks. */
export const MAX_SIGNATURE_LENGTH = 2 ** 30;

/** Longest block that is accepted: two of them are held in memory while a delta is made. */
export const MAX_BLOCK_LENGTH = 2 ** 24;

/** A signature that was read and found well-formed. */
export interface Signature {
  readonly kind: SignatureKind;
  /** Bytes; the file's last block may be shorter. */
  readonly blockLength: number;
  /** Bytes of the strong sum that are there. */
  readonly strongLength: number;
  readonly blockCount: number;
  /** The sums: for each block the weak sum (u32, big-endian) and the strong sum. A view of the bytes that were parsed. */
  readonly sums: Uint8Array;
}

export interface SignatureOptions {
  /** Bytes a block; csync2's 2,048 unless told. */
  readonly blockLength?: number;
  /** Bytes of MD4 kept for each block, 1 to 16; csync2's 16 unless told. */
  readonly strongLength?: number;
  /** Bytes of the whole file, where all of its signature is to be held at once: memory for it is taken at the beginning. */
  readonly fileSize?: number;
}

/** The length in bytes of csync2's signature of a file of `fileSize` bytes. */
export function signatureLength(fileSize: number): number {
  return SIGNATURE_HEADER_LENGTH + Math.ceil(fileSize / BLOCK_LENGTH) * (4 + STRONG_LENGTH);
}

/** What csx keeps of a signature: all a csync2 peer shows of a file's content. */
export function signatureDigest(bytes: Uint8Array): SignatureDigest {
  return hash('sha256', bytes, 'hex') as SignatureDigest;
}

/** csync2's signature of a content that is there as a whole. */
export function signatureOfWhole(content: Uint8Array): Buffer {
  if (content.length === 0) return EMPTY_SIGNATURE;
  return Buffer.concat([EMPTY_SIGNATURE, blockSummer().sumBlocks([content], BLOCK_LENGTH, STRONG_LENGTH)]);
}

/**
 * Makes the signature of a file that arrives in chunks of any size. `finish` returns all of it, or, where `take` was called
 * on the way (files too large to hold their signature), the rest.
 */
export class SignatureBuilder {
  readonly #blockLength: number;
  readonly #strongLength: number;
  /** Bytes that wait for a whole group of blocks; the first `#held` count. */
  #pending: Buffer = Buffer.alloc(0);
  #held = 0;
  /** What is ready: the first `#filled` bytes. */
  #ready: Buffer;
  #filled: number;
  #finished = false;

  constructor(options: SignatureOptions = {}) {
    const { blockLength = BLOCK_LENGTH, strongLength = STRONG_LENGTH, fileSize = 0 } = options;
    if (!isWhole(blockLength, MAX_BLOCK_LENGTH) || !isWhole(strongLength, STRONG_LENGTH)) {
      throw invalid(`Cannot make a signature with blocks of ${blockLength} and strong sums of ${strongLength} bytes`);
    }
    this.#blockLength = blockLength;
    this.#strongLength = strongLength;
    const head = header(blockLength, strongLength);
    this.#filled = head.length;
    const sums = Math.ceil(fileSize / blockLength) * (4 + strongLength);
    this.#ready = sums === 0 ? head : Buffer.concat([head], head.length + sums);
  }

  update(chunk: Uint8Array): void {
    if (this.#finished) throw new CsxError('INTERNAL', 'Data was added to a signature that is finished.');
    // Blocks are summed several at a time (the kernel is faster so), hence in groups.
    const group = this.#blockLength * Math.max(1, Math.floor(GROUP / this.#blockLength));
    const total = this.#held + chunk.length;
    if (total < group) {
      this.#hold(chunk);
      return;
    }
    const rest = total % group;
    this.#sum(chunk.subarray(0, chunk.length - rest));
    this.#hold(chunk.subarray(chunk.length - rest));
  }

  /** Adds whole blocks by their sums, as a signature of the same kind has them, where all blocks before are whole. */
  append(sums: Uint8Array): void {
    if (this.#held % this.#blockLength !== 0)
      throw new CsxError('INTERNAL', 'Sums were added to a signature within a block.');
    this.#sum(new Uint8Array(0));
    this.#add(sums);
  }

  /** The bytes that are ready. Together with what `finish` returns they are the signature. */
  take(): Buffer {
    const ready = this.#ready.subarray(0, this.#filled);
    this.#ready = EMPTY;
    this.#filled = 0;
    return ready;
  }

  finish(): Buffer {
    if (!this.#finished) this.#sum(new Uint8Array(0));
    this.#finished = true;
    return this.take();
  }

  /** Sums what is held and `chunk` after it; a short block at the end is the file's last. */
  #sum(chunk: Uint8Array): void {
    if (this.#held + chunk.length === 0) return;
    const held = this.#pending.subarray(0, this.#held);
    this.#held = 0;
    this.#add(blockSummer().sumBlocks([held, chunk], this.#blockLength, this.#strongLength));
  }

  #add(sums: Uint8Array): void {
    const filled = this.#filled + sums.length;
    if (filled > this.#ready.length) {
      const larger = Buffer.allocUnsafe(Math.max(filled, 2 * this.#ready.length));
      larger.set(this.#ready.subarray(0, this.#filled));
      this.#ready = larger;
    }
    this.#ready.set(sums, this.#filled);
    this.#filled = filled;
  }

  #hold(chunk: Uint8Array): void {
    const total = this.#held + chunk.length;
    if (total > this.#pending.length) {
      const larger = Buffer.allocUnsafe(Math.max(total, 2 * this.#pending.length));
      larger.set(this.#pending.subarray(0, this.#held));
      this.#pending = larger;
    }
    this.#pending.set(chunk, this.#held);
    this.#held = total;
  }
}

const EMPTY = Buffer.alloc(0);

/** Bytes that are summed at once. */
const GROUP = 32 * 1024;

/**
 * Reads a signature of any of the four kinds.
 *
 * @throws CsxError SIGNATURE_INVALID when it is none, or beyond the bounds.
 */
export function parseSignature(bytes: Uint8Array): Signature {
  if (bytes.length < SIGNATURE_HEADER_LENGTH) {
    throw invalid(`A signature of ${bytes.length} bytes is too short: the header alone has 12`);
  }
  if (bytes.length > MAX_SIGNATURE_LENGTH) {
    throw invalid(`A signature of ${bytes.length} bytes is too long: csx accepts ${MAX_SIGNATURE_LENGTH}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = view.getUint32(0);
  const kind = SIGNATURE_KINDS.find((candidate) => candidate.magic === magic);
  if (kind === undefined) throw invalid(`A signature starts with 0x${magic.toString(16)}, which is no known kind`);
  const blockLength = view.getUint32(4);
  if (!isWhole(blockLength, MAX_BLOCK_LENGTH)) throw invalid(`A signature has blocks of ${blockLength} bytes`);
  const strongLength = view.getUint32(8);
  if (!isWhole(strongLength, kind.strongLength)) {
    throw invalid(`A signature has strong sums of ${strongLength} bytes, ${kind.strong} has ${kind.strongLength}`);
  }
  const sums = bytes.subarray(SIGNATURE_HEADER_LENGTH);
  const blockCount = sums.length / (4 + strongLength);
  if (!Number.isInteger(blockCount)) throw invalid('A signature ends within a block');
  return { kind, blockLength, strongLength, blockCount, sums };
}

function header(blockLength: number, strongLength: number): Buffer {
  const bytes = Buffer.alloc(SIGNATURE_HEADER_LENGTH);
  bytes.writeUInt32BE(SIGNATURE_MAGIC, 0);
  bytes.writeUInt32BE(blockLength, 4);
  bytes.writeUInt32BE(strongLength, 8);
  return bytes;
}

function isWhole(value: number, max: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= max;
}

function invalid(what: string): CsxError {
  return new CsxError('SIGNATURE_INVALID', `${what}.`, {
    hint: 'The peer sent it: check that its csync2 or csx is intact, then try again.',
  });
}
