/**
 * Reads a librsync delta as it arrives and yields what to do: copy a range of the old file, or append these bytes.
 *
 * Everything is checked here, so that a delta from a peer can neither reach outside the old file nor grow the new one
 * beyond a bound; carrying the commands out is the caller's. Nothing is collected: literal data is passed through in the pieces it
 * comes in, and between two chunks at most one command's head (17 bytes) is kept. Format: format.ts.
 */

import { CsxError } from '../../model/errors.js';
import {
  DELTA_MAGIC,
  DELTA_MAGIC_LENGTH,
  OP_COPY,
  OP_END,
  OP_LITERAL,
  OP_LITERAL_SHORT_MAX,
  OP_RESERVED,
} from './format.js';

export type DeltaCommand =
  /** Append `length` bytes of the old file from `start` on; the range lies within it. */
  | { readonly kind: 'copy'; readonly start: number; readonly length: number }
  /** Append these bytes: a view of the chunk, good until the chunk is reused. Never empty. */
  | { readonly kind: 'literal'; readonly bytes: Uint8Array };

export interface DeltaParserOptions {
  /** Size of the old file in bytes; 0 when there is none. */
  readonly oldSize: number;
  /** Most bytes the new file may have; as many as a number can count unless told. */
  readonly maxOutput?: number;
}

type State = 'magic' | 'opcode' | 'operands' | 'literal' | 'ended' | 'failed';

/**
 * The receiver of a delta, a state machine. Feed it with `push`, carry out every command it yields, call `end` after the last
 * chunk; only when that returns was the delta whole. All errors are CsxError DELTA_INVALID, and the first one is final.
 */
export class DeltaParser {
  readonly #oldSize: number;
  readonly #maxOutput: number;
  #state: State = 'magic';
  #opcode = 0;
  /** The head of a command (or the magic) as far as it has come, and how long it is. */
  readonly #head = Buffer.alloc(16);
  #headHeld = 0;
  #headLength = DELTA_MAGIC_LENGTH;
  /** Bytes of the current literal that are still to come. */
  #literalLeft = 0;
  #output = 0;
  #draining = false;

  constructor(options: DeltaParserOptions) {
    this.#oldSize = options.oldSize;
    this.#maxOutput = options.maxOutput ?? Number.MAX_SAFE_INTEGER;
  }

  /** Bytes of the new file so far. */
  get outputLength(): number {
    return this.#output;
  }

  /** Whether END has come: nothing may follow. */
  get ended(): boolean {
    return this.#state === 'ended';
  }

  /** Yields the commands of one more chunk. Read them all before the next call. */
  *push(chunk: Uint8Array): Generator<DeltaCommand, void, undefined> {
    if (this.#draining) throw new CsxError('INTERNAL', 'A chunk of a delta was left before its commands were read.');
    this.#draining = true;
    let at = 0;
    while (at < chunk.length) {
      switch (this.#state) {
        case 'opcode':
          this.#startCommand(chunk[at] ?? 0);
          at += 1;
          break;
        case 'magic':
        case 'operands': {
          const take = Math.min(this.#headLength - this.#headHeld, chunk.length - at);
          this.#head.set(chunk.subarray(at, at + take), this.#headHeld);
          this.#headHeld += take;
          at += take;
          if (this.#headHeld < this.#headLength) break;
          const copy = this.#finishHead();
          if (copy !== undefined) yield copy;
          break;
        }
        case 'literal': {
          const take = Math.min(this.#literalLeft, chunk.length - at);
          this.#literalLeft -= take;
          if (this.#literalLeft === 0) this.#state = 'opcode';
          const bytes = chunk.subarray(at, at + take);
          at += take;
          yield { kind: 'literal', bytes };
          break;
        }
        case 'ended':
          throw this.#fail('it goes on after its end');
        case 'failed':
          throw this.#fail('it was found damaged before');
      }
    }
    this.#draining = false;
  }

  /** To be called when nothing more will come. */
  end(): void {
    if (this.#state !== 'ended') throw this.#fail('it stops before its end');
  }

  #startCommand(opcode: number): void {
    this.#opcode = opcode;
    if (opcode === OP_END) {
      this.#state = 'ended';
    } else if (opcode <= OP_LITERAL_SHORT_MAX) {
      this.#startLiteral(opcode);
    } else if (opcode < OP_RESERVED) {
      const copy = opcode - OP_COPY;
      this.#headLength = copy < 0 ? 1 << (opcode - OP_LITERAL) : (1 << (copy >> 2)) + (1 << (copy & 3));
      this.#headHeld = 0;
      this.#state = 'operands';
    } else {
      throw this.#fail(`0x${opcode.toString(16)} is no command`);
    }
  }

  /** The magic or a command's operands are complete. */
  #finishHead(): DeltaCommand | undefined {
    if (this.#state === 'magic') {
      if (this.#head.readUInt32BE(0) !== DELTA_MAGIC) throw this.#fail('it does not start as one');
      this.#state = 'opcode';
      return undefined;
    }
    if (this.#opcode < OP_COPY) {
      this.#startLiteral(this.#operand(0, this.#headLength));
      return undefined;
    }
    const startWidth = 1 << ((this.#opcode - OP_COPY) >> 2);
    const start = this.#operand(0, startWidth);
    const length = this.#operand(startWidth, this.#headLength - startWidth);
    if (length === 0) throw this.#fail('it copies nothing');
    if (length > this.#oldSize - start) {
      throw this.#fail(`it copies ${length} bytes from ${start} on, and the old file has ${this.#oldSize}`);
    }
    this.#grow(length);
    this.#state = 'opcode';
    return { kind: 'copy', start, length };
  }

  #startLiteral(length: number): void {
    if (length === 0) throw this.#fail('it has a literal without bytes');
    this.#grow(length);
    this.#literalLeft = length;
    this.#state = 'literal';
  }

  #grow(length: number): void {
    if (length > this.#maxOutput - this.#output) {
      throw this.#fail(`it makes a file of over ${this.#maxOutput} bytes`);
    }
    this.#output += length;
  }

  #operand(offset: number, width: number): number {
    if (width < 8) return this.#head.readUIntBE(offset, width);
    const value = this.#head.readBigUInt64BE(offset);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw this.#fail(`it names a length or position of ${String(value)}`);
    return Number(value);
  }

  #fail(why: string): CsxError {
    this.#state = 'failed';
    this.#draining = false;
    return new CsxError('DELTA_INVALID', `A delta is damaged: ${why}.`, {
      hint: 'Nothing was changed. Run the update again; if it fails again, check the peer that sent it.',
    });
  }
}
