/**
 * How long anything on the wire may be. A peer that sends more is cut off: nothing grows because a peer says so.
 * csync2 2.0 resets the connection after a line of 16 KiB; the other bounds are csx's own. Lengths are bytes.
 */

/** A line of a request or of an answer, without its `\n`. */
export const MAX_LINE = 16_383;

/** Arguments of a request after its verb. */
export const MAX_ARGUMENTS = 31;

/** A row of LIST: a check text with a link target of 4,095 bytes, encoded twice, a tab, and an encoded name. */
export const MAX_ROW = 65_536;

/** A signature that is collected in memory: that of a file of 26 GB in csync2's form (20 bytes for each 2,048). */
export const MAX_SIGNATURE = 268_435_456;

/** A body that a sender may announce: the largest file size a JavaScript number counts exactly. */
export const MAX_BODY = Number.MAX_SAFE_INTEGER;

/** Digits of a decimal, sign left out. */
export const MAX_DIGITS = 16;

/** A host, group or configuration name. */
export const MAX_NAME = 1_024;

/** The body of a PACK, and how many entries it has. */
export const MAX_PACK = 4_194_304;
export const MAX_PACK_ENTRIES = 1_024;

/** The body of a LOOK, and how many names it has. */
export const MAX_LOOK = 1_048_576;
export const MAX_LOOK_NAMES = 8_192;

/** The counted answer to either. */
export const MAX_COUNTED = 1_048_576;
