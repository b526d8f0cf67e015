/**
 * The daemon as a whole: what it listens on, the connections it serves, and how it stops. Sessions run side by side; a slow or hostile
 * one delays only itself.
 */

import type { Server, Socket } from 'node:net';
import { createServer, Socket as NetSocket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SecureContextOptions } from 'node:tls';
import { CsxError, errnoOf } from '../../model/errors.js';
import { lookupAddresses, resolvesTo } from '../net/address.js';
import type { CertificatePair } from '../net/certificate.js';
import { certificateProblems, secureOptions } from '../net/certificate.js';
import type { Activation } from './activation.js';
import { Configurations } from './configurations.js';
import type { Log } from './log.js';
import { Maker } from './maker.js';
import type { ServeOptions, TimeLimits } from './serve.js';
import { serve, TIME_LIMITS } from './serve.js';
import type { Opened } from './served.js';

export interface DaemonOptions {
  /** Opens a configuration (the name from CONFIG; '' is the default one) with its state, for writing. Rejects with CsxError. */
  readonly open: (configName: string) => Promise<Opened>;
  /** This host's certificate; undefined: no TLS. */
  readonly certificate: CertificatePair | undefined;
  readonly log: Log;
  /** For the actions' processes. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Unix milliseconds. */
  readonly now?: () => number;
  readonly limits?: Partial<TimeLimits>;
}

export interface ListenOptions extends DaemonOptions {
  readonly port: number;
  /** The name given with -N: listens on its addresses. Undefined: on all, IPv4 and IPv6. */
  readonly bind?: string | undefined;
  /** Sockets from systemd; then port and bind count for nothing. */
  readonly activation?: Extract<Activation, { kind: 'listeners' }> | undefined;
  /** Serves one connection, then stops. */
  readonly once?: boolean;
  /** Connections at once; further ones are closed at once. */
  readonly connections?: number;
}

export interface Daemon {
  /** `address:port` of every socket. */
  readonly addresses: readonly string[];
  /** Resolves when it has stopped. Never rejects. */
  readonly finished: Promise<void>;
  /** Stops: no new connections, changes in flight are brought to their end, actions that run are waited for. */
  stop(): Promise<void>;
  /** Reads every configuration anew (SIGHUP). */
  reload(): Promise<void>;
}

const CONNECTIONS = 256;
/** Of one address: nobody takes all the places. */
const CONNECTIONS_OF_ONE = 128;
/** Milliseconds for the look-up of a client's name. */
const LOOKUP = 10_000;
/** Milliseconds for what is in flight, actions too, when the daemon stops. */
const STOP_GRACE = 20_000;

/** Starts to listen. Rejects with CsxError when it cannot. */
export async function startDaemon(options: ListenOptions): Promise<Daemon> {
  const common = new Common(options);
  const sockets = new Set<Socket>();
  const running = new Set<Promise<void>>();
  const servers: Server[] = [];
  let stopping: Promise<void> | undefined;
  let finish: () => void = () => undefined;
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });

  const accept = (socket: Socket): void => {
    const ofOne = [...sockets].filter((each) => each.remoteAddress === socket.remoteAddress).length;
    const full = running.size >= (options.connections ?? CONNECTIONS) || ofOne >= CONNECTIONS_OF_ONE;
    if (full || stopping !== undefined) {
      options.log({
        level: 'warning',
        event: 'refused',
        address: socket.remoteAddress,
        message: 'Too many connections.',
      });
      socket.destroy();
      return;
    }
    sockets.add(socket);
    const work = common.serve(socket, socket.remoteAddress ?? '').finally(() => {
      sockets.delete(socket);
      running.delete(work);
    });
    running.add(work);
    if (options.once === true) void daemon.stop();
  };
  const halt = async (): Promise<void> => {
    // Takes no more connections from now on; its end waits for those that are there.
    const closed = Promise.all(servers.map((server) => closeServer(server)));
    if (options.once !== true) {
      common.stop();
      const message = 'Stopping: no more connections are taken, and what is in flight is finished.';
      options.log({ level: 'info', event: 'stopping', message });
    }
    const all = Promise.all(running);
    if (options.once !== true) {
      const grace = new AbortController();
      await Promise.race([all, sleep(STOP_GRACE, undefined, { signal: grace.signal }).catch(() => undefined)]);
      grace.abort();
      for (const socket of sockets) socket.destroy();
      common.stopActions();
    }
    await all;
    await closed;
    await common.close();
    finish();
  };
  const daemon: Daemon = {
    get addresses() {
      return servers.map(describeServer);
    },
    finished,
    stop: () => (stopping ??= halt()),
    reload: () => common.reload(),
  };

  try {
    for (const place of await placesOf(options)) servers.push(await listen(place, accept));
  } catch (error) {
    await Promise.all(servers.map((server) => closeServer(server)));
    throw error;
  }
  common.warn();
  options.log({ level: 'info', event: 'listening', message: `Listening on ${daemon.addresses.join(', ')}.` });
  return daemon;
}

/**
 * Serves one connection and resolves when it has ended and its actions have run: `--inetd` (stdin and stdout), systemd's Accept=yes.
 * `address`: where it comes from, when the stream itself does not know.
 */
