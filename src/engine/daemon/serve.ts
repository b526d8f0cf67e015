/** Serves one connection from its first byte to its last: the loop between a stream and a session, with TLS and all time limits. */

import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SecureContextOptions } from 'node:tls';
import { TLSSocket } from 'node:tls';
import { display } from '../../model/names.js';
import { canonicalAddress } from '../net/address.js';
import { ByteStream, WaitedTooLong } from './byte-stream.js';
import type { Configurations } from './configurations.js';
import type { Log } from './log.js';
import type { Maker } from './maker.js';
import type { Served, Services } from './served.js';
import { Session } from './session.js';

/** All in milliseconds. */
export interface TimeLimits {
  /** From the first byte until HELLO has succeeded, handshake included. */
  readonly identify: number;
  /** Without a byte from the client. csync2 clients are silent while they make a delta. */
  readonly idle: number;
  /** Without the client reading what it asked for. */
  readonly write: number;
}

/** Milliseconds of silence after which a group is made durable unasked, and how old one gets while the client goes on. */
const GROUP_PATIENCE = 250;
const GROUP_LONGEST = 2000;

export const TIME_LIMITS: TimeLimits = { identify: 30_000, idle: 600_000, write: 120_000 };

export interface ServeOptions {
  readonly configurations: Configurations;
  readonly resolvesTo: (name: string, address: string) => Promise<boolean>;
  /** Key, certificate and what OpenSSL needs for them; undefined: SSL is refused. */
  readonly secure: SecureContextOptions | undefined;
  readonly log: Log;
  readonly maker: Maker;
  readonly now: () => number;
  readonly limits: TimeLimits;
  /** Ends the session at the next moment at which it cuts nothing off. */
  readonly stop: AbortSignal;
}

/** Serves a connection that comes from `address`. Resolves when it is closed and its actions have run. Never rejects. */
export async function serve(connection: Duplex, address: string, options: ServeOptions): Promise<void> {
  const from = canonicalAddress(address).address;
  const { log } = options;
  const used: Served[] = [];
  const services: Services = {
    serve: async (name) => {
      const served = await options.configurations.acquire(name);
      used.push(served);
      return served;
    },
    resolvesTo: options.resolvesTo,
    log,
    maker: options.maker,
    now: options.now,
    tls: options.secure !== undefined,
  };
  const session = new Session({ services, address: from });
  const started = performance.now();
  const port = connection instanceof Socket ? connection.remotePort : undefined;
  log({ level: 'debug', event: 'session', address: from, port, message: 'Connected.' });
  let trouble: string | undefined;
  const conversation = new Conversation(connection, session, options);
  try {
    await conversation.run();
  } catch (error) {
    trouble = error instanceof Error ? error.message : String(error);
  } finally {
    conversation.destroy();
  }
  const peer = session.client === undefined ? undefined : display(session.client.name);
  try {
    await session.end();
  } catch (error) {
    trouble ??= error instanceof Error ? error.message : String(error);
  }
  for (const served of used) await options.configurations.release(served);
  log({
    level: trouble === undefined ? 'debug' : 'warning',
    event: 'session',
    address: from,
    peer,
    message: trouble === undefined ? 'Closed.' : `Cut off: ${trouble}`,
    milliseconds: Math.round(performance.now() - started),
  });
}

class Conversation {
  readonly #session: Session;
  readonly #options: ServeOptions;
  readonly #started = performance.now();
  #connection: Duplex;
  #stream: ByteStream;
  /** Since when there is a group that is not committed. */
  #grouped: number | undefined;

  constructor(connection: Duplex, session: Session, options: ServeOptions) {
    this.#connection = connection;
    this.#session = session;
    this.#options = options;
    this.#stream = new ByteStream(connection);
  }

