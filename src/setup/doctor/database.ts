/** The database: can it be read and written, and does somebody keep it locked? Nothing is written, and none is made. */

import { accessSync, constants, existsSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { lockHolder } from '../../engine/state/holder.js';
import type { Holder } from '../../engine/state/holder.js';
import { databasePath } from '../../engine/state/location.js';
import type { Place } from '../../engine/state/location.js';
import { openStore } from '../../engine/state/open.js';
import { CsxError, errnoOf } from '../../model/errors.js';
import { caution, fromError, good, wrong } from '../../model/finding.js';
import type { Finding } from '../../model/finding.js';
import { display } from '../../model/names.js';
import { quoteWord } from '../../model/shell.js';
import type { CertificateRow, HeldLock } from '../../model/store.js';
import { time } from '../../views/quantity.js';

export interface DatabaseExamination {
  readonly pins: readonly CertificateRow[];
  readonly findings: readonly Finding[];
}

/** Milliseconds that somebody may work on the database before it counts as locked. */
const PATIENCE = 2_000;
const PAUSE = 100;

export async function examineDatabase(place: Place): Promise<DatabaseExamination> {
  let location: string;
  try {
    location = databasePath(place);
  } catch (error) {
    if (!(error instanceof CsxError)) throw error;
    return { pins: [], findings: [fromError('database', error)] };
  }
  const holder = await heldThroughout(location);
  if (holder !== undefined) {
    const by = `${holder.command} (pid ${holder.pid})`;
    const cure = `Wait until it has finished; if it hangs, end it: kill ${holder.pid}.`;
    return { pins: [], findings: [wrong('database', `${location} is locked by ${by}.`, cure)] };
  }
  try {
    const store = await openStore({ ...place, access: 'read', lockTimeout: PATIENCE / 1000 });
    try {
      const pins = await store.certificates();
      const files = await store.countFiles();
      const locks = await store.locks();
      return { pins, findings: [judgeAccess(location, files), ...locks.map((lock) => judgeLock(location, lock))] };
    } finally {
      await store.close();
    }
  } catch (error) {
    if (!(error instanceof CsxError)) throw error;
    return { pins: [], findings: [fromError('database', error)] };
  }
}

function judgeAccess(location: string, files: number): Finding {
  const exists = existsSync(location);
  for (const written of exists ? [location, path.dirname(location)] : [path.dirname(location)]) {
    try {
      accessSync(written, constants.W_OK);
    } catch (error) {
      return wrong(
        'database',
        `${written} cannot be written to (${errnoOf(error) ?? 'error'}).`,
        'Run csx as root, or as the user that owns it; see that its filesystem is not mounted read-only.',
      );
    }
  }
  if (!exists) return good('database', `${location} is not there yet; the first scan makes it.`);
  return good('database', `${location} can be read and written: ${files} ${files === 1 ? 'file' : 'files'} known.`);
}

/** The lock that csx's own runs take: rows, which outlive a run that was killed. */
function judgeLock(location: string, { name: bytes, owner, fate }: HeldLock): Finding {
  const name = display(bytes);
  const whose = `${display(owner.command)} (pid ${owner.pid}, since ${time(owner.since, undefined)})`;
  switch (fate) {
    case 'alive':
      return caution(
        'database',
        `${whose} holds the lock "${name}": other runs of csx wait for it.`,
        `Wait until it has finished; if it hangs, end it: kill ${owner.pid}.`,
      );
    case 'ended':
      return good('database', `${whose} ended without giving back the lock "${name}"; the next run takes it.`);
    case 'unseen':
      return wrong(
        'database',
        `${whose}, in another container, holds the lock "${name}": whether it still runs cannot be seen from here.`,
        `If it does not: sqlite3 ${quoteWord(location)} "DELETE FROM csx_lock WHERE pid = ${owner.pid}"`,
      );
  }
}

/** Who kept the database locked all the time we were patient. */
async function heldThroughout(location: string): Promise<Holder | undefined> {
  const end = performance.now() + PATIENCE;
  let holder = lockHolder(location);
  while (holder !== undefined && performance.now() < end) {
    await sleep(PAUSE);
    holder = lockHolder(location);
  }
  return holder;
}
