/**
 * A session with a peer's daemon: commands go out in the order they are given, answers come back in the same order, and
 * nobody waits for an answer that the next command does not need.
 *
 * The daemon reads strictly one command after the other, so any number may be under way, with one exception: after PATCH
 * nothing may be sent before `OK (send_data).` or a refusal has come, because whether a body follows is the daemon's
 * decision. So PATCH is a barrier: what is given after it waits, and leaves right behind the body, in the same write where
 * it fits. Reading never waits for writing. Source: reference/wire-protocol.md, first paragraph and "PATCH".
 */

import type { Duplex } from 'node:stream';
import type { CsxError } from '../../model/errors.js';
import type { FileName, PeerName } from '../../model/names.js';
import { writeBodyHeader } from '../wire/body.js';
import { parseLookAnswer, writeLook } from '../wire/look.js';
import type { Look } from '../wire/look.js';
import { parsePackAnswer, writePack } from '../wire/pack.js';
import type { PackedEntry } from '../wire/pack.js';
import type { Answer, ListRow } from '../wire/response.js';
import type { Arguments, PlainVerb, RowsVerb, Verb } from '../wire/verbs.js';
import { asError } from './body-writer.js';
import { describeExchange, ignore, newExchange } from './exchange.js';
import type { Command, Exchange, PatchJob, Respond } from './exchange.js';
import * as failures from './failure.js';
import type { PeerLabel } from './failure.js';
import { Pipeline } from './pipeline.js';
import type { Window } from './pipeline.js';
import { Stream } from './stream.js';

export type { Body, Command, Respond } from './exchange.js';
export type { Window } from './pipeline.js';

/** What became of a PATCH and of the commands that were to follow it. */
export interface PatchOutcome {
  readonly answer: Answer;
  /** One for each follower; empty when none was sent, because the peer refused the PATCH or there was no body. */
  readonly followers: readonly Answer[];
}

export interface ConnectionOptions {
  readonly peer: PeerName;
  /** `10.0.0.2:30865`, for messages. */
  readonly address: string;
  /** Milliseconds without any progress while an answer is due. */
  readonly answerDeadline: number;
  readonly window?: Window | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Counters {
  /** Bytes of the protocol, before encryption. */
  readonly sent: number;
  readonly received: number;
  /** How often something left after something had come: what delay on the line multiplies. */
  readonly roundTrips: number;
}

const DEFAULT_WINDOW: Window = { commands: 1024, bytes: 1_048_576 };
/** Rows, or pieces of content, that may wait for a slow consumer before reading pauses. */
const STREAM_LIMIT = 4096;
/** Milliseconds for the last bytes after BYE. */
const CLOSE_DEADLINE = 1000;

export class Connection {
  readonly peer: PeerName;
  /** `10.0.0.2:30865` */
  readonly address: string;
  readonly #label: PeerLabel;
  readonly #socket: Duplex;
  readonly #pipeline: Pipeline;

