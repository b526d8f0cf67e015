/** A scan of this host's disk against its database, with the threads that help it where the database lets several read. */

import type { Selection } from '../../config/selection.js';
import type { Ignore } from '../../model/entry.js';
import type { Finding } from '../../model/scan.js';
import type { Scope, Store } from '../../model/store.js';
import { NO_TOTALS, scan } from '../scan/scan.js';
import type { ScanOptions, ScanTotals } from '../scan/scan.js';
import { SecondLook } from '../scan/second-look.js';
import { SqliteStore } from '../state/store.js';
import { startCrew } from './scan-crew.js';

export interface StoreScanOptions extends Pick<ScanOptions, 'signal' | 'onProgress'> {
  readonly selection: Selection;
  readonly store: Store;
  readonly ignore: Ignore;
  readonly scopes: readonly Scope[] | undefined;
}

/** As `scan`, without what peers have changed here meanwhile. */
export async function* scanStore(options: StoreScanOptions): AsyncGenerator<readonly Finding[], ScanTotals, undefined> {
  const { selection, store, ignore, scopes } = options;
  const shared = store instanceof SqliteStore ? await store.shared() : undefined;
  const onOrphan = (): void => {
    if (store instanceof SqliteStore) store.removeOrphans();
  };
  const crew = shared === undefined ? undefined : () => startCrew({ selection, onOrphan, ignore, scopes, ...shared });
  const second = await SecondLook.before(store, ignore);
  const findings = scan({ ...options, files: (range, stretch) => store.files(range, stretch), crew });
  try {
    for (;;) {
      const step = await findings.next();
      if (step.done === true) return step.value;
      const standing = await second.among(step.value);
      if (standing.length > 0) yield standing;
    }
  } finally {
    await findings.return(NO_TOTALS);
  }
}
