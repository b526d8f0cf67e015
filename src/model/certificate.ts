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
