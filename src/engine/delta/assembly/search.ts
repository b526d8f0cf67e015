/**
 * Finds the blocks of a signature in data.
 *
 * After a match the block that follows it is tried first, four at a time: data that did not change costs one pass of both sums and
 * nothing else. Otherwise a window rolls over the data (window.ts) until it is over a block again. Last comes the old file's last
 * block, which may be short and whose length nobody tells.
 */

import {
  MD4,
  NONE,
  blockCount,
  blockLength,
  isBlock,
  isStrong,
  setBlocks,
  strongKind,
  strongSum,
  weakKind,
  weakOf,
} from './blocks';
import { md4x4 } from './md4';
import { at, jumpTo, moveTo, roll, setWindow } from './window';
import { MULTIPLIER, OFFSET, RABINKARP, rabinKarp, rollsum } from './weak';

/** Strong sums of the four windows under test. */
const STRONG: usize = memory.data(128, 16);
const STRONG_STRIDE: usize = 32;

/** The block that would follow the last match; NONE when that was tried. */
let expected: u32 = NONE;
/** Matches that the last call has put down, and where the next one goes. */
let found: u32 = 0;
let next: usize = 0;

/** Makes ready for a new file. Parameters as in blocks.ts; `index` is to follow. */
export function prepare(
  weak: u32,
  strong: u32,
  length: u32,
  strongBytes: u32,
  count: u32,
  sums: usize,
  filter: usize,
  filterBits: u32,
  table: usize,
  tableBits: u32,
): void {
  setBlocks(weak, strong, length, strongBytes, count, sums, filter, filterBits, table, tableBits);
  setWindow();
  // A file that still begins as it did.
  expected = 0;
}

/** How many matches the last `search` has put down. */
export function matches(): u32 {
  return found;
}

/** Where the last `search` stopped: everything before is decided. */
export function position(): usize {
  return at;
}

/**
 * Goes on from `from` (the last `position`, or where its byte has been moved to) as far as the data, which ends at `end`, allows;
 * `final`: no more will come. Puts down matches at `out` as three u32: address, block, length in bytes (of one or more
 * blocks in a row). Stops early when `outEnd` is reached; true: call again, there is more to do.
 */
export function search(from: usize, end: usize, final: bool, out: usize, outEnd: usize): bool {
  moveTo(from);
  found = 0;
  next = out;
  while (true) {
    if (next + 24 > outEnd) return true;
    if (<u32>(end - at) < blockLength) {
      if (final && at < end) searchTail(end);
      return false;
    }
    if (expected < blockCount) {
      followMatch(end);
      continue;
    }
    const block = roll(end - blockLength);
    if (block === NONE) {
      if (!final) return false;
      // The last whole window is done; what is left is shorter.
      jumpTo(at + 1);
      if (at < end) searchTail(end);
      return false;
    }
    put(block, blockLength);
    expected = block + 1;
  }
}

/** Tries the expected blocks; when none is there, there is nothing to expect. */
function followMatch(end: usize): void {
  const run = countRun(end);
  if (run > 0) {
    put(expected, run * blockLength);
    expected += run;
    return;
  }
  if (expected === blockCount - 1) {
    const length = lengthOfLast(blockLength - 1);
    if (length > 0) put(expected, length);
  }
  expected = NONE;
}

/** How many whole windows in a row from `at` on are the blocks from `expected` on. */
function countRun(end: usize): u32 {
  const most = min<u32>(<u32>(end - at) / blockLength, blockCount - expected);
  let run: u32 = 0;
  let window = at;
  if (ASC_FEATURE_SIMD) {
    while (strongKind === MD4 && run + 4 <= most) {
      md4x4(window, blockLength, blockLength, STRONG, STRONG_STRIDE);
      for (let lane: usize = 0; lane < 4; lane++) {
        if (!isExpected(expected + run, window, STRONG + lane * STRONG_STRIDE)) return run;
        run += 1;
        window += blockLength;
      }
    }
  }
  while (run < most) {
    strongSum(window, blockLength, STRONG);
    if (!isExpected(expected + run, window, STRONG)) break;
    run += 1;
    window += blockLength;
  }
  return run;
}

/** MD4 alone proves little: two blocks with one MD4 are made in seconds, with one weak sum besides they are harder to find. */
// @ts-ignore: decorator
@inline
function isExpected(block: u32, window: usize, strong: usize): bool {
  if (!isStrong(block, strong)) return false;
  return weakOf(block) === (weakKind === RABINKARP ? rabinKarp(window, blockLength) : rollsum(window, blockLength));
}

/**
 * A file that was appended to holds its old last, short block where it was: tries all lengths up to `most` at `at`. Returns the one
 * that matches or 0.
 */
function lengthOfLast(most: u32): u32 {
  const last = blockCount - 1;
  const weak = weakOf(last);
  let first: u32 = 0;
  let second: u32 = 0;
  let sum: u32 = 1;
  for (let length: u32 = 1; length <= most; length++) {
    const byte = <u32>load<u8>(at + length - 1);
    if (weakKind === RABINKARP) {
      sum = sum * MULTIPLIER + byte;
    } else {
      first += byte + OFFSET;
      second += first;
      sum = (second << 16) | (first & 0xffff);
    }
    if (sum === weak && isBlock(last, at, length)) return length;
  }
  return 0;
}

/** Less than a block is left, up to `end`: only the last block can be in it, next or at the very end. */
function searchTail(end: usize): void {
  const last = blockCount - 1;
  if (expected === last) {
    const length = lengthOfLast(<u32>(end - at));
    if (length > 0) {
      put(last, length);
      return;
    }
  }
  // Grows a window from the end backwards, putting bytes in front.
  const weak = weakOf(last);
  let first: u32 = 0;
  let second: u32 = 0;
  let hash: u32 = 0;
  let factor: u32 = 1;
  for (let start = end - 1; start >= at; start--) {
    const length = <u32>(end - start);
    const byte = <u32>load<u8>(start);
    let sum: u32;
    if (weakKind === RABINKARP) {
      hash += byte * factor;
      factor *= MULTIPLIER;
      sum = hash + factor;
    } else {
      first += byte + OFFSET;
      second += length * (byte + OFFSET);
      sum = (second << 16) | (first & 0xffff);
    }
    if (sum === weak && isBlock(last, start, length)) {
      jumpTo(start);
      put(last, length);
      return;
    }
  }
  jumpTo(end);
}

/** Puts down a match at `at` and steps over it. */
function put(block: u32, length: u32): void {
  store<u32>(next, <u32>at);
  store<u32>(next, block, 4);
  store<u32>(next, length, 8);
  next += 12;
  found += 1;
  jumpTo(at + length);
}
