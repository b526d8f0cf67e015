/**
 * The WebAssembly kernel as TypeScript sees it: block sums here, the search in search.ts.
 *
 * The module is compiled when it is first needed (a few milliseconds, synchronously), once a process. Every instance has a
 * memory of its own. Block sums share one instance, since each call puts in all it needs and takes out all it gets; a search keeps
 * state between calls and has an instance to itself.
 */

import { PLAIN, VECTOR } from './kernel-code.js';

/** Exports of assembly/kernel.ts. Addresses and u32 results come back signed: use `>>> 0`. */
export interface KernelExports {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  freeFrom(): number;
  rollsum(data: number, length: number): number;
  rabinKarp(data: number, length: number): number;
  md4(data: number, length: number, out: number): void;
  blake2b(data: number, length: number, out: number): void;
  sumBlocks(data: number, length: number, count: number, strongLength: number, out: number): void;
  prepare(
    weak: number,
    strong: number,
    blockLength: number,
    strongLength: number,
    blockCount: number,
    sums: number,
    filter: number,
    filterBits: number,
    table: number,
    tableBits: number,
  ): void;
  index(first: number, end: number): void;
  search(from: number, end: number, final: boolean, out: number, outEnd: number): number;
  matches(): number;
  position(): number;
}

/** One instance, and its memory as bytes. */
export interface Kernel {
  readonly exports: KernelExports;
  /** The whole memory. Do not keep it: it is replaced when the memory grows. */
  memory(): Buffer;
  /** Makes the memory at least `length` bytes long. */
  reserve(length: number): void;
}

/** What of WebAssembly is used here; Node's types do not declare it. */
declare const WebAssembly: {
  validate(code: Uint8Array): boolean;
  readonly Module: new (code: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
};

const PAGE = 65536;

let compiled: object | undefined;

/**
 * A fresh instance.
 *
 * @param code - For tests: which of the two; the vector one wherever the processor has vectors unless told.
 */
export function createKernel(code?: 'plain' | 'vector'): Kernel {
  const module = code === undefined ? (compiled ??= compile()) : new WebAssembly.Module(decode(code));
  const exports = new WebAssembly.Instance(module).exports as KernelExports;
  let view = Buffer.from(exports.memory.buffer);
  return {
    exports,
    memory: () => (view.buffer === exports.memory.buffer ? view : (view = Buffer.from(exports.memory.buffer))),
    reserve: (length) => {
      const missing = length - exports.memory.buffer.byteLength;
      if (missing > 0) exports.memory.grow(Math.ceil(missing / PAGE));
    },
  };
}

/** Sums blocks; every call is self-contained, so all users share one. */
export class BlockSummer {
  readonly #kernel: Kernel;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /**
   * For each block of `blockLength` bytes of the data (the last may be short) its rollsum, big-endian, and the first
   * `strongLength` bytes of its MD4. The data comes in parts that follow each other.
   */
  sumBlocks(parts: readonly Uint8Array[], blockLength: number, strongLength: number): Buffer {
    let length = 0;
    for (const part of parts) length += part.length;
    const sums = Buffer.allocUnsafe(Math.ceil(length / blockLength) * (4 + strongLength));
    const batch = Math.max(1, Math.min(Math.floor(BATCH / blockLength), Math.ceil(length / blockLength)));
    const { exports } = this.#kernel;
    const out = exports.freeFrom() >>> 0;
    const data = aligned(out + batch * (4 + strongLength));
    const capacity = batch * blockLength;
    this.#kernel.reserve(data + capacity);
    const memory = this.#kernel.memory();

    let done = 0;
    let held = 0;
    const flush = (): void => {
      const whole = Math.floor(held / blockLength);
      exports.sumBlocks(data, blockLength, whole, strongLength, out);
      let made = whole * (4 + strongLength);
      const rest = held - whole * blockLength;
      if (rest > 0) {
        exports.sumBlocks(data + whole * blockLength, rest, 1, strongLength, out + made);
        made += 4 + strongLength;
      }
      memory.copy(sums, done, out, out + made);
      done += made;
      held = 0;
    };
    for (const part of parts) {
      for (let at = 0; at < part.length;) {
        const take = Math.min(capacity - held, part.length - at);
        memory.set(take === part.length ? part : part.subarray(at, at + take), data + held);
        held += take;
        at += take;
        if (held === capacity) flush();
      }
    }
    if (held > 0) flush();
    return sums;
  }
}

/** Bytes summed by one call into WebAssembly: enough to make the call cheap, little enough to stay in the cache. */
const BATCH = 128 * 1024;

let shared: BlockSummer | undefined;

/** The one that signatures are made with. */
export function blockSummer(): BlockSummer {
  return (shared ??= new BlockSummer(createKernel()));
}

/** The next address vectors are best loaded from. */
export function aligned(address: number): number {
  return Math.ceil(address / 64) * 64;
}

function compile(): object {
  const vector = decode('vector');
  return new WebAssembly.Module(WebAssembly.validate(vector) ? vector : decode('plain'));
}

function decode(code: 'plain' | 'vector'): Uint8Array {
  return Buffer.from(code === 'plain' ? PLAIN : VECTOR, 'base64');
}
