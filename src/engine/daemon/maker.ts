/**
 * Where the files of packs are made: small packs in this thread, and from the first large one on all of them in a thread beside it, so that
 * this one can look at the next pack and record the last one meanwhile. While the fsyncs of one pack run, the next is staged.
 */

import { existsSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { CsxError } from '../../model/errors.js';
import { makeAll, unflattenError } from './making.js';
import type { FromMaker, Made, Making, ToMaker } from './making.js';
import { PackMemory } from './pack-memory.js';

/** A pack of so many entries is worth a thread: starting it costs some 30 ms of processor time. */
const WORTH_A_THREAD = 128;
/** The same three levels below the root, run from src/ or from dist/. */
const CODE = new URL('../../../dist/engine/daemon/maker-thread.js', import.meta.url);
/** Megabytes: contents lie outside of the heap. */
const HEAP = { maxYoungGenerationSizeMb: 12, maxOldGenerationSizeMb: 128 };
/** Milliseconds without work after which the thread ends. */
const PATIENCE = 10_000;

export class Maker {
  /** For the bodies. */
  readonly memory = new PackMemory();
  #thread: Thread | undefined;

  /**
   * Makes them, begun in the order of calls. `body`: what the contents are views of, to be handed over; nobody may look at them
   * afterwards. Rejects when the thread dies: then nobody knows what was made.
   */
  async make(making: Making, body: ArrayBuffer): Promise<readonly Made[]> {
    if (this.#thread?.alive !== true) {
      this.#thread = undefined;
      if (making.newcomers.length < WORTH_A_THREAD || !existsSync(CODE)) return makeAll(making);
      this.#thread = new Thread(this.memory);
    }
    return this.#thread.make(making, body);
  }

  async close(): Promise<void> {
    await this.#thread?.close();
  }
}

class Thread {
  readonly #worker = new Worker(CODE, { resourceLimits: HEAP });
  readonly #waiting = new Map<number, PromiseWithResolvers<readonly Made[]>>();
  readonly #ended: Promise<void>;
  #number = 0;
  #alive = true;
  #idle: NodeJS.Timeout | undefined;

  readonly #memory: PackMemory;

  constructor(memory: PackMemory) {
    this.#memory = memory;
    this.#worker.on('message', ({ number, made, body }: FromMaker) => {
      memory.give(body);
      this.#take(number)?.resolve(made.map(({ state, error }) => ({ state, error: unflattenError(error) })));
    });
    this.#worker.on('error', (error) => {
      this.#gone(error);
    });
    this.#ended = new Promise((resolve) => {
      this.#worker.once('exit', () => {
        this.#gone(new CsxError('INTERNAL', 'The thread that makes files ended before it was done.'));
        resolve();
      });
    });
  }

  get alive(): boolean {
    return this.#alive;
  }

  make(making: Making, body: ArrayBuffer): Promise<readonly Made[]> {
    clearTimeout(this.#idle);
    const number = ++this.#number;
    const made = Promise.withResolvers<readonly Made[]>();
    this.#waiting.set(number, made);
    const message: ToMaker = { number, making, body };
    this.#worker.postMessage(message, [body]);
    return made.promise;
  }

  async close(): Promise<void> {
    clearTimeout(this.#idle);
    this.#alive = false;
    this.#memory.clear();
    await this.#worker.terminate();
    await this.#ended;
  }

  #take(number: number): PromiseWithResolvers<readonly Made[]> | undefined {
    const waiting = this.#waiting.get(number);
    this.#waiting.delete(number);
    if (this.#waiting.size === 0 && this.#alive) this.#idle = setTimeout(() => void this.close(), PATIENCE).unref();
    return waiting;
  }

  #gone(error: unknown): void {
    this.#alive = false;
    for (const number of [...this.#waiting.keys()]) this.#take(number)?.reject(error);
  }
}
