/**
 * MD4 (RFC 1320) over one block at a time, or over four at once: one block in each 32-bit lane of a vector. The rounds are
 * written once, for u32 and v128; the compiler makes both.
 *
 * MD4 is broken as a hash; it is here because librsync's signatures are made of it.
 */

/** For each of four lanes up to two 64-byte chunks: the last bytes of the block, padding and length. */
const PADDED: usize = memory.data(512, 16);

/** MD4 of the `length` bytes at `data`; 16 bytes at `out`. */
export function md4(data: usize, length: u32, out: usize): void {
  rounds<u32>(data, 0, length, out, 0);
}

/** MD4 of four blocks that start `stride` bytes apart; four times 16 bytes, `outStride` apart. */
export function md4x4(data: usize, stride: usize, length: u32, out: usize, outStride: usize): void {
  if (ASC_FEATURE_SIMD) {
    rounds<v128>(data, stride, length, out, outStride);
  } else {
    for (let lane: usize = 0; lane < 4; lane++) {
      rounds<u32>(data + lane * stride, 0, length, out + lane * outStride, 0);
    }
  }
}

function rounds<T>(data: usize, stride: usize, length: u32, out: usize, outStride: usize): void {
  let a = splat<T>(0x67452301);
  let b = splat<T>(0xefcdab89);
  let c = splat<T>(0x98badcfe);
  let d = splat<T>(0x10325476);
  const two = splat<T>(0x5a827999);
  const three = splat<T>(0x6ed9eba1);

  let at = data;
  let step = stride;
  let chunks = length >> 6;
  let padded = false;
  while (true) {
    for (; chunks > 0; chunks--) {
      const a0 = a;
      const b0 = b;
      const c0 = c;
      const d0 = d;
      // The 16 words of the chunk; with four lanes, word i of all four blocks in one vector.
      let x0: T, x1: T, x2: T, x3: T, x4: T, x5: T, x6: T, x7: T;
      let x8: T, x9: T, x10: T, x11: T, x12: T, x13: T, x14: T, x15: T;
      if (isVector<T>()) {
        const p1 = at + step;
        const p2 = p1 + step;
        const p3 = p2 + step;
        let l0 = low(v128.load(at), v128.load(p1));
        let l1 = low(v128.load(p2), v128.load(p3));
        let h0 = high(v128.load(at), v128.load(p1));
        let h1 = high(v128.load(p2), v128.load(p3));
        x0 = front(l0, l1);
        x1 = back(l0, l1);
        x2 = front(h0, h1);
        x3 = back(h0, h1);
        l0 = low(v128.load(at, 16), v128.load(p1, 16));
        l1 = low(v128.load(p2, 16), v128.load(p3, 16));
        h0 = high(v128.load(at, 16), v128.load(p1, 16));
        h1 = high(v128.load(p2, 16), v128.load(p3, 16));
        x4 = front(l0, l1);
        x5 = back(l0, l1);
        x6 = front(h0, h1);
        x7 = back(h0, h1);
        l0 = low(v128.load(at, 32), v128.load(p1, 32));
        l1 = low(v128.load(p2, 32), v128.load(p3, 32));
        h0 = high(v128.load(at, 32), v128.load(p1, 32));
        h1 = high(v128.load(p2, 32), v128.load(p3, 32));
        x8 = front(l0, l1);
        x9 = back(l0, l1);
        x10 = front(h0, h1);
        x11 = back(h0, h1);
        l0 = low(v128.load(at, 48), v128.load(p1, 48));
        l1 = low(v128.load(p2, 48), v128.load(p3, 48));
        h0 = high(v128.load(at, 48), v128.load(p1, 48));
        h1 = high(v128.load(p2, 48), v128.load(p3, 48));
        x12 = front(l0, l1);
        x13 = back(l0, l1);
        x14 = front(h0, h1);
        x15 = back(h0, h1);
      } else {
        x0 = load<T>(at);
        x1 = load<T>(at, 4);
        x2 = load<T>(at, 8);
        x3 = load<T>(at, 12);
        x4 = load<T>(at, 16);
        x5 = load<T>(at, 20);
        x6 = load<T>(at, 24);
        x7 = load<T>(at, 28);
        x8 = load<T>(at, 32);
        x9 = load<T>(at, 36);
        x10 = load<T>(at, 40);
        x11 = load<T>(at, 44);
        x12 = load<T>(at, 48);
        x13 = load<T>(at, 52);
        x14 = load<T>(at, 56);
        x15 = load<T>(at, 60);
      }

      a = choose<T>(a, b, c, d, x0, 3);
      d = choose<T>(d, a, b, c, x1, 7);
      c = choose<T>(c, d, a, b, x2, 11);
      b = choose<T>(b, c, d, a, x3, 19);
      a = choose<T>(a, b, c, d, x4, 3);
      d = choose<T>(d, a, b, c, x5, 7);
      c = choose<T>(c, d, a, b, x6, 11);
      b = choose<T>(b, c, d, a, x7, 19);
      a = choose<T>(a, b, c, d, x8, 3);
      d = choose<T>(d, a, b, c, x9, 7);
      c = choose<T>(c, d, a, b, x10, 11);
      b = choose<T>(b, c, d, a, x11, 19);
      a = choose<T>(a, b, c, d, x12, 3);
      d = choose<T>(d, a, b, c, x13, 7);
      c = choose<T>(c, d, a, b, x14, 11);
      b = choose<T>(b, c, d, a, x15, 19);

      a = majority<T>(a, b, c, d, add<T>(x0, two), 3);
      d = majority<T>(d, a, b, c, add<T>(x4, two), 5);
      c = majority<T>(c, d, a, b, add<T>(x8, two), 9);
      b = majority<T>(b, c, d, a, add<T>(x12, two), 13);
      a = majority<T>(a, b, c, d, add<T>(x1, two), 3);
      d = majority<T>(d, a, b, c, add<T>(x5, two), 5);
      c = majority<T>(c, d, a, b, add<T>(x9, two), 9);
      b = majority<T>(b, c, d, a, add<T>(x13, two), 13);
      a = majority<T>(a, b, c, d, add<T>(x2, two), 3);
      d = majority<T>(d, a, b, c, add<T>(x6, two), 5);
      c = majority<T>(c, d, a, b, add<T>(x10, two), 9);
      b = majority<T>(b, c, d, a, add<T>(x14, two), 13);
      a = majority<T>(a, b, c, d, add<T>(x3, two), 3);
      d = majority<T>(d, a, b, c, add<T>(x7, two), 5);
      c = majority<T>(c, d, a, b, add<T>(x11, two), 9);
      b = majority<T>(b, c, d, a, add<T>(x15, two), 13);

      a = parity<T>(a, b, c, d, add<T>(x0, three), 3);
      d = parity<T>(d, a, b, c, add<T>(x8, three), 9);
      c = parity<T>(c, d, a, b, add<T>(x4, three), 11);
      b = parity<T>(b, c, d, a, add<T>(x12, three), 15);
      a = parity<T>(a, b, c, d, add<T>(x2, three), 3);
      d = parity<T>(d, a, b, c, add<T>(x10, three), 9);
      c = parity<T>(c, d, a, b, add<T>(x6, three), 11);
      b = parity<T>(b, c, d, a, add<T>(x14, three), 15);
      a = parity<T>(a, b, c, d, add<T>(x1, three), 3);
      d = parity<T>(d, a, b, c, add<T>(x9, three), 9);
      c = parity<T>(c, d, a, b, add<T>(x5, three), 11);
      b = parity<T>(b, c, d, a, add<T>(x13, three), 15);
      a = parity<T>(a, b, c, d, add<T>(x3, three), 3);
      d = parity<T>(d, a, b, c, add<T>(x11, three), 9);
      c = parity<T>(c, d, a, b, add<T>(x7, three), 11);
      b = parity<T>(b, c, d, a, add<T>(x15, three), 15);

      a = add<T>(a, a0);
      b = add<T>(b, b0);
      c = add<T>(c, c0);
      d = add<T>(d, d0);
      at += 64;
    }
    if (padded) break;
    padded = true;
    chunks = pad(at, step, isVector<T>() ? 4 : 1, length);
    at = PADDED;
    step = 128;
  }

  if (isVector<T>()) {
    let l0 = low(a, b);
    let l1 = low(c, d);
    v128.store(out, v128.shuffle<u64>(l0, l1, 0, 2));
    v128.store(out + outStride, v128.shuffle<u64>(l0, l1, 1, 3));
    l0 = high(a, b);
    l1 = high(c, d);
    v128.store(out + 2 * outStride, v128.shuffle<u64>(l0, l1, 0, 2));
    v128.store(out + 3 * outStride, v128.shuffle<u64>(l0, l1, 1, 3));
  } else {
    store<T>(out, a);
    store<T>(out, b, 4);
    store<T>(out, c, 8);
    store<T>(out, d, 12);
  }
}

