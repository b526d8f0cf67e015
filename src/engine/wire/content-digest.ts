/**
 * The SHA-256 of a file's new content, at the end of the body that brings it: what PATCH's body ends with once the daemon knows `verify`.
 * csx alone; docs/extensions.md has the meaning.
 *
 *   body = delta 32BYTE
 */

import type { Digest } from '../../model/entry.js';

/** Bytes behind the delta. */
export const DIGEST_BYTES = 32;

/** The digest as it travels. */
export function writeContentDigest(digest: Digest): Buffer {
  return Buffer.from(digest, 'hex');
}

/** Takes the pieces of one body apart. */
export class ContentDigestReader {
  /** Bytes of the delta that have not come. */
  #left: number;
  #digest = '';

  /** `bodyLength`: bytes that were announced. A body too short for a digest has none, and so no content's digest is equal to it. */
  constructor(bodyLength: number) {
    this.#left = Math.max(0, bodyLength - DIGEST_BYTES);
  }

  /** What of the piece belongs to the delta, perhaps nothing; a view of it. */
  take(piece: Buffer): Buffer {
    const delta = piece.subarray(0, this.#left);
    this.#left -= delta.length;
    this.#digest += piece.toString('hex', delta.length);
    return delta;
  }

  /** When the whole body has come. */
  get digest(): Digest {
    return this.#digest as Digest;
  }
}
