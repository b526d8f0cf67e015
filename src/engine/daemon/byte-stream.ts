/**
 * A connection as bytes in and bytes out, with a limit on every wait (promise 14). Reading stops while nobody asks, and writing waits while
 * the other end does not read: memory does not grow because a peer is slow.
 */

import type { Duplex } from 'node:stream';

export class WaitedTooLong extends Error {
  override readonly name = 'WaitedTooLong';
}

export class ByteStream {
  readonly #stream: Duplex;
  readonly #failures: Error[] = [];

  constructor(stream: Duplex) {
    this.#stream = stream;
    stream.on('error', (error: Error) => {
      this.#failures.push(error);
    });
    stream.pause();
  }

  /** The next bytes; undefined when the other end sends no more, or `signal` says to stop. Rejects when the connection fails. */
  async read(milliseconds: number, signal: AbortSignal): Promise<Buffer | undefined> {
    for (;;) {
      this.#throwFailure();
      const chunk = this.#stream.read() as Buffer | null;
      if (chunk !== null) return chunk;
      if (this.#stream.readableEnded || this.#stream.destroyed || signal.aborted) return undefined;
      await this.#wait(['readable', 'end', 'close', 'error'], milliseconds, signal);
    }
  }

  /** Bytes that have come and were not read. */
  get unread(): number {
    return this.#stream.readableLength;
  }

  /** Writes; resolves when there is room for more. Rejects when the connection fails or the other end does not read in time. */
  async write(bytes: Buffer, milliseconds: number): Promise<void> {
    this.#throwFailure();
    if (this.#stream.destroyed || !this.#stream.writable) throw new Error('The connection was closed.');
    if (this.#stream.write(bytes)) return;
    while (this.#needsDrain()) {
      await this.#wait(['drain', 'close', 'error'], milliseconds);
    }
    this.#throwFailure();
  }

  /** Sends what is left and closes. */
  async close(milliseconds: number): Promise<void> {
    if (this.#stream.destroyed) return;
    this.#stream.end();
    try {
      while (!this.#isFinished()) {
        await this.#wait(['finish', 'close', 'error'], milliseconds);
        this.#throwFailure();
      }
    } catch {
      // It failed, or does not read: cut off.
    }
    this.destroy();
  }

  destroy(): void {
    this.#stream.destroy();
  }

  #throwFailure(): void {
    const [failure] = this.#failures;
    if (failure !== undefined) throw failure;
  }

  #needsDrain(): boolean {
    return this.#stream.writableNeedDrain && !this.#stream.destroyed;
  }

  #isFinished(): boolean {
    return this.#stream.writableFinished || this.#stream.destroyed;
  }

  async #wait(events: readonly string[], milliseconds: number, signal?: AbortSignal): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const leave = (): void => {
        clearTimeout(timer);
        for (const event of events) this.#stream.off(event, come);
        signal?.removeEventListener('abort', come);
      };
      const come = (): void => {
        leave();
        resolve();
      };
      const timer = setTimeout(() => {
        leave();
        reject(new WaitedTooLong(`nothing happened for ${String(Math.round(milliseconds) / 1000)} s`));
      }, milliseconds);
      for (const event of events) this.#stream.on(event, come);
      signal?.addEventListener('abort', come, { once: true });
    });
  }
}