/** Puts the last chunks of each lane into PADDED and returns how many they are: 1 or 2. */
function pad(at: usize, stride: usize, lanes: usize, length: u32): u32 {
  const rest: usize = length & 63;
  const chunks: u32 = rest < 56 ? 1 : 2;
  for (let lane: usize = 0; lane < lanes; lane++) {
    const to = PADDED + lane * 128;
    memory.fill(to, 0, 128);
    memory.copy(to, at + lane * stride, rest);
    store<u8>(to + rest, 0x80);
    store<u64>(to + (chunks << 6) - 8, <u64>length << 3);
  }
  return chunks;
}

// @ts-ignore: decorator
@inline
function choose<T>(a: T, b: T, c: T, d: T, x: T, shift: i32): T {
  return rotate<T>(add<T>(add<T>(a, x), xor<T>(and<T>(xor<T>(c, d), b), d)), shift);
}

// @ts-ignore: decorator
@inline
function majority<T>(a: T, b: T, c: T, d: T, x: T, shift: i32): T {
  return rotate<T>(add<T>(add<T>(add<T>(a, x), and<T>(c, d)), and<T>(b, xor<T>(c, d))), shift);
}

// @ts-ignore: decorator
@inline
function parity<T>(a: T, b: T, c: T, d: T, x: T, shift: i32): T {
  return rotate<T>(add<T>(add<T>(a, x), xor<T>(xor<T>(c, d), b)), shift);
}

