/** Waiting for other processes without blocking this one: try, sleep a little, try again, up to the lock timeout. */

import { setTimeout as sleep } from 'node:timers/promises';
import { CsxError } from '../../model/errors.js';
import { isReadBy, lockHolder, type Holder } from './holder.js';
import { isBusy } from './trouble.js';

export interface Patience {
  readonly location: string;
  /** Seconds. */
  readonly lockTimeout: number;
}

const FIRST_PAUSE_MS = 1;
const LONGEST_PAUSE_MS = 100;

/** A clock that is never set back. `performance` would load a part of Node that nothing else here needs. */
export function milliseconds(): number {
  return process.uptime() * 1000;
}

/** Repeats `attempt` while SQLite says that the database is busy. Throws STATE_LOCKED, naming the holder, when time is up. */
export async function whenFree<T>(patience: Patience, attempt: () => T): Promise<T> {
  const deadline = milliseconds() + patience.lockTimeout * 1000;
  let holder: Holder | undefined;
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    try {
      return attempt();
    } catch (error) {
      if (!isBusy(error)) throw error;
      const left = deadline - milliseconds();
      if (left <= 0 || pause >= LONGEST_PAUSE_MS) holder = lockHolder(patience.location) ?? holder;
      if (left <= 0) throw lockedError(patience, holder, error);
      await sleep(Math.min(pause, left));
    }
  }
}

/**
 * Whether a csync2 is within a transaction on the WAL database: to commit now would end it.
 *
 * csync2 begins a transaction, reads, and writes in it later. In WAL mode SQLite refuses that write for good once somebody else has
 * committed since the first read (SQLITE_BUSY_SNAPSHOT), and csync2, which takes it for a passing lock, gives up after 16 seconds.
 * Nothing is lost then, but it exits with an error. It commits every thousand statements or so: csx looks
 * for the gap, right before it commits as well. Only a csync2 that begins within that last moment is ended. `aside`: see `isReadBy`.
 */
export function isCsync2Within(location: string, aside: boolean): Promise<boolean> {
  return isReadBy(location, 'csync2', aside);
}

/** Waits until no csync2 is within a transaction, up to the deadline (as of `milliseconds`). */
export async function letCsync2Pass(location: string, deadline: number): Promise<void> {
  while ((await isCsync2Within(location, true)) && milliseconds() < deadline) await sleep(1);
}

function lockedError({ location, lockTimeout }: Patience, holder: Holder | undefined, cause: unknown): CsxError {
  const who = holder === undefined ? 'another process' : `${holder.command} (pid ${String(holder.pid)})`;
  return new CsxError(
    'STATE_LOCKED',
    `The database ${location} is locked by ${who}; it was not released within ${String(lockTimeout)} s.`,
    {
      hint:
        'Wait until that process has finished and try again. csync2 keeps its transactions short when it is called with -B;' +
        ' lock-timeout in the configuration sets how long csx waits.',
      data: { path: location, pid: holder?.pid, command: holder?.command },
      cause,
    },
  );
}
