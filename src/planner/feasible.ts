/**
 * Which changes on one peer cannot work because of what happens, or does not happen, to the files around them.
 *
 * reconcile.ts sees one file. A directory can go only when nothing below it stays, and a file can come only when its
 * directory is there or comes with the same plan. Here the whole peer is seen.
 */

import type { Problem } from '../model/errors.js';
import type { FileName } from '../model/names.js';
import { display, parentName } from '../model/names.js';
import { eachPaced, mapPaced } from '../model/paced.js';
import type { Paced } from '../model/paced.js';
import type { Change, RemoteState } from '../model/plan.js';
import type { Candidate } from './candidates.js';
import type { Outcome } from './reconcile.js';

/** One candidate with its answer. An ancestor that was asked about and stands there needs no outcome. */
export interface Reconciled {
  readonly candidate: Candidate;
  readonly remote: RemoteState | 'unknown';
  readonly outcome: Outcome | undefined;
}

/**
 * Turns changes that cannot work into problems.
 * @param all one peer's candidates, in the order of their names
 */
export function* keepFeasible(all: readonly Reconciled[]): Paced<readonly Reconciled[]> {
  return yield* blockOrphans(yield* blockHeld(all));
}

/** Directories that cannot go, since something below them stays. A directory that stays keeps its own parents as well. */
function* blockHeld(all: readonly Reconciled[]): Paced<readonly Reconciled[]> {
  const holder = new Map<FileName, FileName>();
  yield* eachPaced(all, ({ candidate, remote, outcome }) => {
    if (!staysThere(remote, outcome)) return;
    for (let above = parentName(candidate.file); above !== undefined && !holder.has(above); above = parentName(above)) {
      holder.set(above, candidate.file);
    }
  });
  return yield* mapPaced(all, (each) => {
    const held = holder.get(each.candidate.file);
    if (held === undefined || !endsDirectory(changeOf(each.outcome))) return each;
    return { ...each, outcome: { kind: 'problem', problem: describeHeld(each.candidate, held) } };
  });
}

function staysThere(remote: RemoteState | 'unknown', outcome: Outcome | undefined): boolean {
  if (remote === 'unknown' || remote.kind === 'failed') return true;
  return remote.kind === 'present' && changeOf(outcome)?.action !== 'delete';
}

function endsDirectory(change: Change | undefined): boolean {
  if (change === undefined || change.before?.entry.type !== 'directory') return false;
  return change.action === 'delete' || change.aspects.includes('type');
}

/** Files whose directory will not be there. Parents come before children, so one pass suffices. */
function* blockOrphans(all: readonly Reconciled[]): Paced<readonly Reconciled[]> {
  const directories = new Map<FileName, boolean>();
  return yield* mapPaced(all, (each) => {
    const { candidate, remote } = each;
    const checked = needsDirectory(each) ? checkParent(each, directories) : each;
    const change = changeOf(checked.outcome);
    const type = change === undefined || change.action === 'unknown' ? typeThere(remote) : change.after?.entry.type;
    directories.set(candidate.file, type === 'directory');
    return checked;
  });
}

function needsDirectory({ remote, outcome }: Reconciled): boolean {
  return remote !== 'unknown' && remote.kind !== 'present' && changeOf(outcome)?.action === 'create';
}

function checkParent(each: Reconciled, directories: ReadonlyMap<FileName, boolean>): Reconciled {
  const { candidate, remote } = each;
  const parent = parentName(candidate.file);
  if (parent === undefined || remote === 'unknown') return each;
  const planned = directories.get(parent);
  if (planned ?? remote.kind === 'absent') return each;
  return { ...each, outcome: { kind: 'problem', problem: describeOrphan(candidate, parent, remote, planned) } };
}

function typeThere(remote: RemoteState | 'unknown'): string | undefined {
  return remote !== 'unknown' && remote.kind === 'present' ? remote.state.entry.type : undefined;
}

function changeOf(outcome: Outcome | undefined): Change | undefined {
  return outcome === undefined || outcome.kind === 'problem' ? undefined : outcome.change;
}

function describeHeld(candidate: Candidate, held: FileName): Problem {
  const file = display(candidate.file);
  const peer = display(candidate.peer);
  return {
    severity: 'warning',
    code: 'PARTIAL',
    summary: `The directory ${file} cannot be removed on ${peer} while ${display(held)} stays there.`,
    hint: 'Settle that file first, then plan again: the directory stays marked.',
    path: file,
    peer: candidate.peer,
  };
}

function describeOrphan(
  candidate: Candidate,
  parent: FileName,
  remote: RemoteState,
  planned: boolean | undefined,
): Problem {
  const file = display(candidate.file);
  const peer = display(candidate.peer);
  const above = display(parent);
  const common = { severity: 'error', path: file, peer: candidate.peer } as const;
  if (planned !== undefined) {
    return {
      ...common,
      code: 'PARTIAL',
      summary: `${file} cannot be created on ${peer}: ${above} will be no directory there after this plan.`,
      hint: `Settle ${above} first, then plan again: the file stays marked.`,
    };
  }
  if (candidate.origin === 'settlement' && remote.kind === 'parent-missing') {
    return {
      ...common,
      severity: 'warning',
      code: 'PARTIAL',
      summary: `${file} is settled, but does not go to ${peer} in this run: its directory is missing there.`,
      hint: 'The file stays marked: the next run makes its directory there first.',
    };
  }
  if (remote.kind === 'behind-link') {
    return {
      ...common,
      code: 'PATH_UNSAFE',
      summary: `${file} cannot be created on ${peer}: a symbolic link, or something that is no directory, is part of its path there.`,
      hint: `Look at ${above} and what is above it on ${peer}: csx follows no links. The file stays marked.`,
    };
  }
  return {
    ...common,
    code: 'PATH_OUTSIDE',
    summary: `${file} cannot be created on ${peer}: ${above} does not exist there and is no part of a group with it.`,
    hint: `Create ${above} on ${peer}, or include it in the group, then plan again: the file stays marked.`,
  };
}