// @ts-ignore: decorator
@inline
function splat<T>(value: u32): T {
  if (isVector<T>()) {
    return i32x4.splat(value);
  } else {
    return <T>value;
  }
}

// @ts-ignore: decorator
@inline
function add<T>(left: T, right: T): T {
  if (isVector<T>()) {
    return i32x4.add(left, right);
  } else {
    return left + right;
  }
}

// @ts-ignore: decorator
@inline
function and<T>(left: T, right: T): T {
  if (isVector<T>()) {
    return v128.and(left, right);
  } else {
    return left & right;
  }
}

// @ts-ignore: decorator
@inline
function xor<T>(left: T, right: T): T {
  if (isVector<T>()) {
    return v128.xor(left, right);
  } else {
    return left ^ right;
  }
}

// @ts-ignore: decorator
@inline
function rotate<T>(value: T, shift: i32): T {
  if (isVector<T>()) {
    return v128.or(i32x4.shl(value, shift), i32x4.shr_u(value, 32 - shift));
  } else {
    return rotl<T>(value, shift);
  }
}

// Four of these turn four rows of four words into columns.

// @ts-ignore: decorator
@inline
function low(left: v128, right: v128): v128 {
  return v128.shuffle<u32>(left, right, 0, 4, 1, 5);
}

// @ts-ignore: decorator
@inline
function high(left: v128, right: v128): v128 {
  return v128.shuffle<u32>(left, right, 2, 6, 3, 7);
}

// @ts-ignore: decorator
@inline
function front(left: v128, right: v128): v128 {
  return v128.shuffle<u64>(left, right, 0, 2);
}

// @ts-ignore: decorator
@inline
function back(left: v128, right: v128): v128 {
  return v128.shuffle<u64>(left, right, 1, 3);
}