  async run(): Promise<void> {
    while (!this.#session.closed) {
      // A change that has begun is brought to its end also when the daemon stops.
      const stop = this.#session.idle ? this.#options.stop : NEVER;
      const reading = this.#stream.read(this.#patience(), stop);
      if (this.#session.uncommitted) await this.#commitInTime(reading);
      else this.#grouped = undefined;
      await this.#answerPacks(reading);
      const chunk = await reading;
      if (chunk === undefined) break;
      this.#session.push(chunk);
      if (await this.#work()) return;
    }
    // The client may have said all it had to say while packs were under way, or the daemon stops.
    await this.#answerPacks();
    await this.#stream.close(this.#options.limits.write);
  }

  /** A client that falls silent, or whose content comes slowly, does not keep others from its files. */
  async #commitInTime(reading: Promise<unknown>): Promise<void> {
    const now = performance.now();
    this.#grouped ??= now;
    if (now - this.#grouped > GROUP_LONGEST) {
      this.#grouped = undefined;
      await this.#session.commitGroup();
      return;
    }
    const spoke = reading.then(
      () => true,
      () => true,
    );
    // For every piece of a large content: a timer that is aborted would make an exception of each.
    const silent = Promise.withResolvers<boolean>();
    const timer = setTimeout(silent.resolve, GROUP_PATIENCE, false);
    const heard = await Promise.race([spoke, silent.promise]);
    clearTimeout(timer);
    if (!heard) await this.#session.commitGroup();
  }

  /** Sends the answers of packs as they are done, until the client speaks, or all of them. */
  async #answerPacks(reading?: Promise<unknown>): Promise<void> {
    const spoke = reading?.then(
      () => 'spoke' as const,
      () => 'spoke' as const,
    );
    const { packing } = this.#session;
    for (let pack = packing.oldest; pack !== undefined; pack = packing.oldest) {
      if ((await Promise.race([pack, ...(spoke === undefined ? [] : [spoke])])) === 'spoke') return;
      for (const bytes of await packing.answer()) await this.#stream.write(bytes, this.#options.limits.write);
    }
  }

  destroy(): void {
    this.#stream.destroy();
    this.#connection.destroy();
  }

  /** Works through what has come. True: closed. */
  async #work(): Promise<boolean> {
    for await (const effect of this.#session.run()) {
      switch (effect.kind) {
        case 'write':
          await this.#stream.write(effect.bytes, this.#options.limits.write);
          break;
        case 'start-tls':
          await this.#encrypt();
          break;
        case 'close':
          await this.#stream.close(this.#options.limits.write);
          return true;
      }
    }
    return false;
  }

  /** Milliseconds until the client must have said something. */
  #patience(): number {
    const { identify, idle } = this.#options.limits;
    if (this.#session.client !== undefined) return idle;
    return Math.max(1, identify - (performance.now() - this.#started));
  }

  async #encrypt(): Promise<void> {
    if (this.#stream.unread > 0) throw new Error('Something came between the command SSL and the handshake.');
    const socket = new TLSSocket(this.#connection, {
      ...this.#options.secure,
      isServer: true,
      // OpenSSL ends every TLS 1.3 handshake with session tickets, which Node cannot turn off. csync2 2.0 takes their arrival
      // (GNUTLS_E_AGAIN) for the end of the connection. TLS 1.2 sends none.
      maxVersion: 'TLSv1.2',
      // Without `ca` the list of acceptable CAs is empty, so GnuTLS clients do not keep their certificate back.
      requestCert: true,
      rejectUnauthorized: false,
    });
    let timer: NodeJS.Timeout | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        timer = setTimeout(() => {
          reject(new WaitedTooLong('The TLS handshake took too long.'));
        }, this.#patience());
        socket.once('secure', resolve);
        socket.once('error', reject);
        socket.once('close', () => {
          reject(new Error('The connection was closed in the TLS handshake.'));
        });
      });
    } catch (error) {
      socket.on('error', () => undefined);
      socket.destroy();
      throw error;
    } finally {
      clearTimeout(timer);
    }
    const certificate = socket.getPeerX509Certificate()?.raw;
    if (certificate === undefined) throw new Error('The client presented no certificate.');
    this.#connection = socket;
    this.#stream = new ByteStream(socket);
    this.#session.secured(certificate);
  }
}

const NEVER = new AbortController().signal;
