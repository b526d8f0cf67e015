/** What a plan is to be made of: what all parts of making one are handed. */

import type { Selection } from '../../config/selection.js';
import type { Config, Limit } from '../../model/config.js';
import type { Report } from '../../model/events.js';
import type { FileName, PeerName } from '../../model/names.js';
import type { PlanOptions } from '../../model/plan.js';
import type { LocalState } from '../../model/scan.js';
import type { Scope, Store } from '../../model/store.js';
import type { Decide } from '../../planner/reconcile.js';
import type { Dialer } from './dial.js';

export interface PlanRequest {
  readonly config: Config;
  /** What the run is limited to. */
  readonly selection: Selection;
  readonly peers: readonly PeerName[] | undefined;
  readonly store: Store;
  readonly dialer: Dialer;
  /** Undefined: everything the selection holds. */
  readonly scopes: readonly Scope[] | undefined;
  /** Files that are left for another time (`--exclude`): neither recorded nor sent. */
  readonly excludes: (file: FileName) => boolean;
  /** False: only what is marked already is planned (`csync2 -u`); the disk is not scanned, but vanished trees are noticed. */
  readonly scan?: boolean | undefined;
  /** False: a tree that vanished as a whole counts as removed. */
  readonly guard?: boolean | undefined;
  /** False: a conflict concerns the peers that the file is marked for, and nobody else (csync2); otherwise it is settled for everybody. */
  readonly everybody?: boolean | undefined;
  readonly options: PlanOptions;
  readonly maxDelete: Limit | undefined;
  readonly decide: Decide | undefined;
  /** Peers asked at a time. */
  readonly parallelism: number;
  readonly csxVersion: string;
  readonly report: Report;
  readonly stop: AbortSignal;
  readonly now: () => number;
}

/** What stands on this host's disk now; undefined: nothing. */
export type Look = (file: FileName) => LocalState | 'unreadable' | undefined;