export async function serveConnection(
  connection: Duplex,
  options: DaemonOptions & { readonly address?: string | undefined },
): Promise<void> {
  const common = new Common(options);
  common.warn();
  const address = options.address ?? (connection instanceof NetSocket ? connection.remoteAddress : undefined) ?? '';
  try {
    await common.serve(connection, address);
  } finally {
    await common.close();
  }
}

/** What all connections of a process have in common. */
class Common {
  readonly #options: DaemonOptions;
  readonly #configurations: Configurations;
  readonly #stop = new AbortController();
  readonly #maker = new Maker();
  readonly #serve: ServeOptions;

  constructor(options: DaemonOptions) {
    const { log, environment, open, limits, now = Date.now } = options;
    this.#options = options;
    this.#configurations = new Configurations({ open, environment, log, now });
    this.#serve = {
      configurations: this.#configurations,
      resolvesTo: (name, address) => resolvesTo(name, address, { deadline: LOOKUP }),
      secure: secureOf(options.certificate),
      log,
      maker: this.#maker,
      now,
      limits: { ...TIME_LIMITS, ...limits },
      stop: this.#stop.signal,
    };
  }

  serve(connection: Duplex, address: string): Promise<void> {
    return serve(connection, address, this.#serve);
  }

  stop(): void {
    this.#stop.abort();
  }

  async reload(): Promise<void> {
    await this.#configurations.reload();
    this.#options.log({ level: 'info', event: 'reload', message: 'The configuration is read anew.' });
  }

  stopActions(): void {
    this.#configurations.stopActions();
  }

  /** Closes all databases; no connection may be left. */
  async close(): Promise<void> {
    await this.#maker.close();
    await this.#configurations.reload();
  }

  /** Says once what is weak about this host's certificate. */
  warn(): void {
    const { certificate, log, now } = this.#options;
    if (certificate === undefined) return;
    for (const problem of certificateProblems(certificate, (now ?? Date.now)())) {
      log({ level: 'warning', event: 'certificate', message: `${problem.summary} ${problem.hint ?? ''}`.trim() });
    }
  }
}

function secureOf(pair: CertificatePair | undefined): SecureContextOptions | undefined {
  return pair === undefined ? undefined : secureOptions(pair).options;
}

type Place =
  | { readonly kind: 'address'; readonly host: string; readonly port: number }
  | { readonly kind: 'descriptor'; readonly descriptor: number }
  /** All addresses: IPv6 with IPv4 on the same socket, or IPv4 alone where the kernel has no IPv6. */
  | { readonly kind: 'all'; readonly port: number };

async function placesOf({ activation, bind, port }: ListenOptions): Promise<readonly Place[]> {
  if (activation !== undefined) {
    return activation.descriptors.map((descriptor) => ({ kind: 'descriptor', descriptor }));
  }
  if (bind === undefined) return [{ kind: 'all', port }];
  try {
    const addresses = await lookupAddresses(bind);
    return addresses.map(({ address }) => ({ kind: 'address', host: address, port }));
  } catch (error) {
    throw new CsxError('USAGE', `The name ${bind} has no address to listen on.`, {
      hint: 'Give this host an address in /etc/hosts or DNS, or leave -N out to listen on all addresses.',
      cause: error,
    });
  }
}

async function listen(place: Place, accept: (socket: Socket) => void): Promise<Server> {
  switch (place.kind) {
    case 'descriptor':
      return listening({ fd: place.descriptor }, accept, `the socket from systemd (${place.descriptor})`);
    case 'address':
      return listening({ host: place.host, port: place.port }, accept, `${place.host}:${place.port}`);
    case 'all':
      try {
        return await listening({ host: '::', port: place.port }, accept, `port ${place.port}`);
      } catch (error) {
        const errno = error instanceof CsxError ? errnoOf(error.cause) : undefined;
        if (errno !== 'EAFNOSUPPORT' && errno !== 'EADDRNOTAVAIL') throw error;
        return listening({ host: '0.0.0.0', port: place.port }, accept, `port ${place.port}`);
      }
  }
}

function listening(
  where: { fd: number } | { host: string; port: number },
  accept: (socket: Socket) => void,
  what: string,
): Promise<Server> {
  // Half open: a client that has sent all it has to say still gets its answers.
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, accept);
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      reject(
        new CsxError('USAGE', `Cannot listen on ${what}: ${errnoOf(error) ?? error.message}.`, {
          hint:
            errnoOf(error) === 'EADDRINUSE'
              ? 'Another csync2 or csx listens there: stop it, or take another port with -p.'
              : 'Give an address of this host with -N, or another port with -p.',
          cause: error,
        }),
      );
    });
    server.listen({ ...where, backlog: 511 }, () => {
      resolve(server);
    });
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
  });
}

function describeServer(server: Server): string {
  const address = server.address();
  if (address === null || typeof address === 'string') return address ?? 'nothing';
  return address.family === 'IPv6' ? `[${address.address}]:${address.port}` : `${address.address}:${address.port}`;
}
