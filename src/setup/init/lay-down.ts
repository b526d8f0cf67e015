/** Puts files where csync2 and csx look for them: with the right modes, never over what is there, and all of them or none. */

import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, unlinkSync, writeSync } from 'node:fs';
import path from 'node:path';
import { writeKeyFile } from '../../config/keygen.js';
import { checkOperatorFile } from '../../operator/operator-file.js';
import { CERTIFICATE_FILE, KEY_FILE, loadCertificatePair } from '../../engine/net/certificate.js';
import { makeCertificatePair, storeCertificatePair } from '../../engine/net/certificate-maker.js';
import { CsxError, errnoOf } from '../../model/errors.js';
import { toBuffer } from '../../model/names.js';
import type { Bytes } from '../../model/names.js';

export interface LaidDown {
  readonly path: string;
  readonly what: string;
  /** False: it was there before, and was left as it is. */
  readonly made: boolean;
}

/** The subject of every host's certificate: a csync2 client keeps one back whose subject is not that of the daemon's. */
const SUBJECT = 'csync2';

/** Fails with WRITE_FAILED when one of the files is there: nothing is written then. */
export function refuseExisting(files: readonly string[]): void {
  const [first] = files.filter((file) => existsSync(file));
  if (first === undefined) return;
  throw new CsxError('WRITE_FAILED', `${first} exists already: nothing was written.`, {
    hint: 'To use what is there: csx init --from csync2, or csx init --join on a further host. To start anew, move it away.',
    data: { path: first },
  });
}

/** Writes configuration, key and certificate, and makes the database's directory. When one fails, those before it are removed. */
export async function layDown(place: {
  readonly systemDirectory: string;
  readonly configFile: string;
  readonly text: Bytes;
  readonly keyFile: string;
  readonly databaseDirectory: string;
  readonly now: number;
}): Promise<readonly LaidDown[]> {
  const { systemDirectory, configFile, keyFile } = place;
  refuseExisting([configFile, keyFile]);
  const directories = [
    ...makeDirectory(systemDirectory, 0o755, 'directory of configuration and keys'),
    ...makeDirectory(place.databaseDirectory, 0o700, 'directory of the database'),
  ];
  const uid = process.geteuid?.() ?? 0;
  for (const file of [configFile, keyFile]) checkOperatorFile(file, { what: 'configuration file', uid: uid });
  const undo: string[] = [];
  try {
    writeKeyFile(keyFile);
    undo.push(keyFile);
    const certificate = await provideCertificate(systemDirectory, place.now);
    for (const { made, path: file } of certificate) if (made) undo.push(file);
    // Last: with it the host is a member, and all that it names has to be there.
    writeNew(configFile, place.text);
    return [
      { path: configFile, what: 'configuration, the same on all hosts', made: true },
      { path: keyFile, what: 'key, the same on all hosts', made: true },
      ...certificate,
      ...directories,
    ];
  } catch (error) {
    for (const file of undo) unlinkSync(file);
    throw error;
  }
}

/** Makes a pair unless there is a good one. Fails as `loadCertificatePair` and `storeCertificatePair` do. */
export async function provideCertificate(systemDirectory: string, now: number): Promise<readonly LaidDown[]> {
  const files = [
    { path: path.join(systemDirectory, CERTIFICATE_FILE), what: "this host's certificate" },
    { path: path.join(systemDirectory, KEY_FILE), what: "this host's private key: it never leaves this host" },
  ];
  const made = !files.some((file) => existsSync(file.path));
  if (made) await storeCertificatePair(systemDirectory, await makeCertificatePair({ name: SUBJECT, now }));
  else await loadCertificatePair(systemDirectory);
  return files.map((file) => ({ ...file, made }));
}

/** Makes a directory and those above it, if it is not there. Empty when it was. */
export function makeDirectory(directory: string, mode: number, what: string): readonly LaidDown[] {
  if (existsSync(directory)) return [];
  try {
    mkdirSync(directory, { recursive: true, mode });
    return [{ path: directory, what, made: true }];
  } catch (error) {
    throw new CsxError('WRITE_FAILED', `Could not make the directory ${directory}: ${errnoOf(error) ?? 'it failed'}.`, {
      hint: 'Run csx as root, or name another with --system-dir or -D.',
      data: { path: directory },
      cause: error,
    });
  }
}

function writeNew(file: string, text: Bytes): void {
  try {
    const descriptor = openSync(file, 'wx', 0o644);
    try {
      writeSync(descriptor, toBuffer(text));
      fsyncSync(descriptor);
    } catch (error) {
      unlinkSync(file);
      throw error;
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    throw new CsxError('WRITE_FAILED', `Could not write ${file}: ${errnoOf(error) ?? 'it failed'}.`, {
      hint: 'Run csx as root, and see that there is room on the disk.',
      data: { path: file },
      cause: error,
    });
  }
}
