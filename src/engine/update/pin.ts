/** Trust at first sight: what a peer presents is remembered, and from then on nothing else is accepted. */

import type { PeerName } from '../../model/names.js';
import type { Store } from '../../model/store.js';

/** @param since Unix milliseconds */
export async function pin(store: Store, peer: PeerName, certificate: Buffer, since: number): Promise<void> {
  const known = await store.certificates();
  if (!known.some((row) => row.peer === peer)) await store.write([{ kind: 'pin', peer, certificate, since }]);
}
