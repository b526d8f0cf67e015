/** BLAKE2b (RFC 7693) with a digest of 32 bytes and no key: the strong sum of librsync's newer signatures. */

const IV: usize = memory.data<u64>([
  0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1, 0x510e527fade682d1,
  0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
]);

/** The order of the message's words in the ten rounds, as byte offsets; rounds 10 and 11 are 0 and 1 again. */
const SIGMA: usize = memory.data<u8>([
  0, 8, 16, 24, 32, 40, 48, 56, 64, 72, 80, 88, 96, 104, 112, 120,
  112, 80, 32, 64, 72, 120, 104, 48, 8, 96, 0, 16, 88, 56, 40, 24,
  88, 64, 96, 0, 40, 16, 120, 104, 80, 112, 24, 48, 56, 8, 72, 32,
  56, 72, 24, 8, 104, 96, 88, 112, 16, 48, 40, 80, 32, 0, 120, 64,
  72, 0, 40, 56, 16, 32, 80, 120, 112, 8, 88, 96, 48, 64, 24, 104,
  16, 96, 48, 80, 0, 88, 64, 24, 32, 104, 56, 40, 120, 112, 8, 72,
  96, 40, 8, 120, 112, 104, 32, 80, 0, 56, 48, 24, 72, 16, 64, 88,
  104, 88, 56, 112, 96, 8, 24, 72, 40, 0, 120, 32, 64, 48, 16, 80,
  48, 120, 112, 72, 88, 24, 0, 64, 96, 16, 104, 56, 8, 32, 80, 40,
  80, 16, 64, 32, 56, 48, 8, 40, 120, 88, 72, 112, 24, 96, 104, 0,
  0, 8, 16, 24, 32, 40, 48, 56, 64, 72, 80, 88, 96, 104, 112, 120,
  112, 80, 32, 64, 72, 120, 104, 48, 8, 96, 0, 16, 88, 56, 40, 24,
]);

/** Parameters: digest of 32 bytes, no key, fanout and depth 1. */
const PARAMETERS: u64 = 0x01010020;

const STATE: usize = memory.data(64, 16);
const LAST: usize = memory.data(128, 16);

/** BLAKE2b-256 of the `length` bytes at `data`; 32 bytes at `out`. */
export function blake2b(data: usize, length: u32, out: usize): void {
  memory.copy(STATE, IV, 64);
  store<u64>(STATE, load<u64>(STATE) ^ PARAMETERS);
  let at = data;
  let left = length;
  for (; left > 128; left -= 128, at += 128) compress(at, <u64>(length - left) + 128, 0);
  memory.fill(LAST, 0, 128);
  memory.copy(LAST, at, left);
  compress(LAST, length, ~(<u64>0));
  memory.copy(out, STATE, 32);
}

