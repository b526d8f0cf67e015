/**
 * Decides a file for everybody at once. Each conflict has its own decision (reconcile.ts); here all the peers of one file are seen:
 *
 *  - One version stands in the end. Of a version that is taken from a peer all the others get that, not the one that was here.
 *  - Who holds the same version as a peer that was decided about is decided with it.
 *  - A peer that was asked only because of the others (origin `settlement`) is overruled by no method unless they are decided: then
 *    it gets the version as well, unless it holds a third one about which nobody has said anything.
 *  - Several versions cannot all be taken: the group's method chooses among peers that it says have won; otherwise none is.
 *  - What cannot stand here beside the other decisions is not taken.
 *  - Where there is nothing here to keep beside, `both` takes the first version and saves the others beside it.
 */

import type { FileName } from '../model/names.js';
import { display } from '../model/names.js';
import type { Change, Conflict } from '../model/plan.js';
import type { Candidate } from './candidates.js';
import { whyNotSaved } from './decisions.js';
import { better } from './method.js';
import type { Holder, Verdict } from './method.js';
import { untakeable } from './takeable.js';
import { carrying, sameState } from './taken.js';

/** A conflict, with all that settling it depends on. */
export interface Met {
  readonly candidate: Candidate;
  readonly conflict: Conflict;
  readonly verdict: Verdict;
  /** The peer's time or size, where its state does not tell what the method weighs. */
  readonly weight: number | undefined;
  /** The resolution is somebody's, not the method's. */
  readonly stated: boolean;
  /** What would be sent if this host's version won, whatever the resolution. */
  readonly overwrite: Change;
}

/** What all the peers of the files in conflict come to. */
export interface Settlement {
  /** Each conflict as it is decided in the end. */
  readonly conflicts: ReadonlyMap<Met, Conflict>;
  /** The conflict whose peer's version stands here afterwards, by file. */
  readonly takenFrom: ReadonlyMap<FileName, Conflict>;
  /** Files that stand in one version on every peer that was asked, when the plan has been carried out. */
  readonly files: ReadonlySet<FileName>;
}

/** Makes the conflicts of each file agree with each other. */
export function settle(met: readonly Met[]): Settlement {
  const decided = new Map<Met, Conflict>();
  const takenFrom = new Map<FileName, Conflict>();
  const files = new Set<FileName>();
  for (const [file, all] of Map.groupBy(met, (each) => each.conflict.path)) {
    const spreading = spread(all);
    const conflicts = choose(spreading);
    const taken = conflicts.find((each) => each.resolution === 'peer');
    if (taken !== undefined) takenFrom.set(file, taken);
    for (const [index, each] of all.entries()) {
      const conflict = conflicts[index] ?? each.conflict;
      decided.set(each, conflict);
      if (conflict.resolution !== 'none' && !isForSlave(each)) files.add(file);
    }
  }
  return withhold(met, { conflicts: decided, takenFrom, files });
}

/** Leaves open what cannot stand here (takeable.ts), with all the peers of the file: they would get what is not there. */
function withhold(met: readonly Met[], settlement: Settlement): Settlement {
  const { conflicts, takenFrom, files } = settlement;
  const why = untakeable(new Map(met.map(({ conflict }) => [conflict.path, conflict.local])), takenFrom);
  if (why.size === 0) return settlement;
  const left = new Map(conflicts);
  for (const each of met) {
    const reason = why.get(each.conflict.path);
    const conflict = conflicts.get(each) ?? each.conflict;
    if (reason !== undefined && !isForSlave(each))
      left.set(each, resolved({ ...each, conflict }, 'none', `It is not taken: ${reason}.`).conflict);
  }
  return {
    conflicts: left,
    takenFrom: new Map([...takenFrom].filter(([file]) => !why.has(file))),
    files: new Set([...files].filter((file) => !why.has(file))),
  };
}

/** What a peer gets of a file: the version that is taken from another one, where one is. */
export function following(change: Change, { takenFrom }: Settlement): Change {
  const taken = takenFrom.get(change.path);
  return taken === undefined ? change : carrying(change, taken.remote);
}

