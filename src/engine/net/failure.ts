/**
 * What can go wrong with a peer, as sentences: each names the peer, its address, what was attempted, and what to do next.
 */

import { CsxError, errnoOf } from '../../model/errors.js';
import type { ErrorCode } from '../../model/errors.js';
import { display } from '../../model/names.js';
import type { RefusalKind } from '../wire/answers.js';

/** Whom a message is about. */
export interface PeerLabel {
  readonly peer: string;
  /** `10.0.0.2:30865`, `[fe80::1]:30865`, or the name while no address is known. */
  readonly address: string;
}

export interface FailureDetails {
  readonly hint?: string | undefined;
  readonly cause?: unknown;
}

/** An error about a peer; `what` completes the sentence "PEER (ADDRESS) ...". */
export function peerFailure(code: ErrorCode, label: PeerLabel, what: string, details: FailureDetails = {}): CsxError {
  return new CsxError(code, `${nameOf(label)} ${what}.`, {
    hint: details.hint,
    cause: details.cause,
    data: { peer: label.peer, address: label.address },
  });
}

/** The peer as messages name it. */
export function nameOf(label: PeerLabel): string {
  return `${display(label.peer)} (${display(label.address)})`;
}

/** An address and port as one word. */
export function addressText(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

const CONNECT_WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refuses connections',
  EHOSTUNREACH: 'cannot be reached: no route to the host',
  ENETUNREACH: 'cannot be reached: no route to its network',
  ETIMEDOUT: 'does not answer',
  ECONNRESET: 'closed the connection at once',
  EACCES: 'cannot be reached: this host does not permit the connection',
};

/** No TCP connection came about. */
export function connectFailure(label: PeerLabel, error: unknown, bound: string | undefined): CsxError {
  const errno = errnoOf(error) ?? 'error';
  if (errno === 'EADDRNOTAVAIL' && bound !== undefined) {
    return peerFailure('PEER_UNREACHABLE', label, `cannot be reached from ${bound}, which is no address of this host`, {
      cause: error,
      hint: 'Correct the host name given with -N, or what it resolves to: connections start from its address.',
    });
  }
  return peerFailure('PEER_UNREACHABLE', label, CONNECT_WORDS[errno] ?? `cannot be reached (${errno})`, {
    cause: error,
    hint: `Check that the daemon of ${display(label.peer)} runs and that no firewall stands between.`,
  });
}

/** An established connection broke. `during` completes "while csx was ...". */
export function connectionLost(label: PeerLabel, error: unknown, during: string): CsxError {
  const errno = errnoOf(error);
  if (errno?.startsWith('ERR_SSL_') === true || errno?.startsWith('ERR_TLS_') === true) {
    return tlsFailure(label, error, `ended the encrypted connection while csx was ${during}`);
  }
  const reason = errno === undefined || errno === 'ECONNRESET' || errno === 'EPIPE' ? '' : ` (${errno})`;
  return peerFailure('PEER_CLOSED', label, `closed the connection${reason} while csx was ${during}`, {
    cause: error,
    hint: `Look into the log of the daemon on ${display(label.peer)}; what was not acknowledged is sent again next time.`,
  });
}

/** TLS could not be agreed on. */
export function tlsFailure(label: PeerLabel, error: unknown, what: string): CsxError {
  const reason = error instanceof Error ? `: ${tlsReason(error)}` : '';
  return peerFailure('TLS_FAILED', label, `${what}${reason}`, {
    cause: error,
    hint: `Check that ${display(label.peer)} has csync2_ssl_cert.pem and csync2_ssl_key.pem and that they belong together.`,
  });
}

/** OpenSSL's own words, without the file and line it found them at. */
function tlsReason(error: Error): string {
  const words = 'reason' in error && typeof error.reason === 'string' ? error.reason : error.message;
  return words
    .replace(/\s*\n[^]*$/, '')
    .replace(/^[0-9A-F]+:error:[0-9A-F]+:[^:]*:[^:]*:/, '')
    .replace(/[:.]+$/, '');
}

/** A wait came to its end. */
export function timeoutFailure(label: PeerLabel, milliseconds: number, during: string): CsxError {
  const code = 'PEER_TIMEOUT';
  return peerFailure(code, label, `sent nothing for ${seconds(milliseconds)} while csx was ${during}`, {
    hint: `Check ${display(label.peer)} and the network to it; what was not acknowledged is sent again next time.`,
  });
}

/** The peer sent what the protocol does not allow; `error` is the reader's. */
export function protocolFailure(label: PeerLabel, error: unknown, during: string): CsxError {
  const what = error instanceof Error ? error.message : 'It sent something else than an answer.';
  return new CsxError('PEER_PROTOCOL', `${nameOf(label)} was left while csx was ${during}. ${what}`, {
    cause: error,
    hint: `Check that a csync2 or csx daemon, and nothing else, listens at ${display(label.address)}.`,
    data: { peer: label.peer, address: label.address },
  });
}

/** This side gave the connection up. */
export function dropped(label: PeerLabel, cause: unknown): CsxError {
  return peerFailure('PEER_CLOSED', label, 'was left by csx before everything was sent', {
    cause,
    hint: 'What was not acknowledged is sent again next time.',
  });
}

/** The peer answered an opening command, LIST or TYPE with an error. */
export function refused(label: PeerLabel, what: string, text: string): CsxError {
  return peerFailure('PEER_REFUSED', label, `refused ${what}: ${display(text)}`.replace(/\.$/, ''), {
    hint: `Compare the configuration here with that on ${display(label.peer)}: groups, hosts and keys have to agree.`,
  });
}

/** HELLO was refused. */
export function helloFailure(label: PeerLabel, me: string, text: string, refusal: RefusalKind): CsxError {
  const [here, there] = [display(me), display(label.peer)];
  if (refusal === 'ssl-expected') {
    return peerFailure('PLAINTEXT_REFUSED', label, `expects an encrypted connection from ${here}`, {
      hint: `Remove the nossl statement that matches here, or add "nossl ${there} ${here};" to the configuration of ${there}.`,
    });
  }
  if (refusal === 'identification-failed') {
    return peerFailure('IDENTIFICATION_FAILED', label, `does not believe that this host is ${here}`, {
      hint: `On ${there}, "${here}" has to resolve to the address this host connects from; when encrypted, the certificate pinned there for ${here} has to be this host's (csx trust list there).`,
    });
  }
  return refused(label, `HELLO ${here}`, text);
}

/** The caller's AbortSignal fired. */
export function interruptedFailure(label: PeerLabel, during: string): CsxError {
  return peerFailure('INTERRUPTED', label, `was left because csx was interrupted (${during})`);
}

function seconds(milliseconds: number): string {
  return milliseconds === 1000 ? '1 second' : `${String(milliseconds / 1000)} seconds`;
}
