/** How a run reaches its peers: over one connection each, as csync2's client does. The caller closes it. */

import { Dialer } from '../engine/update/dial.js';
import { portOf } from './place.js';
import type { Job, Place } from './place.js';

/** Milliseconds without progress after which a peer is given up. */
const TIMEOUT = 60_000;

export function dialerFor(job: Job, { config, selection, store }: Place, keep: boolean): Dialer {
  const { options, around, stop } = job;
  return new Dialer({
    config,
    selection,
    store,
    port: portOf(options),
    bind: options.hostname,
    configName: options.configName,
    groups: options.groups,
    timeout: TIMEOUT,
    signal: stop,
    keep,
    now: around.now,
  });
}
