/**
 * csync2's URL encoding of names, check texts, commands and link targets, in its database and on its wire.
 *
 * The bytes 0x01-0x20, 0x7f and `" ' % $ : | \` become `%XX` (upper-case hex); every other byte stands for itself.
 * Decoding turns any `%XX` back. Source: reference/wire-protocol.md, "Words and encoding".
 */

import type { FileName, StoredName } from './names.js';

const ANY_ENCODED = /[\x01-\x20\x7f"'%$:|\\]/;

/** What each byte becomes; undefined: itself. Check texts are full of colons: a table is several times faster than a callback each. */
const ESCAPES: readonly (string | undefined)[] = Array.from({ length: 256 }, (_, byte) =>
  ANY_ENCODED.test(String.fromCharCode(byte)) ? `%${byte.toString(16).toUpperCase().padStart(2, '0')}` : undefined,
);

/** Encodes a byte string. */
export function encodeUrl(bytes: string): string {
  if (!ANY_ENCODED.test(bytes)) return bytes;
  let encoded = '';
  let start = 0;
  for (let index = 0; index < bytes.length; index++) {
    const escape = ESCAPES[bytes.charCodeAt(index)];
    if (escape === undefined) continue;
    encoded += bytes.slice(start, index) + escape;
    start = index + 1;
  }
  return encoded + bytes.slice(start);
}

/** Decodes a byte string; a `%` that no two hex digits follow stands for itself. */
export function decodeUrl(encoded: string): string {
  let at = encoded.indexOf('%');
  if (at < 0) return encoded;
  let decoded = '';
  let start = 0;
  for (; at >= 0; at = encoded.indexOf('%', at + 1)) {
    const high = digit(encoded.charCodeAt(at + 1));
    const low = digit(encoded.charCodeAt(at + 2));
    if (high === undefined || low === undefined) continue;
    decoded += encoded.slice(start, at) + (BYTES[high * 16 + low] ?? '');
    start = at + 3;
    at += 2;
  }
  return decoded + encoded.slice(start);
}

const BYTES: readonly string[] = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte));

/** The value of a hex digit of either case. */
function digit(code: number): number | undefined {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  if (code >= 0x41 && code <= 0x46) return code - 0x37;
  return code >= 0x61 && code <= 0x66 ? code - 0x57 : undefined;
}

/** Of each byte: 0 where it stands for itself, 1 where csync2 always encodes it, 2 for NUL, which is in no name. */
export const KIND_OF_BYTE = new Uint8Array(256);
for (let byte = 1; byte < 256; byte++) KIND_OF_BYTE[byte] = ESCAPES[byte] === undefined ? 0 : 1;
KIND_OF_BYTE[0] = 2;

/** Values of upper-case hex digits; 255 for other bytes. */
const HEX = new Uint8Array(256).fill(255);
for (let value = 0; value < 16; value++) HEX[value.toString(16).toUpperCase().charCodeAt(0)] = value;

/** The byte that two upper-case hex digits stand for, as csync2 writes them; undefined: others are there. */
export function hexAt(bytes: Uint8Array, index: number): number | undefined {
  const high = HEX[bytes[index] ?? 0] ?? 255;
  const low = HEX[bytes[index + 1] ?? 0] ?? 255;
  return high === 255 || low === 255 ? undefined : high * 16 + low;
}

/** Whether the `%` at the index begins what csync2 would have written: a byte that has to be encoded. */
export function isEscape(bytes: Uint8Array, index: number): boolean {
  const byte = hexAt(bytes, index + 1);
  return byte !== undefined && KIND_OF_BYTE[byte] === 1;
}

/** A file name as the database and the wire hold it. */
export function storedName(name: FileName): StoredName {
  return encodeUrl(name) as StoredName;
}

/** The file name that a stored one stands for. Check `isCanonical` before using it on a disk. */
export function fileName(stored: StoredName): FileName {
  return decodeUrl(stored) as FileName;
}
