/**
 * How long a peer may keep an answer back: counts from the last progress, and only while it is the peer's turn. For an answer that
 * takes work (reading or writing a large file, of which nothing is heard meanwhile) it is longer by what was granted.
 *
 * `start` when something becomes due, `clear` when nothing is; `pause` and `resume` (they nest) around what this side does
 * itself meanwhile, such as making a delta.
 */
export class Deadline {
  readonly #milliseconds: number;
  /** Told for how many milliseconds nothing came. */
  readonly #onExpired: (silence: number) => void;
  #timer: NodeJS.Timeout | undefined;
  #grace = 0;
  #graceTimer: NodeJS.Timeout | undefined;
  #due = false;
  #pauses = 0;
  #stopped = false;

  constructor(milliseconds: number, onExpired: (silence: number) => void) {
    this.#milliseconds = milliseconds;
    this.#onExpired = onExpired;
  }

  start(): void {
    this.#due = true;
    this.progress();
  }

  /** So many milliseconds more, until this is called again. */
  grant(grace: number): void {
    this.#grace = grace;
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
    clearTimeout(this.#graceTimer);
    // A timer that has fired, or is no longer wanted, is only refreshed, never made anew: this runs for every chunk.
    if (this.#timer !== undefined) {
      this.#timer.refresh();
      return;
    }
    this.#timer = setTimeout(() => {
      if (!this.#running()) return;
      if (this.#grace === 0) this.#onExpired(this.#milliseconds);
      else
        this.#graceTimer = setTimeout(() => {
          if (this.#running()) this.#onExpired(this.#milliseconds + this.#grace);
        }, this.#grace);
    }, this.#milliseconds);
  }

  /** For good. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#graceTimer);
  }

  #running(): boolean {
    return this.#due && this.#pauses === 0 && !this.#stopped;
  }
}
