/** A cursor over the batches of rows that the store streams. */

import type { FileRow } from '../../model/store.js';

export class RowCursor {
  /** Rows passed so far. */
  count = 0;
  /** The row the cursor is on; undefined at the end, and while `needsMore`. */
  row: FileRow | undefined;
  /** Whether `load` must be called before `row` means anything. */
  needsMore = true;

  readonly #batches: AsyncIterator<readonly FileRow[]>;
  #batch: readonly FileRow[] = [];
  #index = 0;

  constructor(batches: AsyncIterable<readonly FileRow[]>) {
    this.#batches = batches[Symbol.asyncIterator]();
  }

  /** Fetches the next batch that holds anything. */
  async load(): Promise<void> {
    this.#index = 0;
    this.#batch = [];
    while (this.#batch.length === 0) {
      const next = await this.#batches.next();
      if (next.done === true) break;
      this.#batch = next.value;
    }
    this.row = this.#batch[0];
    this.needsMore = false;
  }

  advance(): void {
    this.count++;
    this.row = this.#batch[++this.#index];
    this.needsMore = this.row === undefined;
  }

  /** Lets the store go, also before the end. */
  async close(): Promise<void> {
    await this.#batches.return?.();
  }
}
