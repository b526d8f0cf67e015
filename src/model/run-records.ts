/** The records of a run as a whole: its version, its plan, its result (event-record.ts says what a record is). */

import { diagnosticRecord, record, verbOf } from './event-record.js';
import type { EventRecord, ResultSummaryJson } from './event-record.js';
import { conflictRecord } from './events-json.js';
import { display } from './names.js';
import { PLAN_FORMAT, actionJson, changeJson, driftJson, summaryJson } from './plan-json.js';
import type { SummaryJson } from './plan-json.js';
import type { Plan } from './plan.js';
import type { ResultSummary } from './result.js';

/** @param at ISO 8601, UTC, here and below */
export function versionRecord(csxVersion: string, at: string): EventRecord {
  return record(at, 'info', `csx ${csxVersion}`, {
    type: 'version',
    csx_version: csxVersion,
    format_version: PLAN_FORMAT,
  });
}

/** The last line. Undefined: it ended before there was anything to count. */
export function resultRecord(
  exitCode: number,
  summary: ResultSummaryJson | SummaryJson | undefined,
  at: string,
): EventRecord {
  return record(at, levelOf(exitCode), `Ended with exit status ${exitCode}.`, {
    type: 'result',
    exit_code: exitCode,
    summary: summary ?? null,
  });
}

export function resultSummaryJson(summary: ResultSummary): ResultSummaryJson {
  return {
    create: summary.create,
    update: summary.update,
    delete: summary.delete,
    no_op: summary.noOp,
    failed: summary.failed,
    skipped: summary.skipped,
    not_attempted: summary.notAttempted,
    unreachable: summary.unreachable,
    conflicts: summary.conflicts,
    actions: summary.actions,
    actions_failed: summary.actionsFailed,
    bytes: summary.bytes,
    milliseconds: summary.milliseconds,
  };
}

/**
 * The plan, element by element.
 * @param summaryLine what people are told of the whole: the views' sentence
 */
export function* planRecords(plan: Plan, summaryLine: string, at: string): Generator<EventRecord> {
  for (const drift of plan.drift) {
    const json = driftJson(drift);
    yield record(at, 'info', `${json.address}: ${json.reason} here`, { type: 'resource_drift', drift: json });
  }
  for (const change of [...plan.changes, ...plan.deferred]) {
    const json = changeJson(change);
    yield record(at, 'info', `${json.address}: plan to ${verbOf(change.action)}`, {
      type: 'planned_change',
      change: json,
    });
  }
  for (const conflict of plan.conflicts) yield conflictRecord('conflict_detected', conflict, at);
  for (const action of plan.actions) {
    yield record(at, 'info', `${display(action.host)}: plan to run ${display(action.command)}`, {
      type: 'planned_action_invocation',
      action: actionJson(action),
    });
  }
  for (const problem of plan.diagnostics) yield diagnosticRecord(problem, at);
  yield record(at, 'info', summaryLine, { type: 'change_summary', changes: summaryJson(plan.summary) });
}

/** 0 and 2 say that all went well, 3 and 4 that something is left; the rest are failures. */
function levelOf(exitCode: number): EventRecord['@level'] {
  if (exitCode === 0 || exitCode === 2) return 'info';
  return exitCode === 3 || exitCode === 4 ? 'warn' : 'error';
}
