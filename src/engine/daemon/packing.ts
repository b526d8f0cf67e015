/**
 * The packs of one session that are under way. A client sends the next pack before the last one is answered: here it is looked at while the
 * files of the one before are made, and that is recorded while these are made. Answers leave in order.
 */

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
  readonly #underWay: Promise<Buffer>[] = [];
  #begun: Promise<void> = Promise.resolve();

  /** The answer of the oldest; undefined: none is under way. */
  get oldest(): Promise<Buffer> | undefined {
    return this.#underWay[0];
  }

  /** Waits for the answer of the oldest, and takes it; none where none is under way. */
  async take(): Promise<readonly Buffer[]> {
    const [oldest] = this.#underWay;
    if (oldest === undefined) return [];
    const answer = await oldest;
    void this.#underWay.shift();
    return [answer];
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
