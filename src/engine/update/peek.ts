/** Reads both versions of a file, for a person to look at or to merge. Nothing is changed. */

import type { Selection } from '../../config/selection.js';
import { CsxError } from '../../model/errors.js';
import type { Bytes } from '../../model/names.js';
import { display, fromBuffer } from '../../model/names.js';
import type { Conflict, SideState } from '../../model/plan.js';
import { openSource } from '../files/source.js';
import type { Dialer } from './dial.js';
import { fetchContent } from './fetch.js';

export interface Versions {
  /** Undefined: it does not exist on this side, or is no regular file. */
  readonly here: Bytes | undefined;
  readonly there: Bytes | undefined;
}

/** A file on both sides, as a plan saw it: a conflict is one. */
export type Sides = Pick<Conflict, 'peer' | 'me' | 'path' | 'local' | 'remote'>;

/** Larger files are not held in memory to be looked at. */
const LIMIT = 8 * 1024 * 1024;

/** @throws CsxError USAGE for large files, CHANGED_MEANWHILE when a side is no longer what the plan saw, or what the peer fails with */
export async function peek(
  sides: Sides,
  options: { readonly dialer: Dialer; readonly selection: Selection },
): Promise<Versions> {
  const { selection, dialer } = options;
  for (const side of [sides.local, sides.remote]) {
    if ((side?.entry.size ?? 0) > LIMIT) throw tooLarge(sides);
  }
  return {
    here: isFile(sides.local) ? readHere(sides, selection) : undefined,
    there: isFile(sides.remote) ? await readThere(sides, sides.remote, selection, dialer) : undefined,
  };
}

function isFile(side: SideState | undefined): side is SideState {
  return side?.entry.type === 'file';
}

function readHere(sides: Sides, selection: Selection): Bytes {
  const source = openSource(selection.toDisk(sides.path));
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for (const chunk of source.chunks()) {
      length += chunk.length;
      // It may have grown since the plan was made.
      if (length > LIMIT) throw tooLarge(sides);
      chunks.push(Buffer.from(chunk));
    }
    return fromBuffer(Buffer.concat(chunks));
  } finally {
    source.close();
  }
}

function tooLarge(sides: Sides): CsxError {
  return new CsxError('USAGE', `${display(sides.path)} is too large to be shown or merged line by line.`, {
    hint: 'Keep one of the versions, or both.',
  });
}

async function readThere(sides: Sides, remote: SideState, selection: Selection, dialer: Dialer): Promise<Bytes> {
  const { path: file, peer, me } = sides;
  const route = selection.peersOf(file).find((each) => each.peer === peer);
  if (route === undefined) {
    throw new CsxError('PLAN_MISMATCH', `No group of this host holds ${display(file)} together with ${display(peer)}.`);
  }
  const chunks: Buffer[] = [];
  await fetchContent(dialer, { peer, me, file, key: route.group.key.secret() }, remote, (chunk) => {
    chunks.push(Buffer.from(chunk));
  });
  return fromBuffer(Buffer.concat(chunks));
}
