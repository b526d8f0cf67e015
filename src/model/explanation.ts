/** Why a path is synchronised as it is, or not: what `csx explain` tells. Read from configuration, disk and database; nobody is asked. */

import type { CheckText } from './checktxt.js';
import type { AutoMethod } from './config.js';
import type { SourceRange } from './errors.js';
import type { Bytes, DiskPath, FileName, PeerName } from './names.js';
import type { DriftReason } from './scan.js';
import type { DirtyRow } from './store.js';

/** A pattern that was tried. */
export interface TriedPattern {
  readonly kind: 'include' | 'exclude' | 'compare';
  readonly text: Bytes;
  readonly range: SourceRange;
  /** Patterns with a slash are matched against the whole name, others against its last component. */
  readonly against: 'path' | 'base';
  readonly matches: boolean;
  /** It is the last of its sort (path or last component) that matches: both sorts must say included. */
  readonly counts: boolean;
  /** It is the one statement that decided for the group (config/matching.ts, `decider`): at most one does. */
  readonly decides: boolean;
}

/** A name of the path in the configuration, and what one group says of it. */
export interface ExplainedGroup {
  readonly file: FileName;
  readonly group: string;
  readonly range: SourceRange;
  readonly included: boolean;
  /** In their order. */
  readonly tried: readonly TriedPattern[];
  readonly auto: AutoMethod;
  /** The key's file name, without its directory. */
  readonly key: string;
  readonly backup: DiskPath | undefined;
  /** This host only receives. */
  readonly slave: boolean;
}

export interface ExplainedAction {
  readonly group: string;
  readonly command: Bytes;
  readonly where: 'peers' | 'everywhere' | 'here';
  readonly range: SourceRange;
}

export interface ExplainedPeer {
  readonly file: FileName;
  readonly peer: PeerName;
  /** This host's name toward it. */
  readonly me: PeerName;
  /** The group whose key and method count. */
  readonly group: string;
  /** This host sends it nothing, being a slave. */
  readonly receivesOnly: boolean;
  /** Marked to be sent; undefined: not marked. Unix milliseconds. */
  readonly marked: Pick<DirtyRow, 'forced' | 'since' | 'refused' | 'foreseen'> | undefined;
  /** What both last agreed on; undefined: not known. */
  readonly agreed: { readonly checktxt: CheckText | undefined; readonly at: number } | undefined;
}

/** One name's state here. */
export interface ExplainedState {
  readonly file: FileName;
  readonly disk: DiskPath;
  readonly prefix:
    { readonly name: string; readonly path: DiskPath | undefined; readonly range: SourceRange } | undefined;
  readonly here: CheckText | 'absent' | 'behind-link' | 'unreadable';
  /** The database's row; undefined: none. */
  readonly row: CheckText | undefined;
  /** How the disk differs from the row; `unsure`: only reading the content would tell. */
  readonly drift: DriftReason | 'unsure' | undefined;
}

export type ExplainedVerdict = 'clean' | 'dirty' | 'conflicting' | 'outside';

export interface Explanation {
  /** As it was asked for. */
  readonly path: Bytes;
  readonly verdict: ExplainedVerdict;
  /** One sentence. */
  readonly because: string;
  /** For every name of the path, and every group in the order they are asked. */
  readonly groups: readonly ExplainedGroup[];
  /** For the names that a group holds. */
  readonly states: readonly ExplainedState[];
  readonly peers: readonly ExplainedPeer[];
  readonly actions: readonly ExplainedAction[];
}
