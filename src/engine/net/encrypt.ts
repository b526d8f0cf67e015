/**
 * From plain to TLS on the same socket, as client: `SSL`, wait for `OK (activating_ssl).`, then the handshake.
 *
 * Nothing may be sent ahead of the answer, and nothing may come between the answer and the handshake: it would be plain
 * text that an attacker put in. This host's certificate is always presented; chain, host name and dates are not looked at; what
 * counts is the pin. Source: reference/wire-protocol.md, "Opening a connection".
 */

import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { CsxError } from '../../model/errors.js';
import type { Problem } from '../../model/errors.js';
import { display } from '../../model/names.js';
import { writeRequest } from '../wire/request.js';
import { ResponseReader } from '../wire/response.js';
import type { Answer } from '../wire/response.js';
import { certificateProblems, fingerprintOf, sameCertificate, secureOptions } from './certificate.js';
import type { CertificatePair } from './certificate.js';
import * as failures from './failure.js';
import type { PeerLabel } from './failure.js';

export interface EncryptOptions {
  readonly label: PeerLabel;
  readonly pair: CertificatePair;
  /** DER of the certificate pinned for the peer; undefined: none is yet. */
  readonly pinned: Buffer | undefined;
  /** Milliseconds without progress. */
  readonly deadline: number;
  readonly signal: AbortSignal | undefined;
  /** Unix milliseconds. */
  readonly now: () => number;
}

export interface Encrypted {
  readonly socket: TLSSocket;
  /** DER of what the peer presented. */
  readonly certificate: Buffer;
  /** `TLSv1.3 TLS_AES_256_GCM_SHA384` */
  readonly cipher: string;
  readonly problems: readonly Problem[];
}

/** Fails with TLS_FAILED, CERTIFICATE_CHANGED, CERTIFICATE_UNREADABLE, PEER_CLOSED, PEER_PROTOCOL, PEER_TIMEOUT or INTERRUPTED. */
export async function encrypt(plain: Socket, options: EncryptOptions): Promise<Encrypted> {
  const { options: secure } = secureOptions(options.pair);
  await askForTls(plain, options);
  const socket = connectTls({ ...secure, socket: plain, rejectUnauthorized: false });
  await waitFor(socket, options, 'agreeing on encryption', (resolve, reject) => {
    socket.once('secureConnect', resolve);
    socket.once('error', (error) => {
      reject(failures.tlsFailure(options.label, error, 'did not agree on encryption'));
    });
    socket.once('close', () => {
      reject(failures.tlsFailure(options.label, undefined, 'closed the connection instead of encrypting it'));
    });
  });
  const certificate = socket.getPeerX509Certificate()?.raw;
  if (certificate === undefined) {
    socket.destroy();
    throw failures.tlsFailure(options.label, undefined, 'presented no certificate');
  }
  if (options.pinned !== undefined && !sameCertificate(certificate, options.pinned)) {
    socket.destroy();
    throw certificateChanged(options.label, certificate, options.pinned);
  }
  return {
    socket,
    certificate,
    cipher: `${socket.getProtocol() ?? 'TLS'} ${socket.getCipher().name}`,
    problems: certificateProblems(options.pair, options.now()),
  };
}

async function askForTls(plain: Socket, options: EncryptOptions): Promise<void> {
  const reader = new ResponseReader();
  reader.expect('line');
  const answer = await waitFor<Answer>(plain, options, 'waiting for the answer to SSL', (resolve, reject) => {
    plain.on('data', (chunk: Buffer) => {
      try {
        reader.push(chunk);
        const event = reader.next();
        if (event?.kind !== 'answer') return;
        // Asks again only to refuse bytes behind the answer.
        reader.next();
        resolve(event.answer);
      } catch (error) {
        reject(failures.protocolFailure(options.label, error, 'waiting for the answer to SSL'));
      }
    });
    plain.once('error', (error) => {
      reject(failures.connectionLost(options.label, error, 'waiting for the answer to SSL'));
    });
    plain.once('end', () => {
      reject(failures.connectionLost(options.label, undefined, 'waiting for the answer to SSL'));
    });
    plain.write(writeRequest('SSL', {}));
  });
  if (answer.kind !== 'error') return;
  plain.destroy();
  throw failures.peerFailure('TLS_FAILED', options.label, `does not encrypt: ${display(answer.text)}`, {
    hint: 'Give it a certificate, or allow plain text between the two hosts with a nossl statement on both.',
  });
}

/** Waits for one thing on a socket; on success its listeners are gone, otherwise the socket is. */
async function waitFor<T>(
  socket: Socket,
  options: EncryptOptions,
  during: string,
  listen: (resolve: (value: T) => void, reject: (error: CsxError) => void) => void,
): Promise<T> {
  const { signal } = options;
  let timer: NodeJS.Timeout | undefined;
  let onAbort: (() => void) | undefined;
  try {
    return await new Promise<T>((resolve, reject) => {
      timer = setTimeout(() => {
        reject(failures.timeoutFailure(options.label, options.deadline, during));
      }, options.deadline);
      onAbort = (): void => {
        reject(failures.interruptedFailure(options.label, during));
      };
      if (signal?.aborted === true) onAbort();
      signal?.addEventListener('abort', onAbort, { once: true });
      listen(resolve, reject);
    });
  } catch (error) {
    socket.on('error', () => undefined);
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
    if (onAbort !== undefined) signal?.removeEventListener('abort', onAbort);
    for (const event of ['data', 'secureConnect']) socket.removeAllListeners(event);
  }
}

function certificateChanged(label: PeerLabel, presented: Buffer, pinned: Buffer): CsxError {
  const peer = display(label.peer);
  return new CsxError(
    'CERTIFICATE_CHANGED',
    `${failures.nameOf(label)} presented another certificate than the one pinned for it: ${fingerprintOf(presented)} instead of ${fingerprintOf(pinned)}.`,
    {
      hint: `If ${peer} was given a new certificate on purpose, run: csx trust remove ${peer}. Otherwise somebody may be answering in its place.`,
      data: {
        peer: label.peer,
        address: label.address,
        presented: fingerprintOf(presented),
        pinned: fingerprintOf(pinned),
      },
    },
  );
}
