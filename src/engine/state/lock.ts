/**
 * Locks between runs of csx: rows of csx_lock, taken and given back in transactions of their own, so that a lock may be held for hours
 * without keeping csync2 or another csx from the database. A row whose process has ended (kill -9, power failure) is void.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { CsxError } from '../../model/errors.js';
import type { HeldLock, Lock, LockOwner } from '../../model/store.js';
import type { Connection } from './connection.js';
import { fateOf, identify } from './process.js';
import { numberOf, textOf } from './text.js';

const PAUSE_MS = 100;
/** The last moment a Date can hold. */
const LATEST = 8.64e15;

export interface LockRequest {
  readonly location: string;
  readonly name: string;
  readonly owner: LockOwner;
  readonly onWait: ((owner: LockOwner) => void) | undefined;
  readonly stop: AbortSignal | undefined;
  /** Seconds. */
  readonly lockTimeout: number;
  /** Runs within one transaction. */
  transaction<T>(body: (connection: Connection) => T): Promise<T>;
  /** Runs without one. */
  read<T>(body: (connection: Connection) => T): Promise<T | undefined>;
}

/** Waits for the lock; throws STATE_LOCKED when another run still has it at the end of the lock timeout, and the reason of `stop`. */
export async function takeLock(request: LockRequest): Promise<Lock> {
  const { name, location, lockTimeout, onWait, stop } = request;
  const deadline = performance.now() + lockTimeout * 1000;
  const token = crypto.randomUUID();
  let told: string | undefined;
  for (;;) {
    // Looked at before a transaction is begun: those who wait must not hold up those who work.
    const seen = await request.read((connection) => holderOf(connection, name));
    const holder = seen ?? (await request.transaction((connection) => take(connection, request, token)));
    if (holder === undefined) return lockOf(request, token);
    if (performance.now() >= deadline) throw taken(location, name, holder.owner, lockTimeout);
    if (told !== holder.token) {
      told = holder.token;
      onWait?.(holder.owner);
    }
    await sleep(Math.min(PAUSE_MS, Math.max(1, deadline - performance.now())));
    stop?.throwIfAborted();
  }
}

interface Held {
  readonly token: string;
  readonly owner: LockOwner;
}

/** Who has the lock; undefined when nobody that lives does. */
function holderOf(connection: Connection, name: string): Held | undefined {
  const held = heldLocks(connection).find((lock) => lock.name === name);
  return held === undefined || held.fate === 'ended' ? undefined : held;
}

/** All locks, those of ended processes too. */
export function heldLocks(connection: Connection): readonly (Held & HeldLock)[] {
  if (!connection.has('csx_lock')) return [];
  const select = connection.statement(
    'SELECT name, token, pid, start, boot, namespace, command, since FROM csx_lock ORDER BY name',
  );
  return (select.raw().all() as readonly (readonly unknown[])[]).map((row) => {
    const [name, token, pid, start, boot, namespace, command, since] = row;
    const process = {
      pid: numberOf(pid) ?? 0,
      start: textOf(start),
      boot: textOf(boot),
      namespace: textOf(namespace),
    };
    return {
      name: textOf(name) ?? '',
      token: textOf(token) ?? '',
      owner: { pid: process.pid, command: textOf(command) ?? 'unknown', since: numberOf(since) ?? 0 },
      fate: process.pid <= 0 ? 'ended' : fateOf(process),
    };
  });
}

/** Takes the lock unless somebody else has it, whom it returns. */
function take(connection: Connection, { name, owner }: LockRequest, token: string): Held | undefined {
  const holder = holderOf(connection, name);
  if (holder !== undefined) return holder;
  const { pid, start, boot, namespace } = identify(owner.pid);
  connection
    .statement(
      `INSERT OR REPLACE INTO csx_lock (name, token, pid, start, boot, namespace, command, since)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    .run(
      name,
      token,
      BigInt(pid),
      start ?? null,
      boot ?? null,
      namespace ?? null,
      owner.command,
      BigInt(Math.trunc(owner.since)),
    );
  return undefined;
}

function lockOf(request: LockRequest, token: string): Lock {
  let released: Promise<void> | undefined;
  return {
    release() {
      released ??= request.transaction((connection) => {
        connection.statement('DELETE FROM csx_lock WHERE name = ? AND token = ?').run(request.name, token);
      });
      return released;
    },
  };
}

function taken(location: string, name: string, owner: LockOwner, lockTimeout: number): CsxError {
  const since = new Date(Math.min(Math.max(owner.since, 0), LATEST)).toISOString();
  return new CsxError(
    'STATE_LOCKED',
    `Another run holds the lock "${name}" of ${location}: ${owner.command} (pid ${String(owner.pid)}, since ${since}); ` +
      `it was not released within ${String(lockTimeout)} s.`,
    {
      hint: 'Wait until that run has finished and try again. The lock of a run that was killed goes by itself.',
      data: { path: location, lock: name, pid: owner.pid, command: owner.command, since: owner.since },
    },
  );
}
