/**
 * librsync's two weak sums over a whole block. The search (search.ts) rolls them byte by byte.
 *
 *   rollsum    s1 = sum of (byte + 31), s2 = sum of the running s1, both mod 2^16; s2 << 16 | s1
 *   RabinKarp  h = 1; h = h * 0x08104225 + byte, mod 2^32
 */

export const ROLLSUM: u32 = 0;
export const RABINKARP: u32 = 1;

/** Added to every byte by rollsum. */
export const OFFSET: u32 = 31;
export const MULTIPLIER: u32 = 0x08104225;

/** The rollsum of `length` bytes. */
export function rollsum(data: usize, length: u32): u32 {
  // Without the offset first: s1 = sum b, s2 = sum (length - i) * b. All mod 2^32, which 2^16 divides.
  let s1: u32 = 0;
  let s2: u32 = 0;
  const end = data + length;
  let at = data;
  if (ASC_FEATURE_SIMD) {
    let sums = i32x4.splat(0);
    let weighted = i32x4.splat(0);
    const front = i16x8(16, 15, 14, 13, 12, 11, 10, 9);
    const back = i16x8(8, 7, 6, 5, 4, 3, 2, 1);
    for (const last = data + (length & ~15); at < last; at += 16) {
      const bytes = v128.load(at);
      weighted = i32x4.add(weighted, i32x4.shl(sums, 4));
      sums = i32x4.add(sums, i32x4.extadd_pairwise_i16x8_u(i16x8.extadd_pairwise_i8x16_u(bytes)));
      weighted = i32x4.add(weighted, i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_u(bytes), front));
      weighted = i32x4.add(weighted, i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_u(bytes), back));
    }
    s1 = across(sums);
    s2 = across(weighted);
  }
  for (; at < end; at++) {
    s1 += load<u8>(at);
    s2 += s1;
  }
  s1 += OFFSET * length;
  s2 += OFFSET * <u32>((<u64>length * (<u64>length + 1)) >> 1);
  return (s2 << 16) | (s1 & 0xffff);
}

/** The RabinKarp sum of `length` bytes. */
export function rabinKarp(data: usize, length: u32): u32 {
  let sum: u32 = 1;
  for (let at = data, end = data + length; at < end; at++) sum = sum * MULTIPLIER + load<u8>(at);
  return sum;
}

// @ts-ignore: decorator
@inline
function across(sums: v128): u32 {
  return (
    i32x4.extract_lane(sums, 0) +
    i32x4.extract_lane(sums, 1) +
    i32x4.extract_lane(sums, 2) +
    i32x4.extract_lane(sums, 3)
  );
}
