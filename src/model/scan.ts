/** What a scan finds: where the disk differs from the `file` table, in the order of stored names. */

import type { CheckText } from './checktxt.js';
import type { Digest, Entry, Stamp } from './entry.js';
import type { Problem } from './errors.js';
import type { DiskPath, FileName } from './names.js';

/** Why a file counts as changed. `rewritten`: same check text, but another stamp (same second, same size). */
export type DriftReason =
  'new' | 'content' | 'attributes' | 'times' | 'type' | 'target' | 'rewritten' | 'removed' | 'behind-link';

/** A file whose state on disk is not what the `file` table says. */
export interface Drift {
  readonly file: FileName;
  readonly disk: DiskPath;
  readonly reason: DriftReason;
  /** The row; undefined when there was none. */
  readonly before: CheckText | undefined;
  /** The disk; undefined when nothing is there (or it lies behind a link now). */
  readonly after: LocalState | undefined;
}

/** In a plan. */
export interface PlannedDrift extends Drift {
  /** The groups that hold the file, last declared first. */
  readonly groups: readonly string[];
}

/** The state of a file on this host's disk. It is a SideState (plan.ts) as well, one whose signature nobody asked for. */
export interface LocalState {
  readonly entry: Entry;
  /** As it goes into the `file` table (empty target below a prefix). */
  readonly checktxt: CheckText;
  readonly stamp: Stamp;
  readonly digest: Digest | undefined;
}

export type Finding =
  | { readonly kind: 'drift'; readonly drift: Drift }
  /** Unchanged, but what csx keeps beside the row is missing or old: to be written, nothing to be marked. */
  | { readonly kind: 'refresh'; readonly file: FileName; readonly state: LocalState }
  /** Could not be read. Nothing at or below the path counts as removed. */
  | { readonly kind: 'problem'; readonly problem: Problem }
  /** A root of a group (or prefix) is missing, empty though files are known below it, or of another type: a guard. */
  | {
      readonly kind: 'root';
      readonly file: FileName;
      readonly state: 'missing' | 'emptied' | 'retyped';
      readonly known: number;
    };

export type RootFinding = Extract<Finding, { kind: 'root' }>;
