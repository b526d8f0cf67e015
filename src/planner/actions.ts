/**
 * The actions a plan will set off: on the peers by what they receive, here by what changed here.
 *
 *   plain           on the peer, and here for a version that is taken from a peer
 *   do-local        the same, and here for the change that was found here
 *   do-local-only   only here, for that
 *
 * Each distinct command runs once on a host, however many files and groups ask for it. `%%` becomes the list of files
 * (model/shell.ts); a csync2 peer does that itself, with its URL-encoding for all protection.
 */

import type { ActionRule, Group } from '../model/config.js';
import type { Bytes, FileName, PeerName } from '../model/names.js';
import { compareBytes, parentName } from '../model/names.js';
import type { ActionInvocation, Change, Conflict } from '../model/plan.js';
import type { Drift } from '../model/scan.js';
import { expandCommand } from '../model/shell.js';
import { eachPaced } from '../model/paced.js';
import type { Paced } from '../model/paced.js';
import type { ActionRow } from '../model/store.js';
import type { Candidate, Membership } from './candidates.js';
import { takenConflicts } from './taken.js';

export interface ActionInputs {
  /** This host. */
  readonly host: PeerName;
  readonly changes: readonly Change[];
  readonly conflicts: readonly Conflict[];
  /** The candidates the changes come from, a list for each peer: their groups' rules count. */
  readonly candidates: readonly (readonly Candidate[])[];
  readonly drift: readonly Drift[];
  /** Left over from earlier runs: they run here with the rest. */
  readonly pending: readonly ActionRow[];
  readonly membership: Membership;
}

/** Sorted by host (this one first), command and log file. */
export function* expectActions(inputs: ActionInputs): Paced<readonly ActionInvocation[]> {
  const { host, membership } = inputs;
  const wanted = new Gathered();

  yield* eachPaced(inputs.drift, (drift) => {
    if (drift.after?.entry.type === 'socket') return;
    for (const [group, rule] of rulesOf(drift.file, membership)) {
      if (rule.where !== 'peers') wanted.addRule('local', host, group.name, rule, drift.file);
    }
  });
  for (const file of receivedHere(inputs)) {
    for (const [group, rule] of rulesOf(file, membership)) {
      if (rule.where !== 'here') wanted.addRule('local', host, group.name, rule, file);
    }
  }
  for (const row of inputs.pending) wanted.add('local', host, '', row.command, row.logfile, row.file);

  const carried = new Map<PeerName, Set<FileName>>();
  for (const change of inputs.changes) {
    if (!triggers(change)) continue;
    const files = carried.get(change.peer);
    if (files === undefined) carried.set(change.peer, new Set([change.path]));
    else files.add(change.path);
  }
  for (const candidates of inputs.candidates) {
    yield* eachPaced(candidates, (candidate) => {
      if (carried.get(candidate.peer)?.has(candidate.file) !== true) return;
      for (const group of candidate.groups) {
        for (const rule of membership.actionRules(candidate.file, group)) {
          if (rule.where !== 'here') wanted.addRule('remote', candidate.peer, group.name, rule, candidate.file);
        }
      }
    });
  }
  return wanted.invocations();
}

/** A file that goes to several peers by the same group triggers the group's actions once. */
function rulesOf(file: FileName, membership: Membership): readonly (readonly [Group, ActionRule])[] {
  const groups = new Set(membership.peersOf(file).flatMap((route) => route.groups));
  return [...groups].flatMap((group) => membership.actionRules(file, group).map((rule) => [group, rule] as const));
}

/** What comes here: the versions that are taken, and the directories above them that were removed here. */
function receivedHere({ conflicts, drift }: ActionInputs): ReadonlySet<FileName> {
  const files = new Set<FileName>();
  const gone = new Set(drift.filter((each) => each.after === undefined).map((each) => each.file));
  for (const { path, remote } of takenConflicts(conflicts)) {
    files.add(path);
    if (remote === undefined) continue;
    for (let above = parentName(path); above !== undefined && gone.has(above); above = parentName(above))
      files.add(above);
  }
  return files;
}

/**
 * Whether a peer runs actions for it: seen with csync2 2.0 for creations, new content, new attributes (its client says
 * PATCH or MKDIR for these too) and removals, but not for times alone, which SETIME sets.
 */
export function triggers(change: Change): boolean {
  switch (change.action) {
    case 'create':
    case 'delete':
      return true;
    case 'update':
      return change.aspects.some((aspect) => aspect !== 'mtime');
    case 'no-op':
    case 'unknown':
      return false;
  }
}

interface Wanted {
  readonly when: 'local' | 'remote';
  readonly host: PeerName;
  /** The first in the order of names of those that ask for it; '' only when none is known. */
  group: string;
  readonly command: Bytes;
  readonly logfile: Bytes;
  readonly files: Set<FileName>;
}

class Gathered {
  private readonly byKey = new Map<string, Wanted>();

  addRule(when: Wanted['when'], host: PeerName, group: string, rule: ActionRule, file: FileName): void {
    for (const command of rule.commands) this.add(when, host, group, command, rule.logfile, file);
  }

  /** csync2 keys its table by file and command, so one command has one log file: two log files are two invocations here. */
  add(when: Wanted['when'], host: PeerName, group: string, command: Bytes, logfile: Bytes, file: FileName): void {
    const key = `${when}\0${host}\0${command}\0${logfile}`;
    const known = this.byKey.get(key);
    if (known === undefined) {
      this.byKey.set(key, { when, host, group, command, logfile, files: new Set([file]) });
    } else {
      known.files.add(file);
      if (known.group === '' || (group !== '' && group < known.group)) known.group = group;
    }
  }

  invocations(): readonly ActionInvocation[] {
    return [...this.byKey.keys()].sort(compareBytes).flatMap((key) => {
      const wanted = this.byKey.get(key);
      if (wanted === undefined) return [];
      const triggeredBy = [...wanted.files].sort(compareBytes);
      return [
        {
          host: wanted.host,
          group: wanted.group,
          command: expandCommand(wanted.command, triggeredBy),
          logfile: wanted.logfile,
          when: wanted.when,
          triggeredBy,
        },
      ];
    });
  }
}