  /** `socket`: connected, encrypted where it has to be, nothing read from it yet. Takes it over. */
  constructor(socket: Duplex, options: ConnectionOptions) {
    this.peer = options.peer;
    this.address = options.address;
    this.#label = { peer: options.peer, address: options.address };
    this.#socket = socket;
    const pipeline = new Pipeline(socket, this.#label, options.window ?? DEFAULT_WINDOW, options.answerDeadline);
    this.#pipeline = pipeline;
    const { signal } = options;
    if (signal === undefined) return;
    const onAbort = (): void => {
      pipeline.fail(failures.interruptedFailure(this.#label, pipeline.activity()));
    };
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    socket.once('close', () => {
      signal.removeEventListener('abort', onAbort);
    });
  }

  get counters(): Counters {
    return this.#pipeline.counters;
  }

  /** The error that ended the connection; undefined while it is good. */
  get failure(): CsxError | undefined {
    return this.#pipeline.failure;
  }

  /** Commands whose answers are not there yet. */
  get outstanding(): number {
    return this.#pipeline.outstanding;
  }

  /**
   * Gives a command; it leaves with all others given in the same turn, unless a PATCH is under way. A refusal is a value
   * (`kind: 'error'`). Rejects when the connection is lost (everything outstanding with the same CsxError), and for a file
   * whose name the protocol cannot carry (PATH_OUTSIDE; the connection goes on). A rejection nobody awaits is harmless.
   * `work`: bytes the peer may have to read or write before it can answer; the deadline is longer for them.
   */
  request<V extends PlainVerb>(verb: V, args: Arguments<V>, work = 0): Promise<Answer> {
    return this.#call(verb, args, undefined, work);
  }

  /** Resolves when less than the window is under way: await it between commands, or memory grows with the work. */
  room(): Promise<void> {
    return this.#pipeline.room();
  }

  /**
   * Sends PATCH. When the peer accepts it, `respond` makes the delta; with none, the peer is told so and answers with an error.
   * `followers` leave right behind the body, before anything else that waits, and not at all when the peer refuses: a
   * SETIME after a refused PATCH would make a csync2 daemon forget the conflict it refused for. With `late` they leave only when the
   * body has been taken: a csync2 daemon that could not write it would give the old file the new one's attributes. What waits
   * goes on meanwhile, so late followers leave with the next body and cost no round trip. `work` is as for `request`.
   *
   * When `respond` fails, the peer is told that there is no delta, the promise rejects with that failure, and the connection
   * goes on. When the body fails, or is not as long as it says, the connection is destroyed, so that the peer applies
   * nothing; the promise rejects with the body's failure, everything else outstanding with PEER_CLOSED.
   */
  patch(
    args: Arguments<'PATCH'>,
    respond: Respond,
    followers: readonly Command[] = [],
    { late = false, work = 0 }: { readonly late?: boolean; readonly work?: number } = {},
  ): Promise<PatchOutcome> {
    const outcome = this.#patch(args, respond, followers, late, work);
    outcome.catch(ignore);
    return outcome;
  }

  /**
   * Sends PACK with its body, to a peer that has said that it knows it. Resolves with why entries were not made, by their numbers; where
   * the peer refuses all of them, that is why for each. The contents must not be written to before. Rejects as `request` does, and with PEER_PROTOCOL.
   */
  async pack(args: Arguments<'PACK'>, entries: readonly PackedEntry[]): Promise<ReadonlyMap<number, string>> {
    const body = writePack(entries);
    const bytes = body.reduce((sum, piece) => sum + piece.length, 0);
    const answer = await this.#call('PACK', args, body, bytes);
    if (answer.kind === 'error') return new Map(entries.map((_, number) => [number, answer.text]));
    return this.#counted('PACK', answer, (bytes) => parsePackAnswer(bytes, entries.length));
  }

  /** Sends LOOK with its body, to a peer that has said that it knows PACK. Fails as `pack` does; `ask` for all where the peer refuses. */
  async look(args: Arguments<'LOOK'>, files: readonly FileName[]): Promise<readonly Look[]> {
    const answer = await this.#call('LOOK', args, [writeLook(files)]);
    if (answer.kind === 'error') return files.map(() => 'ask');
    return this.#counted('LOOK', answer, (bytes) => parseLookAnswer(bytes, files.length));
  }

  /** `rows` for LIST. */
  list(args: Arguments<'LIST'>): AsyncIterable<readonly ListRow[]> {
    return this.rows('LIST', args);
  }

  /**
   * Sends a command that is answered in rows at once; they come in batches as they arrive. Iterate to the end. Fails with PEER_REFUSED,
   * or as `request` does. Throws what `writeRequest` throws.
   */
  rows<V extends RowsVerb>(verb: V, args: Arguments<V>): AsyncIterable<readonly ListRow[]> {
    const rows = new Stream<ListRow>(STREAM_LIMIT, {
      onTaken: () => {
        this.#pipeline.resume();
      },
      onAbandoned: () => {
        this.#pipeline.resume();
      },
    });
    this.#stream(newExchange(verb, args, { rows }), rows);
    return rows;
  }

  /**
   * Sends TYPE at once; content comes in pieces until the peer closes, which ends the connection. Leaving early destroys it.
   * Fails with PEER_REFUSED (the connection goes on), or as `request` does.
   */
  type(args: Arguments<'TYPE'>): AsyncIterable<readonly Buffer[]> {
    const content = new Stream<Buffer>(STREAM_LIMIT, {
      onTaken: () => {
        this.#pipeline.resume();
      },
      onAbandoned: () => {
        this.destroy();
      },
    });
    this.#stream(newExchange('TYPE', args, { content }), content);
    return content;
  }

  /** Chooses the peer's configuration; '' is the default one. Fails with PEER_REFUSED, or PEER_CLOSED as csync2 does it. */
  async config(name: string): Promise<void> {
    const answer = await this.#call('CONFIG', { name });
    if (answer.kind === 'error') throw failures.refused(this.#label, `CONFIG ${name}`, answer.text);
  }

  /** Restricts the session to groups; once. Fails with PEER_REFUSED. */
  async group(groups: readonly string[]): Promise<void> {
    const answer = await this.#call('GROUP', { groups: groups.join(',') });
    if (answer.kind === 'error') throw failures.refused(this.#label, 'GROUP', answer.text);
  }

  /** Identifies this host; again with another name to change identity. Fails with IDENTIFICATION_FAILED or PLAINTEXT_REFUSED. */
  async hello(me: PeerName): Promise<void> {
    const answer = await this.#call('HELLO', { name: me });
    if (answer.kind === 'error') throw failures.helloFailure(this.#label, me, answer.text, answer.refusal.kind);
  }

  /** Ends the session in order: the peer then runs its pending actions. Never rejects; afterwards the socket is gone. */
  async bye(): Promise<void> {
    if (this.#pipeline.failure !== undefined) return;
    await this.#call('BYE', {}).catch(ignore);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, CLOSE_DEADLINE);
      const done = (): void => {
        clearTimeout(timer);
        resolve();
      };
      this.#socket.once('close', done);
      if (this.#socket.destroyed) done();
      else this.#socket.end(done);
    });
    this.destroy();
  }

  /** Drops the connection at once; everything outstanding rejects with `reason`, or with PEER_CLOSED. */
  destroy(reason?: CsxError): void {
    this.#pipeline.fail(reason ?? failures.dropped(this.#label, undefined));
  }

  #stream(exchange: Exchange, stream: Stream<ListRow> | Stream<Buffer>): void {
    exchange.answer.then(
      (answer) => {
        if (answer.kind === 'error')
          stream.fail(failures.refused(this.#label, describeExchange(exchange), answer.text));
        else stream.end();
      },
      (error: unknown) => {
        stream.fail(error as CsxError);
      },
    );
    this.#pipeline.give(exchange);
  }

  #counted<T>(verb: Verb, answer: Answer, parse: (bytes: Buffer) => T | undefined): T {
    const parsed = answer.kind === 'counted' ? parse(answer.bytes) : undefined;
    if (parsed !== undefined) return parsed;
    const failure = failures.protocolFailure(this.#label, new Error(`an answer to ${verb} that is none`), 'reading it');
    this.destroy(failure);
    throw failure;
  }

  /** Not async: a promise made here would count as unhandled where the exchange's own does not. */
  #call<V extends Verb>(verb: V, args: Arguments<V>, body?: readonly Buffer[], work = 0): Promise<Answer> {
    let exchange: Exchange;
    try {
      exchange = newExchange(verb, args, { grace: graceFor(work) });
    } catch (error) {
      const rejected = Promise.reject<Answer>(asError(error));
      rejected.catch(ignore);
      return rejected;
    }
    this.#pipeline.give(body === undefined ? exchange : { ...exchange, body: withHeader(body) });
    return exchange.answer;
  }

  async #patch(
    args: Arguments<'PATCH'>,
    respond: Respond,
    commands: readonly Command[],
    late: boolean,
    work: number,
  ): Promise<PatchOutcome> {
    const followers = commands.map((command) => newExchange<PlainVerb>(command.verb, command.args));
    const job: PatchJob = { respond, followers, late, sent: Promise.withResolvers<boolean>(), failure: undefined };
    const exchange = newExchange('PATCH', args, { patch: job, grace: graceFor(work) });
    this.#pipeline.give(exchange);
    try {
      const answer = await exchange.answer;
      const complete = await job.sent.promise;
      if (job.failure !== undefined) throw job.failure;
      const follow = complete && !(late && answer.kind === 'error');
      return { answer, followers: follow ? await Promise.all(followers.map((one) => one.answer)) : [] };
    } catch (error) {
      throw job.failure ?? error;
    }
  }
}

/** The body, announced. */
function withHeader(body: readonly Buffer[]): readonly Buffer[] {
  return [writeBodyHeader(body.reduce((sum, piece) => sum + piece.length, 0)), ...body];
}

/** Milliseconds for work on so many bytes: a peer that does 10 MB a second is slow, and one that is loaded or syncs a slow disk is so. */
function graceFor(work: number): number {
  return Math.min(Math.ceil(work / 10_000), LONGEST_GRACE);
}

/** What a timer can count. */
const LONGEST_GRACE = 2 ** 31 - 1;
