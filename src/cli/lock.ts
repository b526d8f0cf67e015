/** The lock that lets one csx at a time change the state of this host: two applies at once would send everything twice. */

import type { Lock, Store } from '../model/store.js';
import type { Watched } from './watch.js';

/** Waits for the lock, saying for whom. `command`: as whoever waits for this one is told. The caller releases it. */
export function lockState(store: Store, command: string, watch: Pick<Watched, 'report'>): Promise<Lock> {
  return store.lock('apply', { pid: process.pid, command, since: Date.now() }, (owner) => {
    watch.report({ type: 'lock_waiting', owner });
  });
}
