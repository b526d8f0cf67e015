/**
 * Finds blocks of a signature in data: a window of one block's length rolls over the data; where its weak sum is one of the
 * signature's, the strong sum decides.
 *
 * Three structures keep the byte loop short: a Bloom filter over the weak sums (two bits in one word, most windows end here), a
 * hash table from weak sum to block (linear probing), the sums themselves. After a match the next block is tried first, four
 * at a time: data that did not change costs one pass of MD4 and nothing else.
 *
 * The signature comes from a peer, so no chain is longer than PROBES, and strong sums that turn out not to match are paid from
 * an allowance that grows with the data: a hostile signature makes a delta larger, never much slower.
 */

import { blake2b } from './blake2b';
import { md4, md4x4 } from './md4';
import { MULTIPLIER, OFFSET, RABINKARP, rabinKarp, rollsum } from './weak';

/** Places looked at for one weak sum, in the table and while it is made. */
const PROBES: u32 = 64;
/** Bytes of strong sums that may be computed in vain: at the start, and for each byte of data. */
const ALLOWANCE: i64 = 4 << 20;
const ALLOWANCE_PER_BYTE: i64 = 2;
/** What one place looked at costs of it. */
const PROBE_COST: i64 = 8;
/** Spreads a weak sum over 32 bits. */
const SPREAD: u32 = 0x9e3779b1;
const NONE: u32 = 0xffffffff;

/** Strong sums of the windows under test: four, 32 bytes apart. */
const STRONG: usize = memory.data(128, 16);
const STRONG_STRIDE: usize = 32;

// The signature.
let weakKind: u32 = 0;
let strongKind: u32 = 0;
let blockLength: u32 = 0;
let strongLength: u32 = 0;
let blockCount: u32 = 0;
let sums: usize = 0;
/** MULTIPLIER to the power of the block length. */
let power: u32 = 0;
let filter: usize = 0;
let filterShift: u32 = 0;
let table: usize = 0;
let tableShift: u32 = 0;
let tableMask: u32 = 0;

// Where the search stands, from one call to the next.
/** The block that would follow the last match. */
let expected: u32 = NONE;
let allowance: i64 = 0;
/** The weak sum of the window at `position`, in parts for rollsum, when `rolling`; `tested`: it is known not to match. */
let rolling: bool = false;
let tested: bool = false;
let sum1: u32 = 0;
let sum2: u32 = 0;
let at: usize = 0;
let found: u32 = 0;

/**
 * Takes a signature: `count` sums at `sumsAt`. The filter has 2^filterBits words of 4 bytes, the table 2^tableBits places of 8;
 * both are cleared here.
 */
export function prepare(
  weak: u32,
  strong: u32,
  length: u32,
  strongBytes: u32,
  count: u32,
  sumsAt: usize,
  filterAt: usize,
  filterBits: u32,
  tableAt: usize,
  tableBits: u32,
): void {
  weakKind = weak;
  strongKind = strong;
  blockLength = length;
  strongLength = strongBytes;
  blockCount = count;
  sums = sumsAt;
  filter = filterAt;
  filterShift = 32 - filterBits;
  table = tableAt;
  tableShift = 32 - tableBits;
  tableMask = (1 << tableBits) - 1;
  power = powerOf(length);
  expected = 0;
  allowance = ALLOWANCE;
  rolling = false;
  tested = false;
  memory.fill(filter, 0, (<usize>4) << filterBits);
  memory.fill(table, 0, (<usize>8) << tableBits);
  for (let block: u32 = 0; block < count; block++) insert(block);
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
  at = from;
  found = 0;
  let to = out;
  while (true) {
    if (to + 24 > outEnd) return true;
    const available = <u32>(end - at);
    if (available < blockLength) {
      if (final && available > 0) searchTail(end, to);
      return false;
    }
    if (expected < blockCount) {
      const run = countRun(end);
      if (run > 0) {
        put(to, expected, run * blockLength);
        to += 12;
        expected += run;
        rolling = false;
        continue;
      }
      if (expected === blockCount - 1) {
        const length = matchLast(blockLength - 1);
        if (length > 0) {
          put(to, expected, length);
          to += 12;
          rolling = false;
        }
      }
      expected = NONE;
      continue;
    }
    const block = roll(end - blockLength);
    if (block === NONE) {
      if (!final || !tested) return false;
      // The last whole window is done; what is left is shorter.
      at += 1;
      if (at < end) searchTail(end, to);
      return false;
    }
    put(to, block, blockLength);
    to += 12;
    expected = block + 1;
    rolling = false;
  }
}

