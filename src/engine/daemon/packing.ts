/**
 * The packs of one session that are under way. A client sends the next pack before the last one is answered: here it is looked at while the
 * files of the one before are made, and that is recorded while these are made. Answers leave in order.
 */

import type { Replies } from './replies.js';

/** What a pack has to wait for, since what it makes may lie in directories of the one before it. */
export interface PackOrder {
  /** The pack before is being made: its directories stand. */
  readonly mayMake: Promise<void>;
  /** To be called when everything of this pack is begun to be made. */
  readonly making: () => void;
  /** The pack before is recorded. */
  readonly mayRecord: Promise<unknown>;
}

/** Packs at work at once: one is looked at, one made, one recorded. */
const MOST = 3;

export class Packing {
  readonly #replies: Replies;
  readonly #underWay: Promise<Buffer>[] = [];
  #begun: Promise<void> = Promise.resolve();

  constructor(replies: Replies) {
    this.#replies = replies;
  }

  /** Resolves when the oldest is done: call `answer` then. Undefined: none is under way. Never rejects. */
  get oldest(): Promise<unknown> | undefined {
    return this.#underWay[0];
  }

  /** Waits for the oldest; its answer, behind those that have waited before it. */
  async answer(): Promise<Iterable<Buffer>> {
    await this.#take();
    return this.#replies.take();
  }

  /** Waits for all of them, and adds their answers: whatever is no pack and comes after one comes after all of it. */
  async settle(): Promise<void> {
    while (this.#underWay.length > 0) await this.#take();
  }

  async #take(): Promise<void> {
    const [oldest] = this.#underWay;
    if (oldest === undefined) return;
    this.#replies.add(await oldest);
    void this.#underWay.shift();
  }

  /** Whether no other may begin before the oldest is answered. */
  get full(): boolean {
    return this.#underWay.length >= MOST;
  }

  /** Starts one. `carryOut` must not reject. */
  begin(carryOut: (order: PackOrder) => Promise<Buffer>): void {
    const begun = Promise.withResolvers<undefined>();
    const mayMake = this.#begun;
    this.#begun = mayMake.then(() => begun.promise);
    const order: PackOrder = {
      mayMake,
      making: () => {
        begun.resolve(undefined);
      },
      mayRecord: Promise.resolve(this.#underWay.at(-1)),
    };
    this.#underWay.push(carryOut(order).finally(order.making));
  }
}