function compress(chunk: usize, count: u64, final: u64): void {
  let v0 = load<u64>(STATE);
  let v1 = load<u64>(STATE, 8);
  let v2 = load<u64>(STATE, 16);
  let v3 = load<u64>(STATE, 24);
  let v4 = load<u64>(STATE, 32);
  let v5 = load<u64>(STATE, 40);
  let v6 = load<u64>(STATE, 48);
  let v7 = load<u64>(STATE, 56);
  let v8 = load<u64>(IV);
  let v9 = load<u64>(IV, 8);
  let v10 = load<u64>(IV, 16);
  let v11 = load<u64>(IV, 24);
  let v12 = load<u64>(IV, 32) ^ count;
  let v13 = load<u64>(IV, 40);
  let v14 = load<u64>(IV, 48) ^ final;
  let v15 = load<u64>(IV, 56);
  for (let order = SIGMA, end = SIGMA + 192; order < end; order += 16) {
    v0 += v4 + load<u64>(chunk + load<u8>(order));
    v12 = rotr<u64>(v12 ^ v0, 32);
    v8 += v12;
    v4 = rotr<u64>(v4 ^ v8, 24);
    v0 += v4 + load<u64>(chunk + load<u8>(order, 1));
    v12 = rotr<u64>(v12 ^ v0, 16);
    v8 += v12;
    v4 = rotr<u64>(v4 ^ v8, 63);
    v1 += v5 + load<u64>(chunk + load<u8>(order, 2));
    v13 = rotr<u64>(v13 ^ v1, 32);
    v9 += v13;
    v5 = rotr<u64>(v5 ^ v9, 24);
    v1 += v5 + load<u64>(chunk + load<u8>(order, 3));
    v13 = rotr<u64>(v13 ^ v1, 16);
    v9 += v13;
    v5 = rotr<u64>(v5 ^ v9, 63);
    v2 += v6 + load<u64>(chunk + load<u8>(order, 4));
    v14 = rotr<u64>(v14 ^ v2, 32);
    v10 += v14;
    v6 = rotr<u64>(v6 ^ v10, 24);
    v2 += v6 + load<u64>(chunk + load<u8>(order, 5));
    v14 = rotr<u64>(v14 ^ v2, 16);
    v10 += v14;
    v6 = rotr<u64>(v6 ^ v10, 63);
    v3 += v7 + load<u64>(chunk + load<u8>(order, 6));
    v15 = rotr<u64>(v15 ^ v3, 32);
    v11 += v15;
    v7 = rotr<u64>(v7 ^ v11, 24);
    v3 += v7 + load<u64>(chunk + load<u8>(order, 7));
    v15 = rotr<u64>(v15 ^ v3, 16);
    v11 += v15;
    v7 = rotr<u64>(v7 ^ v11, 63);
    v0 += v5 + load<u64>(chunk + load<u8>(order, 8));
    v15 = rotr<u64>(v15 ^ v0, 32);
    v10 += v15;
    v5 = rotr<u64>(v5 ^ v10, 24);
    v0 += v5 + load<u64>(chunk + load<u8>(order, 9));
    v15 = rotr<u64>(v15 ^ v0, 16);
    v10 += v15;
    v5 = rotr<u64>(v5 ^ v10, 63);
    v1 += v6 + load<u64>(chunk + load<u8>(order, 10));
    v12 = rotr<u64>(v12 ^ v1, 32);
    v11 += v12;
    v6 = rotr<u64>(v6 ^ v11, 24);
    v1 += v6 + load<u64>(chunk + load<u8>(order, 11));
    v12 = rotr<u64>(v12 ^ v1, 16);
    v11 += v12;
    v6 = rotr<u64>(v6 ^ v11, 63);
    v2 += v7 + load<u64>(chunk + load<u8>(order, 12));
    v13 = rotr<u64>(v13 ^ v2, 32);
    v8 += v13;
    v7 = rotr<u64>(v7 ^ v8, 24);
    v2 += v7 + load<u64>(chunk + load<u8>(order, 13));
    v13 = rotr<u64>(v13 ^ v2, 16);
    v8 += v13;
    v7 = rotr<u64>(v7 ^ v8, 63);
    v3 += v4 + load<u64>(chunk + load<u8>(order, 14));
    v14 = rotr<u64>(v14 ^ v3, 32);
    v9 += v14;
    v4 = rotr<u64>(v4 ^ v9, 24);
    v3 += v4 + load<u64>(chunk + load<u8>(order, 15));
    v14 = rotr<u64>(v14 ^ v3, 16);
    v9 += v14;
    v4 = rotr<u64>(v4 ^ v9, 63);
  }
  store<u64>(STATE, load<u64>(STATE) ^ v0 ^ v8);
  store<u64>(STATE, load<u64>(STATE, 8) ^ v1 ^ v9, 8);
  store<u64>(STATE, load<u64>(STATE, 16) ^ v2 ^ v10, 16);
  store<u64>(STATE, load<u64>(STATE, 24) ^ v3 ^ v11, 24);
  store<u64>(STATE, load<u64>(STATE, 32) ^ v4 ^ v12, 32);
  store<u64>(STATE, load<u64>(STATE, 40) ^ v5 ^ v13, 40);
  store<u64>(STATE, load<u64>(STATE, 48) ^ v6 ^ v14, 48);
  store<u64>(STATE, load<u64>(STATE, 56) ^ v7 ^ v15, 56);
}
