/**
 * What the WebAssembly kernel exports. It owns no memory but a few fixed bytes: the caller lays out the rest from `freeFrom()` on.
 * Compiled twice, with and without vectors, by scripts/build-kernel.
 */

import { blake2b } from './blake2b';
import { md4, md4x4 } from './md4';
import { rollsum } from './weak';

export { index } from './blocks';
export { prepare, search, matches, position } from './search';
export { blake2b, md4, rollsum };
export { rabinKarp } from './weak';

/** Bytes of an MD4. */
const MD4_LENGTH: usize = 16;
const SUMS: usize = memory.data(64, 16);

/** The first address that the caller may use. */
export function freeFrom(): usize {
  return __heap_base;
}

/**
 * Sums `count` blocks of `length` bytes that follow each other at `data`: writes, for each, the rollsum (big-endian) and
 * `strongLength` bytes of the MD4 at `out`.
 */
export function sumBlocks(data: usize, length: u32, count: u32, strongLength: u32, out: usize): void {
  let at = data;
  let to = out;
  let left = count;
  for (; left >= 4; left -= 4) {
    md4x4(at, length, length, SUMS, MD4_LENGTH);
    for (let lane: usize = 0; lane < 4; lane++) {
      store<u32>(to, bswap<u32>(rollsum(at, length)));
      memory.copy(to + 4, SUMS + lane * MD4_LENGTH, strongLength);
      at += length;
      to += 4 + strongLength;
    }
  }
  for (; left > 0; left--) {
    store<u32>(to, bswap<u32>(rollsum(at, length)));
    md4(at, length, SUMS);
    memory.copy(to + 4, SUMS, strongLength);
    at += length;
    to += 4 + strongLength;
  }
}
