/**
 * Finds out who holds SQLite's locks on a database, from /proc/locks. SQLite locks bytes of the database file (from 1 GiB on) and, in
 * WAL mode, of the `-shm` file (byte 120 is the writer's). Source: SQLite's "File Locking And Concurrency" and "WAL-mode File Format".
 */

import { readFile, stat } from 'node:fs/promises';
import { withoutPassword } from './location.js';

export interface Holder {
  readonly pid: number;
  /** The command line, shortened, without passwords. */
  readonly command: string;
}

const PENDING = 0x4000_0000;
const RESERVED = PENDING + 1;
const SHARED_END = PENDING + 511;
const WAL_WRITER = 120;
const WAL_RECOVERY = 122;

/** Who keeps others from writing; undefined when nobody can be made out (any more), or /proc does not tell. */
export async function lockHolder(database: string): Promise<Holder | undefined> {
  const locks = await readLocks();
  const ofDatabase = await locksOn(locks, database);
  const ofMemory = await locksOn(locks, `${database}-shm`);
  const writer =
    ofMemory.find((lock) => lock.write && lock.start <= WAL_RECOVERY && lock.end >= WAL_WRITER) ??
    ofDatabase.find((lock) => lock.write && lock.start <= RESERVED && lock.end >= PENDING) ??
    ofDatabase.find((lock) => lock.write && lock.start <= SHARED_END && lock.end >= PENDING);
  // Readers hold up a writer only where there is no WAL.
  const holder = writer ?? (ofMemory.length === 0 ? ofDatabase.find((lock) => lock.start > RESERVED) : undefined);
  return holder === undefined ? undefined : { pid: holder.pid, command: await commandOf(holder.pid) };
}

/** The command line of a process, or its name, or `unknown`. */
export async function commandOf(pid: number): Promise<string> {
  const line = await readFile(`/proc/${String(pid)}/cmdline`, 'latin1').catch(() => '');
  const words = line.replaceAll('\0', ' ').trim();
  if (words !== '') return withoutPassword(words.slice(0, 200));
  return (await readFile(`/proc/${String(pid)}/comm`, 'latin1').catch(() => 'unknown')).trim();
}

interface HeldLock {
  readonly pid: number;
  readonly device: string;
  readonly inode: string;
  readonly write: boolean;
  readonly start: number;
  readonly end: number;
}

/** `1: POSIX  ADVISORY  WRITE 1234 00:1a:5678 1073741825 1073741825`; a line with `->` is a process that waits. */
async function readLocks(): Promise<readonly HeldLock[]> {
  const text = await readFile('/proc/locks', 'latin1').catch(() => '');
  return text.split('\n').flatMap((line) => {
    const match = /^\d+: (?:POSIX|OFDLCK) +\S+ +(READ|WRITE) +(\d+) ([0-9a-f]+:[0-9a-f]+):(\d+) (\d+) (\d+|EOF)/.exec(
      line,
    );
    if (match === null) return [];
    const [, kind, pid, device = '', inode = '', start, end] = match;
    return [
      {
        pid: Number(pid),
        device,
        inode,
        write: kind === 'WRITE',
        start: Number(start),
        end: end === 'EOF' ? Infinity : Number(end),
      },
    ];
  });
}

async function locksOn(locks: readonly HeldLock[], file: string): Promise<readonly HeldLock[]> {
  const standing = await stat(file, { bigint: true }).catch(() => undefined);
  if (standing === undefined) return [];
  const here = locks.filter((lock) => lock.inode === String(standing.ino));
  const device = deviceName(standing.dev);
  const exact = here.filter((lock) => lock.device === device);
  // Some filesystems (btrfs, overlayfs) show another device in stat than in /proc/locks.
  return exact.length > 0 ? exact : here;
}

/** `MAJOR:MINOR` in hexadecimal, as /proc/locks writes it, from glibc's dev_t. */
function deviceName(device: bigint): string {
  const major = ((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n);
  const minor = (device & 0xffn) | ((device >> 12n) & 0xffffff00n);
  return `${major.toString(16).padStart(2, '0')}:${minor.toString(16).padStart(2, '0')}`;
}