/** Puts down a match at `at` and steps over it. */
function put(to: usize, block: u32, length: u32): void {
  store<u32>(to, <u32>at);
  store<u32>(to, block, 4);
  store<u32>(to, length, 8);
  found += 1;
  at += length;
}

/** How many whole windows in a row from `at` on are the blocks from `expected` on. */
function countRun(end: usize): u32 {
  const most = min<u32>(<u32>(end - at) / blockLength, blockCount - expected);
  let run: u32 = 0;
  let window = at;
  if (ASC_FEATURE_SIMD) {
    while (strongKind === 0 && run + 4 <= most) {
      md4x4(window, blockLength, blockLength, STRONG, STRONG_STRIDE);
      for (let lane: usize = 0; lane < 4; lane++) {
        if (!isStrong(expected + run, STRONG + lane * STRONG_STRIDE)) return run;
        run += 1;
      }
      window += 4 * blockLength;
    }
  }
  while (run < most) {
    strongSum(window, blockLength);
    if (!isStrong(expected + run, STRONG)) break;
    run += 1;
    window += blockLength;
  }
  return run;
}

/**
 * The old file's last block may be short, and its length is not told; a file that was appended to holds it where it was. Tries
 * all lengths up to `most` at `at`; returns the one that matches or 0.
 */
function matchLast(most: u32): u32 {
  const weak = weakOf(blockCount - 1);
  let first: u32 = 0;
  let second: u32 = 0;
  let hash: u32 = 1;
  for (let length: u32 = 1; length <= most; length++) {
    const byte = <u32>load<u8>(at + length - 1);
    if (weakKind === RABINKARP) {
      hash = hash * MULTIPLIER + byte;
    } else {
      first += byte + OFFSET;
      second += first;
      hash = (second << 16) | (first & 0xffff);
    }
    if (hash === weak && isWorth(length, blockCount - 1, at)) return length;
  }
  return 0;
}

/** Less than a block is left, up to `end`: only the old file's last block can be in it, at the place it follows or at the end. */
function searchTail(end: usize, to: usize): void {
  const last = blockCount - 1;
  if (expected === last) {
    const length = matchLast(<u32>(end - at));
    expected = NONE;
    if (length > 0) {
      put(to, last, length);
      return;
    }
  }
  const weak = weakOf(last);
  let first: u32 = 0;
  let second: u32 = 0;
  let hash: u32 = 0;
  let factor: u32 = 1;
  for (let start = end - 1; start >= at; start--) {
    const length = <u32>(end - start);
    const byte = <u32>load<u8>(start);
    let value: u32;
    if (weakKind === RABINKARP) {
      hash += byte * factor;
      factor *= MULTIPLIER;
      value = hash + factor;
    } else {
      first += byte + OFFSET;
      second += length * (byte + OFFSET);
      value = (second << 16) | (first & 0xffff);
    }
    if (value === weak && isWorth(length, last, start)) {
      at = start;
      put(to, last, length);
      return;
    }
  }
  at = end;
}

/** Whether the `length` bytes at `start` have the strong sum of `block`, as far as the allowance lets one ask. */
function isWorth(length: u32, block: u32, start: usize): bool {
  if (allowance < 0) return false;
  strongSum(start, length);
  if (isStrong(block, STRONG)) return true;
  allowance -= length;
  return false;
}

/**
 * Rolls the window from `at` on until it holds a block, which is returned; NONE when that is not so up to the window at `last`.
 */
function roll(last: usize): u32 {
  if (!rolling) {
    start();
  } else if (tested) {
    if (at >= last) return NONE;
    step();
  }
  while (true) {
    const from = at;
    const hit = weakKind === RABINKARP ? scanRabinKarp(last) : scanRollsum(last);
    allowance += ALLOWANCE_PER_BYTE * <i64>(at - from + 1);
    tested = true;
    if (hit) {
      const block = lookUp();
      if (block !== NONE) return block;
    }
    if (at >= last) return NONE;
    step();
  }
}

function start(): void {
  rolling = true;
  tested = false;
  if (weakKind === RABINKARP) {
    sum1 = rabinKarp(at, blockLength);
  } else {
    const sum = rollsum(at, blockLength);
    sum1 = sum & 0xffff;
    sum2 = sum >> 16;
  }
}

/** Moves the window on by one byte. */
function step(): void {
  const gone = <u32>load<u8>(at);
  const come = <u32>load<u8>(at + blockLength);
  if (weakKind === RABINKARP) {
    sum1 = sum1 * MULTIPLIER + come - power * (gone + MULTIPLIER - 1);
  } else {
    sum1 += come - gone;
    sum2 += sum1 - blockLength * (gone + OFFSET);
  }
  at += 1;
  tested = false;
}

