/**
 * The signatures that SIG has just told of large files: as a rule PATCH asks for the same a moment later, and each time the whole file has to
 * be read. One is used again, once, only while the file has the stamp it was made at, and only for a client that has the outcome verified.
 */

import type { Stamp } from '../../model/entry.js';
import { SNAPSHOT_BYTES } from '../files/source.js';
import type { Source } from '../files/source.js';

/** Bytes of all that are held: files of 3.4 GB together. */
const HELD = 32 * 1024 * 1024;
/** Milliseconds. */
const HELD_FOR = 60_000;
/** Milliseconds that a file must have rested: what is written in the same tick of a file system's clock does not show in its stamp. */
const RESTED = 2000;

export class ToldSignatures {
  /** By device and stamp; the oldest first. */
  readonly #told = new Map<string, Buffer>();
  #bytes = 0;
  #timer: NodeJS.Timeout | undefined;

  /** Keeps the signature that was made of all of `source` at `now` or before (Unix milliseconds), if it may be used again. */
  keep(source: Source, signature: Buffer, now: number): void {
    const changed = Math.max(Number(source.stats.mtimeMs), Number(source.stats.ctimeMs));
    if (source.size <= SNAPSHOT_BYTES || signature.length > HELD || changed > now - RESTED) return;
    if (!source.unchanged()) return;
    this.#forget(keyOf(source));
    this.#told.set(keyOf(source), signature);
    this.#bytes += signature.length;
    for (const key of this.#told.keys()) {
      if (this.#bytes <= HELD) break;
      this.#forget(key);
    }
    this.#timer ??= setTimeout(() => {
      this.#told.clear();
      this.#bytes = 0;
      this.#timer = undefined;
    }, HELD_FOR).unref();
  }

  /** Once: should it be wrong after all, what comes of it is refused, and the next one is made anew. */
  take(source: Source): Buffer | undefined {
    const signature = this.#told.get(keyOf(source));
    this.#forget(keyOf(source));
    return signature;
  }

  #forget(key: string): void {
    this.#bytes -= this.#told.get(key)?.length ?? 0;
    this.#told.delete(key);
  }
}

function keyOf({ stats, stamp }: Source): `${bigint} ${Stamp}` {
  return `${stats.dev} ${stamp}`;
}
