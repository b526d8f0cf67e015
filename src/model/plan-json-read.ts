/**
 * A plan out of its JSON: nothing in it is trusted until it was looked at here.
 *
 * What is derived (addresses, types of resources, the summary) is not read but made anew, so it cannot contradict the
 * rest. Members that are not known are passed over, as the contract asks. `plan_hash` must fit what was read: a plan
 * edited by hand is not the one that was reviewed.
 */

import { JsonValue } from './json-value.js';
import type { Document } from './json-value.js';
import type { PlanArray } from './plan-json.js';
import { PLAN_FORMAT } from './plan-json.js';
import {
  readAction,
  readChange,
  readCheck,
  readConflict,
  readDrift,
  readOptions,
  readPeer,
  readProblem,
} from './plan-item-read.js';
import { atOnce, eachPaced } from './paced.js';
import type { Paced } from './paced.js';
import type { FileName } from './names.js';
import { Shared } from './plan-shared.js';
import { hashPlan, summarizePlan } from './plan-summary.js';
import type { Change, Plan } from './plan.js';

/**
 * The plan that `toPlanJson` made the value from.
 * @throws CsxError PLAN_INVALID: what is wrong, and where
 */
export function fromPlanJson(json: unknown): Plan {
  const reader = new PlanReader();
  for (const [name, member] of new JsonValue(json, PLAN).entries()) {
    if (isPlanArray(name)) {
      reader.array(name);
      for (const element of member.elements()) reader.element(name, element);
    } else {
      reader.member(name, member);
    }
  }
  return atOnce(reader.finish());
}

/** How a plan is called in errors. */
export const PLAN: Document = {
  name: 'The plan',
  code: 'PLAN_INVALID',
  hint: 'Make a new one with `csx plan --out FILE`.',
};

/** Most elements of all arrays together: a damaged file must not fill the memory. */
const ELEMENT_LIMIT = 20_000_000;

/** For each array: how an element is read. The keys are all arrays there are. */
const READ = {
  peers: readPeer,
  resource_drift: readDrift,
  resource_changes: readChange,
  conflicts: readConflict,
  action_invocations: readAction,
  deferred_changes: readChange,
  checks: readCheck,
  diagnostics: readProblem,
} as const satisfies Record<PlanArray, (value: JsonValue, shared: Shared) => unknown>;

type Elements = { readonly [Name in PlanArray]: ReturnType<(typeof READ)[Name]>[] };

export function isPlanArray(name: string): name is PlanArray {
  return Object.hasOwn(READ, name);
}

/** Takes the top-level object member by member, in any order, and of its arrays element by element. */
export class PlanReader {
  private readonly members = new Map<string, JsonValue>();
  private readonly arrays = new Set<string>();
  private readonly found: Elements = {
    peers: [],
    resource_drift: [],
    resource_changes: [],
    conflicts: [],
    action_invocations: [],
    deferred_changes: [],
    checks: [],
    diagnostics: [],
  };
  private readonly shared = new Shared();
  private count = 0;

  member(name: string, value: JsonValue): void {
    if (this.members.has(name)) throw value.error('stands there twice');
    if (name === 'format_version') checkVersion(value);
    this.members.set(name, value);
  }

  /** Says that the array stands there: its elements follow, if it has any. */
  array(name: PlanArray): void {
    if (this.arrays.has(name)) throw new JsonValue(undefined, PLAN, name).error('stands there twice');
    this.arrays.add(name);
  }

  element(name: PlanArray, value: JsonValue): void {
    this.count += 1;
    if (this.count > ELEMENT_LIMIT) throw value.error(`is one of more than ${ELEMENT_LIMIT} elements`);
    // Each list takes what its own reader makes.
    const list: unknown[] = this.found[name];
    list.push(READ[name](value, this.shared));
  }

  *finish(): Paced<Plan> {
    const head = (name: string): JsonValue => {
      const value = this.members.get(name);
      if (value === undefined) throw new JsonValue(undefined, PLAN).error(`lacks "${name}"`);
      return value;
    };
    // First: a plan of another format lacks other things for that reason.
    head('format_version');
    for (const name of Object.keys(READ)) {
      if (!this.arrays.has(name)) throw new JsonValue(undefined, PLAN).error(`lacks "${name}"`);
    }
    const { found } = this;
    const parts = {
      timestamp: head('timestamp').matching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/, 'time in UTC'),
      id: head('plan_id').text(200),
      csxVersion: head('csx_version').text(200),
      lineage: head('lineage').nullable((value) => value.text(200)),
      serial: head('serial').integer(),
      host: head('host').text(1000),
      configHash: head('config_hash').text(200),
      options: readOptions(head('options')),
      applyable: head('applyable').boolean(),
      complete: head('complete').boolean(),
      errored: head('errored').boolean(),
      peers: found.peers,
      drift: found.resource_drift,
      changes: found.resource_changes,
      conflicts: found.conflicts,
      actions: found.action_invocations,
      deferred: found.deferred_changes,
      checks: found.checks,
      diagnostics: found.diagnostics,
    };
    yield* checkPeers(parts);
    const plan = { ...parts, summary: summarizePlan(parts) };
    const stated = head('plan_hash').matching(/^[0-9a-f]{64}$/, 'SHA-256');
    const hash = yield* hashPlan(plan);
    // A later minor version hashes members this one does not know.
    if (hash !== stated && head('format_version').text() === PLAN_FORMAT) {
      throw head('plan_hash').error('does not fit the rest: it was changed after it was made');
    }
    return { ...plan, hash: stated };
  }
}

function checkVersion(value: JsonValue): void {
  const version = value.matching(/^\d{1,6}\.\d{1,6}$/, 'format version');
  if (version.split('.')[0] === PLAN_FORMAT.split('.')[0]) return;
  throw value.error(`is ${version}, and this csx reads ${PLAN_FORMAT}: the plan was made by another release`);
}

/** Every change, now or later, is for a peer the plan names, and none stands there twice: apply goes by peer and path. */
function* checkPeers(plan: Pick<Plan, 'peers' | 'changes' | 'deferred' | 'conflicts'>): Paced<void> {
  const lists = { resource_changes: plan.changes, deferred_changes: plan.deferred, conflicts: plan.conflicts };
  for (const [name, list] of Object.entries(lists)) {
    const seen = new Map(plan.peers.map((peer) => [peer.name, new Set<FileName>()]));
    let index = 0;
    yield* eachPaced<Pick<Change, 'peer' | 'path'>>(list, (each) => {
      const wrong = (what: string): Error => new JsonValue(undefined, PLAN, `${name}[${index}]`).error(what);
      const files = seen.get(each.peer);
      if (files === undefined) throw wrong('is for a host that is not among the peers');
      if (files.has(each.path)) throw wrong('is for a file that stands there twice');
      files.add(each.path);
      index += 1;
    });
  }
}
