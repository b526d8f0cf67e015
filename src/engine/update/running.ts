/** Counts work that is under way, so that one can wait until less of it is: Promise.race over all of it costs as much as the work. */

export class Running {
  #count = 0;
  #failure: { readonly error: unknown } | undefined;
  #wake: (() => void) | undefined;

  add(work: Promise<unknown>): void {
    this.#count += 1;
    const end = (): void => {
      this.#count -= 1;
      this.#wake?.();
    };
    work.then(end, (error: unknown) => {
      this.#failure ??= { error };
      end();
    });
  }

  /** Resolves when fewer than so many are under way. Rejects with what any of them was rejected with. One waiter at a time. */
  async fewerThan(count: number): Promise<void> {
    while (this.#count >= count && this.#failure === undefined) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#wake = undefined;
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
