/**
 * The digest of csync2's signature of a file that arrives in chunks; the signature itself is never held. Where parts of the file are
 * known to be blocks of another one whose signature is there, their sums are taken from that instead of being made again.
 */

import { createHash } from 'node:crypto';
import type { SignatureDigest } from '../../model/entry.js';
import { BLOCK_LENGTH, SIGNATURE_MAGIC, STRONG_LENGTH } from './format.js';
import { SignatureBuilder } from './signature.js';
import type { Signature } from './signature.js';

export class SignatureDigester {
  readonly #builder = new SignatureBuilder();
  readonly #hash = createHash('sha256');
  /** The sums of the other file's blocks. */
  readonly #sums: Uint8Array | undefined;
  #length = 0;
  #since = 0;
  #digest: SignatureDigest | undefined;

  /** `other`: of the file that `copied` speaks of. Of use only when it is of the kind that is made here. */
  constructor(other?: Signature) {
    if (other !== undefined && isOwnKind(other)) this.#sums = other.sums;
  }

  update(chunk: Uint8Array): void {
    this.#builder.update(chunk);
    this.#count(chunk.length);
  }

  /** The same for bytes that are those of the other file from `start` on. */
  copied(chunk: Uint8Array, start: number): void {
    const sums = this.#sums;
    const head = Math.min(chunk.length, -this.#length & (BLOCK_LENGTH - 1));
    const blocks = Math.floor((chunk.length - head) / BLOCK_LENGTH);
    const first = (start + head) / BLOCK_LENGTH;
    // Blocks of both files must lie alike.
    if (sums === undefined || blocks === 0 || !Number.isInteger(first)) {
      this.update(chunk);
      return;
    }
    if (head > 0) this.update(chunk.subarray(0, head));
    this.#builder.append(sums.subarray(first * SUM_LENGTH, (first + blocks) * SUM_LENGTH));
    this.#count(blocks * BLOCK_LENGTH);
    const rest = head + blocks * BLOCK_LENGTH;
    if (rest < chunk.length) this.update(chunk.subarray(rest));
  }

  finish(): SignatureDigest {
    return (this.#digest ??= this.#hash.update(this.#builder.finish()).digest('hex') as SignatureDigest);
  }

  #count(bytes: number): void {
    this.#length += bytes;
    this.#since += bytes;
    if (this.#since < DIGESTED) return;
    this.#since = 0;
    this.#hash.update(this.#builder.take());
  }
}

const SUM_LENGTH = 4 + STRONG_LENGTH;

/** Bytes of a file whose sums are collected before they are hashed. */
const DIGESTED = 1024 * 1024;

function isOwnKind({ kind, blockLength, strongLength }: Signature): boolean {
  return kind.magic === SIGNATURE_MAGIC && blockLength === BLOCK_LENGTH && strongLength === STRONG_LENGTH;
}
