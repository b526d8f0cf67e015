/**
 * Makes librsync deltas, in two passes over the new file: the wire wants a delta's length before its body, and neither the file nor
 * the delta need fit in memory. Pass 1 (`DeltaPlanner`) finds what the other side has, as a compact list; `deltaLength` says how
 * long the delta is; pass 2 (`encodeDelta`) yields it, naming the parts of the file that go in between. Format: format.ts.
 *
 * The file must not change between the passes: who reads it checks its stamp.
 */

import { CsxError } from '../../model/errors.js';
import {
  DELTA_MAGIC,
  DELTA_MAGIC_LENGTH,
  OP_COPY,
  OP_END,
  OP_LITERAL,
  OP_LITERAL_SHORT_MAX,
  operandWidth,
  widthIndex,
} from './format.js';
import { BlockSearch } from './search.js';
import type { OnContent, OnMatch } from './search.js';
import type { Signature } from './signature.js';

export type DeltaOp =
  /** `length` bytes of the old file from `start` on. */
  | { readonly kind: 'copy'; readonly start: number; readonly length: number }
  /** `length` bytes of the new file from `offset` on. */
  | { readonly kind: 'literal'; readonly offset: number; readonly length: number };

export type DeltaSegment =
  | { readonly kind: 'bytes'; readonly bytes: Buffer }
  /** Here go `length` bytes of the new file from `offset` on. */
  | { readonly kind: 'literal'; readonly offset: number; readonly length: number };

/**
 * Blocks shorter than this, or strong sums, are not looked for: copying them would save next to nothing, and sums so short do
 * not prove that two blocks are equal.
 */
const MIN_BLOCK_LENGTH = 64;
const MIN_STRONG_LENGTH = 8;

/** Most copies in a delta; what comes after is sent as it is. Bounds the list at 96 MB. */
const MAX_COPIES = 2 ** 22;

/** Pass 1: `update` with the new file in chunks of any size, then `finish`. */
export class DeltaPlanner {
  readonly #ops = new OpList();
  readonly #search: BlockSearch | undefined;
  readonly #onContent: OnContent | undefined;
  #newLength = 0;
  #finished = false;

  /** `onContent`: told all that `update` is given, and what of it was found; by the end of `finish` all of it. */
  constructor(signature: Signature, onContent?: OnContent) {
    this.#onContent = onContent;
    const { blockCount, blockLength, strongLength } = signature;
    // Nothing there (absent, empty), or nothing worth looking for: all of the file is one literal.
    if (blockCount === 0 || blockLength < MIN_BLOCK_LENGTH || strongLength < MIN_STRONG_LENGTH) return;
    const onMatch: OnMatch = (offset, start, length) => {
      this.#ops.copy(offset, start, length);
    };
    this.#search = new BlockSearch(signature, onMatch, { onContent });
  }

  /** False when nothing can be found: `update` only counts then, and one call of `skip` does as well. */
  get searches(): boolean {
    return this.#search !== undefined;
  }

