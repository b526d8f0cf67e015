/**
 * The opening of a session: SSL, CONFIG, GROUP, HELLO, and who the client then is. Promises 11 and 12 begin here: until HELLO has
 * succeeded nothing else is answered, and every doubt is a refusal.
 *
 *   start --SSL--> encrypting --handshake--> start --CONFIG--> open --HELLO--> open, with a client
 */

import { CsxError } from '../../model/errors.js';
import type { PeerName } from '../../model/names.js';
import { display } from '../../model/names.js';
import { fingerprintOf, sameCertificate } from '../net/certificate.js';
import { REFUSED } from '../wire/answers.js';
import type { Client, Served, Services } from './served.js';

/** A refusal that ends the session, or not. */
export interface Refusal {
  readonly text: string;
}

/** CONFIG. The text of the refusal closes the connection. */
export async function openConfig(services: Services, name: string): Promise<Served | Refusal> {
  if (!/^[a-z0-9]*$/.test(name)) return { text: 'Config names are limited to [a-z0-9]+.' };
  try {
    return await services.serve(name);
  } catch (error) {
    const message = error instanceof CsxError ? error.message : String(error);
    services.log({ level: 'error', event: 'config', message: `The configuration cannot be served: ${message}` });
    // What is wrong with it is nobody's business before HELLO; csync2 closes without a word.
    return { text: 'The configuration of this host cannot be used.' };
  }
}

export interface Introduction {
  readonly served: Served;
  readonly services: Services;
  /** The address the connection comes from. */
  readonly address: string;
  /** What the client presented over TLS; undefined: no TLS. */
  readonly certificate: Buffer | undefined;
}

/** HELLO: who the client is, or why not. Name and address first, then encryption, then the pin, as csync2 does. */
export async function identify(name: string, introduction: Introduction): Promise<Client | Refusal> {
  const { served, services, address, certificate } = introduction;
  const peer = name.toLowerCase() as PeerName;
  const refuse = (text: string, why: string): Refusal => {
    services.log({
      level: 'warning',
      event: 'refused',
      peer: display(peer.slice(0, 255)),
      address,
      verb: 'HELLO',
      message: `Refused: ${why}.`,
    });
    return { text };
  };
  if (!/^[^\0-\x20\x7f]{1,255}$/.test(peer) || !(await services.resolvesTo(peer, address))) {
    return refuse(REFUSED.identification, `the name does not resolve to ${address}`);
  }
  if (certificate === undefined) {
    if (served.selection.plaintextAllowed(served.config.host, peer)) return { name: peer, address };
    return refuse(REFUSED.sslExpected, 'it is not encrypted and no nossl statement allows that');
  }
  const pinned = await pinOf(served, peer);
  if (pinned === undefined) {
    await served.store.write([{ kind: 'pin', peer, certificate, since: services.now() }]);
    services.log({
      level: 'warning',
      event: 'pinned',
      peer: display(peer),
      address,
      message: 'Its certificate was seen for the first time and is trusted from now on.',
      fingerprint: fingerprintOf(certificate),
    });
    return { name: peer, address };
  }
  if (sameCertificate(pinned, certificate)) return { name: peer, address };
  return refuse(
    REFUSED.identification,
    `it presents the certificate ${fingerprintOf(certificate)}, and ${fingerprintOf(pinned)} is trusted for it; if it was given a new one on purpose, run: csx trust remove ${display(peer)}`,
  );
}

/** What a daemon that died has left is recorded before a client sees it. Where that fails, what it left may look like a local change. */
export async function settleJournal({ journal }: Served, { log }: Services): Promise<void> {
  try {
    await journal.settle();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    log({ level: 'error', event: 'journal', message: `What was changed before a crash could not be recorded: ${why}` });
  }
}

async function pinOf(served: Served, peer: PeerName): Promise<Buffer | undefined> {
  const rows = await served.store.certificates();
  return rows.find((row) => row.peer === peer)?.certificate;
}
