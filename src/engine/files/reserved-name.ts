/**
 * The names csx gives to files that are about to replace others, and the removal of those a dead process left behind.
 *
 *   .csx-stage-WORLD-PID-START-RANDOM
 *
 * WORLD tells one boot and one pid namespace from another, PID and START (clock ticks since boot, proc(5)) one process in it,
 * so that a name's maker can be known to be dead. See model/names.ts for who leaves such names alone.
 */

import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { errnoOf } from '../../model/errors.js';
import { RESERVED_PREFIX } from '../../model/names.js';
import type { Directory } from './confined.js';

/** After this long a staged file of another world (a host sharing the directory, or the time before a reboot) is left over. */
const FOREIGN_MILLISECONDS = 3_600_000;
/** How many directories are remembered as swept. */
const REMEMBERED = 10_000;

let made = 0;
let randomText: string | undefined;

/** A reserved name nobody else has, and nobody can foretell. */
export function reservedName(): string {
  // A number that is random for each process, and a count: randomness for each name would cost as much as making the file.
  randomText ??= randomBytes(6).toString('hex');
  made += 1;
  return `${RESERVED_PREFIX}${owner()}-${randomText}${made.toString(16)}`;
}

const swept = new Set<string>();
/** Those of `swept` that are held open now: to ask for their identity again would cost as much as making a file. */
const looked = new WeakSet<Directory>();

/** Removes what dead processes left in the directory; looks only once per process and directory. */
export function sweepOnce(directory: Directory): void {
  if (looked.has(directory)) return;
  looked.add(directory);
  const stats = directory.stat();
  const identity = `${String(stats.dev)}:${String(stats.ino)}`;
  if (swept.has(identity)) return;
  if (swept.size >= REMEMBERED) swept.clear();
  swept.add(identity);
  sweep(directory, Date.now());
}

/** Removes what dead processes left in the directory; returns the names. `now`: Unix milliseconds. */
export function sweep(directory: Directory, now: number): string[] {
  const removed: string[] = [];
  for (const name of directory.list()) {
    if (!name.startsWith(RESERVED_PREFIX) || !isLeftOver(directory, name, now)) continue;
    try {
      if (directory.lstat(name)?.isDirectory() === true) directory.rmdir(name);
      else directory.unlink(name);
      removed.push(name);
    } catch (error) {
      // Gone already: another process sweeps too. Not ours to remove (a quarrel over rights): it does no harm there.
      if (!['ENOENT', 'EPERM', 'EACCES', 'EROFS', 'ENOTEMPTY'].includes(errnoOf(error) ?? '')) throw error;
    }
  }
  return removed;
}

function isLeftOver(directory: Directory, name: string, now: number): boolean {
  const match = /^([a-f0-9]{8})-(\d{1,10})-(\d{1,20})-[a-f0-9]{12,28}$/.exec(name.slice(RESERVED_PREFIX.length));
  const [, world, pid, start] = match ?? [];
  if (pid !== undefined && world === worldId()) return startOf(pid) !== start;
  const stats = directory.lstat(name);
  return stats !== undefined && now - Number(stats.ctimeMs) > FOREIGN_MILLISECONDS;
}

let ownerText: string | undefined;

function owner(): string {
  ownerText ??= `${worldId()}-${String(process.pid)}-${startOf(String(process.pid)) ?? '0'}`;
  return ownerText;
}

let worldText: string | undefined;

function worldId(): string {
  worldText ??= createHash('sha256')
    .update(fs.readFileSync('/proc/sys/kernel/random/boot_id'))
    .update(fs.readlinkSync('/proc/self/ns/pid'))
    .digest('hex')
    .slice(0, 8);
  return worldText;
}

/** When the process started, in clock ticks since boot; undefined when there is none with that id. */
function startOf(pid: string): string | undefined {
  let text: string;
  try {
    text = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  // Field 22; the second field, in parentheses, may hold anything.
  return text.slice(text.lastIndexOf(')') + 2).split(' ')[19];
}
