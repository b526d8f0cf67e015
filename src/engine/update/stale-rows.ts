/** Rows that no longer belong to the configuration: what `csx db clean` and `csync2 -R` remove. */

import type { Selection } from '../../config/selection.js';
import { fileName } from '../../model/encoding.js';
import type { FileName } from '../../model/names.js';
import { isCanonical } from '../../model/names.js';
import type { DirtyRow, Store, Write } from '../../model/store.js';

export interface StaleRows {
  readonly files: readonly FileName[];
  readonly dirty: readonly DirtyRow[];
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
  const dirty = (await store.dirty()).filter(
    (row) =>
      !isCanonical(row.file) ||
      !selection.peersOf(row.file).some((route) => route.peer === row.peer && route.me === row.me),
  );
  const writes: Write[] = [
    ...files.map((file): Write => ({ kind: 'remove-file', file })),
    ...dirty.map((row): Write => ({ kind: 'clear-dirty', file: row.file, peer: row.peer })),
  ];
  return { files, dirty, writes };
}
