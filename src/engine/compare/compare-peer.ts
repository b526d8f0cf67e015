/** Compares this host's database with a peer's, over a connection that has said HELLO: LIST against the own table. Changes nothing. */

import type { Selection } from '../../config/selection.js';
import { fileName } from '../../model/encoding.js';
import { compareBytes, isReserved } from '../../model/names.js';
import type { FileName, PeerName } from '../../model/names.js';
import type { Store } from '../../model/store.js';
import type { Connection } from '../net/connection.js';
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
export function compareWithPeer(request: CompareRequest): AsyncGenerator<Difference, void, undefined> {
  return differences(rowsHere(request), rowsThere(request));
}

/** The groups in which both hosts are, each by the name the pair goes by. */
function sharedGroups({ selection, me, peer }: CompareRequest): ReadonlySet<Selection['groups'][number]> {
  return new Set(
    selection.groups.filter(
      (group) => group.me === me && group.members.some((member) => !member.self && member.name === peer),
    ),
  );
}

async function* rowsHere(request: CompareRequest): Rows {
  const { store, selection, file } = request;
  const groups = sharedGroups(request);
  const scopes = file === undefined ? undefined : [{ file, recursive: false }];
  for await (const rows of store.files(scopes)) {
    yield rows.filter(({ stored }) => {
      const name = fileName(stored);
      return !isReserved(name) && selection.groupsOf(name).some((group) => groups.has(group));
    });
  }
}

/** The peer's database may order its names otherwise (PostgreSQL does, by its locale), so they are put into order here. */
async function* rowsThere(request: CompareRequest): Rows {
  const { connection, peer, file } = request;
  const keys = new Set([...sharedGroups(request)].map((group) => group.key.secret()));
  const rows: ComparedRow[] = [];
  for await (const batch of connection.list({ peer, file: file ?? '-', keys: [...keys] })) {
    for (const row of batch) rows.push(row);
  }
  const ordered = rows.every((row, index) => index === 0 || (rows[index - 1]?.stored ?? '') < row.stored);
  if (!ordered) rows.sort((a, b) => compareBytes(a.stored, b.stored));
  yield rows;
}
