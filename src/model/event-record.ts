/**
 * One line of what `--json` and `--json-into` print while csx works: JSON Lines (design/plan-contract.md;
 * schemas/events.schema.json), shaped after Terraform's machine-readable UI.
 *
 *   first   version
 *   then    one record for each event worth keeping (events-json.ts), and the plan, element by element (run-records.ts)
 *   last    result, whatever happens
 *
 * `apply_start`, `apply_progress`, `apply_complete` and `apply_errored` are about one file on one peer, as Terraform's are about one
 * resource; what belongs to a peer as a whole is a `log`.
 */

import type { Problem } from './errors.js';
import type { BytesMember } from './json-value.js';
import { diagnosticJson } from './plan-json.js';
import type { ActionJson, ChangeJson, ConflictJson, DiagnosticJson, DriftJson, SummaryJson } from './plan-json.js';
import type { ChangeAction } from './plan.js';

/** What all records have. */
export interface Envelope {
  readonly '@level': 'info' | 'warn' | 'error';
  /** One sentence for a person. */
  readonly '@message': string;
  /** ISO 8601, UTC. */
  readonly '@timestamp': string;
}

/** One file on one peer. */
export interface HookJson extends BytesMember<'peer'>, BytesMember<'path'> {
  readonly address: string;
}

export interface ResultSummaryJson {
  readonly create: number;
  readonly update: number;
  readonly delete: number;
  readonly no_op: number;
  readonly failed: number;
  readonly skipped: number;
  readonly not_attempted: number;
  readonly unreachable: number;
  readonly conflicts: number;
  readonly actions: number;
  readonly actions_failed: number;
  readonly bytes: number;
  readonly milliseconds: number;
}

export type Body =
  | { readonly type: 'version'; readonly csx_version: string; readonly format_version: string }
  | { readonly type: 'log' }
  | { readonly type: 'diagnostic'; readonly diagnostic: DiagnosticJson }
  | ({ readonly type: 'refresh_start' | 'refresh_complete'; readonly files: number } & BytesMember<'peer'>)
  | { readonly type: 'resource_drift'; readonly drift: DriftJson }
  | { readonly type: 'planned_change'; readonly change: ChangeJson }
  | { readonly type: 'planned_action_invocation'; readonly action: ActionJson }
  | { readonly type: 'change_summary'; readonly changes: SummaryJson }
  | ({ readonly type: 'peer_connected'; readonly tls: boolean } & BytesMember<'peer'>)
  | ({ readonly type: 'peer_unreachable'; readonly diagnostic: DiagnosticJson } & BytesMember<'peer'>)
  | {
      readonly type: 'apply_start' | 'apply_complete';
      readonly hook: HookJson & { readonly action: string; readonly bytes: number };
    }
  | { readonly type: 'apply_progress'; readonly hook: HookJson & { readonly bytes: number } }
  | {
      readonly type: 'apply_errored';
      /** `skipped`: not tried, because it is not what the plan saw any more, or is in conflict. */
      readonly hook: HookJson & { readonly action: string; readonly skipped: boolean };
      readonly diagnostic: DiagnosticJson;
    }
  | { readonly type: 'conflict_detected' | 'conflict_resolved'; readonly conflict: ConflictJson }
  | { readonly type: 'action_start'; readonly action: ActionJson }
  | {
      readonly type: 'action_complete';
      readonly action: ActionJson;
      readonly status: number;
      readonly milliseconds: number;
    }
  | ({
      readonly type: 'action_errored';
      readonly action: ActionJson;
      readonly status: number | null;
      readonly milliseconds: number;
    } & BytesMember<'output'>)
  | {
      readonly type: 'lock_waiting';
      readonly owner: { readonly pid: number; readonly command: string; readonly since: string };
    }
  | { readonly type: 'interrupt'; readonly signal: string }
  | { readonly type: 'result'; readonly exit_code: number; readonly summary: ResultSummaryJson | SummaryJson | null };

/** One line. */
export type EventRecord = Envelope & Body;

/** An error or a warning as a line: also for what ends the whole run. */
export function diagnosticRecord(problem: Problem, at: string): EventRecord {
  return record(at, problem.severity === 'error' ? 'error' : 'warn', problem.summary, {
    type: 'diagnostic',
    diagnostic: diagnosticJson(problem),
  });
}

/** A record. */
export function record(at: string, level: Envelope['@level'], message: string, body: Body): EventRecord {
  return { '@level': level, '@message': message, '@timestamp': at, ...body };
}

/** What a change does, after "plan to". */
export function verbOf(action: ChangeAction): string {
  return { create: 'create', update: 'update', delete: 'delete', 'no-op': 'settle', unknown: 'send' }[action];
}