/** What a conflict as decided sends to its own peer; undefined: nothing. */
export function sending(met: Met, settlement: Settlement): Change | undefined {
  const conflict = settlement.conflicts.get(met) ?? met.conflict;
  const isTaken = settlement.takenFrom.get(conflict.path) === conflict;
  return conflict.resolution === 'none' || isTaken ? undefined : following(met.overwrite, settlement);
}

/** A slave gets what stands here whatever others hold: that decides nothing about them. */
function isForSlave({ candidate, verdict }: Met): boolean {
  return verdict.firm === true && !candidate.forced;
}

/** What was decided about one peer is decided about all that hold the same, and about those that have nothing of their own to say. */
function spread(all: readonly Met[]): readonly Met[] {
  const decisions = all.filter(
    (each) =>
      each.conflict.resolution !== 'none' &&
      (each.stated || each.candidate.origin !== 'settlement') &&
      !isForSlave(each),
  );
  const statements = decisions.filter(({ stated, candidate }) => stated || candidate.forced);
  return all.map((each) => {
    if (each.stated) return each;
    if (decisions.length === 0) return each.candidate.origin === 'settlement' ? resolved(each, 'none') : each;
    if (each.conflict.resolution !== 'none') return each;
    const same = statements.find((other) => sameState(other.conflict.remote, each.conflict.remote));
    if (same === undefined) return each;
    // One copy of a version is enough.
    const resolution = same.conflict.resolution === 'both' ? 'local' : same.conflict.resolution;
    return resolved(
      each,
      resolution,
      `It is decided as for ${display(same.conflict.peer)}, which has the same version.`,
    );
  });
}

/** At most one version is taken. */
function choose(all: readonly Met[]): readonly Conflict[] {
  const takers = all.filter(takes);
  const [first] = takers;
  if (first === undefined) return all.map((each) => each.conflict);
  const winner = takers.every((each) => sameState(each.conflict.remote, first.conflict.remote)) ? first : best(takers);
  const allSaved = takers.every((each) => each.conflict.resolution === 'both');
  const taken = winner ?? (allSaved ? first : undefined);
  return all.map((each) => {
    if (!takers.includes(each)) return each.conflict;
    if (taken === undefined) return resolved(each, 'none', AMBIGUOUS).conflict;
    if (sameState(each.conflict.remote, taken.conflict.remote)) return resolved(each, 'peer').conflict;
    if (allSaved) return whyNotSaved(each.conflict) === undefined ? each.conflict : resolved(each, 'none').conflict;
    return resolved(each, 'local', `Of all the versions that of ${display(taken.conflict.peer)} wins.`).conflict;
  });
}

const AMBIGUOUS = 'The peers hold different versions, and only one can be taken: say whose.';

/** Its version is to stand here: by decision, or since `both` finds nothing else here. */
function takes({ conflict }: Met): boolean {
  return conflict.resolution === 'peer' || (conflict.resolution === 'both' && conflict.local === undefined);
}

/** The one whose version the group's method prefers to all others; undefined: the method does not say. */
function best(takers: readonly Met[]): Met | undefined {
  const [first] = takers;
  const group = first?.candidate.group;
  if (
    group === undefined ||
    takers.some((each) => each.verdict.winner !== 'peer' || each.candidate.group.name !== group.name)
  )
    return undefined;
  const side = ({ conflict, weight }: Met): Holder => ({
    peer: conflict.peer,
    entry: conflict.remote?.entry,
    weight,
  });
  const winner = takers.reduce((a, b) => (better(group, side(b), side(a)) === true ? b : a));
  return takers.every((each) => each === winner || better(group, side(each), side(winner)) === false)
    ? winner
    : undefined;
}

function resolved(each: Met, resolution: Conflict['resolution'], because?: string): Met {
  const { conflict } = each;
  if (conflict.resolution === resolution && because === undefined) return each;
  const why = because === undefined ? conflict.because : `${conflict.because} ${because}`;
  return { ...each, conflict: { ...conflict, resolution, because: why } };
}
