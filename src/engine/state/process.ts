/** Tells one process from another that was given the same pid later, so that a lock whose owner was killed is known to be void. */

import { readFileSync, readlinkSync } from 'node:fs';
import type { LockFate } from '../../model/store.js';

/** A process on this boot of this machine. Undefined parts could not be read. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks after boot. */
  readonly start: string | undefined;
  readonly boot: string | undefined;
  /** The pid namespace in which the pid counts. */
  readonly namespace: string | undefined;
}

export function identify(pid: number): ProcessIdentity {
  return {
    pid,
    start: startOf(pid)?.start,
    boot: read('/proc/sys/kernel/random/boot_id')?.trim(),
    namespace: namespaceOfThis(),
  };
}

/** What has become of a process. `unseen`: it belongs to another pid namespace on this boot, into which nobody here can look. */
export function fateOf(owner: ProcessIdentity): LockFate {
  const here = identify(owner.pid);
  if (owner.boot !== undefined && here.boot !== undefined && owner.boot !== here.boot) return 'ended';
  if (owner.namespace !== undefined && here.namespace !== undefined && owner.namespace !== here.namespace) {
    return 'unseen';
  }
  const now = startOf(owner.pid);
  if (now === undefined) return answersSignals(owner.pid) ? 'alive' : 'ended';
  if (now.ended) return 'ended';
  return owner.start === undefined || owner.start === now.start ? 'alive' : 'ended';
}

/** Field 22 of /proc/PID/stat; the second field, the command, is in parentheses and may hold anything. */
function startOf(pid: number): { readonly start: string; readonly ended: boolean } | undefined {
  const line = read(`/proc/${String(pid)}/stat`);
  if (line === undefined) return undefined;
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  const start = fields[19];
  return start === undefined ? undefined : { start, ended: fields[0] === 'Z' || fields[0] === 'X' };
}

function answersSignals(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}

function namespaceOfThis(): string | undefined {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return undefined;
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return undefined;
  }
}
