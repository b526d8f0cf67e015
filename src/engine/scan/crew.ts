/** Helpers that take parts of a scan off its hands: threads of their own (update/scan-crew.ts), or in tests whatever acts like one. */

import type { StoredName } from '../../model/names.js';
import type { Stretch } from '../../model/store.js';
import type { Found, MergeTotals } from './merge.js';

/** What a helper tells of its part, in this order of time. */
export interface Hears {
  /** A batch; calling it gives the findings and lets the helper know that they were taken. */
  found(batch: () => readonly Found[]): void;
  /** It has gone on to so many files. */
  reached(entries: number): void;
  /** It leaves the first of the names and all that follows it to others; no names: it cannot. */
  cut(names: readonly StoredName[]): void;
  done(totals: MergeTotals): void;
  /** It gave up: with this part and, if it is no more, with all others. */
  failed(error: unknown): void;
}

export interface Task {
  /** Asks the helper to give back the rest of its part, in pieces. It answers with `cut` or, if it has finished by then, not at all. */
  askToCut(): void;
}

export interface Crew {
  /** Gives a part to a helper that has nothing to do; undefined: there is none. */
  take(stretch: Stretch, hears: Hears): Task | undefined;
  /** Ends what runs and waits for it. */
  close(): Promise<void>;
}

/** Pieces made of one part at most. */
const MOST_PIECES = 64;

/** The names at which a part is cut, evenly chosen. */
export function chooseCuts(cuts: readonly StoredName[]): readonly StoredName[] {
  const step = Math.max(1, Math.ceil(cuts.length / MOST_PIECES));
  return cuts.filter((_, index) => index % step === 0);
}

/** The pieces that begin at the names; the last one goes on to `before`. */
export function piecesOf(names: readonly StoredName[], before: StoredName | undefined): readonly Stretch[] {
  return names.map((from, index) => ({ from, before: names[index + 1] ?? before }));
}
