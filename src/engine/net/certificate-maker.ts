/** Makes a self-signed certificate pair and stores it where csync2 and csx look for it. */

import { generateKeyPair, randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { open, rename, unlink } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import type { pki } from 'node-forge';
import { CsxError, errnoOf } from '../../model/errors.js';
import {
  CERTIFICATE_FILE,
  certificatePair,
  describeCertificate,
  KEY_FILE,
  loadCertificatePair,
} from './certificate.js';
import type { CertificatePair } from './certificate.js';

export interface CertificateWish {
  /** Goes into the subject as CN, ASCII. Nobody checks it; it is for people who read certificates. */
  readonly name: string;
  /** RSA; 2048 (default 3072) to 8192. */
  readonly bits?: number;
  /** Default 3650: nobody checks the dates either, but openssl and people complain about past ones. */
  readonly days?: number;
  /** Unix milliseconds. */
  readonly now: number;
}

const DAY = 86_400_000;
/** Clocks differ: valid from an hour ago. */
const BACKDATE = 3_600_000;

/** Makes an RSA key and a certificate signed by itself with SHA-256. Fails with USAGE when less than 2048 bits are asked for. */
export async function makeCertificatePair(wish: CertificateWish): Promise<CertificatePair> {
  const bits = wish.bits ?? 3072;
  if (bits < 2048 || bits > 8192) {
    throw new CsxError('USAGE', `Could not make a certificate with a key of ${bits} bits.`, {
      hint: 'Choose 2048 to 8192 bits: OpenSSL refuses shorter keys, longer ones only cost time.',
    });
  }
  // The key comes from OpenSSL, which is fast and constant-time; forge only writes and signs the certificate.
  const { privateKey } = await promisify(generateKeyPair)('rsa', {
    modulusLength: bits,
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  const { default: forge } = await import('node-forge');
  const key = forge.pki.privateKeyFromPem(privateKey);
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.setRsaPublicKey(key.n, key.e);
  certificate.serialNumber = newSerial();
  certificate.validity.notBefore = new Date(wish.now - BACKDATE);
  certificate.validity.notAfter = new Date(wish.now + (wish.days ?? 3650) * DAY);
  // As openssl writes it, not forge's PrintableString: csync2's clients compare subjects byte by byte (see commands/cert.ts).
  const utf8: number = forge.asn1.Type.UTF8;
  // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- forge wants a Type, its typings say Class
  const subject: pki.CertificateField[] = [{ name: 'commonName', value: wish.name, valueTagClass: utf8 }];
  certificate.setSubject(subject);
  certificate.setIssuer(subject);
  certificate.sign(key, forge.md.sha256.create());
  const files = { certificateFile: CERTIFICATE_FILE, keyFile: KEY_FILE };
  return certificatePair(forge.pki.certificateToPem(certificate).replaceAll('\r\n', '\n'), privateKey, files);
}

/** Random, so that two certificates of one host differ even in what people look at; positive and without padding, as DER wants. */
function newSerial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString('hex');
}

/**
 * Puts a new pair in the place of the one that is there. It gets the same subject where that is a common name alone: csync2's
 * clients look for it. The old files stay beside the new ones; when anything fails they are back in their place.
 * @returns the names of the old files now
 */
export async function renewCertificatePair(
  systemDirectory: string,
  size: { readonly bits?: number; readonly days?: number },
  now: number,
): Promise<readonly string[]> {
  const old = describeCertificate((await loadCertificatePair(systemDirectory)).der);
  const name = /^CN=([^,=+]+)$/.exec(old.subject)?.[1] ?? 'csync2';
  const pair = await makeCertificatePair({ name, now, ...size });
  const suffix = `.old-${new Date(now).toISOString().replaceAll(/[-:]|\..*/g, '')}`;
  const moves = [CERTIFICATE_FILE, KEY_FILE].map((file) => path.join(systemDirectory, file));
  for (const file of moves) await rename(file, `${file}${suffix}`);
  try {
    await storeCertificatePair(systemDirectory, pair);
  } catch (error) {
    for (const file of moves) await rename(`${file}${suffix}`, file);
    throw error;
  }
  return moves.map((file) => `${file}${suffix}`);
}

/**
 * Writes the pair into the system directory: the key with mode 0600, both made durable. Never overwrites: fails with
 * WRITE_FAILED when one of the files is there, and leaves nothing behind when it fails.
 */
export async function storeCertificatePair(systemDirectory: string, pair: CertificatePair): Promise<void> {
  const key = path.join(systemDirectory, KEY_FILE);
  await writeNew(key, pair.secret(), 0o600);
  try {
    await writeNew(path.join(systemDirectory, CERTIFICATE_FILE), pair.certificate, 0o644);
  } catch (error) {
    await unlink(key);
    throw error;
  }
  const directory = await open(systemDirectory, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

async function writeNew(file: string, text: string, mode: number): Promise<void> {
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  try {
    const handle = await open(file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
    try {
      await handle.chmod(mode);
      await handle.writeFile(text, 'latin1');
      await handle.sync();
    } catch (error) {
      await unlink(file);
      throw error;
    } finally {
      await handle.close();
    }
  } catch (error) {
    const exists = errnoOf(error) === 'EEXIST';
    throw new CsxError(
      'WRITE_FAILED',
      `Could not write ${file}: ${exists ? 'it exists' : (errnoOf(error) ?? 'failed')}.`,
      {
        cause: error,
        data: { path: file },
        hint: exists
          ? 'Move the old pair away first. Every peer that pinned the old certificate then has to accept the new one.'
          : 'Run csx as root, and check the directory.',
      },
    );
  }
}
