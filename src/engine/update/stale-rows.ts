/**
 * Rows that no longer belong to the configuration: what `csx db clean` and `csync2 -R` remove. And baselines that say no more than
 * their absence would: every removal leaves one behind, and nothing else ever takes it away.
 */

import type { Selection } from '../../config/selection.js';
import { fileName } from '../../model/encoding.js';
import type { FileName, PeerName } from '../../model/names.js';
import { isCanonical } from '../../model/names.js';
import type { BaselineName, DirtyRow, Store, Write } from '../../model/store.js';

export interface StaleRows {
  readonly files: readonly FileName[];
  readonly dirty: readonly DirtyRow[];
  readonly baselines: readonly BaselineName[];
  readonly writes: readonly Write[];
}

/** @param selection all of this host's groups: with fewer, rows of the others would look stale */
export async function staleRows(store: Store, selection: Selection): Promise<StaleRows> {
  const files: FileName[] = [];
  for await (const rows of store.files()) {
    for (const row of rows) {
      const file = fileName(row.stored);
      if (!isCanonical(file) || !selection.includes(file)) files.push(file);
    }
  }
  const marks = await store.dirty();
  const dirty = marks.filter(
    (row) =>
      !isCanonical(row.file) ||
      !selection.peersOf(row.file).some((route) => route.peer === row.peer && route.me === row.me),
  );
  const baselines = await staleBaselines(store, selection, marks);
  const writes: Write[] = [
    ...files.map((file): Write => ({ kind: 'remove-file', file })),
    ...dirty.map((row): Write => ({ kind: 'clear-dirty', file: row.file, peer: row.peer })),
    ...baselines.map(({ file, peer }): Write => ({ kind: 'remove-baseline', file, peer })),
  ];
  return { files, dirty, baselines, writes };
}

/**
 * Baselines of files that do not go to the peer any more, and of files that both agreed are gone and neither a row nor a mark here
 * speaks of: a file that comes there anew is judged alike without (planner/forecast.ts).
 */
async function staleBaselines(
  store: Store,
  selection: Selection,
  marks: readonly DirtyRow[],
): Promise<readonly BaselineName[]> {
  const marked = new Map<PeerName, Set<FileName>>();
  for (const { peer, file } of marks) marked.set(peer, (marked.get(peer) ?? new Set()).add(file));
  const stale: BaselineName[] = [];
  for await (const names of store.baselineNames()) {
    const known = await store.file(names.filter((each) => each.absent).map((each) => each.file));
    for (const each of names) {
      const { peer, file, absent } = each;
      const goes = isCanonical(file) && selection.peersOf(file).some((route) => route.peer === peer);
      const spoken = !absent || known.has(file) || marked.get(peer)?.has(file) === true;
      if (!goes || !spoken) stale.push(each);
    }
  }
  return stale;
}
