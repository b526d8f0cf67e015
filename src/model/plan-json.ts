/**
 * The plan as JSON (design/plan-contract.md, "JSON"; schemas/plan.schema.json), shaped after Terraform's.
 *
 *   names   snake_case; what is not there is null; every array is always present
 *   bytes   json-value.ts: `path` is text where the name is UTF-8, otherwise readable, with `path_bytes` beside it
 *   mode    the whole st_mode in octal, as git writes it: "100644", "40755"
 *   times   whole seconds since 1970
 *   actions ["create"], ["update"], ["delete"], ["no-op"], ["unknown"]; ["delete", "create"] replaces by another type
 *
 * plan-json-read.ts reads it back; plan-text.ts is its form as text, piece by piece.
 */

import { parseCheckText } from './checktxt.js';
import type { CheckText } from './checktxt.js';
import type { Entry } from './entry.js';
import type { Problem } from './errors.js';
import { bytesListMember, bytesMember, optionalBytesMember } from './json-value.js';
import { display } from './names.js';
import type {
  StateJson,
  DriftJson,
  ChangeJson,
  ConflictJson,
  ActionJson,
  DiagnosticJson,
  PeerJson,
  TallyJson,
  SummaryJson,
  PlanJson,
  PlanHeadJson,
} from './plan-json-shape.js';
import type { ActionInvocation, Change, Conflict, Plan, PlanPeer, SideState, Summary, Tally } from './plan.js';
import type { PlannedDrift } from './scan.js';

export type * from './plan-json-shape.js';

/** Raised by 0.1 for additions, by 1 for what breaks readers. */
export const PLAN_FORMAT = '1.0';

/** The whole plan as one value. For large plans prefer `planText` (plan-text.ts), which holds one element at a time. */
export function toPlanJson(plan: Plan): PlanJson {
  return {
    ...headJson(plan),
    peers: plan.peers.map(peerJson),
    resource_drift: plan.drift.map(driftJson),
    resource_changes: plan.changes.map(changeJson),
    conflicts: plan.conflicts.map(conflictJson),
    action_invocations: plan.actions.map(actionJson),
    deferred_changes: plan.deferred.map(changeJson),
    checks: plan.checks,
    diagnostics: plan.diagnostics.map(diagnosticJson),
    summary: summaryJson(plan.summary),
  };
}

/** The members before the arrays. */
export function headJson(plan: Plan): PlanHeadJson {
  return {
    format_version: PLAN_FORMAT,
    csx_version: plan.csxVersion,
    timestamp: plan.timestamp,
    plan_id: plan.id,
    plan_hash: plan.hash,
    mode: plan.options.offline ? 'offline' : 'normal',
    lineage: plan.lineage ?? null,
    serial: plan.serial,
    host: plan.host,
    config_hash: plan.configHash,
    options: {
      targets: plan.options.targets,
      excludes: plan.options.excludes,
      peers: plan.options.peers,
      groups: plan.options.groups,
      offline: plan.options.offline,
      config_name: plan.options.configName ?? null,
    },
    applyable: plan.applyable,
    complete: plan.complete,
    errored: plan.errored,
  };
}

export function peerJson(peer: PlanPeer): PeerJson {
  return {
    ...bytesMember('name', peer.name),
    address: peer.address ?? null,
    ...bytesListMember('groups', peer.groups),
    reachable: peer.reachable,
    implementation: peer.implementation,
    protocol: peer.protocol ?? null,
    tls: peer.tls,
    error: peer.problem === undefined ? null : diagnosticJson(peer.problem),
  };
}

export function driftJson(drift: PlannedDrift): DriftJson {
  const { before, after } = drift;
  return {
    address: display(drift.file),
    ...bytesMember('path', drift.file),
    ...bytesMember('disk', drift.disk),
    ...bytesListMember('groups', drift.groups),
    change: {
      actions: driftActions(drift),
      before: before === undefined ? null : rowJson(before),
      after: after === undefined ? null : { ...stateJson({ ...after, signature: undefined }), stamp: after.stamp },
    },
    reason: drift.reason,
  };
}

function driftActions(drift: PlannedDrift): readonly string[] {
  if (drift.after === undefined) return ['delete'];
  if (drift.before === undefined) return ['create'];
  return drift.reason === 'type' ? ['delete', 'create'] : ['update'];
}

