/** A TCP connection to a peer: from the right source address, to the first of its addresses that answers, in time. */

import { connect as connectSocket } from 'node:net';
import type { Socket } from 'node:net';
import { errnoOf } from '../../model/errors.js';
import { lookupAddresses } from './address.js';
import type { Address } from './address.js';
import { addressText, connectFailure, interruptedFailure, peerFailure } from './failure.js';
import type { PeerLabel } from './failure.js';

export interface DialOptions {
  /** For messages. */
  readonly peer: string;
  /** Name or address to connect to. */
  readonly host: string;
  readonly port: number;
  /** The name given with -N: the connection starts from its address when it resolves; otherwise it is not bound. */
  readonly bind: string | undefined;
  /** Milliseconds for look-up and connection together. */
  readonly deadline: number;
  readonly signal: AbortSignal | undefined;
  readonly onStep?: ((step: DialStep) => void) | undefined;
}

/** What happens on the way to a connection, for who tells of it. */
export type DialStep =
  | { readonly kind: 'bound'; readonly name: string; readonly address: string }
  | { readonly kind: 'connected'; readonly host: string; readonly address: string; readonly port: number }
  /** `error`: what the system said. */
  | { readonly kind: 'failed'; readonly error: unknown };

export interface Dialled {
  readonly socket: Socket;
  /** `10.0.0.2:30865` */
  readonly address: string;
}

/** Fails with PEER_UNREACHABLE, PEER_TIMEOUT or INTERRUPTED. */
export async function dial(options: DialOptions): Promise<Dialled> {
  const end = performance.now() + options.deadline;
  const label: PeerLabel = { peer: options.peer, address: addressText(options.host, options.port) };
  const sources = await sourceAddresses(options);
  const targets = await targetAddresses(options, label);
  const pairs = pairUp(targets, sources);
  let failure: unknown;
  for (const [index, { target, source }] of pairs.entries()) {
    const attempt: PeerLabel = { peer: options.peer, address: addressText(target.address, options.port) };
    // Each address gets its share of what is left, so that one that drops packets does not use up the time of the next.
    const time = Math.max(1, (end - performance.now()) / (pairs.length - index));
    if (source !== undefined) options.onStep?.({ kind: 'bound', name: options.bind ?? '', address: source.address });
    try {
      const socket = await open(target, source, options, attempt, time);
      options.onStep?.({ kind: 'connected', host: options.host, address: target.address, port: options.port });
      return { socket, address: attempt.address };
    } catch (error) {
      failure = error;
      if (options.signal?.aborted === true) break;
    }
  }
  options.onStep?.({ kind: 'failed', error: failure instanceof Error ? failure.cause : undefined });
  throw failure;
}

async function sourceAddresses(options: DialOptions): Promise<readonly Address[]> {
  if (options.bind === undefined) return [];
  try {
    return await lookupAddresses(options.bind, { deadline: options.deadline, signal: options.signal });
  } catch {
    return [];
  }
}

async function targetAddresses(options: DialOptions, label: PeerLabel): Promise<readonly Address[]> {
  try {
    return await lookupAddresses(options.host, { deadline: options.deadline, signal: options.signal });
  } catch (error) {
    if (options.signal?.aborted === true) throw interruptedFailure(label, 'looking up its address');
    const late = errnoOf(error) === 'ETIMEOUT';
    throw peerFailure(
      late ? 'PEER_TIMEOUT' : 'PEER_UNREACHABLE',
      label,
      late ? 'could not be looked up in time' : 'has a name that does not resolve to any address',
      { cause: error, hint: `Check the name ${options.host} in /etc/hosts or in DNS.` },
    );
  }
}

interface Pair {
  readonly target: Address;
  readonly source: Address | undefined;
}

/** A source of the same family for each target; targets of families without a source only when no other is left. */
function pairUp(targets: readonly Address[], sources: readonly Address[]): readonly Pair[] {
  const pairs = targets.map((target) => ({ target, source: sources.find((one) => one.family === target.family) }));
  const bound = pairs.filter((pair) => pair.source !== undefined);
  return bound.length > 0 ? bound : pairs;
}

function open(
  target: Address,
  source: Address | undefined,
  options: DialOptions,
  label: PeerLabel,
  milliseconds: number,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const { signal } = options;
    if (signal?.aborted === true) {
      reject(interruptedFailure(label, 'connecting'));
      return;
    }
    const socket = connectSocket({
      host: target.address,
      port: options.port,
      family: target.family,
      autoSelectFamily: false,
      noDelay: true,
      keepAlive: true,
      ...(source === undefined ? {} : { localAddress: source.address }),
    });
    const settle = (error: Error | undefined): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      socket.removeListener('connect', onConnect);
      if (error === undefined) {
        socket.removeListener('error', onError);
        resolve(socket);
      } else {
        // The listener stays: a late error of a destroyed socket must not be thrown.
        socket.destroy();
        reject(error);
      }
    };
    const onConnect = (): void => {
      settle(undefined);
    };
    const onError = (error: Error): void => {
      settle(connectFailure(label, error, source?.address));
    };
    const onAbort = (): void => {
      settle(interruptedFailure(label, 'connecting'));
    };
    const timer = setTimeout(() => {
      const seconds = String(Math.round(milliseconds / 100) / 10);
      settle(
        peerFailure('PEER_TIMEOUT', label, `did not accept a connection within ${seconds} seconds`, {
          hint: 'Check that the host is up and that no firewall drops the connection.',
        }),
      );
    }, milliseconds);
    signal?.addEventListener('abort', onAbort, { once: true });
    socket.once('connect', onConnect);
    socket.on('error', onError);
  });
}
