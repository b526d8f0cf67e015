/** The one command to type after `csx status`. */

import type { Status } from '../model/status.js';

/** Undefined: there is nothing to do, since the disk was looked at as well. */
export function nextAfterStatus(status: Status): string | undefined {
  if (status.conflicts.length > 0) return 'csx resolve';
  const waiting = status.peers.filter((peer) => peer.waiting > 0);
  // A plan could only say again that they do not answer.
  if (status.actions.length === 0 && waiting.length > 0 && waiting.every(({ reachable }) => reachable === false))
    return 'csx doctor';
  const idle = waiting.length + status.actions.length + status.hints === 0 && status.drift === 0;
  return idle ? undefined : 'csx plan';
}
