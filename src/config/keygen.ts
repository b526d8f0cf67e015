/** Makes key files in csync2's format: one line of 64 characters of `[A-Za-z0-9._]`. */

import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { CsxError, errnoOf } from '../model/errors.js';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._';
const LENGTH = 64;

/** Writes a new key, mode 0600. Throws CsxError WRITE_FAILED when the file exists or cannot be written. */
export function writeKeyFile(file: string): void {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'wx', 0o600);
  } catch (error) {
    const exists = errnoOf(error) === 'EEXIST';
    throw new CsxError(
      'WRITE_FAILED',
      exists ? `${file} exists already and was left alone.` : `Cannot make the key file ${file}: ${reason(error)}.`,
      {
        hint: exists
          ? 'A key in use must not be replaced on one host alone: choose another name.'
          : 'Make its directory, or choose a directory you may write to.',
        data: { path: file },
        cause: error,
      },
    );
  }
  try {
    // 64 characters: six bits of every random byte choose one, evenly.
    const key = Array.from(randomBytes(LENGTH), (byte) => ALPHABET[byte & 63]).join('');
    writeSync(descriptor, `${key}\n`);
    fsyncSync(descriptor);
  } catch (error) {
    unlinkSync(file);
    throw new CsxError('WRITE_FAILED', `Cannot write the key file ${file}: ${reason(error)}.`, {
      hint: 'Make room on the disk.',
      cause: error,
    });
  } finally {
    closeSync(descriptor);
  }
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message.replace(/,.*$/s, '') : String(error);
}
