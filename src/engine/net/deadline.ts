/**
 * How long a peer may keep an answer back: counts from the last progress, and only while it is the peer's turn.
 *
 * `start` when something becomes due, `clear` when nothing is; `pause` and `resume` (they nest) around what this side does
 * itself meanwhile, such as making a delta.
 */
export class Deadline {
  readonly #milliseconds: number;
  readonly #onExpired: () => void;
  #timer: NodeJS.Timeout | undefined;
  #due = false;
  #pauses = 0;
  #stopped = false;

  constructor(milliseconds: number, onExpired: () => void) {
    this.#milliseconds = milliseconds;
    this.#onExpired = onExpired;
  }

  start(): void {
    this.#due = true;
    this.progress();
  }

  clear(): void {
    this.#due = false;
  }

  pause(): void {
    this.#pauses += 1;
  }

  resume(): void {
    this.#pauses -= 1;
    this.progress();
  }

  /** Something has happened: the count begins again. */
  progress(): void {
    if (!this.#running()) return;
    // A timer that has fired, or is no longer wanted, is only refreshed, never made anew: this runs for every chunk.
    if (this.#timer !== undefined) {
      this.#timer.refresh();
      return;
    }
    this.#timer = setTimeout(() => {
      if (this.#running()) this.#onExpired();
    }, this.#milliseconds);
  }

  /** For good. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #running(): boolean {
    return this.#due && this.#pauses === 0 && !this.#stopped;
  }
}
