/**
 * Merges disk and table by parts of the names, so that helpers (crew.ts) can merge some of them at the same time. What is found comes
 * out in the order of stored names all the same.
 *
 * It begins alone. Only when a scan has gone on for a while is what is still to come cut in pieces, and are helpers called: most
 * scans end before. Whoever has nothing to do takes the first piece that nobody has; when there is none, who still works
 * cuts its own again.
 */

import type { FileName, StoredName } from '../../model/names.js';
import type { Stretch } from '../../model/store.js';
import { chooseCuts, piecesOf } from './crew.js';
import type { Crew, Task } from './crew.js';
import { Merge } from './merge.js';
import type { Found, MergeOptions, MergeTotals } from './merge.js';

export interface SweepOptions extends Omit<MergeOptions, 'stretch' | 'onSlice'> {
  /** Calls helpers, once; undefined: there are none. */
  readonly crew?: (() => Crew | undefined) | undefined;
  /** Files merged before a part is cut; for tests. */
  readonly patience?: number | undefined;
  readonly onProgress?: ((entries: number, at: FileName) => void) | undefined;
}

/** A fraction of a second's work; helpers take a tenth to come. */
const PATIENCE = 20_000;
/** Batches made here that wait for their turn, at most. */
const MOST_AHEAD = 4;

interface Part {
  readonly from: StoredName;
  before: StoredName | undefined;
  /** Found, and not due yet when it was. */
  readonly batches: (() => readonly Found[])[];
  /** Set where the part is merged here. */
  run: AsyncGenerator<readonly Found[], void, undefined> | undefined;
  /** Set where a helper merges it. */
  task: Task | undefined;
  /** Files it had when it was cut last. */
  cutAt: number;
  entries: number;
  touched: boolean;
  asked: boolean;
  done: boolean;
}

export class Sweep {
  readonly #options: SweepOptions;
  readonly #patience: number;
  /** In order; the first one is due. */
  readonly #parts: Part[] = [newPart({ from: '' as StoredName, before: undefined })];
  #crew: Crew | undefined;
  #called = false;
  #ahead = 0;
  #entries = 0;
  #at = '' as FileName;
  #totals: MergeTotals = { entries: 0, known: 0, drift: 0, refreshed: 0, removed: 0 };
  #failure: { readonly error: unknown } | undefined;
  #wake: () => void = () => undefined;

  constructor(options: SweepOptions) {
    this.#options = options;
    this.#patience = options.patience ?? PATIENCE;
  }

  get totals(): MergeTotals {
    return this.#totals;
  }

  /** Must be drained or returned. Throws what a Merge throws, here or at a helper. */
  async *run(): AsyncGenerator<readonly Found[], void, undefined> {
    try {
      for (let due = this.#parts[0]; due !== undefined; due = this.#parts[0]) {
        if (this.#failure !== undefined) throw this.#failure.error;
        this.#options.signal?.throwIfAborted();
        const batch = due.batches.shift();
        if (batch !== undefined) yield batch();
        else if (due.done) this.#parts.shift();
        else if (due.task === undefined) {
          const found = await this.#step(due);
          if (found !== undefined) yield found;
        } else await this.#besides(due.task, due);
      }
    } finally {
      for (const part of this.#parts) await part.run?.return();
      await this.#crew?.close();
    }
  }

  /** Merges a part of here on to its next batch; undefined at its end. */
  async #step(part: Part): Promise<readonly Found[] | undefined> {
    if (part.run === undefined) {
      const { from, before } = part;
      const onSlice = (merge: Merge): void => {
        this.#reached(part, merge.entries, merge.at);
        if (this.#mayCut(part)) this.#cut(part, merge);
      };
      part.run = this.#merged(part, new Merge({ ...this.#options, stretch: { from, before }, onSlice }));
    }
    const step = await part.run.next();
    return step.done === true ? undefined : step.value;
  }

  async *#merged(part: Part, merge: Merge): AsyncGenerator<readonly Found[], void, undefined> {
    yield* merge.run();
    this.#finish(part, merge.totals());
  }

  /** What is due is at a helper, and not here yet: goes on with what comes later, or waits. */
  async #besides(task: Task, due: Part): Promise<void> {
    const later = this.#parts.find((part) => !part.done && part.task === undefined);
    if (later === undefined || this.#ahead >= MOST_AHEAD) {
      if (later === undefined && !due.asked && due.entries - due.cutAt >= this.#patience) {
        due.asked = true;
        task.askToCut();
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      return;
    }
    const found = await this.#step(later);
    if (found === undefined) return;
    this.#ahead++;
    later.batches.push(() => {
      this.#ahead--;
      return found;
    });
  }

  #mayCut(part: Part): boolean {
    if (part.entries - part.cutAt < this.#patience) return false;
    if (this.#parts.some((each) => !each.done && each.run === undefined && each.task === undefined)) return false;
    if (!this.#called) {
      this.#called = true;
      this.#crew = this.#options.crew?.();
    }
    return this.#crew !== undefined;
  }

  #cut(part: Part, merge: Merge): void {
    part.cutAt = part.entries;
    const names = chooseCuts(merge.cuts());
    const [first] = names;
    if (first === undefined) return;
    merge.endBefore(first);
    this.#giveOut(part, names);
  }

  /** Puts the pieces behind the part they were cut from. */
  #giveOut(part: Part, names: readonly StoredName[]): void {
    const pieces = piecesOf(names, part.before).map(newPart);
    part.before = names[0];
    this.#parts.splice(this.#parts.indexOf(part) + 1, 0, ...pieces);
    this.#enlist();
  }

  /** Helpers without work take the first parts that nobody has. */
  #enlist(): void {
    const crew = this.#crew;
    if (crew === undefined) return;
    for (const part of this.#parts) {
      if (part.done || part.run !== undefined || part.task !== undefined) continue;
      part.task = crew.take({ from: part.from, before: part.before }, this.#hears(part));
      if (part.task === undefined) return;
    }
  }

  #hears(part: Part): Parameters<Crew['take']>[1] {
    const heard = (): void => {
      part.touched = true;
      this.#wake();
    };
    return {
      found: (batch) => {
        part.batches.push(batch);
        heard();
      },
      reached: (entries) => {
        this.#reached(part, entries, undefined);
        this.#wake();
      },
      cut: (names) => {
        part.asked = false;
        part.cutAt = part.entries;
        if (names.length > 0) this.#giveOut(part, names);
        heard();
      },
      done: (totals) => {
        this.#finish(part, totals);
        this.#enlist();
        heard();
      },
      failed: (error) => {
        // Nothing lost: this thread does it, and meets what there is to meet.
        if (part.touched) this.#failure = { error };
        else part.task = undefined;
        this.#wake();
      },
    };
  }

  #reached(part: Part, entries: number, at: FileName | undefined): void {
    this.#entries += entries - part.entries;
    part.entries = entries;
    this.#at = at ?? this.#at;
    this.#options.onProgress?.(this.#entries, this.#at);
  }

  #finish(part: Part, totals: MergeTotals): void {
    part.done = true;
    this.#reached(part, totals.entries, undefined);
    const sum = this.#totals;
    this.#totals = {
      entries: sum.entries + totals.entries,
      known: sum.known + totals.known,
      drift: sum.drift + totals.drift,
      refreshed: sum.refreshed + totals.refreshed,
      removed: sum.removed + totals.removed,
    };
  }
}

function newPart({ from, before }: Stretch): Part {
  return {
    from,
    before,
    batches: [],
    run: undefined,
    task: undefined,
    cutAt: 0,
    entries: 0,
    touched: false,
    asked: false,
    done: false,
  };
}