/** Moves the window on until the filter knows its weak sum (true) or it is the one at `last` (false). */
function scanRollsum(last: usize): bool {
  const length = blockLength;
  const shift = filterShift;
  const words = filter;
  let window = at;
  let first = sum1;
  let second = sum2;
  let hit = false;
  while (true) {
    if (inFilter((second << 16) | (first & 0xffff), words, shift)) {
      hit = true;
      break;
    }
    if (window >= last) break;
    const gone = <u32>load<u8>(window);
    first += <u32>load<u8>(window + length) - gone;
    second += first - length * (gone + OFFSET);
    window += 1;
  }
  at = window;
  sum1 = first;
  sum2 = second;
  return hit;
}

function scanRabinKarp(last: usize): bool {
  const length = blockLength;
  const shift = filterShift;
  const words = filter;
  const leaving = power;
  let window = at;
  let hash = sum1;
  let hit = false;
  while (true) {
    if (inFilter(hash, words, shift)) {
      hit = true;
      break;
    }
    if (window >= last) break;
    const gone = <u32>load<u8>(window);
    hash = hash * MULTIPLIER + <u32>load<u8>(window + length) - leaving * (gone + MULTIPLIER - 1);
    window += 1;
  }
  at = window;
  sum1 = hash;
  return hit;
}

/** The block whose sums the window at `at` has; NONE when there is none or the allowance is spent. */
function lookUp(): u32 {
  if (allowance < 0) return NONE;
  const weak = weakKind === RABINKARP ? sum1 : (sum2 << 16) | (sum1 & 0xffff);
  let place = (weak * SPREAD) >> tableShift;
  let summed = false;
  for (let probe: u32 = 0; probe < PROBES; probe++) {
    const entry = load<u64>(table + (<usize>place << 3));
    if (entry === 0) break;
    if (<u32>entry === weak) {
      if (!summed) {
        strongSum(at, blockLength);
        summed = true;
      }
      const block = <u32>(entry >> 32) - 1;
      if (isStrong(block, STRONG)) return block;
    }
    place = (place + 1) & tableMask;
    allowance -= PROBE_COST;
  }
  if (summed) allowance -= blockLength;
  return NONE;
}

/** Files a block under its weak sum: the first of equal ones, and none where too many sums have gathered. */
function insert(block: u32): void {
  const weak = weakOf(block);
  const hash = weak * SPREAD;
  let place = hash >> tableShift;
  for (let probe: u32 = 0; probe < PROBES; probe++) {
    const address = table + (<usize>place << 3);
    const entry = load<u64>(address);
    if (entry === 0) {
      store<u64>(address, ((<u64>block + 1) << 32) | weak);
      const word = filter + (<usize>(hash >> filterShift) << 2);
      store<u32>(word, load<u32>(word) | filterBits(hash));
      return;
    }
    if (<u32>entry === weak && isStrong(<u32>(entry >> 32) - 1, strongAt(block))) return;
    place = (place + 1) & tableMask;
  }
}

// @ts-ignore: decorator
@inline
function inFilter(weak: u32, words: usize, shift: u32): bool {
  const hash = weak * SPREAD;
  const bits = filterBits(hash);
  return (load<u32>(words + (<usize>(hash >> shift) << 2)) & bits) === bits;
}

/** Two bits of a word. */
// @ts-ignore: decorator
@inline
function filterBits(hash: u32): u32 {
  const mixed = hash ^ (hash >> 15);
  return (1 << (mixed & 31)) | (1 << ((mixed >> 5) & 31));
}

// @ts-ignore: decorator
@inline
function weakOf(block: u32): u32 {
  return bswap<u32>(load<u32>(strongAt(block) - 4));
}

// @ts-ignore: decorator
@inline
function strongAt(block: u32): usize {
  return sums + 4 + <usize>block * (4 + strongLength);
}

/** Whether `block` has the strong sum at `sum`. */
function isStrong(block: u32, sum: usize): bool {
  return memory.compare(strongAt(block), sum, strongLength) === 0;
}

/** Puts the strong sum of `length` bytes at STRONG. */
function strongSum(data: usize, length: u32): void {
  if (strongKind === 0) {
    md4(data, length, STRONG);
  } else {
    blake2b(data, length, STRONG);
  }
}

function powerOf(exponent: u32): u32 {
  let result: u32 = 1;
  let base = MULTIPLIER;
  for (let rest = exponent; rest > 0; rest >>= 1) {
    if (rest & 1) result *= base;
    base *= base;
  }
  return result;
}
