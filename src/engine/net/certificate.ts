/**
 * This host's certificate and what can be said about any certificate.
 *
 * csync2 keeps a pair in its system directory: csync2_ssl_cert.pem and csync2_ssl_key.pem, self-signed as a rule. Nobody
 * checks a chain, a host name or a date: trust is the pin, the certificate's exact bytes (DER) beside the peer's name in the
 * database. Two certificates with the same subject are two pins. Source: reference/wire-protocol.md, "TLS".
 */

import { createHash, createPrivateKey, timingSafeEqual, X509Certificate } from 'node:crypto';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { createSecureContext } from 'node:tls';
import type { SecureContextOptions } from 'node:tls';
import type { CertificateFacts } from '../../model/certificate.js';
import { CsxError, errnoOf } from '../../model/errors.js';
import type { Problem } from '../../model/errors.js';
import { fromText } from '../../model/names.js';
import { checkOperatorFile } from '../../operator/operator-file.js';

export const CERTIFICATE_FILE = 'csync2_ssl_cert.pem';
export const KEY_FILE = 'csync2_ssl_key.pem';

/** What a host presents in the TLS handshake, in both roles. The key leaves this object only through `secret()`. */
export interface CertificatePair {
  /** PEM. */
  readonly certificate: string;
  /** DER: what peers pin. */
  readonly der: Buffer;
  /** The private key as PEM. */
  secret(): string;
}

/** RSA keys below this are refused by OpenSSL's default security level. */
const SOUND_KEY_BITS = 2048;
/** A pair and its files are text of a few kilobytes. */
const MAX_PEM = 1_048_576;
const DAY = 86_400_000;
const EXPIRY_WARNING = 30 * DAY;

/**
 * Loads this host's pair from the system directory. Fails with CERTIFICATE_UNREADABLE (missing, no PEM, key of another
 * certificate) or FILE_UNSAFE (a link, what others can change, or a key that they can read), each with its cure.
 */
export async function loadCertificatePair(systemDirectory: string): Promise<CertificatePair> {
  const certificateFile = path.join(systemDirectory, CERTIFICATE_FILE);
  const keyFile = path.join(systemDirectory, KEY_FILE);
  const certificate = await readPem(certificateFile, false);
  const key = await readPem(keyFile, true);
  return certificatePair(certificate, key, { certificateFile, keyFile });
}

/** Makes a pair of PEM texts, checked to belong together; file names are for messages. Fails with CERTIFICATE_UNREADABLE. */
export function certificatePair(
  certificate: string,
  key: string,
  files: { readonly certificateFile: string; readonly keyFile: string },
): CertificatePair {
  const parsed = parse(files.certificateFile, () => new X509Certificate(certificate));
  const privateKey = parse(files.keyFile, () => createPrivateKey(key));
  if (!parsed.checkPrivateKey(privateKey)) {
    throw new CsxError(
      'CERTIFICATE_UNREADABLE',
      `The key in ${files.keyFile} does not belong to the certificate in ${files.certificateFile}.`,
      {
        hint: 'Restore the file that was replaced, or make a new pair; peers then have to accept the new certificate.',
      },
    );
  }
  return { certificate, der: parsed.raw, secret: () => key };
}

/** What a certificate says about itself. Fails with CERTIFICATE_UNREADABLE when the bytes are none. */
export function describeCertificate(der: Buffer): CertificateFacts {
  const certificate = parse('the certificate', () => new X509Certificate(der));
  return {
    fingerprint: fingerprintOf(der),
    subject: certificate.subject.split('\n').join(', '),
    notBefore: Date.parse(certificate.validFrom),
    notAfter: Date.parse(certificate.validTo),
    keyType: certificate.publicKey.asymmetricKeyType ?? 'unknown',
    keyBits: certificate.publicKey.asymmetricKeyDetails?.modulusLength,
  };
}

/** SHA-256 of a certificate, as openssl prints it. */
export function fingerprintOf(der: Buffer): string {
  const hex = createHash('sha256').update(der).digest('hex').toUpperCase();
  return (hex.match(/../g) ?? []).join(':');
}

