/** Pinned certificates as trust shows them. */

import { describeCertificate, fingerprintOf } from '../engine/net/certificate.js';
import type { CertificateFacts, PinFacts } from '../model/certificate.js';
import { CsxError } from '../model/errors.js';
import type { PeerName } from '../model/names.js';
import { nearest } from '../model/nearest.js';
import type { CertificateRow } from '../model/store.js';
import type { Workspace } from './workspace.js';

/** A row of the database need not hold a certificate that can be read: it is shown all the same. */
export function describePin(row: CertificateRow): PinFacts {
  const facts = factsOf(row.certificate);
  return {
    peer: row.peer,
    fingerprint: fingerprintOf(row.certificate),
    subject: facts?.subject,
    notAfter: facts?.notAfter,
    since: row.since,
  };
}

function factsOf(certificate: Buffer): CertificateFacts | undefined {
  try {
    return describeCertificate(certificate);
  } catch (error) {
    if (error instanceof CsxError) return undefined;
    throw error;
  }
}

/** The peer an argument names: its name in a group, or the host's. Throws CsxError UNKNOWN_TARGET with the nearest one. */
export function namedPeer(given: string, workspace: Workspace, pinned: readonly CertificateRow[] = []): PeerName {
  const name = given.toLowerCase();
  const members = workspace.config.groups.flatMap((group) => group.members.filter((member) => !member.self));
  const member = members.find((each) => each.name === name) ?? members.find((each) => each.host === name);
  // A pin may outlive the peer's place in the configuration.
  const pin = pinned.find((row) => row.peer === name);
  if (member !== undefined) return member.name;
  if (pin !== undefined) return pin.peer;
  const known = [...new Set([...members.map((each) => each.name), ...pinned.map((row) => row.peer)])];
  const guess = nearest(name, known);
  throw new CsxError('UNKNOWN_TARGET', `There is no peer '${given}' for this host.`, {
    hint: `${guess === undefined ? '' : `Did you mean '${guess}'? `}Known: ${known.join(', ')}.`,
  });
}
