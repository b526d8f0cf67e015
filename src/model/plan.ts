/**
 * The plan as data: what `plan` computes, views show, `apply` carries out and a saved plan holds.
 * model/plan-json.ts is its JSON form. Design: design/plan-contract.md. Nothing here is for display only and steers apply, or
 * the reverse.
 */

import type { CheckText } from './checktxt.js';
import type { AutoMethod } from './config.js';
import type { Digest, Entry, SignatureDigest, Stamp } from './entry.js';
import type { Problem } from './errors.js';
import type { Bytes, FileName, PeerName } from './names.js';
import type { PlannedDrift } from './scan.js';

/** A file's state on one side. Undefined stands for: it does not exist there. */
export interface SideState {
  readonly entry: Entry;
  readonly checktxt: CheckText;
  readonly digest: Digest | undefined;
  /** A state of this host's disk has none. */
  readonly signature?: SignatureDigest | undefined;
}

/** What a peer said of one file when it was asked (SIG, GETTM, LIST). */
export type RemoteState =
  | {
      readonly kind: 'present';
      readonly state: SideState;
      /** Compared with this host's file: content, link target and device too, times not. */
      readonly content: 'same' | 'different' | 'not-compared';
      /** The peer's own database row for it: its check text, or undefined when it has none. `unasked` when not asked. */
      readonly row: CheckText | undefined | 'unasked';
      /** For the group's auto method, where the two states do not tell what it weighs. */
      readonly weights?: Weights | undefined;
    }
  | { readonly kind: 'absent'; readonly row: CheckText | undefined | 'unasked' }
  /** Its directory does not exist there. */
  | { readonly kind: 'parent-missing' }
  /** A component of its path is a symbolic link, or not a directory, there. */
  | { readonly kind: 'behind-link' }
  /** `Permission denied!` and the like: key, group or host do not fit. */
  | { readonly kind: 'refused'; readonly answer: string }
  | { readonly kind: 'failed'; readonly answer: string };

/** One file's time (seconds) or size (bytes) on both sides, as lstat(2) there tells it: also of directories and links. */
export interface Weights {
  readonly here: number;
  readonly there: number;
}

export type ChangeAction = 'create' | 'update' | 'delete' | 'no-op' | 'unknown';

/** Why a change is in the plan. */
export type ChangeReason =
  | 'new-here'
  | 'changed-here'
  | 'removed-here'
  | 'missing-there'
  | 'missing-parent'
  /** The file is settled for everybody: this peer holds another version than the one that stands in the end. */
  | 'settlement'
  | 'forced'
  | 'conflict-won'
  | 'equal';

/** What an update changes. A type change replaces: the old is removed first. */
export type Aspect = 'content' | 'type' | 'target' | 'owner' | 'mode' | 'mtime' | 'device';

/** One file on one peer. */
export interface Change {
  readonly peer: PeerName;
  readonly path: FileName;
  readonly me: PeerName;
  /** Groups that hold the file with this peer, the one whose key and method count first. */
  readonly groups: readonly string[];
  readonly action: ChangeAction;
  readonly reason: ChangeReason;
  readonly aspects: readonly Aspect[];
  /** Say FLUSH first: overwrite though the peer has the file dirty. */
  readonly force: boolean;
  /** The peer's state now; undefined: absent, or (`unknown`) not asked. */
  readonly before: SideState | undefined;
  /** This host's state, which the peer's shall become; undefined: removed. */
  readonly after: SideState | undefined;
  /** Bytes of content at most to send. */
  readonly bytes: number;
  readonly precondition: Precondition;
}

/** What must still hold at the moment of the change. */
export interface Precondition {
  /** This host: the file's stamp; undefined: absent. */
  readonly local: { readonly checktxt: CheckText; readonly stamp: Stamp } | undefined;
  /** The peer: undefined: absent; `unknown`: not asked (offline), so nothing to check. */
  readonly remote:
    { readonly checktxt: CheckText; readonly signature: SignatureDigest | undefined } | undefined | 'unknown';
}

export type ConflictKind = 'both-changed' | 'both-created' | 'removed-here' | 'removed-there' | 'type';

export interface Conflict {
  readonly peer: PeerName;
  readonly path: FileName;
  readonly me: PeerName;
  readonly groups: readonly string[];
  readonly kind: ConflictKind;
  readonly local: SideState | undefined;
  readonly remote: SideState | undefined;
  /** What both last agreed on; undefined when unknown or absent. */
  readonly base: SideState | undefined;
  readonly certainty: 'certain' | 'predicted';
  readonly autoMethod: AutoMethod;
  /** What the method (or force, or a decision) makes of it. `none`: needs a decision. */
  readonly resolution: 'local' | 'peer' | 'both' | 'none';
  /** One sentence: why it is a conflict and why it is resolved so. */
  readonly because: string;
}

export interface ActionInvocation {
  readonly host: PeerName;
  readonly group: string;
  /** As it will be run, with `%%` replaced. */
  readonly command: Bytes;
  readonly logfile: Bytes;
  readonly when: 'local' | 'remote';
  readonly triggeredBy: readonly FileName[];
}

export interface PlanPeer {
  readonly name: PeerName;
  readonly address: string | undefined;
  readonly groups: readonly string[];
  readonly reachable: boolean | 'unknown';
  readonly implementation: 'csx' | 'csync2' | 'unknown';
  readonly protocol: string | undefined;
  readonly tls: boolean | 'unknown';
  readonly problem: Problem | undefined;
}

export interface Check {
  readonly name: string;
  readonly status: 'pass' | 'warn' | 'fail';
  readonly message: string;
}

export interface Tally {
  readonly create: number;
  readonly update: number;
  readonly delete: number;
  readonly noOp: number;
  readonly conflict: number;
  readonly deferred: number;
  readonly bytes: number;
}

export interface Summary extends Tally {
  readonly actions: number;
  readonly byPeer: Readonly<Record<PeerName, Tally>>;
}

export interface PlanOptions {
  /** Display form of the paths the plan was limited to. Empty: everything. */
  readonly targets: readonly string[];
  readonly excludes: readonly string[];
  readonly peers: readonly string[];
  readonly groups: readonly string[];
  readonly offline: boolean;
  readonly configName: string | undefined;
}

/** When, where and of what a plan is made. */
export interface PlanOrigin {
  /** ISO 8601, UTC. Not part of the hash. */
  readonly timestamp: string;
  readonly id: string;
  readonly csxVersion: string;
  readonly lineage: string | undefined;
  readonly serial: number;
  readonly host: string;
  readonly configHash: string;
  readonly options: PlanOptions;
}

export interface Plan extends PlanOrigin {
  /** SHA-256 over all but times, id and hash. */
  readonly hash: string;
  /** There is something to do and no check fails. */
  readonly applyable: boolean;
  /** Every peer could be asked about every file. */
  readonly complete: boolean;
  readonly errored: boolean;
  readonly peers: readonly PlanPeer[];
  readonly drift: readonly PlannedDrift[];
  /** In the order of carrying out, peer by peer. */
  readonly changes: readonly Change[];
  readonly conflicts: readonly Conflict[];
  readonly actions: readonly ActionInvocation[];
  /** For peers that could not be asked. */
  readonly deferred: readonly Change[];
  readonly checks: readonly Check[];
  readonly diagnostics: readonly Problem[];
  readonly summary: Summary;
}
