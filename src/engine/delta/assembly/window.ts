/**
 * A window of one block's length that rolls over the data, a byte at a time, until its weak sum is one of the signature's.
 *
 *   rollsum    s1 += come - gone;  s2 += s1 - length * (gone + 31)
 *   RabinKarp  h = h * M + come - M^length * (gone + M - 1); the last part takes out what the sum started with
 */

import { NONE, blockLength, earn, filter, filterShift, lookUp, mayHave, weakKind } from './blocks';
import { MULTIPLIER, OFFSET, RABINKARP, rabinKarp, rollsum } from './weak';

/** Where the window starts. */
export let at: usize = 0;
/** The window's weak sum is known not to be one of the signature's. */
let tested: bool = false;
/** sum1, sum2 are the window's: rollsum's two parts, or RabinKarp's one. */
let summed: bool = false;
let sum1: u32 = 0;
let sum2: u32 = 0;
/** MULTIPLIER to the power of the block length. */
let power: u32 = 0;

/** To be called when the block length is new. */
export function setWindow(): void {
  summed = false;
  tested = false;
  power = 1;
  let base = MULTIPLIER;
  for (let rest = blockLength; rest > 0; rest >>= 1) {
    if (rest & 1) power *= base;
    base *= base;
  }
}

/** The data was moved in memory; the window is over the same bytes still. */
export function moveTo(address: usize): void {
  at = address;
}

/** Goes on elsewhere in the data. */
export function jumpTo(address: usize): void {
  at = address;
  summed = false;
  tested = false;
}

/** Rolls on until the window is over a block, which is returned; NONE when none is found up to the window at `last`. */
export function roll(last: usize): u32 {
  if (!summed) {
    sum();
  } else if (tested) {
    if (at >= last) return NONE;
    step();
  }
  while (true) {
    const from = at;
    const hit = weakKind === RABINKARP ? scanRabinKarp(last) : scanRollsum(last);
    earn(at - from + 1);
    tested = true;
    if (hit) {
      const block = lookUp(weakKind === RABINKARP ? sum1 : join(sum1, sum2), at);
      if (block !== NONE) return block;
    }
    if (at >= last) return NONE;
    step();
  }
}

function sum(): void {
  summed = true;
  tested = false;
  if (weakKind === RABINKARP) {
    sum1 = rabinKarp(at, blockLength);
  } else {
    const both = rollsum(at, blockLength);
    sum1 = both & 0xffff;
    sum2 = both >> 16;
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
  let hit = true;
  while (!mayHave(join(first, second), words, shift)) {
    if (window >= last) {
      hit = false;
      break;
    }
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
  let hit = true;
  while (!mayHave(hash, words, shift)) {
    if (window >= last) {
      hit = false;
      break;
    }
    const gone = <u32>load<u8>(window);
    hash = hash * MULTIPLIER + <u32>load<u8>(window + length) - leaving * (gone + MULTIPLIER - 1);
    window += 1;
  }
  at = window;
  sum1 = hash;
  return hit;
}

// @ts-ignore: decorator
@inline
function join(first: u32, second: u32): u32 {
  return (second << 16) | (first & 0xffff);
}
