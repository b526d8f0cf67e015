/** What a scan and the threads that help it (scan-thread.ts) send each other. Numbers name parts of the scan. */

import type { FlatFindings } from '../scan/flat-findings.js';
import type { MergeTotals } from '../scan/merge.js';
import type { Config } from '../../model/config.js';
import type { Ignore } from '../../model/entry.js';
import type { ErrorCode, ErrorDetails } from '../../model/errors.js';
import type { StoredName } from '../../model/names.js';
import type { Scope, Stretch } from '../../model/store.js';

/** What a thread is started with. */
export interface ThreadData {
  /** Its groups are those that are scanned. The keys are without their text: it does not leave the main thread. */
  readonly config: Config;
  readonly ignore: Ignore;
  readonly scopes: readonly Scope[] | undefined;
  /** The database. */
  readonly location: string;
  /** Seconds. */
  readonly lockTimeout: number;
}

export type ToThread =
  | { readonly kind: 'part'; readonly part: number; readonly stretch: Stretch }
  | { readonly kind: 'cut'; readonly part: number }
  /** A batch was taken: another may be sent. */
  | { readonly kind: 'taken' }
  | { readonly kind: 'stop' };

export type FromThread = { readonly part: number } & (
  | { readonly kind: 'found'; readonly batch: FlatFindings }
  | { readonly kind: 'reached'; readonly entries: number }
  | { readonly kind: 'cut'; readonly names: readonly StoredName[] }
  /** `orphans`: it came upon rows of csx whose files csync2 has forgotten. */
  | { readonly kind: 'done'; readonly totals: MergeTotals; readonly orphans: boolean }
  | { readonly kind: 'failed'; readonly error: FlatError }
);

/** A CsxError, or whatever else it was in words. */
export interface FlatError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: Omit<ErrorDetails, 'cause'>;
}
