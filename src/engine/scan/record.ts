/**
 * What is written for what a scan found: the rows of `file`, the marks for the peers, and the local actions. Pure; the caller
 * hands the writes to the store, in one transaction.
 *
 * As csync2's check does: a removal is marked like any other change; marking schedules `do-local` and `do-local-only` actions;
 * `-I` (no marking) records alone, removals too.
 */

import type { ActionRule, Group } from '../../model/config.js';
import type { FileName, PeerName } from '../../model/names.js';
import type { Drift, Finding, LocalState } from '../../model/scan.js';
import type { Write } from '../../model/store.js';

/** What of config's Selection decides about marks and actions. */
export interface Membership {
  /** The peers the file is marked for, each with this host's name toward it. */
  peersOf(file: FileName): readonly { readonly peer: PeerName; readonly me: PeerName }[];
  groupsOf(file: FileName): readonly Group[];
  /** The group's actions whose patterns match the file. */
  actionRules(file: FileName, group: Group): readonly ActionRule[];
}

export interface RecordOptions {
  /** False: record only, as `csync2 -I` does. */
  readonly mark: boolean;
  /** Mark as forced, as `csync2 -F` does. */
  readonly forced?: boolean | undefined;
  /** Unix milliseconds: since when the marks stand. */
  readonly now: number;
}

export function recordWrites(findings: Iterable<Finding>, membership: Membership, options: RecordOptions): Write[] {
  const writes: Write[] = [];
  for (const finding of findings) {
    switch (finding.kind) {
      case 'drift':
        recordDrift(finding.drift, membership, options, writes);
        break;
      case 'refresh':
        writes.push(putFile(finding.file, finding.state));
        break;
      case 'problem':
      case 'root':
        break;
    }
  }
  return writes;
}

function recordDrift(drift: Drift, membership: Membership, options: RecordOptions, writes: Write[]): void {
  const { file, after } = drift;
  writes.push(after === undefined ? { kind: 'remove-file', file } : putFile(file, after));
  if (!options.mark) return;
  for (const { peer, me } of membership.peersOf(file)) {
    writes.push({ kind: 'mark', file, peer, me, forced: options.forced === true, since: options.now });
  }
  for (const group of membership.groupsOf(file)) {
    for (const rule of membership.actionRules(file, group)) {
      if (rule.where === 'peers') continue;
      for (const command of rule.commands) {
        writes.push({ kind: 'put-action', action: { file, command, logfile: rule.logfile } });
      }
    }
  }
}

/** The row of a file as it stands on the disk. */
export function putFile(file: FileName, state: LocalState): Write {
  return {
    kind: 'put-file',
    file,
    checktxt: state.checktxt,
    stamp: state.stamp,
    target: state.entry.target,
    digest: state.digest,
  };
}
