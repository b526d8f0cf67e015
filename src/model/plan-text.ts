/**
 * A plan's JSON as text, written and read piece by piece: a plan of 100,000 changes is some 150 MB of JSON, which nobody
 * should hold three times over (text, parsed values, plan).
 *
 * Written, each element of a top-level array stands on a line of its own. Read, any layout of the same JSON will do.
 */

import {
  actionJson,
  changeJson,
  conflictJson,
  diagnosticJson,
  driftJson,
  headJson,
  peerJson,
  summaryJson,
} from './plan-json.js';
import type { Plan } from './plan.js';

/** The plan as JSON text, in pieces of one element each. */
export function* planText(plan: Plan): Generator<string> {
  let lead = '{\n';
  for (const [name, value] of Object.entries(headJson(plan))) {
    yield `${lead}${JSON.stringify(name)}: ${JSON.stringify(value)}`;
    lead = ',\n';
  }
  yield* arrayText('peers', plan.peers, peerJson);
  yield* arrayText('resource_drift', plan.drift, driftJson);
  yield* arrayText('resource_changes', plan.changes, changeJson);
  yield* arrayText('conflicts', plan.conflicts, conflictJson);
  yield* arrayText('action_invocations', plan.actions, actionJson);
  yield* arrayText('deferred_changes', plan.deferred, changeJson);
  yield* arrayText('checks', plan.checks, (check) => check);
  yield* arrayText('diagnostics', plan.diagnostics, diagnosticJson);
  yield `,\n"summary": ${JSON.stringify(summaryJson(plan.summary))}\n}\n`;
}

function* arrayText<T>(name: string, items: readonly T[], json: (item: T) => unknown): Generator<string> {
  yield `,\n${JSON.stringify(name)}: [`;
  let lead = '\n';
  for (const item of items) {
    yield lead + JSON.stringify(json(item));
    lead = ',\n';
  }
  yield items.length === 0 ? ']' : '\n]';
}
