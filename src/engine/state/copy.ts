/**
 * Reads a database that cannot be read where it lies without changing it: a program that was killed left a journal to play back, or the
 * filesystem is read-only and lacks the files WAL mode needs. The database and its journals are copied aside, and the copy is repaired.
 */

import { execFile } from 'node:child_process';
import { statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { CsxError } from '../../model/errors.js';

const run = promisify(execFile);
const PARTS = ['', '-journal', '-wal'];
const ATTEMPTS = 5;

export interface Copy {
  /** The copied database, in a directory that only this user can read. */
  readonly file: string;
  remove(): Promise<void>;
}

/** Copies the database as it is at one moment. Throws STATE_LOCKED when it keeps changing meanwhile. */
export async function copyAside(file: string): Promise<Copy> {
  const directory = await mkdtemp(path.join(tmpdir(), 'csx-state-'));
  const remove = (): Promise<void> => rm(directory, { recursive: true, force: true });
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const before = fingerprint(file);
      for (const part of PARTS.filter((each) => statOf(file + each) !== undefined)) {
        // By another process: closing a database's file anywhere in this one would drop SQLite's locks on it.
        await run('cp', ['--', file + part, path.join(directory, `state.db3${part}`)]).catch(() => undefined);
      }
      if (fingerprint(file) === before) return { file: path.join(directory, 'state.db3'), remove };
      for (const part of PARTS) await rm(path.join(directory, `state.db3${part}`), { force: true });
      await sleep(50 * (attempt + 1));
    }
  } catch (error) {
    await remove();
    throw error;
  }
  await remove();
  throw new CsxError('STATE_LOCKED', `The database ${file} kept changing while it was copied to be read.`, {
    hint: 'Wait until csync2 or the other csx has finished and try again.',
    data: { path: file },
  });
}

function fingerprint(file: string): string {
  return PARTS.map((part) => {
    const standing = statOf(file + part);
    return standing === undefined ? '-' : [standing.ino, standing.size, standing.mtimeNs].map(String).join(' ');
  }).join(',');
}

function statOf(file: string): { ino: bigint; size: bigint; mtimeNs: bigint } | undefined {
  return statSync(file, { bigint: true, throwIfNoEntry: false });
}
