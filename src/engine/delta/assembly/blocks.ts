/**
 * The blocks of one signature, and which of them has given sums.
 *
 * Three structures keep the search short: a Bloom filter over the weak sums (two bits in one word; most windows end there), a
 * hash table from weak sum to block (linear probing), the sums themselves as the signature has them.
 *
 * The signature comes from a peer, so no chain is longer than PROBES, and strong sums that turn out not to match are paid from
 * an allowance that grows with the data: a hostile signature makes a delta larger, never much slower.
 */

import { blake2b } from './blake2b';
import { md4 } from './md4';

export const NONE: u32 = 0xffffffff;
export const MD4: u32 = 0;

/** Places looked at for one weak sum, in the table and while it is made. */
const PROBES: u32 = 64;
/** Bytes of strong sums that may be computed in vain: at the start, and for each byte of data. */
const ALLOWANCE: i64 = 4 << 20;
const ALLOWANCE_PER_BYTE: i64 = 2;
/** What one place looked at costs of it. */
const PROBE_COST: i64 = 8;
/** Spreads a weak sum over 32 bits. */
const SPREAD: u32 = 0x9e3779b1;

const STRONG: usize = memory.data(32, 16);

export let weakKind: u32 = 0;
export let strongKind: u32 = 0;
export let blockLength: u32 = 0;
export let blockCount: u32 = 0;
export let filter: usize = 0;
export let filterShift: u32 = 0;
let strongLength: u32 = 0;
let sums: usize = 0;
let table: usize = 0;
let tableShift: u32 = 0;
let tableMask: u32 = 0;
let allowance: i64 = 0;

/**
 * Takes a signature: `count` sums at `sumsAt`. The filter has 2^filterBits words of 4 bytes, the table 2^tableBits places of 8;
 * both are cleared.
 */
export function setBlocks(
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
  allowance = ALLOWANCE;
  memory.fill(filter, 0, (<usize>4) << filterBits);
  memory.fill(table, 0, (<usize>8) << tableBits);
}

/** Files the blocks from `first` to before `end`. Called in slices, so that the engine can put in faster code between two. */
export function index(first: u32, end: u32): void {
  for (let block = first; block < end; block++) insert(block);
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
      store<u32>(word, load<u32>(word) | twoBits(hash));
      return;
    }
    if (<u32>entry === weak && isStrong(<u32>(entry >> 32) - 1, strongAt(block))) return;
    place = (place + 1) & tableMask;
  }
}

/** False: no block has this weak sum. `words` and `shift` are `filter` and `filterShift`, which a loop keeps at hand. */
// @ts-ignore: decorator
@inline
export function mayHave(weak: u32, words: usize, shift: u32): bool {
  const hash = weak * SPREAD;
  const bits = twoBits(hash);
  return (load<u32>(words + (<usize>(hash >> shift) << 2)) & bits) === bits;
}

/** The block that has this weak sum and the strong sum of the data; NONE when none has or the allowance is spent. */
export function lookUp(weak: u32, data: usize): u32 {
  if (allowance < 0) return NONE;
  let place = (weak * SPREAD) >> tableShift;
  let summed = false;
  for (let probe: u32 = 0; probe < PROBES; probe++) {
    const entry = load<u64>(table + (<usize>place << 3));
    if (entry === 0) break;
    if (<u32>entry === weak) {
      if (!summed) strongSum(data, blockLength, STRONG);
      summed = true;
      const block = <u32>(entry >> 32) - 1;
      if (isStrong(block, STRONG)) return block;
    }
    place = (place + 1) & tableMask;
    allowance -= PROBE_COST;
  }
  if (summed) allowance -= blockLength;
  return NONE;
}

/** Whether the `length` bytes at `data` have the strong sum of `block`, as far as the allowance lets one ask. */
export function isBlock(block: u32, data: usize, length: u32): bool {
  if (allowance < 0) return false;
  strongSum(data, length, STRONG);
  if (isStrong(block, STRONG)) return true;
  allowance -= length;
  return false;
}

/** Data was searched: more strong sums may be tried. */
export function earn(bytes: usize): void {
  allowance += ALLOWANCE_PER_BYTE * <i64>bytes;
}

// @ts-ignore: decorator
@inline
export function weakOf(block: u32): u32 {
  return bswap<u32>(load<u32>(strongAt(block) - 4));
}

/** Whether `block` has the strong sum at `sum`. */
export function isStrong(block: u32, sum: usize): bool {
  return memory.compare(strongAt(block), sum, strongLength) === 0;
}

/** The whole strong sum of `length` bytes, 16 or 32 bytes at `out`. */
export function strongSum(data: usize, length: u32, out: usize): void {
  if (strongKind === MD4) {
    md4(data, length, out);
  } else {
    blake2b(data, length, out);
  }
}

// @ts-ignore: decorator
@inline
function strongAt(block: u32): usize {
  return sums + 4 + <usize>block * (4 + strongLength);
}

/** Two bits of a word. */
// @ts-ignore: decorator
@inline
function twoBits(hash: u32): u32 {
  const mixed = hash ^ (hash >> 15);
  return (1 << (mixed & 31)) | (1 << ((mixed >> 5) & 31));
}