/** Whether two certificates are the same bytes, in a time that tells nothing about where they differ. */
export function sameCertificate(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Warnings about this host's own pair: a weak key, an end of validity near or past. `now`: Unix milliseconds. */
export function certificateProblems(pair: CertificatePair, now: number): readonly Problem[] {
  const facts = describeCertificate(pair.der);
  const problems: Problem[] = [];
  if (isWeak(facts)) {
    problems.push({
      severity: 'warning',
      code: 'CERTIFICATE_WEAK',
      summary: `This host's certificate has a key of only ${String(facts.keyBits)} bits, so csx lowers OpenSSL's security level to use it.`,
      hint: 'Make a new pair with csx cert, then run csx trust remove for this host on every peer, so that they pin the new one.',
    });
  }
  if (facts.notAfter - now < EXPIRY_WARNING) {
    const when = new Date(facts.notAfter).toISOString().slice(0, 10);
    problems.push({
      severity: 'warning',
      code: 'CERTIFICATE_EXPIRES',
      summary: `This host's certificate ${facts.notAfter < now ? 'ended' : 'ends'} on ${when}; csync2 and csx go on using it.`,
      hint: 'Nothing breaks: trust is the pinned certificate, not its dates. Make a new pair when it suits you.',
    });
  }
  return problems;
}

/** Whether OpenSSL refuses the certificate at its default security level because of its key. */
export function isWeak(facts: CertificateFacts): boolean {
  return facts.keyBits !== undefined && facts.keyBits < SOUND_KEY_BITS;
}

/**
 * The TLS settings with which OpenSSL takes this pair, for both roles: the default ones where it does, and a lowered security
 * level for it alone where it does not (`weak`): csync2's documentation tells people to make RSA keys of 1024 bits.
 * Fails with CERTIFICATE_UNREADABLE when OpenSSL takes it in no way.
 */
export function secureOptions(pair: CertificatePair): {
  readonly options: SecureContextOptions;
  readonly weak: boolean;
} {
  // Node's own default, unless its environment lowers it.
  const plain: SecureContextOptions = { cert: pair.certificate, key: pair.secret(), minVersion: 'TLSv1.2' };
  try {
    createSecureContext(plain);
    return { options: plain, weak: false };
  } catch {
    const lowered: SecureContextOptions = { ...plain, ciphers: 'DEFAULT@SECLEVEL=0' };
    try {
      createSecureContext(lowered);
    } catch (error) {
      throw unreadable("this host's certificate", error);
    }
    return { options: lowered, weak: true };
  }
}

function parse<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw unreadable(what, error);
  }
}

function unreadable(what: string, cause: unknown): CsxError {
  return new CsxError('CERTIFICATE_UNREADABLE', `OpenSSL cannot use ${what}.`, {
    cause,
    hint: `It has to be PEM: "-----BEGIN CERTIFICATE-----" in ${CERTIFICATE_FILE}, an unencrypted private key in ${KEY_FILE}.`,
  });
}

async function readPem(file: string, secret: boolean): Promise<string> {
  // Whoever can write to the directory can put another pair there.
  const what = secret ? 'private key' : 'certificate';
  checkOperatorFile(fromText(file), { what, secret, home: true, links: 'refuse' });
  try {
    const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const found = await handle.stat();
      if (!found.isFile() || found.size > MAX_PEM) throw unreadable(file, undefined);
      return (await handle.readFile()).toString('latin1');
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (error instanceof CsxError) throw error;
    throw new CsxError('CERTIFICATE_UNREADABLE', `Could not read ${file}: ${errnoOf(error) ?? 'it failed'}.`, {
      hint:
        errnoOf(error) === 'ENOENT'
          ? 'Make a pair with csx cert, or allow plain text between the two hosts with a nossl statement.'
          : 'Run csx as root, or correct the file.',
      data: { path: file },
      cause: error,
    });
  }
}
