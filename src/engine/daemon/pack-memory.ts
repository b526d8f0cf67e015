/**
 * Memory for the bodies of packs, used again and again: megabytes made anew for each pack lie outside of V8's heap, but count for it, and made it
 * collect garbage every few packs.
 */

/** Bodies of three packs that are under way, and one that is received. */
const MOST = 4;
const UNIT = 1024 * 1024;

export class PackMemory {
  readonly #free: ArrayBuffer[] = [];

  /** At least so many bytes, with anything in them. */
  take(length: number): ArrayBuffer {
    const index = this.#free.findIndex((memory) => memory.byteLength >= length);
    const [found] = index < 0 ? [] : this.#free.splice(index, 1);
    return found ?? new ArrayBuffer(Math.max(1, Math.ceil(length / UNIT)) * UNIT);
  }

  /** Takes it back; nobody may look at it any more. What was handed over to another thread is nothing. */
  give(memory: ArrayBuffer): void {
    if (memory.byteLength === 0) return;
    this.#free.push(memory);
    if (this.#free.length > MOST) void this.#free.shift();
  }

  /** Lets all of it go. */
  clear(): void {
    this.#free.length = 0;
  }
}
