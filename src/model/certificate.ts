/** Certificates as they are shown. */

import type { PeerName } from './names.js';

/** What a certificate says about itself. */
export interface CertificateFacts {
  /** SHA-256 of the DER: upper-case hex pairs with colons, as openssl prints it. */
  readonly fingerprint: string;
  /** One line, `CN=host-a, O=...`. */
  readonly subject: string;
  /** Unix milliseconds. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** `rsa`, `ec`, ... */
  readonly keyType: string;
  /** Bits of an RSA or DSA key; undefined for others. */
  readonly keyBits: number | undefined;
}

/** A certificate that is pinned for a peer. Subject and end are undefined where it cannot be read. */
export interface PinFacts {
  readonly peer: PeerName;
  /** As in `CertificateFacts`. */
  readonly fingerprint: string;
  readonly subject: string | undefined;
  /** Unix milliseconds. */
  readonly notAfter: number | undefined;
  /** Unix milliseconds when csx pinned it; undefined: csync2 did. */
  readonly since: number | undefined;
}
