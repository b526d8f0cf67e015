import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { blake2b, md4 } from 'hash-wasm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BlockSummer, createKernel } from '../../../src/engine/delta/kernel.js';
import type { Kernel } from '../../../src/engine/delta/kernel.js';
import { BlockSearch } from '../../../src/engine/delta/search.js';
import { SignatureBuilder, parseSignature } from '../../../src/engine/delta/signature.js';
import { noise } from './rdiff.js';

describe('the committed WebAssembly', () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'csx-kernel-'));
  afterAll(() => {
    rmSync(directory, { recursive: true, force: true });
  });

  it('is what its source compiles to', () => {
    const root = path.resolve(import.meta.dirname, '../../..');
    const fresh = path.join(directory, 'kernel-code.ts');
    execFileSync(path.join(root, 'scripts/build-kernel'), [fresh], { stdio: 'pipe' });
    const committed = readFileSync(path.join(root, 'src/engine/delta/kernel-code.ts'), 'utf8');
    // Not toBe: the difference of two such lines is of no use to anybody.
    expect(readFileSync(fresh, 'utf8') === committed, 'Run scripts/build-kernel').toBe(true);
  });
});

describe.each(['plain', 'vector'] as const)('the %s kernel', (code) => {
  let kernel: Kernel;
  let data: number;
  beforeAll(() => {
    kernel = createKernel(code);
    data = (kernel.exports.freeFrom() >>> 0) + 64;
    kernel.reserve(data + 1_000_000);
  });

  function put(bytes: Uint8Array): number {
    kernel.memory().set(bytes, data);
    return bytes.length;
  }
  function hex(at: number, length: number): string {
    return kernel.memory().toString('hex', at, at + length);
  }

  it.each([
    ['', '31d6cfe0d16ae931b73c59d7e0c089c0'],
    ['a', 'bde52cb31de33e46245e05fbdbd6fb24'],
    ['abc', 'a448017aaf21d8525fc10ae87aa6729d'],
    ['message digest', 'd9130a8164549fe818874806e1c7014b'],
    ['abcdefghijklmnopqrstuvwxyz', 'd79e1c308aa5bbcdeea8ed63df412da9'],
    ['ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789', '043f8582f241db351ce627e153e7f0e4'],
    ['version 1\n', '7a14717b19ba60c120d89cc060cf8d11'],
  ])('knows the MD4 of %j', (text, digest) => {
    kernel.exports.md4(data, put(Buffer.from(text)), data - 16);
    expect(hex(data - 16, 16)).toBe(digest);
  });

  it('knows the sums of the ten bytes of the reference', () => {
    const length = put(Buffer.from('version 1\n'));
    expect(kernel.exports.rollsum(data, length) >>> 0).toBe(0x1cac0497);
  });

  it('agrees with other implementations on every length around the chunks of MD4 and BLAKE2b', async () => {
    for (let length = 0; length <= 400; length++) {
      const bytes = noise(length, length);
      put(bytes);
      kernel.exports.md4(data, length, data - 16);
      expect(hex(data - 16, 16)).toBe(await md4(bytes));
      kernel.exports.blake2b(data, length, data - 32);
      expect(hex(data - 32, 32)).toBe(await blake2b(bytes, 256));
      expect(kernel.exports.rollsum(data, length) >>> 0).toBe(rollsum(bytes));
      expect(kernel.exports.rabinKarp(data, length) >>> 0).toBe(rabinKarp(bytes));
    }
  });

  it('does not overflow on long blocks of high bytes', () => {
    const bytes = Buffer.alloc(900_000, 0xff);
    put(bytes);
    expect(kernel.exports.rollsum(data, bytes.length) >>> 0).toBe(rollsum(bytes));
  });

  it.each([1, 63, 64, 700, 2048, 300_000])('sums blocks of %d bytes whatever their number', async (blockLength) => {
    const summer = new BlockSummer(kernel);
    for (const count of [1, 2, 3, 4, 5, 9]) {
      const bytes = noise(blockLength * count - (count % 2) * Math.floor(blockLength / 2), blockLength);
      const expected: string[] = [];
      for (let at = 0; at < bytes.length; at += blockLength) {
        const block = bytes.subarray(at, at + blockLength);
        expected.push(rollsum(block).toString(16).padStart(8, '0') + (await md4(block)).slice(0, 24));
      }
      expect(summer.sumBlocks([bytes], blockLength, 12).toString('hex')).toBe(expected.join(''));
    }
  });

  it('finds moved blocks', () => {
    const old = noise(100_000, 1);
    const builder = new SignatureBuilder({ blockLength: 1000 });
    builder.update(old);
    const matches: string[] = [];
    const onMatch = (offset: number, start: number, length: number): void => {
      for (let at = 0; at < length; at += 1000) matches.push(`${offset + at} is ${start + at}`);
    };
    const search = new BlockSearch(parseSignature(builder.finish()), onMatch, { kernel: createKernel(code) });
    search.update(Buffer.concat([noise(777, 2), old.subarray(91_000), noise(3, 3), old.subarray(20_500, 23_500)]));
    search.finish();
    const moved = Array.from({ length: 9 }, (_, index) => `${777 + 1000 * index} is ${91_000 + 1000 * index}`);
    expect(matches).toEqual([...moved, '10280 is 21000', '11280 is 22000']);
  });
});

function rollsum(bytes: Uint8Array): number {
  let first = 0;
  let second = 0;
  for (const byte of bytes) {
    first = (first + byte + 31) & 0xffff;
    second = (second + first) & 0xffff;
  }
  return ((second << 16) | first) >>> 0;
}

function rabinKarp(bytes: Uint8Array): number {
  let sum = 1;
  for (const byte of bytes) sum = (Math.imul(sum, 0x08104225) + byte) >>> 0;
  return sum;
}
