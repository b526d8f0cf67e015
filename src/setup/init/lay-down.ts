/** Puts files where csync2 and csx look for them: with the right modes, never over what is there, and all of them or none. */

import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, rmdirSync, unlinkSync, writeSync } from 'node:fs';
import path from 'node:path';
import { writeKeyFile } from '../../config/keygen.js';
import { checkOperatorFile } from '../../operator/operator-file.js';
import { CERTIFICATE_FILE, KEY_FILE, loadCertificatePair } from '../../engine/net/certificate.js';
import { makeCertificatePair, storeCertificatePair } from '../../engine/net/certificate-maker.js';
import { CsxError, errnoOf } from '../../model/errors.js';

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

/** A file that is the same on all hosts. */
export interface CommonFile {
  readonly path: string;
  readonly what: string;
  readonly bytes: Buffer;
}

/**
 * Writes configuration, key and certificate, and makes the directories they lie in and the database will. When something fails, what was
 * made before goes again.
 * @param beside what the configuration is used with; one that is there already is kept
 */
export async function layDown(place: {
  readonly systemDirectory: string;
  readonly config: CommonFile;
  readonly beside: readonly CommonFile[];
  readonly keyFile: string;
  readonly databaseDirectory: string;
  readonly now: number;
}): Promise<readonly LaidDown[]> {
  const { systemDirectory, config, keyFile } = place;
  refuseExisting([config.path, keyFile]);
  const uid = process.geteuid?.() ?? 0;
  const undo = new Undo();
  try {
    const directories = [
      ...makeDirectory(systemDirectory, 0o755, 'directory of configuration and keys', undo),
      ...makeDirectory(place.databaseDirectory, 0o700, 'directory of the database', undo),
    ];
    for (const file of [config.path, keyFile]) checkOperatorFile(file, { what: 'configuration file', uid });
    writeKeyFile(keyFile);
    undo.file(keyFile);
    const certificate = await provideCertificate(systemDirectory, place.now);
    for (const { made, path: file } of certificate) if (made) undo.file(file);
    const beside = place.beside.map((file) => {
      const made = !existsSync(file.path);
      if (made) writeNew(file, undo);
      return { path: file.path, what: file.what, made };
    });
    // Last: with it the host is a member, and all that it names has to be there.
    writeNew(config, undo);
    return [
      { path: config.path, what: config.what, made: true },
      ...beside,
      { path: keyFile, what: 'key, the same on all hosts', made: true },
      ...certificate,
      ...directories,
    ];
  } catch (error) {
    undo.run();
    throw error;
  }
}

/** What was made so far, to be unmade when the next step fails. */
export class Undo {
  readonly #steps: (() => void)[] = [];

  file(file: string): void {
    this.#steps.push(() => {
      unlinkSync(file);
    });
  }

  directory(directory: string): void {
    this.#steps.push(() => {
      rmdirSync(directory);
    });
  }

  run(): void {
    for (const step of this.#steps.reverse()) step();
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
export function makeDirectory(directory: string, mode: number, what: string, undo: Undo): readonly LaidDown[] {
  const missing: string[] = [];
  for (let each = directory; !existsSync(each); each = path.dirname(each)) missing.unshift(each);
  if (missing.length === 0) return [];
  try {
    // Not `recursive`: with that, Node.js tries for ever where the filesystem makes no directories (/proc).
    for (const each of missing) {
      mkdirSync(each, mode);
      undo.directory(each);
    }
    return [{ path: directory, what, made: true }];
  } catch (error) {
    throw new CsxError('WRITE_FAILED', `Could not make the directory ${directory}: ${errnoOf(error) ?? 'it failed'}.`, {
      hint: 'Run csx as root, or name another with --system-dir or -D.',
      data: { path: directory },
      cause: error,
    });
  }
}

function writeNew({ path: file, bytes }: CommonFile, undo: Undo): void {
  try {
    const descriptor = openSync(file, 'wx', 0o644);
    undo.file(file);
    try {
      writeSync(descriptor, bytes);
      fsyncSync(descriptor);
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
