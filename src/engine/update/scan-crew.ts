/**
 * The helpers of a scan: threads, one for each processor that is left. Their code is what the build made, for they are started by its path.
 */

import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Selection } from '../../config/selection.js';
import { CsxError } from '../../model/errors.js';
import type { Stretch } from '../../model/store.js';
import type { Crew, Hears, Task } from '../scan/crew.js';
import { unflatten } from '../scan/flat-findings.js';
import type { FromThread, ThreadData, ToThread } from './scan-messages.js';

/** More than these wait for the one that writes. */
const MOST_THREADS = 3;
/** The same three levels below the root, run from src/ or from dist/. */
const CODE = new URL('../../../dist/engine/update/scan-thread.js', import.meta.url);
/** Megabytes: what a thread makes is short-lived. */
const HEAP = { maxYoungGenerationSizeMb: 12, maxOldGenerationSizeMb: 256 };

export interface CrewOptions extends Omit<ThreadData, 'config'> {
  readonly selection: Selection;
  /** A thread came upon rows of csx whose files csync2 has forgotten. */
  readonly onOrphan: () => void;
}

/** Starts them; undefined where there is nothing to run them on. */
export function startCrew({
  selection,
  onOrphan,
  ignore,
  scopes,
  location,
  lockTimeout,
}: CrewOptions): Crew | undefined {
  const count = Math.min(availableParallelism() - 1, MOST_THREADS);
  if (count < 1 || !existsSync(CODE)) return undefined;
  const config = { ...selection.config, groups: selection.groups.toReversed() };
  const data: ThreadData = { config, ignore, scopes, location, lockTimeout };
  const threads = Array.from({ length: count }, () => new Thread(data, onOrphan));
  return {
    take(stretch, hears) {
      return threads.find((thread) => thread.free)?.take(stretch, hears);
    },
    async close() {
      await Promise.all(threads.map((thread) => thread.close()));
    },
  };
}

class Thread {
  readonly #worker: Worker;
  readonly #ended: Promise<void>;
  #alive = true;
  #part = 0;
  #hears: Hears | undefined;
  readonly #onOrphan: () => void;

  constructor(data: ThreadData, onOrphan: () => void) {
    this.#onOrphan = onOrphan;
    this.#worker = new Worker(CODE, { workerData: data, resourceLimits: HEAP });
    this.#worker.on('message', (message: FromThread) => {
      this.#hear(message);
    });
    this.#worker.on('error', (error) => {
      this.#gone(error);
    });
    this.#ended = new Promise((resolve) => {
      this.#worker.on('exit', () => {
        this.#gone(new CsxError('INTERNAL', 'A thread of the scan ended before it was done.'));
        resolve();
      });
    });
  }

  get free(): boolean {
    return this.#alive && this.#hears === undefined;
  }

  take(stretch: Stretch, hears: Hears): Task {
    const part = ++this.#part;
    this.#hears = hears;
    this.#tell({ kind: 'part', part, stretch });
    return {
      askToCut: () => {
        this.#tell({ kind: 'cut', part });
      },
    };
  }

  async close(): Promise<void> {
    this.#hears = undefined;
    if (this.#alive) this.#tell({ kind: 'stop' });
    await this.#ended;
  }

  #tell(message: ToThread): void {
    this.#worker.postMessage(message);
  }

  #hear(message: FromThread): void {
    const hears = this.#hears;
    if (hears === undefined || message.part !== this.#part) return;
    switch (message.kind) {
      case 'found':
        hears.found(() => {
          this.#tell({ kind: 'taken' });
          return unflatten(message.batch);
        });
        return;
      case 'reached':
        hears.reached(message.entries);
        return;
      case 'cut':
        hears.cut(message.names);
        return;
      case 'done':
        this.#hears = undefined;
        if (message.orphans) this.#onOrphan();
        hears.done(message.totals);
        return;
      case 'failed':
        // What is wrong with the database for one part is wrong for all.
        this.#alive = false;
        this.#hears = undefined;
        this.#tell({ kind: 'stop' });
        hears.failed(new CsxError(message.error.code, message.error.message, message.error.details));
    }
  }

  #gone(error: unknown): void {
    this.#alive = false;
    const hears = this.#hears;
    this.#hears = undefined;
    hears?.failed(error);
  }
}
