/**
 * The mechanism under a Connection: what waits to be written, what waits for its answer, the barrier behind PATCH, the
 * deadline, and the one failure that ends it all.
 *
 * Invariants: what is written is due in the same order, and the reader expects exactly what is due. While the barrier is up, only
 * the PATCH is due and nothing but its body is written. A failure happens once; afterwards nothing is due.
 */

import type { Duplex } from 'node:stream';
import type { CsxError } from '../../model/errors.js';
import { writeBodyRefusal } from '../wire/body.js';
import { ResponseReader } from '../wire/response.js';
import type { Answer, ResponseEvent } from '../wire/response.js';
import { asError, makeBody, writeChunks } from './body-writer.js';
import { Deadline } from './deadline.js';
import { describeExchange, sizeOf } from './exchange.js';
import type { Body, Exchange, PatchJob } from './exchange.js';
import * as failures from './failure.js';
import type { PeerLabel } from './failure.js';
import { Fifo } from './fifo.js';
import { Outbox } from './outbox.js';

/** How much may be under way before `room()` waits. */
export interface Window {
  readonly commands: number;
  readonly bytes: number;
}

export class Pipeline {
  readonly #label: PeerLabel;
  readonly #socket: Duplex;
  readonly #window: Window;
  readonly #reader = new ResponseReader();
  readonly #outbox: Outbox;
  readonly #deadline: Deadline;
  /** Not yet written. */
  readonly #waiting = new Fifo<Exchange>();
  #waitingBytes = 0;
  /** Written, answer due. */
  readonly #due = new Fifo<Exchange>();
  #barrier = false;
  #scheduled = false;
  #failure: CsxError | undefined;
  /** A consumer of rows or content has enough for now. */
  #paused = false;
  #endedWhilePaused = false;
  #received = 0;
  #roundTrips = 0;
  #turned = true;
  #rooms: (() => void)[] = [];

