/** The lock that lets one csx at a time change the state of this host: two applies at once would send everything twice. */

import type { Lock, LockOwner, Store } from '../model/store.js';
import type { Watched } from './watch.js';

/**
 * Waits for the lock, saying for whom. `command`: as whoever waits for this one is told. The caller releases it.
 * @throws the signal's reason, when it fires meanwhile
 */
export function lockState(
  store: Store,
  command: string,
  { report, stop }: Pick<Watched, 'report' | 'stop'>,
): Promise<Lock> {
  const owner = { pid: process.pid, command, since: Date.now() };
  const told = (holder: LockOwner): void => {
    report({ type: 'lock_waiting', owner: holder });
  };
  return store.lock('apply', owner, told, stop);
}
