/** A scan of this host's disk against its database, with the threads that help it where the database lets several read. */

import type { Selection } from '../../config/selection.js';
import type { Ignore } from '../../model/entry.js';
import type { Finding } from '../../model/scan.js';
import type { Scope, Store } from '../../model/store.js';
import { scan } from '../scan/scan.js';
import type { ScanOptions, ScanTotals } from '../scan/scan.js';
import { SqliteStore } from '../state/store.js';
import { startCrew } from './scan-crew.js';

export interface StoreScanOptions extends Pick<ScanOptions, 'signal' | 'onProgress'> {
  readonly selection: Selection;
  readonly store: Store;
  readonly ignore: Ignore;
  readonly scopes: readonly Scope[] | undefined;
}

/** As `scan`. */
export async function* scanStore(options: StoreScanOptions): AsyncGenerator<readonly Finding[], ScanTotals, undefined> {
  const { selection, store, ignore, scopes } = options;
  const shared = store instanceof SqliteStore ? await store.shared() : undefined;
  const onOrphan = (): void => {
    if (store instanceof SqliteStore) store.removeOrphans();
  };
  const crew = shared === undefined ? undefined : () => startCrew({ selection, onOrphan, ignore, scopes, ...shared });
  return yield* scan({ ...options, files: (range, stretch) => store.files(range, stretch), crew });
}