  update(chunk: Uint8Array): void {
    if (this.#finished) throw new CsxError('INTERNAL', 'Data was added to a delta that is planned.');
    this.#newLength += chunk.length;
    if (this.#search !== undefined && !this.#ops.full) this.#search.update(chunk);
    else {
      // What waits to be searched comes first.
      this.#search?.finish();
      this.#onContent?.(chunk, undefined);
    }
  }

  /** Counts `length` bytes of the file without reading them. Only where `searches` is false. */
  skip(length: number): void {
    if (this.#search !== undefined) throw new CsxError('INTERNAL', 'A part of a file was left out of a delta.');
    this.#newLength += length;
  }

  finish(): DeltaOps {
    if (!this.#finished) this.#search?.finish();
    this.#finished = true;
    return this.#ops.finish(this.#newLength);
  }
}

/** What a delta is made of, in order. Iterate for its operations: copies and literals, neither empty nor next to their like. */
export interface DeltaOps extends Iterable<DeltaOp> {
  /** Size of the new file, bytes. */
  readonly newLength: number;
  /** Bytes of it that are sent, not copied. */
  readonly literalLength: number;
}

/** The exact length in bytes of the delta that `encodeDelta` makes of `ops`. */
export function deltaLength(ops: DeltaOps): number {
  let length = DELTA_MAGIC_LENGTH + 1;
  for (const op of ops) {
    if (op.kind === 'copy') length += 1 + operandWidth(op.start) + operandWidth(op.length);
    else length += (op.length <= OP_LITERAL_SHORT_MAX ? 1 : 1 + operandWidth(op.length)) + op.length;
  }
  return length;
}

/** Pass 2: the delta's bytes in order, with the places where parts of the new file go. */
export function* encodeDelta(ops: DeltaOps): Generator<DeltaSegment, void, undefined> {
  let buffer = Buffer.allocUnsafe(SEGMENT);
  let held = buffer.writeUInt32BE(DELTA_MAGIC);
  for (const op of ops) {
    if (held + MAX_COMMAND > buffer.length) {
      if (held > 0) yield { kind: 'bytes', bytes: buffer.subarray(0, held) };
      buffer = Buffer.allocUnsafe(SEGMENT);
      held = 0;
    }
    if (op.kind === 'copy') {
      held = writeCopy(buffer, held, op.start, op.length);
      continue;
    }
    held = writeLiteralHead(buffer, held, op.length);
    yield { kind: 'bytes', bytes: buffer.subarray(0, held) };
    yield op;
    // What was yielded may still be on its way out: go on behind it.
    buffer = buffer.subarray(held);
    held = 0;
  }
  held = buffer.writeUInt8(OP_END, held);
  yield { kind: 'bytes', bytes: buffer.subarray(0, held) };
}

/** The delta as one buffer, for a new file that is in memory. */
export function deltaOf(ops: DeltaOps, content: Uint8Array): Buffer {
  const delta = Buffer.allocUnsafe(deltaLength(ops));
  let at = 0;
  for (const segment of encodeDelta(ops)) {
    const bytes =
      segment.kind === 'bytes' ? segment.bytes : content.subarray(segment.offset, segment.offset + segment.length);
    delta.set(bytes, at);
    at += bytes.length;
  }
  return delta;
}

/** Bytes that are handed out at once at most; and a command's longest head, with the END that may follow it. */
const SEGMENT = 4096;
const MAX_COMMAND = 18;

function writeCopy(buffer: Buffer, at: number, start: number, length: number): number {
  const startWidth = operandWidth(start);
  const lengthWidth = operandWidth(length);
  buffer[at] = OP_COPY + 4 * widthIndex(startWidth) + widthIndex(lengthWidth);
  return writeOperand(buffer, writeOperand(buffer, at + 1, start, startWidth), length, lengthWidth);
}

function writeLiteralHead(buffer: Buffer, at: number, length: number): number {
  if (length <= OP_LITERAL_SHORT_MAX) return buffer.writeUInt8(length, at);
  const width = operandWidth(length);
  buffer[at] = OP_LITERAL + widthIndex(width);
  return writeOperand(buffer, at + 1, length, width);
}

function writeOperand(buffer: Buffer, at: number, value: number, width: 1 | 2 | 4 | 8): number {
  return width === 8 ? buffer.writeBigUInt64BE(BigInt(value), at) : buffer.writeUIntBE(value, at, width);
}

/** The copies of a delta, three numbers each: offset in the new file, start in the old one, length. Literals are the gaps. */
class OpList {
  #copies = new Float64Array(0);
  #count = 0;
  #copied = 0;

  get full(): boolean {
    return this.#count === MAX_COPIES;
  }

  copy(offset: number, start: number, length: number): void {
    const last = 3 * (this.#count - 1);
    const copies = this.#copies;
    if (last >= 0) {
      const lastLength = copies[last + 2] ?? 0;
      if ((copies[last] ?? 0) + lastLength === offset && (copies[last + 1] ?? 0) + lastLength === start) {
        copies[last + 2] = lastLength + length;
        this.#copied += length;
        return;
      }
    }
    if (this.full) return;
    if (last + 6 > copies.length) {
      this.#copies = new Float64Array(Math.max(3 * 64, 2 * copies.length));
      this.#copies.set(copies);
    }
    this.#copies.set([offset, start, length], last + 3);
    this.#count += 1;
    this.#copied += length;
  }

  finish(newLength: number): DeltaOps {
    const copies = this.#copies;
    const end = 3 * this.#count;
    return {
      newLength,
      literalLength: newLength - this.#copied,
      *[Symbol.iterator]() {
        let position = 0;
        for (let at = 0; at < end; at += 3) {
          const offset = copies[at] ?? 0;
          const start = copies[at + 1] ?? 0;
          const length = copies[at + 2] ?? 0;
          if (offset > position) yield { kind: 'literal', offset: position, length: offset - position };
          yield { kind: 'copy', start, length };
          position = offset + length;
        }
        if (newLength > position) yield { kind: 'literal', offset: position, length: newLength - position };
      },
    };
  }
}
