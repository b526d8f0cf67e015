/**
 * Compares this host's database with a peer's, over a connection that has said HELLO: LIST against the own table; with a csx peer
 * digests of its blocks first, and then only the rows of those that differ. Changes nothing.
 */

import { shownIn } from '../../config/shown.js';
import type { Selection } from '../../config/selection.js';
import { CsxError } from '../../model/errors.js';
import { compareBytes, display } from '../../model/names.js';
import type { FileName, PeerName } from '../../model/names.js';
import type { Block, Shown, Store, Stretch } from '../../model/store.js';
import type { Connection } from '../net/connection.js';
import { betweenWords, differingParts, stretchOf } from '../wire/blocks.js';
import type { Between } from '../wire/blocks.js';
import { differences } from './differences.js';
import type { ComparedRow, Difference, Rows } from './differences.js';

export interface CompareRequest {
  readonly connection: Connection;
  readonly selection: Selection;
  readonly store: Store;
  /** This host's name toward the peer, and the peer. */
  readonly me: PeerName;
  readonly peer: PeerName;
  /** One file alone; undefined: all that both hosts share. */
  readonly file: FileName | undefined;
}

/** The differences in the order of stored names. Fails as `Connection.list` and `Store.files` do. */
export async function* compareWithPeer(request: CompareRequest): AsyncGenerator<Difference, void, undefined> {
  const parts = request.file === undefined ? await partsThatDiffer(request) : undefined;
  if (parts === undefined) {
    yield* differences(rowsHere(request), rowsThere(request));
    return;
  }
  // Some are asked for ahead: each costs a round trip.
  const asked: Rows[] = [];
  for (const [index, part] of parts.entries()) {
    while (asked.length < parts.length && asked.length < index + AHEAD)
      asked.push(partThere(request, parts[asked.length] ?? part));
    const there = asked[index];
    if (there !== undefined) yield* differences(rowsHere(request, stretchOf(part)), there);
  }
}

/** Parts of the listing that are asked for at the same time. */
const AHEAD = 8;
/** More parts than this: all rows come no slower. */
const MOST_PARTS = 512;
/** Bytes of a name up to which ROWS can carry two, whatever has to be encoded in them. */
const LONGEST = 2000;

/**
 * Where the two listings differ, from the digests of their blocks; undefined when the peer does not tell them (csync2 does not know
 * DIGEST) or all rows had better come.
 */
async function partsThatDiffer(request: CompareRequest): Promise<readonly Between[] | undefined> {
  const state = { refused: false };
  const [there, here] = await Promise.all([
    blocksThere(request).catch((error: unknown) => {
      if (!(error instanceof CsxError) || error.code !== 'PEER_REFUSED') throw error;
      state.refused = true;
      return undefined;
    }),
    blocksHere(request, state),
  ]);
  if (there === undefined || here === undefined) return undefined;
  const parts = differingParts(here, there);
  const carried = ({ after, until }: Between): boolean => (after?.length ?? 0) + (until?.length ?? 0) <= 2 * LONGEST;
  return parts.length <= MOST_PARTS && parts.every(carried) ? parts : undefined;
}

async function blocksThere(request: CompareRequest): Promise<readonly Block[]> {
  const list: Block[] = [];
  for await (const rows of request.connection.rows('DIGEST', { peer: request.peer, keys: keysOf(request) })) {
    for (const { stored, checktxt } of rows) list.push({ last: stored, digest: checktxt.slice(1) });
  }
  const ordered = list.every(({ last }, index) => index === 0 || (list[index - 1]?.last ?? '') < last);
  if (ordered) return list;
  throw new CsxError('PEER_PROTOCOL', `${display(request.peer)} told the blocks of its listing out of order.`, {
    hint: 'csx doctor tells which version the peer runs.',
    data: { peer: request.peer },
  });
}

/** Stops when the peer has refused to tell its own. */
async function blocksHere(
  request: CompareRequest,
  state: { readonly refused: boolean },
): Promise<readonly Block[] | undefined> {
  const list: Block[] = [];
  for await (const blocks of request.store.blocks(shownTo(request))) {
    if (state.refused) return undefined;
    list.push(...blocks);
  }
  return list;
}

/** A damaged row of this host's is a difference, though its LIST would not tell it. */
function shownTo(request: CompareRequest): Shown {
  return shownIn(request.selection, sharedGroups(request), false);
}

/** The groups in which both hosts are, each by the name the pair goes by. */
function sharedGroups({ selection, me, peer }: CompareRequest): ReadonlySet<Selection['groups'][number]> {
  return new Set(
    selection.groups.filter(
      (group) => group.me === me && group.members.some((member) => !member.self && member.name === peer),
    ),
  );
}

async function* rowsHere(request: CompareRequest, stretch?: Stretch): Rows {
  const { store, file } = request;
  const shown = shownTo(request);
  const scopes = file === undefined ? undefined : [{ file, recursive: false }];
  for await (const rows of store.listing(scopes, stretch)) {
    yield rows.filter(({ stored }) => shown.file(stored));
  }
}

/** The peer's database may order its names otherwise (PostgreSQL does, by its locale), so they are put into order here. */
async function* rowsThere(request: CompareRequest): Rows {
  const { connection, peer, file } = request;
  const rows: ComparedRow[] = [];
  for await (const batch of connection.list({ peer, file: file ?? '-', keys: keysOf(request) })) {
    for (const row of batch) rows.push(row);
  }
  const ordered = rows.every((row, index) => index === 0 || (rows[index - 1]?.stored ?? '') < row.stored);
  if (!ordered) rows.sort((a, b) => compareBytes(a.stored, b.stored));
  yield rows;
}

/** Asks at once. A csx daemon's rows come in order. */
function partThere(request: CompareRequest, part: Between): Rows {
  return request.connection.rows('ROWS', { peer: request.peer, ...betweenWords(part), keys: keysOf(request) });
}

function keysOf(request: CompareRequest): readonly string[] {
  return [...new Set([...sharedGroups(request)].map((group) => group.key.secret()))];
}
