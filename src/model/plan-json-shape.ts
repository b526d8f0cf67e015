/** The shape of a plan's JSON, as types. plan-json.ts says what the members mean and makes it. */

import type { BytesListMember, BytesMember, OptionalBytesMember } from './json-value.js';

/** A file's state on one side. */
export interface StateJson extends BytesMember<'checktxt'>, OptionalBytesMember<'target'> {
  /** Null: a row of the database that is no check text. */
  readonly type: string | null;
  readonly size: number | null;
  readonly mode: string | null;
  readonly uid: number | null;
  readonly gid: number | null;
  readonly mtime: number | null;
  readonly device: number | null;
  readonly digest: string | null;
  readonly signature: string | null;
}

export interface DriftJson extends BytesMember<'path'>, BytesMember<'disk'>, BytesListMember<'groups'> {
  readonly address: string;
  readonly change: {
    readonly actions: readonly string[];
    readonly before: StateJson | null;
    readonly after: (StateJson & { readonly stamp: string }) | null;
  };
  readonly reason: string;
}

export interface ChangeJson
  extends BytesMember<'peer'>, BytesMember<'me'>, BytesMember<'path'>, BytesListMember<'groups'> {
  readonly address: string;
  /** file, directory, link, fifo, device or socket; null: removed here, and the peer was not asked. */
  readonly type: string | null;
  readonly bytes: number;
  readonly aspects: readonly string[];
  readonly force: boolean;
  readonly change: {
    readonly actions: readonly string[];
    readonly before: StateJson | null;
    readonly after: StateJson | null;
  };
  readonly action_reason: string;
  readonly precondition: {
    readonly local: (BytesMember<'checktxt'> & { readonly stamp: string }) | null;
    readonly remote: (BytesMember<'checktxt'> & { readonly signature: string | null }) | 'unknown' | null;
  };
}

export interface ConflictJson
  extends BytesMember<'peer'>, BytesMember<'me'>, BytesMember<'path'>, BytesListMember<'groups'> {
  readonly address: string;
  readonly kind: string;
  readonly local: StateJson | null;
  readonly remote: StateJson | null;
  readonly base: StateJson | null;
  readonly certainty: string;
  readonly auto_method: string;
  readonly resolution: string;
  readonly because: string;
}

export interface ActionJson
  extends
    BytesMember<'host'>,
    BytesMember<'group'>,
    BytesMember<'command'>,
    BytesMember<'logfile'>,
    BytesListMember<'triggered_by'> {
  readonly when: string;
}

export interface DiagnosticJson {
  readonly severity: string;
  readonly code: string;
  readonly summary: string;
  readonly detail: string | null;
  readonly path: string | null;
  readonly peer: string | null;
  readonly range: {
    readonly file: string;
    readonly line: number;
    readonly column: number;
    readonly text: string | null;
  } | null;
}

export interface PeerJson extends BytesMember<'name'>, BytesListMember<'groups'> {
  readonly address: string | null;
  readonly reachable: boolean | 'unknown';
  readonly implementation: string;
  readonly protocol: string | null;
  readonly tls: boolean | 'unknown';
  readonly error: DiagnosticJson | null;
}

export interface TallyJson {
  readonly create: number;
  readonly update: number;
  readonly delete: number;
  readonly no_op: number;
  readonly conflict: number;
  readonly deferred: number;
  readonly bytes: number;
}

export interface SummaryJson extends TallyJson {
  readonly actions: number;
  readonly by_peer: Readonly<Record<string, TallyJson>>;
}

export interface PlanJson {
  readonly format_version: string;
  readonly csx_version: string;
  readonly timestamp: string;
  readonly plan_id: string;
  readonly plan_hash: string;
  /** `offline`: no peer was asked. */
  readonly mode: 'normal' | 'offline';
  readonly lineage: string | null;
  readonly serial: number;
  readonly host: string;
  readonly config_hash: string;
  readonly options: {
    readonly targets: readonly string[];
    readonly excludes: readonly string[];
    readonly peers: readonly string[];
    readonly groups: readonly string[];
    readonly offline: boolean;
    readonly config_name: string | null;
  };
  readonly applyable: boolean;
  readonly complete: boolean;
  readonly errored: boolean;
  readonly peers: readonly PeerJson[];
  readonly resource_drift: readonly DriftJson[];
  readonly resource_changes: readonly ChangeJson[];
  readonly conflicts: readonly ConflictJson[];
  readonly action_invocations: readonly ActionJson[];
  readonly deferred_changes: readonly ChangeJson[];
  readonly checks: readonly { readonly name: string; readonly status: string; readonly message: string }[];
  readonly diagnostics: readonly DiagnosticJson[];
  readonly summary: SummaryJson;
}

export type PlanArray =
  | 'peers'
  | 'resource_drift'
  | 'resource_changes'
  | 'conflicts'
  | 'action_invocations'
  | 'deferred_changes'
  | 'checks'
  | 'diagnostics';

export type PlanHeadJson = Omit<PlanJson, PlanArray | 'summary'>;
