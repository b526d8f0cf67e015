/**
 * One session of the daemon: an explicit state machine, fed with bytes, giving effects. It knows no socket and no timer.
 *
 *   session.push(chunk);
 *   for await (const effect of session.run()) ...      // until what was pushed is worked through
 *   await session.end();                               // however the connection ended
 *
 * States: `start` (SSL or CONFIG must come), `encrypting` (the caller does the handshake and calls `secured`), `open`, `closed`.
 * Answers go out in the order of the commands. Those of changes wait until the group is durable, which is when nothing more is
 * there to be read; so a client that sends many commands at once has them committed together.
 */

import { CsxError } from '../../model/errors.js';
import { display } from '../../model/names.js';
import { identifyFirst, OK, REFUSED } from '../wire/answers.js';
import type { ParsedRequest } from '../wire/request.js';
import { RequestReader } from '../wire/request-reader.js';
import type { RequestEvent } from '../wire/request-reader.js';
import { writeErrorResponse, writeOkResponse } from '../wire/response-writer.js';
import { findVerb, verbRow } from '../wire/verbs.js';
import type { Request, Verb } from '../wire/verbs.js';
import { Batch } from './batch.js';
import { Changes } from './changes.js';
import { agreeOn } from './extensions.js';
import { identify, openConfig, settleJournal } from './opening.js';
import { Packing } from './packing.js';
import { Replies } from './replies.js';
import type { Client, Served, Services } from './served.js';
import { Work } from './work.js';

export type Effect =
  | { readonly kind: 'write'; readonly bytes: Buffer }
  /** Start TLS as server on the same connection, then call `secured`. Nothing may have come in between. */
  | { readonly kind: 'start-tls' }
  /** Close once everything was written. */
  | { readonly kind: 'close' };

export interface SessionOptions {
  readonly services: Services;
  /** Where the connection comes from; IPv4-mapped addresses as IPv4. */
  readonly address: string;
}

export class Session {
  readonly #services: Services;
  readonly #address: string;
  readonly #reader = new RequestReader();
  #state: 'start' | 'encrypting' | 'open' | 'closed' = 'start';
  #certificate: Buffer | undefined;
  #served: Served | undefined;
  #groupsSet = false;
  /** What the client asked for. */
  readonly #extensions = new Set<string>();
  #work: Work | undefined;
  /** A command whose body is coming. */
  #batch: Batch | undefined;
  readonly #replies = new Replies();
  /** Its packs under way, whose answers the caller sends when they are done, or `run` does before what comes behind them. */
  readonly packing = new Packing(this.#replies);

  constructor(options: SessionOptions) {
    this.#services = options.services;
    this.#address = options.address;
  }

  /** Who the client is, once HELLO has succeeded. */
  get client(): Client | undefined {
    return this.#work?.client;
  }

  /** The client asked for group-commit: its answers do not wait for the disk, SYNC does. */
  get #grouping(): boolean {
    return this.#extensions.has('group-commit');
  }

  get closed(): boolean {
    return this.#state === 'closed';
  }

  /** True between commands, with no change that waits for more of them. */
  get idle(): boolean {
    return this.#reader.idle && this.#work?.incoming.file === undefined;
  }

  /** There are changes that are not durable yet, or files that others may wait for (group-commit): call `commitGroup` in time. */
  get uncommitted(): boolean {
    return this.#grouping && this.#work?.changes.pending === true;
  }

  /** Makes the group durable though the client has not asked for it: other sessions may wait for its files. */
  async commitGroup(): Promise<void> {
    await this.#work?.changes.commit();
  }

  /** The chunk must not be written to afterwards. */
  push(chunk: Buffer): void {
    this.#reader.push(chunk);
  }

