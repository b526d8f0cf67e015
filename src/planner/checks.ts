/**
 * The checks of a plan: what a person would want to be told, or to be stopped by, before anything is sent.
 *
 *   max-delete   more deletions on a peer than a group allows (design/plan-contract.md, Guards)     fail
 *   root         a tree that is gone, empty or something else as a whole                             fail
 *   plaintext    a peer that is talked to without TLS                                                warn
 */

import type { Group, Limit } from '../model/config.js';
import { compareBytes, display } from '../model/names.js';
import type { Change, Check, PlanPeer } from '../model/plan.js';
import type { RootFinding } from '../model/scan.js';

export interface CheckInputs {
  readonly peers: readonly PlanPeer[];
  readonly changes: readonly Change[];
  readonly roots: readonly RootFinding[];
  /** All groups of this host. */
  readonly groups: readonly Group[];
  /** Files known here in each group, those that are to be removed included: what a percentage is taken of. */
  readonly groupFiles: ReadonlyMap<string, number>;
  /** `--max-delete`; undefined: what the group says, or the default. */
  readonly maxDelete: Limit | undefined;
}

export const DEFAULT_MAX_DELETE: Limit = { value: 50, unit: 'percent' };

/** Sorted by name, then by message: failures of one kind stand together. */
export function runChecks(inputs: CheckInputs): readonly Check[] {
  return [...checkDeletions(inputs), ...checkRoots(inputs.roots), ...checkPlaintext(inputs.peers)].sort(
    (a, b) => compareBytes(a.name, b.name) || compareBytes(a.message, b.message),
  );
}

function checkDeletions(inputs: CheckInputs): readonly Check[] {
  const deletions = new Map<string, number>();
  for (const change of inputs.changes) {
    if (change.action !== 'delete') continue;
    for (const group of change.groups) {
      const key = `${change.peer}\0${group}`;
      deletions.set(key, (deletions.get(key) ?? 0) + 1);
    }
  }
  return inputs.peers.flatMap((peer) =>
    inputs.groups
      .filter((group) => peer.groups.includes(group.name))
      .map((group) => {
        const count = deletions.get(`${peer.name}\0${group.name}`) ?? 0;
        const limit = inputs.maxDelete ?? group.maxDelete ?? DEFAULT_MAX_DELETE;
        // A group whose size nobody counted is taken to be as large as its deletions: all of it would go.
        const files = Math.max(inputs.groupFiles.get(group.name) ?? 0, count);
        return checkDeletion(peer, group.name, count, files, limit);
      }),
  );
}

function checkDeletion(peer: PlanPeer, group: string, count: number, files: number, limit: Limit): Check {
  const beyond = limit.unit === 'files' ? count > limit.value : count * 100 > files * limit.value;
  const allowed = limit.unit === 'files' ? `${limit.value}` : `${limit.value}%`;
  const fact = `${count} of ${files} files of group ${display(group)} would be deleted on ${display(peer.name)}`;
  return {
    name: 'max-delete',
    status: beyond ? 'fail' : 'pass',
    message: beyond
      ? `${fact}, more than ${allowed}. If that is meant, raise --max-delete.`
      : `${fact}; the limit is ${allowed}.`,
  };
}

function checkRoots(roots: readonly RootFinding[]): readonly Check[] {
  if (roots.length === 0) {
    return [{ name: 'root', status: 'pass', message: 'Every tree that holds known files is there.' }];
  }
  const states = {
    missing: 'does not exist',
    emptied: 'is empty',
    retyped: 'is of another type than before',
  } as const;
  return roots.map((root) => ({
    name: 'root',
    status: 'fail',
    message:
      `${display(root.file)} ${states[root.state]}, though ${root.known} files are known at or below it: ` +
      'they are not taken for removed. Is a file system not mounted?',
  }));
}

function checkPlaintext(peers: readonly PlanPeer[]): readonly Check[] {
  return peers
    .filter((peer) => peer.tls === false)
    .map((peer) => ({
      name: 'plaintext',
      status: 'warn',
      message: `What goes to ${display(peer.name)} is not encrypted: a nossl statement allows it.`,
    }));
}
