/**
 * Where two hosts' databases differ, file by file. Pure: both sides are rows of their `file` tables, in the order of stored names, and
 * are merged; what is equal costs nothing but the comparison.
 *
 * As csync2's -T, this compares what the databases say, not the disks: a change that nobody scanned yet is not seen.
 */

import type { CheckText } from '../../model/checktxt.js';
import type { StoredName } from '../../model/names.js';

/** One row of either side. */
export interface ComparedRow {
  readonly stored: StoredName;
  /** Decoded. */
  readonly checktxt: CheckText;
}

/** A file that is not the same on both sides. `different`: known to both, by different check texts. */
export interface Difference {
  readonly kind: 'different' | 'only-here' | 'only-there';
  readonly stored: StoredName;
  /** Undefined: not known here. */
  readonly here: CheckText | undefined;
  /** Undefined: not known there. */
  readonly there: CheckText | undefined;
}

/** Batches of rows in the order of stored names, each name once. */
export type Rows = AsyncIterable<readonly ComparedRow[]>;

/** The differences in the order of stored names. Ends both sides when it is left early. */
export async function* differences(here: Rows, there: Rows): AsyncGenerator<Difference, void, undefined> {
  const [left, right] = [new Cursor(here), new Cursor(there)];
  try {
    let [ours, theirs] = [await left.next(), await right.next()];
    while (ours !== undefined || theirs !== undefined) {
      if (theirs === undefined || (ours !== undefined && ours.stored < theirs.stored)) {
        if (ours === undefined) return;
        yield { kind: 'only-here', stored: ours.stored, here: ours.checktxt, there: undefined };
        ours = await left.next();
      } else if (ours === undefined || theirs.stored < ours.stored) {
        yield { kind: 'only-there', stored: theirs.stored, here: undefined, there: theirs.checktxt };
        theirs = await right.next();
      } else {
        if (ours.checktxt !== theirs.checktxt) {
          yield { kind: 'different', stored: ours.stored, here: ours.checktxt, there: theirs.checktxt };
        }
        [ours, theirs] = [await left.next(), await right.next()];
      }
    }
  } finally {
    await left.close();
    await right.close();
  }
}

/** Goes through batches row by row. */
class Cursor {
  readonly #batches: AsyncIterator<readonly ComparedRow[]>;
  #batch: readonly ComparedRow[] = [];
  #index = 0;

  constructor(rows: Rows) {
    this.#batches = rows[Symbol.asyncIterator]();
  }

  async next(): Promise<ComparedRow | undefined> {
    while (this.#index >= this.#batch.length) {
      const step = await this.#batches.next();
      if (step.done === true) return undefined;
      this.#batch = step.value;
      this.#index = 0;
    }
    return this.#batch[this.#index++];
  }

  async close(): Promise<void> {
    await this.#batches.return?.();
  }
}
