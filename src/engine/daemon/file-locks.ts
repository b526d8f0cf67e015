/**
 * One session at a time works on a file, from its first look at it until the change is durable and recorded: another would see the new
 * disk and the old row, and take the change for one that was made here.
 *
 * Nobody waits while holding a lock (changes.ts commits what it has before it waits), so there is no deadlock, and no lock is held
 * while a client is waited for.
 */

import type { FileName } from '../../model/names.js';

export class FileLocks {
  readonly #waiting = new Map<FileName, (() => void)[]>();

  /** Takes the lock if it is free. */
  tryAcquire(file: FileName): boolean {
    if (this.#waiting.has(file)) return false;
    this.#waiting.set(file, []);
    return true;
  }

  /** Waits for the lock, in order of arrival. */
  async acquire(file: FileName): Promise<void> {
    if (this.tryAcquire(file)) return;
    await new Promise<void>((resolve) => {
      this.#waiting.get(file)?.push(resolve);
    });
  }

  release(file: FileName): void {
    const next = this.#waiting.get(file)?.shift();
    if (next === undefined) this.#waiting.delete(file);
    else next();
  }
}
