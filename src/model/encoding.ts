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
  if (!encoded.includes('%')) return encoded;
  return encoded.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}

/** A file name as the database and the wire hold it. */
export function storedName(name: FileName): StoredName {
  return encodeUrl(name) as StoredName;
}

/** The file name that a stored one stands for. Check `isCanonical` before using it on a disk. */
export function fileName(stored: StoredName): FileName {
  return decodeUrl(stored) as FileName;
}
