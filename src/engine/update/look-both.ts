/** Looks at files on this host and on a peer, for a person to compare. Changes nothing. */

import type { Selection } from '../../config/selection.js';
import { CsxError } from '../../model/errors.js';
import type { FileName, PeerName } from '../../model/names.js';
import type { SideState } from '../../model/plan.js';
import { lookAt } from '../scan/local-state.js';
import { digestsOf } from './content.js';
import type { Dialer } from './dial.js';
import { askPeer } from './fetch.js';
import type { Sides } from './peek.js';

export interface LookBothOptions {
  readonly dialer: Dialer;
  readonly selection: Selection;
  readonly stop: AbortSignal;
}

/** One file on both sides, and whether contents differ. */
export interface BothSides extends Sides {
  readonly content: 'same' | 'different' | 'not-compared';
}

/** In the order of `files`; files that the two hosts do not share are left out. Throws the CsxError of a peer that cannot be asked. */
export async function lookBoth(
  peer: PeerName,
  files: readonly FileName[],
  options: LookBothOptions,
): Promise<readonly BothSides[]> {
  const { selection, dialer, stop } = options;
  const shared = files.flatMap((file) => {
    const route = selection.peersOf(file).find((each) => each.peer === peer && !each.slave);
    return route === undefined ? [] : [{ file, route }];
  });
  const [first] = shared;
  if (first === undefined) return [];
  let me = first.route.me;
  const { connection } = await dialer.dial(peer, me);
  try {
    const found: BothSides[] = [];
    for (const { file, route } of shared) {
      stop.throwIfAborted();
      if (route.me !== me) await connection.hello((me = route.me));
      const remote = await askPeer(connection, { peer, me, file, key: route.group.key.secret() });
      const local = await lookHere(file, selection);
      found.push({ peer, me, path: file, local, remote, content: contentOf(local, remote) });
    }
    await connection.bye();
    return found;
  } finally {
    connection.destroy();
  }
}

async function lookHere(file: FileName, selection: Selection): Promise<SideState | undefined> {
  const disk = selection.toDisk(file);
  const state = lookAt(disk, file, selection.config.ignore);
  if (state === undefined) return undefined;
  const base = { entry: state.entry, checktxt: state.checktxt, digest: undefined, signature: undefined };
  if (state.entry.type !== 'file') return base;
  try {
    return { ...base, ...(await digestsOf(disk)) };
  } catch (error) {
    if (error instanceof CsxError) return base;
    throw error;
  }
}

function contentOf(local: SideState | undefined, remote: SideState | undefined): BothSides['content'] {
  if (local?.entry.type !== 'file' || remote?.entry.type !== 'file') return 'not-compared';
  if (local.signature === undefined || remote.signature === undefined) return 'not-compared';
  return local.signature === remote.signature ? 'same' : 'different';
}
