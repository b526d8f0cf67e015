/**
 * Bytes on their way out: small writes of one turn leave together, and the socket's own backpressure is told to whoever asks.
 * Never waits for reading, so that two sides that both send much cannot lock each other.
 */

import type { Duplex } from 'node:stream';

/** Small pieces are gathered up to so many bytes before they leave. */
const GATHER = 65_536;

export class Outbox {
  readonly #socket: Duplex;
  readonly #onProgress: () => void;
  #pieces: Buffer[] = [];
  #gathered = 0;
  #sent = 0;
  #blocked = false;
  #closed = false;
  #waiters: (() => void)[] = [];

  /** `onProgress`: the system has taken bytes. */
  constructor(socket: Duplex, onProgress: () => void) {
    this.#socket = socket;
    this.#onProgress = onProgress;
    socket.on('drain', () => {
      this.#blocked = false;
      this.#wake();
    });
    socket.once('close', () => {
      this.#closed = true;
      this.#wake();
    });
  }

  /** Bytes given so far. */
  get sent(): number {
    return this.#sent;
  }

  /** The socket has taken as much as it wants for now. */
  get blocked(): boolean {
    return this.#blocked && !this.#closed;
  }

  /** Gathers bytes for the next flush, which happens by itself when much has gathered. They must not be written to afterwards. */
  write(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#sent += bytes.length;
    if (bytes.length >= GATHER) {
      // Gathering would only copy it.
      this.flush();
      this.#give(bytes);
      return;
    }
    this.#pieces.push(bytes);
    this.#gathered += bytes.length;
    if (this.#gathered >= GATHER) this.flush();
  }

  /** Hands everything gathered to the socket. */
  flush(): void {
    const [first] = this.#pieces;
    if (first === undefined) return;
    const bytes = this.#pieces.length === 1 ? first : Buffer.concat(this.#pieces, this.#gathered);
    this.#pieces = [];
    this.#gathered = 0;
    this.#give(bytes);
  }

  /** Resolves when the socket wants more, or is closed. */
  async ready(): Promise<void> {
    while (this.blocked) {
      await new Promise<void>((resolve) => {
        this.#waiters.push(resolve);
      });
    }
  }

  #give(bytes: Buffer): void {
    if (this.#closed || !this.#socket.writable) return;
    const more = this.#socket.write(bytes, (error) => {
      if (error === null || error === undefined) this.#onProgress();
    });
    if (!more) this.#blocked = true;
  }

  #wake(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }
}