export function changeJson(change: Change): ChangeJson {
  const { local, remote } = change.precondition;
  return {
    address: `${display(change.peer)}:${display(change.path)}`,
    ...bytesMember('peer', change.peer),
    ...bytesMember('me', change.me),
    ...bytesMember('path', change.path),
    type: resourceType(change.after ?? change.before),
    ...bytesListMember('groups', change.groups),
    bytes: change.bytes,
    aspects: change.aspects,
    force: change.force,
    change: {
      actions: changeActions(change),
      before: optionalState(change.before),
      after: optionalState(change.after),
    },
    action_reason: change.reason,
    precondition: {
      local: local === undefined ? null : { ...bytesMember('checktxt', local.checktxt), stamp: local.stamp },
      remote:
        remote === undefined
          ? null
          : remote === 'unknown'
            ? remote
            : { ...bytesMember('checktxt', remote.checktxt), signature: remote.signature ?? null },
    },
  };
}

function changeActions(change: Change): readonly string[] {
  const replaces = change.action === 'update' && change.aspects.includes('type');
  return replaces ? ['delete', 'create'] : [change.action];
}

function resourceType(state: SideState | undefined): string | null {
  const type = state?.entry.type;
  return type === 'character-device' || type === 'block-device' ? 'device' : (type ?? null);
}

export function conflictJson(conflict: Conflict): ConflictJson {
  return {
    address: `${display(conflict.peer)}:${display(conflict.path)}`,
    ...bytesMember('peer', conflict.peer),
    ...bytesMember('me', conflict.me),
    ...bytesMember('path', conflict.path),
    ...bytesListMember('groups', conflict.groups),
    kind: conflict.kind,
    local: optionalState(conflict.local),
    remote: optionalState(conflict.remote),
    base: optionalState(conflict.base),
    certainty: conflict.certainty,
    auto_method: conflict.autoMethod,
    resolution: conflict.resolution,
    because: conflict.because,
  };
}

export function actionJson(action: ActionInvocation): ActionJson {
  return {
    ...bytesMember('host', action.host),
    ...bytesMember('group', action.group),
    ...bytesMember('command', action.command),
    ...bytesMember('logfile', action.logfile),
    when: action.when,
    ...bytesListMember('triggered_by', action.triggeredBy),
  };
}

export function diagnosticJson(problem: Problem): DiagnosticJson {
  const { range } = problem;
  return {
    severity: problem.severity,
    code: problem.code,
    summary: problem.summary,
    detail: problem.hint ?? null,
    path: problem.path ?? null,
    peer: problem.peer ?? null,
    range: range === undefined ? null : { ...range, text: range.text ?? null },
  };
}

export function summaryJson(summary: Summary): SummaryJson {
  return {
    ...tallyJson(summary),
    actions: summary.actions,
    by_peer: Object.fromEntries(
      Object.entries(summary.byPeer).map(([peer, tally]) => [display(peer), tallyJson(tally)]),
    ),
  };
}

function tallyJson(tally: Tally): TallyJson {
  return {
    create: tally.create,
    update: tally.update,
    delete: tally.delete,
    no_op: tally.noOp,
    conflict: tally.conflict,
    deferred: tally.deferred,
    bytes: tally.bytes,
  };
}

function optionalState(state: SideState | undefined): StateJson | null {
  return state === undefined ? null : stateJson(state);
}

function stateJson(state: SideState): StateJson {
  return {
    ...entryJson(state.entry),
    ...bytesMember('checktxt', state.checktxt),
    digest: state.digest ?? null,
    signature: state.signature ?? null,
  };
}

/** A row alone: nothing is known but its check text. */
function rowJson(row: CheckText): StateJson {
  return { ...entryJson(parseCheckText(row)), ...bytesMember('checktxt', row), digest: null, signature: null };
}

function entryJson(entry: Entry | undefined): Omit<StateJson, 'checktxt' | 'checktxt_bytes' | 'digest' | 'signature'> {
  return {
    type: entry?.type ?? null,
    size: entry?.size ?? null,
    mode: entry?.mode?.toString(8) ?? null,
    uid: entry?.uid ?? null,
    gid: entry?.gid ?? null,
    mtime: entry?.mtime ?? null,
    ...optionalBytesMember('target', entry?.target),
    device: entry?.device ?? null,
  };
}
