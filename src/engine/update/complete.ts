/**
 * Completes rows that csync2 wrote last: for files that are as their row says, stores what csx keeps beside it (stamps, real
 * link targets), so that from now on changes within one second and links that were pointed elsewhere are noticed. Marks nothing.
 */

import type { Selection } from '../../config/selection.js';
import type { Config } from '../../model/config.js';
import type { Scope, Store } from '../../model/store.js';
import { recordWrites } from '../scan/record.js';
import { scanStore } from './scan-store.js';

export interface CompleteOptions {
  readonly config: Config;
  readonly everything: Selection;
  readonly store: Store;
}

export async function completeRows(
  options: CompleteOptions,
  scopes: readonly Scope[] | undefined,
  stop: AbortSignal,
): Promise<void> {
  const { config, everything, store } = options;
  const batches = scanStore({
    selection: everything,
    store,
    ignore: config.ignore,
    scopes,
    signal: stop,
  });
  for await (const batch of batches) {
    const refreshed = batch.filter((finding) => finding.kind === 'refresh');
    if (refreshed.length > 0) await store.write(recordWrites(refreshed, everything, { mark: false, now: 0 }));
  }
}