  /** TLS is up; DER of what the client presented. */
  secured(certificate: Buffer): void {
    if (this.#state !== 'encrypting')
      throw new CsxError('INTERNAL', 'TLS came up in a session that did not ask for it.');
    this.#certificate = certificate;
    this.#state = 'start';
  }

  /** Works through everything that has come. Must be drained. */
  async *run(): AsyncGenerator<Effect, void, undefined> {
    try {
      while (this.#state === 'start' || this.#state === 'open') {
        const event = this.#reader.next();
        if (event === undefined) break;
        yield* this.#handle(event);
        if (this.#replies.full || this.#work?.changes.full === true) yield* this.#flush();
      }
    } catch (error) {
      if (!(error instanceof CsxError) || error.code !== 'PEER_PROTOCOL') throw error;
      this.#services.log({ level: 'warning', event: 'refused', address: this.#address, message: error.message });
      this.#state = 'closed';
    }
    if (this.#grouping && this.#state !== 'closed') yield* this.#release();
    else yield* this.#flush();
    if (this.#state === 'closed') yield { kind: 'close' };
  }

  /** The connection is over: what is not whole is given up, and pending actions run. Never rejects. */
  async end(): Promise<void> {
    this.#state = 'closed';
    await this.packing.settle();
    await this.#work?.abandon();
    await this.#served?.actions.run();
  }

  /** Commits what the waiting answers speak of, then lets them go. */
  async *#flush(): AsyncGenerator<Effect, void, undefined> {
    await this.#work?.changes.commit();
    yield* this.#release();
  }

  *#release(): Generator<Effect, void, undefined> {
    for (const bytes of this.#replies.take()) yield { kind: 'write', bytes };
  }

  async *#handle(event: RequestEvent): AsyncGenerator<Effect, void, undefined> {
    switch (event.kind) {
      case 'line':
        if (event.parsed.kind !== 'request' || event.parsed.request.verb !== 'PACK') await this.packing.settle();
        if (this.#state === 'start') yield* this.#start(event.parsed);
        else yield* this.#line(event.parsed);
        return;
      case 'body':
        if (this.#batch === undefined) this.#work?.incoming.begin(event.length, this.#extensions.has('verify'));
        return;
      case 'piece':
        if (this.#batch === undefined) await this.#work?.incoming.receive(event.bytes);
        else this.#batch.add(event.bytes);
        return;
      case 'body-end':
        if (this.#batch === undefined) this.#work?.incoming.finishBody();
        else yield* this.#endBatch(this.#batch);
        return;
      case 'no-body':
        await this.packing.settle();
        if (this.#batch === undefined) this.#work?.incoming.refuseBody();
        else this.#refuse(REFUSED.denied);
        this.#batch = undefined;
        return;
    }
  }

  /** SSL (once), then CONFIG; nothing else. */
  async *#start(parsed: ParsedRequest): AsyncGenerator<Effect, void, undefined> {
    const request = parsed.kind === 'request' ? parsed.request : undefined;
    if (request?.verb === 'SSL' && this.#certificate === undefined) {
      // What comes between the command and the handshake would be plain text that somebody put in.
      if (!this.#services.tls || this.#reader.buffered > 0) {
        this.#refuseAndClose('This host does not encrypt.');
        return;
      }
      this.#replies.add(writeOkResponse(OK.activatingSsl));
      this.#state = 'encrypting';
      yield* this.#flush();
      yield { kind: 'start-tls' };
      return;
    }
    if (request?.verb !== 'CONFIG') {
      this.#refuseAndClose(REFUSED.expectedConfig);
      return;
    }
    const opened = await openConfig(this.#services, request.args.name ?? '');
    if ('text' in opened) {
      this.#refuseAndClose(opened.text);
      return;
    }
    this.#served = opened;
    this.#state = 'open';
    this.#replies.add(writeOkResponse());
  }

  async *#line(parsed: ParsedRequest): AsyncGenerator<Effect, void, undefined> {
    if (parsed.kind === 'blank') return;
    const verb = parsed.kind === 'request' ? parsed.request.verb : findVerb(parsed.verb);
    const row = verb === undefined ? undefined : verbRow(verb);
    if (row?.body !== undefined) {
      // A body comes whatever is answered. Without a command that takes it, it goes nowhere.
      await this.#work?.incoming.settle();
      this.#reader.expectBody(row.body);
    }
    if (parsed.kind === 'unknown' || row === undefined || verb === 'SSL' || verb === 'CONFIG') {
      // csync2 knows SSL and CONFIG only as first commands.
      this.#refuse(REFUSED.unknownCommand);
    } else if (row.needsHello && this.#work === undefined) {
      this.#refuse(identifyFirst(this.#address));
    } else if (parsed.kind === 'malformed') {
      this.#log('warning', parsed.verb, `The command cannot be: ${parsed.reason}.`);
      // csync2 lists nothing then, and says so.
      if (parsed.verb === 'LIST') this.#replies.add(writeOkResponse());
      else this.#refuse(parsed.verb === 'HELLO' ? REFUSED.identification : REFUSED.denied);
    } else {
      yield* this.#request(parsed.request);
    }
  }

  async *#request(request: Request): AsyncGenerator<Effect, void, undefined> {
    switch (request.verb) {
      case 'SSL':
      case 'CONFIG':
        return;
      case 'GROUP':
        // csync2's daemon remembers the list and lets it change nothing: the client keeps to it.
        if (this.#groupsSet) this.#refuse(REFUSED.groupListSet);
        else this.#replies.add(writeOkResponse());
        this.#groupsSet = true;
        return;
      case 'HELLO':
        await this.#hello(request.args.name);
        return;
      case 'BYE':
        await this.#work?.incoming.settle();
        this.#replies.add(writeOkResponse(OK.bye));
        this.#state = 'closed';
        return;
      case 'CSX':
        this.#replies.add(agreeOn(request.args.extension, this.#extensions, this.#services.now()));
        return;
      case 'SYNC':
        await this.#sync();
        return;
      case 'PACK':
      case 'LOOK':
        this.#batch = new Batch(request);
        return;
      case 'LIST':
      case 'DIGEST':
      case 'ROWS':
        await this.#work?.incoming.settle();
        yield* this.#flush();
        for await (const bytes of this.#work?.rows(request) ?? []) yield { kind: 'write', bytes };
        return;
      case 'TYPE':
        yield* this.#type(request);
        return;
      default:
        await this.#work?.request(request);
    }
  }

  /** Answers for all changes since the last SYNC at once: the client cannot take any of them for done where one failed. */
  async #sync(): Promise<void> {
    const work = this.#work;
    await work?.incoming.settle();
    await work?.changes.commit();
    const failure = work?.changes.takeFailure();
    if (failure === undefined) this.#replies.add(writeOkResponse());
    else this.#refuse(failure);
  }

  /** A group of its own, behind a group that must have succeeded: what it holds may lie in directories of that one. */
  async *#endBatch(batch: Batch): AsyncGenerator<Effect, void, undefined> {
    this.#batch = undefined;
    const [work, served] = [this.#work, this.#served];
    if (work === undefined || served === undefined) return;
    await work.changes.commit();
    const { failure } = work.changes;
    const context = { served, services: this.#services, client: work.client };
    if (failure !== undefined) this.#refuse(failure);
    else if (batch.verb === 'LOOK') this.#replies.add(await batch.look(context));
    else {
      this.packing.begin((order) => batch.pack(context, order));
      while (this.packing.full) {
        for (const bytes of await this.packing.answer()) yield { kind: 'write', bytes };
      }
    }
  }

  async *#type(request: Extract<Request, { verb: 'TYPE' }>): AsyncGenerator<Effect, void, undefined> {
    await this.#work?.incoming.settle();
    yield* this.#flush();
    const content = await this.#work?.content(request.args);
    yield* this.#flush();
    if (content === undefined) return;
    for (const bytes of content) yield { kind: 'write', bytes };
    this.#state = 'closed';
  }

  async #hello(name: string): Promise<void> {
    const served = this.#served;
    const services = this.#services;
    if (served === undefined) return;
    await this.#work?.incoming.settle();
    await this.#work?.changes.commit();
    this.#work = undefined;
    const client = await identify(name, { served, services, address: this.#address, certificate: this.#certificate });
    if ('text' in client) {
      this.#refuse(client.text);
      return;
    }
    await settleJournal(served, services);
    this.#work = new Work({
      served,
      services,
      client,
      changes: new Changes(served, services, client),
      replies: this.#replies,
      expectBody: () => {
        this.#reader.expectBody();
      },
      verifies: () => this.#extensions.has('verify'),
    });
    this.#replies.add(writeOkResponse());
  }

  #refuse(text: string): void {
    this.#replies.add(writeErrorResponse(text));
  }

  #refuseAndClose(text: string): void {
    this.#refuse(text);
    this.#log('warning', undefined, `Closed: ${text}`);
    this.#state = 'closed';
  }

  #log(level: 'warning', verb: Verb | undefined, message: string): void {
    const peer = this.client === undefined ? undefined : display(this.client.name);
    this.#services.log({ level, event: 'refused', peer, address: this.#address, verb, message });
  }
}
