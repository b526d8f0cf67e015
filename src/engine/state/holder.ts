/**
 * Finds out who holds SQLite's locks on a database, from /proc/locks. SQLite locks bytes of the database file (from 1 GiB on) and, in
 * WAL mode, of the `-shm` file: 120 is the writer's, 123 to 127 are held by whoever is within a transaction that has read. Source:
 * SQLite's "File Locking And Concurrency" and "WAL-mode File Format". Everything here is advice: where /proc tells nothing, so does it.
 */

import { closeSync, openSync, read as readOnThread, readFileSync, readSync, statSync } from 'node:fs';
import { promisify } from 'node:util';
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
const WAL_FIRST_READER = 123;
const WAL_LAST_READER = 127;

/** Who keeps others from writing; undefined when nobody can be made out (any more). */
export function lockHolder(database: string): Holder | undefined {
  const locks = parseLocks(read(LOCKS));
  const ofDatabase = locksOn(locks, database);
  const ofMemory = locksOn(locks, `${database}-shm`);
  const writer =
    ofMemory.find((lock) => lock.write && lock.start <= WAL_RECOVERY && lock.end >= WAL_WRITER) ??
    ofDatabase.find((lock) => lock.write && lock.start <= RESERVED && lock.end >= PENDING) ??
    ofDatabase.find((lock) => lock.write && lock.start <= SHARED_END && lock.end >= PENDING);
  // Readers hold up a writer only where there is no WAL.
  const holder = writer ?? (ofMemory.length === 0 ? ofDatabase.find((lock) => lock.start > RESERVED) : undefined);
  return holder === undefined ? undefined : { pid: holder.pid, command: commandOf(holder.pid) };
}

/**
 * Whether a process of that name is within a transaction in which it has read from the WAL database. The kernel makes those who read
 * the list of locks wait (0.2 ms, up to 5 were seen); `aside`: on another thread, which costs more, but lets this one go on.
 */
export async function isReadBy(database: string, name: string, aside: boolean): Promise<boolean> {
  return locksOn(parseLocks(await readLocks(aside)), `${database}-shm`).some(
    ({ start, end, pid }) => start <= WAL_LAST_READER && end >= WAL_FIRST_READER && nameOf(pid) === name,
  );
}

function commandOf(pid: number): string {
  const words = read(`/proc/${String(pid)}/cmdline`)
    .replaceAll('\0', ' ')
    .trim();
  return words === '' ? (nameOf(pid) ?? 'unknown') : withoutPassword(words.slice(0, 200));
}

function nameOf(pid: number): string | undefined {
  return read(`/proc/${String(pid)}/comm`).trim() || undefined;
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
const LINE = /^\d+: (?:POSIX|OFDLCK) +\S+ +(READ|WRITE) +(\d+) ([0-9a-f]+:[0-9a-f]+):(\d+) (\d+) (\d+|EOF)/;

const LOCKS = '/proc/locks';
/** The kernel gives whole lines (of some 70 bytes), at most so many bytes of them at once. */
const PAGE = 4096;
const readPage = promisify(readOnThread);

/** In one call where it can be: asked for the end of the list, the kernel would make us wait once more. */
async function readLocks(aside: boolean): Promise<string> {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(LOCKS, 'r');
    const page = Buffer.allocUnsafe(PAGE);
    for (let text = ''; ;) {
      const count = aside
        ? (await readPage(descriptor, page, 0, PAGE, null)).bytesRead
        : readSync(descriptor, page, 0, PAGE, null);
      text += page.toString('latin1', 0, count);
      // What left half a page free had nothing more to say.
      if (count <= PAGE / 2) return text;
    }
  } catch {
    return '';
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

function parseLocks(list: string): readonly HeldLock[] {
  return list.split('\n').flatMap((line) => {
    const match = LINE.exec(line);
    if (match === null) return [];
    const [, kind, pid, device = '', inode = '', start, end] = match;
    const last = end === 'EOF' ? Infinity : Number(end);
    return [{ pid: Number(pid), device, inode, write: kind === 'WRITE', start: Number(start), end: last }];
  });
}

function locksOn(locks: readonly HeldLock[], file: string): readonly HeldLock[] {
  const standing = statSync(file, { bigint: true, throwIfNoEntry: false });
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

function read(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}
