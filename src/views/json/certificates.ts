/** `csx cert --json` (schemas/cert.schema.json) and `csx trust ... --json` (schemas/trust.schema.json). */

import type { PinFacts } from '../../model/certificate.js';
import { bytesMember } from '../../model/json-value.js';
import type { PeerName } from '../../model/names.js';
import { diagnosticJson } from '../../model/plan-json.js';
import type { ShownCertificate } from '../human/certificate.js';
import { optionalTime, time } from './time.js';

export function certificateJson(shown: ShownCertificate): object {
  const { facts } = shown;
  return {
    format_version: '1.0',
    file: shown.file,
    subject: facts.subject,
    key_type: facts.keyType,
    key_bits: facts.keyBits ?? null,
    not_before: time(facts.notBefore),
    not_after: time(facts.notAfter),
    fingerprint_sha256: facts.fingerprint,
    problems: shown.problems.map(diagnosticJson),
  };
}

export function pinsJson(pins: readonly PinFacts[]): object {
  return {
    format_version: '1.0',
    pins: pins.map((pin) => ({
      ...bytesMember('peer', pin.peer),
      fingerprint_sha256: pin.fingerprint,
      subject: pin.subject ?? null,
      not_after: optionalTime(pin.notAfter),
      since: optionalTime(pin.since),
    })),
  };
}

/** How the certificate a peer shows compares with the one that is pinned. */
export interface PinVerdict {
  readonly peer: PeerName;
  readonly status: 'same' | 'new' | 'changed' | 'plain' | 'unreachable';
  /** Undefined: none was seen. */
  readonly fingerprint: string | undefined;
  /** Completes "PEER: ...". */
  readonly message: string;
}

export function verdictsJson(verdicts: readonly PinVerdict[]): object {
  return {
    format_version: '1.0',
    peers: verdicts.map((each) => ({
      ...bytesMember('peer', each.peer),
      status: each.status,
      fingerprint_sha256: each.fingerprint ?? null,
      message: each.message,
    })),
  };
}

export function pinnedJson(peer: PeerName, fingerprint: string): object {
  return { format_version: '1.0', ...bytesMember('peer', peer), fingerprint_sha256: fingerprint };
}

/** @param removed false: none was pinned */
export function unpinnedJson(peer: PeerName, removed: boolean): object {
  return { format_version: '1.0', ...bytesMember('peer', peer), removed };
}
