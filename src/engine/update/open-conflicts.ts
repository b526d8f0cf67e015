/**
 * Conflicts that a run leaves undecided: which of a plan's are still there when it is applied, and what the state remembers of them, so
 * that `csx status` tells of them though no peer has refused anything yet.
 */

import type { Change, Conflict, Plan } from '../../model/plan.js';
import type { ChangeResult } from '../../model/result.js';
import type { Store, Write } from '../../model/store.js';

/**
 * The plan's undecided conflicts, without those that were settled since it was made. Call it when the plan's drift is recorded: then a
 * mark stands for whatever has to be sent.
 */
export async function openConflicts(plan: Plan, store: Store): Promise<readonly Conflict[]> {
  const undecided = plan.conflicts.filter(({ resolution }) => resolution === 'none');
  if (undecided.length === 0) return [];
  const files = new Set(undecided.map(({ path }) => path));
  const rows = await store.dirty({ scopes: [...files].map((file) => ({ file, recursive: false })) });
  const marks = new Set(rows.map(nameOf));
  const waiting = new Set(rows.map(({ file }) => file));
  const open: Conflict[] = [];
  for (const [peer, conflicts] of Map.groupBy(undecided, (conflict) => conflict.peer)) {
    // A peer that was asked because of the others only has no mark: its conflict is there as long as one of theirs is.
    const unmarked = conflicts.filter(({ path }) => !marks.has(nameOf({ peer, file: path })) && waiting.has(path));
    const agreed = await store.baselines(
      peer,
      unmarked.map(({ path }) => path),
    );
    const made = Date.parse(plan.timestamp);
    const unsettled = new Set(unmarked.filter(({ path }) => (agreed.get(path)?.at ?? 0) < made));
    open.push(...conflicts.filter((each) => marks.has(nameOf({ peer, file: each.path })) || unsettled.has(each)));
  }
  // In the order of the plan.
  const found = new Set(open);
  return undecided.filter((conflict) => found.has(conflict));
}

/** What the state is to remember of conflicts that are open. */
export function foreseenWrites(conflicts: readonly Conflict[], at: number): readonly Write[] {
  return conflicts.map(({ path, peer }) => ({ kind: 'foreseen', file: path, peer, at }));
}

/** What it is to forget: where the peer was asked, and a change was tried in place of a conflict, there is none any more. */
export function passedWrites(results: readonly ChangeResult[], conflicts: readonly Conflict[]): readonly Write[] {
  const open = new Set(conflicts.map(({ peer, path }) => nameOf({ peer, file: path })));
  return results
    .filter(
      ({ change, status }) => status !== 'done' && wasForeseenWilling(change) && !open.has(nameOf(placeOf(change))),
    )
    .map(({ change }) => ({ kind: 'foreseen', ...placeOf(change), at: undefined }));
}

function wasForeseenWilling({ action, reason }: Change): boolean {
  return action !== 'unknown' && reason !== 'conflict-won' && reason !== 'forced';
}

function placeOf({ path, peer }: Change): Pick<Extract<Write, { kind: 'foreseen' }>, 'file' | 'peer'> {
  return { file: path, peer };
}

function nameOf({ peer, file }: Pick<Extract<Write, { kind: 'foreseen' }>, 'file' | 'peer'>): string {
  return `${peer}\0${file}`;
}
