/** Makes a plan for the command line's flags: what plan and apply have in common. */

import { computePlan } from '../engine/update/compute-plan.js';
import type { Planned } from '../engine/update/compute-plan.js';
import { Dialer } from '../engine/update/dial.js';
import type { Report } from '../model/events.js';
import type { Decide } from '../planner/reconcile.js';
import { display, fromText } from '../model/names.js';
import type { DiskPath } from '../model/names.js';
import type { CheckText } from '../model/checktxt.js';
import { storedName } from '../model/encoding.js';
import type { FileRow, Scope, Store } from '../model/store.js';
import { resolveScopes } from '../engine/scan/scopes.js';
import type { Files } from '../engine/scan/scopes.js';
import type { ChoiceFlags, NetworkFlags, PlaceFlags } from './flags.js';
import { parseLimit } from './plan-flags.js';
import { exclusionOf, targetsOf } from './targets.js';
import type { TargetFlags } from './targets.js';
import type { PlanFlags } from './plan-flags.js';
import { CSX_VERSION } from '../model/version.js';
import type { Workspace } from './workspace.js';

export interface Watch {
  readonly report: Report;
  readonly stop: AbortSignal;
}

/** How this run reaches its peers. */
export function dialerFor(
  workspace: Workspace,
  flags: PlaceFlags & NetworkFlags & Pick<ChoiceFlags, 'group'>,
  stop: AbortSignal,
): Dialer {
  return new Dialer({
    config: workspace.config,
    selection: workspace.everything,
    store: workspace.store,
    port: flags.port,
    bind: flags.hostname,
    configName: flags['config-name'],
    groups: flags.group,
    timeout: flags.timeout * 1000,
    signal: stop,
    now: Date.now,
  });
}

/** The parts of the tree that paths (byte strings) name; undefined: everything. */
export async function scopesOf(paths: readonly string[], workspace: Workspace): Promise<readonly Scope[] | undefined> {
  if (paths.length === 0) return undefined;
  const files: Files = (range) => namesOf(workspace.store, range);
  return resolveScopes(paths, fromText(process.cwd()) as string as DiskPath, workspace.everything, files);
}

/** The known files, and those that are known only as removed: a mark for them may still be waiting. */
async function* namesOf(store: Store, scopes: readonly Scope[] | undefined): AsyncGenerator<readonly FileRow[]> {
  yield* store.files(scopes);
  const removed = await store.dirty(scopes && { scopes });
  yield removed.map(({ file }) => ({
    stored: storedName(file),
    checktxt: '' as CheckText,
    stamp: undefined,
    target: undefined,
    digest: undefined,
  }));
}

/** Makes a plan. `decide` settles conflicts; undefined: the groups' methods do. */
export async function planFor(
  workspace: Workspace,
  flags: PlaceFlags & PlanFlags & TargetFlags,
  paths: readonly string[],
  dialer: Dialer,
  watch: Watch,
  decide?: Decide,
): Promise<Planned> {
  const scopes = await scopesOf(await targetsOf(paths, flags), workspace);
  const exclusion = await exclusionOf(flags);
  return computePlan({
    config: workspace.config,
    selection: workspace.chosen,
    peers: workspace.peers,
    store: workspace.store,
    dialer,
    scopes,
    excludes: exclusion.excludes,
    options: {
      targets: scopes?.map((scope) => display(scope.file)) ?? [],
      excludes: exclusion.patterns.map(display),
      peers: workspace.peers ?? [],
      groups: flags.group ?? [],
      offline: flags.offline,
      configName: flags['config-name'],
    },
    maxDelete: parseLimit(flags['max-delete']),
    decide,
    parallelism: flags.parallelism,
    csxVersion: CSX_VERSION,
    report: watch.report,
    stop: watch.stop,
    now: Date.now,
  });
}
