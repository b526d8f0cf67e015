/** Items that come faster than they are taken, in batches, for one consumer: what LIST and TYPE give. */

import type { CsxError } from '../../model/errors.js';

export interface StreamOwner {
  /** The consumer has taken all that waited. */
  onTaken(): void;
  /** The consumer left before the end. */
  onAbandoned(): void;
}

export class Stream<T> implements AsyncIterable<readonly T[]> {
  readonly #owner: StreamOwner;
  readonly #limit: number;
  #items: T[] = [];
  #ended = false;
  #abandoned = false;
  #failure: CsxError | undefined;
  #wake: (() => void) | undefined;

  /** `limit`: how many items may wait before `push` says so. */
  constructor(limit: number, owner: StreamOwner) {
    this.#limit = limit;
    this.#owner = owner;
  }

  /** False: enough is waiting, hold back until `onTaken`. */
  push(item: T): boolean {
    if (this.#abandoned) return true;
    this.#items.push(item);
    this.#wake?.();
    return this.#items.length < this.#limit;
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  /** What waits is still handed over; then the consumer gets the error. */
  fail(error: CsxError): void {
    if (!this.#ended) this.#failure ??= error;
    this.end();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<readonly T[], void, void> {
    try {
      for (;;) {
        if (this.#items.length > 0) {
          const batch = this.#items;
          this.#items = [];
          this.#owner.onTaken();
          yield batch;
        } else if (this.#ended) {
          if (this.#failure !== undefined) throw this.#failure;
          return;
        } else {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
          this.#wake = undefined;
        }
      }
    } finally {
      this.#items = [];
      if (!this.#ended) {
        this.#abandoned = true;
        this.#owner.onAbandoned();
      }
    }
  }
}
