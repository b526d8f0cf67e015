/** How a run reaches its peers: over one connection each, as csync2's client does. The caller closes it. */

import { getSystemErrorMap } from 'node:util';
import type { DialStep } from '../engine/net/dial.js';
import { Dialer } from '../engine/update/dial.js';
import { errnoOf } from '../model/errors.js';
import type { PeerName } from '../model/names.js';
import { portOf } from './place.js';
import type { Job, Place } from './place.js';

/** Milliseconds without progress after which a peer is given up. */
const TIMEOUT = 60_000;

/** @param say what is said of the connection to a peer, at level 1 */
export function dialerFor(
  job: Job,
  { config, selection, store }: Place,
  keep: boolean,
  say: (peer: PeerName, text: string) => void,
): Dialer {
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
    onStep: (peer, step) => {
      say(peer, lineOf(step));
    },
    now: around.now,
  });
}

function lineOf(step: DialStep): string {
  switch (step.kind) {
    case 'bound':
      return `Bound to ${step.address}:0 as ${step.name}.`;
    case 'connected':
      return `Connect to ${step.address}:${step.port} (${step.host}).`;
    case 'failed':
      return `Can't create socket: ${reasonOf(step.error)}`;
  }
}

/** As strerror(3) says it: libuv's words, but for the capital. */
function reasonOf(error: unknown): string {
  const errno = errnoOf(error);
  const [, words = 'Resource temporarily unavailable'] =
    [...getSystemErrorMap().values()].find(([name]) => name === errno) ?? [];
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
}
