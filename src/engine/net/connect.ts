/** A session with a peer, opened: TCP, TLS where wanted, CONFIG, GROUP, HELLO. Stores nothing: pinning is the caller's. */

import type { Duplex } from 'node:stream';
import type { Problem } from '../../model/errors.js';
import type { PeerName } from '../../model/names.js';
import type { CertificatePair } from './certificate.js';
import { Connection } from './connection.js';
import type { ConnectionOptions, Window } from './connection.js';
import { dial } from './dial.js';
import type { DialStep } from './dial.js';
import { encrypt } from './encrypt.js';
import type { Encrypted } from './encrypt.js';
import { ignore } from './exchange.js';

/** csync2's TCP port. */
export const DEFAULT_PORT = 30865;

/** Milliseconds. */
export interface Deadlines {
  /** For look-up and TCP connection. */
  readonly connect: number;
  /** Without any progress while an answer is due. */
  readonly answer: number;
}

export const DEFAULT_DEADLINES: Deadlines = { connect: 10_000, answer: 60_000 };

export interface ConnectOptions {
  readonly peer: PeerName;
  /** This host's name toward the peer, for HELLO. */
  readonly me: PeerName;
  /** Name or address to connect to; default: the peer's name. */
  readonly address?: string | undefined;
  readonly port?: number | undefined;
  /** The name given with -N: the connection starts from its address when it resolves. */
  readonly bind?: string | undefined;
  /** This host's certificate: encrypt. Undefined: plain text, which is for pairs that a nossl statement matches. */
  readonly tls?: CertificatePair | undefined;
  /** DER of the certificate pinned for the peer; undefined: none is, and any is accepted. */
  readonly pinned?: Buffer | undefined;
  /** `-C`; '' or undefined: the default configuration. */
  readonly configName?: string | undefined;
  /** `-G` */
  readonly groups?: readonly string[] | undefined;
  readonly deadlines?: Deadlines | undefined;
  readonly window?: Window | undefined;
  readonly signal?: AbortSignal | undefined;
  /** The signal ends the connecting alone: once connected, the caller finishes what is under way. Default: it ends all. */
  readonly finishing?: boolean | undefined;
  /** Makes the connection over the socket that is ready for it; undefined: a plain `Connection`. */
  readonly make?: ((socket: Duplex, options: ConnectionOptions) => Connection) | undefined;
  readonly onStep?: ((step: DialStep) => void) | undefined;
  /** Unix milliseconds; default the system's clock. Only warnings go by it. */
  readonly now?: (() => number) | undefined;
}

export interface Connected {
  readonly connection: Connection;
  /** What the peer presented, for the caller to pin; undefined without TLS. */
  readonly certificate: Buffer | undefined;
  /** `TLSv1.3 TLS_AES_256_GCM_SHA384`; undefined without TLS. */
  readonly cipher: string | undefined;
  /** Warnings, such as a weak key of this host's. */
  readonly problems: readonly Problem[];
}

/**
 * Connects and identifies. Fails with a CsxError: PEER_UNREACHABLE, PEER_TIMEOUT, PEER_CLOSED, PEER_PROTOCOL, PEER_REFUSED,
 * IDENTIFICATION_FAILED, PLAINTEXT_REFUSED, CERTIFICATE_CHANGED, CERTIFICATE_UNREADABLE, TLS_FAILED or INTERRUPTED.
 * A changed certificate is refused before anything is told to the peer.
 */
export async function connect(options: ConnectOptions): Promise<Connected> {
  const deadlines = options.deadlines ?? DEFAULT_DEADLINES;
  const { socket: plain, address } = await dial({
    peer: options.peer,
    host: options.address ?? options.peer,
    port: options.port ?? DEFAULT_PORT,
    bind: options.bind,
    deadline: deadlines.connect,
    signal: options.signal,
    onStep: options.onStep,
  });
  let encrypted: Encrypted | undefined;
  if (options.tls !== undefined) {
    encrypted = await encrypt(plain, {
      label: { peer: options.peer, address },
      pair: options.tls,
      pinned: options.pinned,
      deadline: deadlines.answer,
      signal: options.signal,
      now: options.now ?? Date.now,
    });
  }
  const socket: Duplex = encrypted?.socket ?? plain;
  const connectionOptions: ConnectionOptions = {
    peer: options.peer,
    address,
    answerDeadline: deadlines.answer,
    window: options.window,
    signal: options.finishing === true ? undefined : options.signal,
  };
  const connection = options.make?.(socket, connectionOptions) ?? new Connection(socket, connectionOptions);
  // Until the peer has answered nothing is under way that could be finished.
  const giveUp = (): void => {
    connection.destroy();
  };
  options.signal?.addEventListener('abort', giveUp, { once: true });
  try {
    await open(connection, options);
  } finally {
    options.signal?.removeEventListener('abort', giveUp);
  }
  return {
    connection,
    certificate: encrypted?.certificate,
    cipher: encrypted?.cipher,
    problems: encrypted?.problems ?? [],
  };
}

/** CONFIG, GROUP and HELLO in one go; the first that fails tells. */
async function open(connection: Connection, options: ConnectOptions): Promise<void> {
  const steps = [connection.config(options.configName ?? '')];
  if (options.groups !== undefined) steps.push(connection.group(options.groups));
  steps.push(connection.hello(options.me));
  for (const step of steps) step.catch(ignore);
  try {
    for (const step of steps) await step;
  } catch (error) {
    connection.destroy();
    throw error;
  }
}
