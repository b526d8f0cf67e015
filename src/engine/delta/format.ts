/**
 * The constants of librsync's signature and delta formats. All integers are big-endian.
 *
 *   signature = u32 magic, u32 block length, u32 strong length, { u32 weak sum, strong length bytes of strong sum }
 *   delta     = u32 0x72730236, { command }, END
 *   command   = 0x01-0x40               literal of that many bytes, which follow
 *             | 0x41-0x44 length        literal; the length as u8, u16, u32, u64; the bytes follow
 *             | 0x45-0x54 start length  copy from the old file; 0x45 + 4 * i + j, widths 1, 2, 4, 8 bytes for i, j = 0..3
 *   END       = 0x00
 *
 * Source: reference/librsync-format.md.
 */

export type WeakSum = 'rollsum' | 'rabinkarp';
export type StrongSum = 'md4' | 'blake2b';

/** The four kinds of signature. `strongLength` is the whole strong sum's; a signature may hold fewer bytes of it. */
export interface SignatureKind {
  readonly magic: number;
  readonly weak: WeakSum;
  readonly strong: StrongSum;
  readonly strongLength: number;
}

export const SIGNATURE_KINDS: readonly SignatureKind[] = [
  { magic: 0x72730136, weak: 'rollsum', strong: 'md4', strongLength: 16 },
  { magic: 0x72730137, weak: 'rollsum', strong: 'blake2b', strongLength: 32 },
  { magic: 0x72730146, weak: 'rabinkarp', strong: 'md4', strongLength: 16 },
  { magic: 0x72730147, weak: 'rabinkarp', strong: 'blake2b', strongLength: 32 },
];

/** Bytes before the first block of a signature. */
export const SIGNATURE_HEADER_LENGTH = 12;

/** What csync2 always sends: rollsum and MD4 over blocks of 2,048 bytes. */
export const SIGNATURE_MAGIC = 0x72730136;
export const BLOCK_LENGTH = 2048;
export const STRONG_LENGTH = 16;

export const DELTA_MAGIC = 0x72730236;
export const DELTA_MAGIC_LENGTH = 4;
export const OP_END = 0x00;
/** Opcodes up to this one are their own literal length. */
export const OP_LITERAL_SHORT_MAX = 0x40;
/** The first of four: literal with a length of 1, 2, 4, 8 bytes. */
export const OP_LITERAL = 0x41;
/** The first of sixteen: copy. */
export const OP_COPY = 0x45;
/** From here on opcodes are reserved. */
export const OP_RESERVED = 0x55;

/** The number of bytes an operand takes: 1, 2, 4 or 8. */
export function operandWidth(value: number): 1 | 2 | 4 | 8 {
  return value <= 0xff ? 1 : value <= 0xffff ? 2 : value <= 0xffffffff ? 4 : 8;
}

/** Which of the four widths: 0 for 1 byte, 1 for 2, 2 for 4, 3 for 8. */
export function widthIndex(width: 1 | 2 | 4 | 8): 0 | 1 | 2 | 3 {
  return width === 1 ? 0 : width === 2 ? 1 : width === 4 ? 2 : 3;
}