  constructor(socket: Duplex, label: PeerLabel, window: Window, answerDeadline: number) {
    this.#label = label;
    this.#socket = socket;
    this.#window = window;
    this.#deadline = new Deadline(answerDeadline, (silence) => {
      this.fail(failures.timeoutFailure(this.#label, silence, this.activity()));
    });
    this.#outbox = new Outbox(socket, () => {
      this.#deadline.progress();
    });
    socket.on('data', (chunk: Buffer) => {
      this.#receive(chunk);
    });
    socket.on('drain', () => {
      this.#schedule();
    });
    socket.on('error', (error) => {
      this.#lost(error);
    });
    for (const event of ['end', 'close']) {
      socket.on(event, () => {
        this.#lost(undefined);
      });
    }
  }

  get failure(): CsxError | undefined {
    return this.#failure;
  }

  get outstanding(): number {
    return this.#waiting.length + this.#due.length;
  }

  get counters(): { readonly sent: number; readonly received: number; readonly roundTrips: number } {
    return { sent: this.#outbox.sent, received: this.#received, roundTrips: this.#roundTrips };
  }

  /** Takes a command; it is written in this turn, unless the barrier is up or the socket is full. */
  give(exchange: Exchange): void {
    if (this.#failure !== undefined) {
      this.#reject(exchange, this.#failure);
      return;
    }
    this.#waiting.push(exchange);
    this.#waitingBytes += sizeOf(exchange);
    this.#schedule();
  }

  async room(): Promise<void> {
    while (this.#failure === undefined && !this.#hasRoom()) {
      await new Promise<void>((resolve) => {
        this.#rooms.push(resolve);
      });
    }
  }

  /** The consumer of rows or content is ready for more. */
  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#deadline.resume();
    this.#socket.resume();
    this.#handleAll();
    if (this.#endedWhilePaused) this.#lost(undefined);
  }

  /** Ends everything: the socket is destroyed, whatever is outstanding rejects with the error. */
  fail(error: CsxError): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#deadline.stop();
    this.#socket.destroy();
    for (const queue of [this.#due, this.#waiting]) {
      for (let exchange = queue.shift(); exchange !== undefined; exchange = queue.shift()) {
        this.#reject(exchange, error);
      }
    }
    this.#waitingBytes = 0;
    this.#tellRoom();
  }

  /** What the session is busy with, for messages: completes "while csx was ...". */
  activity(): string {
    const exchange = this.#due.peek() ?? this.#waiting.peek();
    return exchange === undefined ? 'idle' : `waiting for the answer to ${describeExchange(exchange)}`;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#pump();
    });
  }

  /** Writes what may be written. */
  #pump(): void {
    while (!this.#barrier && !this.#outbox.blocked) {
      const exchange = this.#waiting.shift();
      if (exchange === undefined) break;
      this.#waitingBytes -= sizeOf(exchange);
      this.#barrier = exchange.patch !== undefined;
      this.#await(exchange);
      this.#countTrip();
      this.#outbox.write(exchange.bytes);
      for (const piece of exchange.body ?? []) this.#outbox.write(piece);
    }
    this.#outbox.flush();
    if (this.#rooms.length > 0 && this.#hasRoom()) this.#tellRoom();
  }

  #await(exchange: Exchange): void {
    this.#due.push(exchange);
    this.#reader.expect(exchange.shape);
    if (this.#due.length > 1) return;
    this.#deadline.grant(exchange.grace ?? 0);
    this.#deadline.start();
  }

  #countTrip(): void {
    if (this.#turned) this.#roundTrips += 1;
    this.#turned = false;
  }

  #receive(chunk: Buffer): void {
    if (this.#failure !== undefined) return;
    this.#received += chunk.length;
    this.#turned = true;
    this.#deadline.progress();
    this.#reader.push(chunk);
    this.#handleAll();
  }

  #handleAll(): void {
    try {
      while (!this.#paused && this.#failure === undefined) {
        const event = this.#reader.next();
        if (event === undefined) return;
        this.#handle(event);
      }
    } catch (error) {
      this.fail(failures.protocolFailure(this.#label, error, this.activity()));
    }
  }

  #handle(event: ResponseEvent): void {
    switch (event.kind) {
      case 'row':
        if (this.#due.peek()?.rows?.push(event.row) === false) this.#pause();
        return;
      case 'content':
        if (this.#due.peek()?.content?.push(event.bytes) === false) this.#pause();
        return;
      case 'answer':
        this.#settle(event.answer);
    }
  }

  #settle(answer: Answer): void {
    const exchange = this.#due.shift();
    if (exchange === undefined) return;
    this.#deadline.grant(this.#due.peek()?.grace ?? 0);
    if (this.#due.length === 0 && !this.#barrier) this.#deadline.clear();
    if (exchange.patch !== undefined && answer.kind === 'send-data') {
      void this.#sendBody(exchange, exchange.patch, answer.signature);
      return;
    }
    if (exchange.patch !== undefined) {
      exchange.patch.sent.resolve(false);
      this.#lift();
    }
    if (exchange.late === true && answer.kind !== 'error') this.#follow(exchange.followers ?? []);
    exchange.resolve(answer);
    if (this.#rooms.length > 0 && this.#hasRoom()) this.#tellRoom();
  }

  /** The peer has accepted a PATCH: the body goes out, then everything that waited. Never rejects. */
  async #sendBody(exchange: Exchange, job: PatchJob, signature: Buffer | undefined): Promise<void> {
    this.#deadline.pause();
    const body = await makeBody(job, signature);
    if (this.#takeAlong([exchange])) return;
    // Made without `patch`: its answer is a plain line, and its failure takes the followers along.
    const { patch: _, ...closing } = exchange;
    this.#await({ ...closing, shape: 'line', followers: job.followers, late: job.late && body !== undefined });
    this.#countTrip();
    if (body === undefined) this.#outbox.write(writeBodyRefusal());
    else await this.#writeBody(body, job);
    this.#deadline.resume();
    // The last answer may come before the last byte has left: then the failure has missed the followers, and that answer,
    // whatever it says, is not one to a whole body.
    if (this.#takeAlong(job.followers)) {
      job.failure ??= this.#failure;
      job.sent.resolve(false);
      return;
    }
    if (body !== undefined && !job.late) this.#follow(job.followers);
    job.sent.resolve(body !== undefined);
    this.#lift();
  }

  /** Before anything else that waits. */
  #follow(followers: readonly Exchange[]): void {
    this.#waiting.prepend(followers);
    for (const follower of followers) this.#waitingBytes += sizeOf(follower);
    this.#schedule();
  }

  /** Never rejects: a body that fails ends the connection. */
  async #writeBody(body: Body, job: PatchJob): Promise<void> {
    try {
      await writeChunks(body, this.#outbox, this.#deadline, () => this.#failure !== undefined);
    } catch (error) {
      job.failure = asError(error);
      this.fail(failures.dropped(this.#label, error));
    }
  }

  /** The way is free again; called in the turn of the last byte, so that what waited leaves with it. */
  #lift(): void {
    this.#barrier = false;
    this.#pump();
    if (this.#due.length === 0) this.#deadline.clear();
  }

  #pause(): void {
    this.#paused = true;
    this.#deadline.pause();
    this.#socket.pause();
  }

  #lost(error: Error | undefined): void {
    if (this.#failure !== undefined) return;
    if (this.#paused && error === undefined) {
      this.#endedWhilePaused = true;
      return;
    }
    this.#reader.end();
    this.#handleAll();
    if (this.#paused) {
      this.#endedWhilePaused = true;
      return;
    }
    this.fail(failures.connectionLost(this.#label, error, this.activity()));
  }

  /** Whether the connection has failed meanwhile; then these, which no queue holds, are rejected too. */
  #takeAlong(exchanges: readonly Exchange[]): boolean {
    if (this.#failure === undefined) return false;
    for (const exchange of exchanges) this.#reject(exchange, this.#failure);
    return true;
  }

  #reject(exchange: Exchange, error: CsxError): void {
    exchange.reject(error);
    for (const follower of exchange.patch?.followers ?? exchange.followers ?? []) follower.reject(error);
  }

  #hasRoom(): boolean {
    return this.outstanding < this.#window.commands && this.#waitingBytes < this.#window.bytes;
  }

  #tellRoom(): void {
    const rooms = this.#rooms;
    this.#rooms = [];
    for (const tell of rooms) tell();
  }
}
