/** Where this host stands toward its peers, as `csx status` shows it: read from the database, nobody is asked. */

import type { Problem } from './errors.js';
import type { FileName, PeerName } from './names.js';
import type { ActionRow, ActionRun } from './store.js';

export interface PeerStatus {
  readonly name: PeerName;
  readonly address: string | undefined;
  /** Groups shared with it. */
  readonly groups: readonly string[];
  /** It is a slave in all of them: it receives only. */
  readonly slave: boolean;
  /** Dirty rows for it. */
  readonly waiting: number;
  /** How many of these overwrite whatever is there. */
  readonly forced: number;
  /** Unix milliseconds when the oldest of them was marked; undefined: none waiting, or csync2 marked them. */
  readonly oldest: number | undefined;
  /** The first few waiting files, in order. */
  readonly first: readonly FileName[];
  /** Conflicts with it that an earlier run left undecided. */
  readonly conflicts: number;
  /** Whether it answered when a run last asked it; `unknown`: none did yet. */
  readonly reachable: boolean | 'unknown';
  /** Unix milliseconds when that was, and since when every run has found it so; undefined: `unknown`. */
  readonly asked: number | undefined;
  readonly since: number | undefined;
  /** Why it was not reached then. */
  readonly problem: Problem | undefined;
  /** Unix milliseconds when the latest run ended that left nothing undone or undecided with it; undefined: none did, or it is not known. */
  readonly lastSuccess: number | undefined;
}

/** A conflict that an earlier run left undecided. */
export interface PendingConflict {
  readonly peer: PeerName;
  readonly path: FileName;
  /** Unix milliseconds when it was last seen. */
  readonly seen: number | undefined;
  /** One sentence. */
  readonly because: string;
}

/** The latest apply on this host. */
export interface LastRun {
  readonly id: string;
  readonly startedAt: number;
  /** Undefined: it runs still, or was killed. */
  readonly finishedAt: number | undefined;
  readonly exitStatus: number | undefined;
}

export interface Status {
  readonly host: string;
  /** Unix milliseconds: ages are counted from here. */
  readonly now: number;
  /** The database's file, or its URL without the password. */
  readonly location: string;
  /** Files in the database. */
  readonly known: number;
  /** Paths hinted at (`csync2 -h`) and not yet scanned. */
  readonly hints: number;
  /** Files that differ on disk from the database; undefined when the disk was not looked at. */
  readonly drift: number | undefined;
  readonly peers: readonly PeerStatus[];
  readonly conflicts: readonly PendingConflict[];
  /** Commands waiting to run here. */
  readonly actions: readonly ActionRow[];
  /** How each command ended when it last ran here, the latest first. */
  readonly actionRuns: readonly ActionRun[];
  readonly lastRun: LastRun | undefined;
  /** Unix milliseconds when the latest run ended that did all it was to do; undefined: none did, or it is not known. */
  readonly lastSuccess: number | undefined;
  readonly problems: readonly Problem[];
}
