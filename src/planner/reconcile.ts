/**
 * What is to be done about one file on one peer.
 *
 * In: what stands here, what stands there, what both last agreed on, whether the row is forced. Out: exactly one outcome.
 *
 * Invariants:
 *  - What is equal on both sides is never a conflict and never refused: nothing is sent that a peer could refuse, and the
 *    change (`no-op`) stands in the plan only because apply has to settle its dirty row.
 *  - Times alone are set by SETIME, which no csync2 daemon ever refuses: that is no conflict either.
 *  - Nothing is overwritten or removed on a peer that shows a change of its own, unless the row is forced, the method says so, the peer
 *    is a slave, or somebody decided; then the change says FLUSH first (`force`), because the peer would refuse without.
 *  - A change that is not forced may still be refused at apply. That is then a conflict, and certain.
 *  - What could not be asked is deferred, never guessed. What the peer may not or cannot have is a problem, never a change.
 *  - A file whose directory is missing there counts as absent; whether the directory will be there in time is decided
 *    where the whole peer is seen (feasible.ts).
 */

import { parseCheckText, withoutMtime } from '../model/checktxt.js';
import type { Group } from '../model/config.js';
import type { Problem } from '../model/errors.js';
import { display } from '../model/names.js';
import type { Aspect, Change, ChangeReason, Conflict, ConflictKind, RemoteState, SideState } from '../model/plan.js';
import type { Baseline } from '../model/store.js';
import type { Candidate } from './candidates.js';
import { differences } from './differences.js';
import { foresee } from './forecast.js';
import type { Forecast } from './forecast.js';
import { judge } from './method.js';
import type { Verdict } from './method.js';
import type { Met } from './settle.js';

export type Outcome =
  | { readonly kind: 'change'; readonly change: Change }
  /** `change` is what its resolution sends by itself: with `local` and `both`. What all peers of the file get, settle.ts says. */
  | { readonly kind: 'conflict'; readonly met: Met; readonly change: Change | undefined }
  | { readonly kind: 'deferred'; readonly change: Change }
  | { readonly kind: 'problem'; readonly problem: Problem };

/**
 * Somebody's decision on a conflict (`--on-conflict`, a resolutions file, the prompt); undefined: the method stands.
 * `conflict.resolution` is what the method makes of it (`none` when this host lost); `verdict` says who won.
 */
export type Decide = (conflict: Conflict, verdict: Verdict) => Conflict['resolution'] | undefined;

/**
 * @param remote the peer's answers; `unknown` when it was not or could not be asked
 * @param baseline what both last agreed on; undefined when that is not known
 * @param around what the files around it say against it, a clause after "on web2"; undefined: nothing
 */
export function reconcile(
  candidate: Candidate,
  remote: RemoteState | 'unknown',
  baseline: Baseline | undefined,
  decide?: Decide,
  around?: string,
): Outcome {
  const { local } = candidate;

  // Sockets are recorded and never sent: all there is to do is to settle the row.
  if (local?.entry.type === 'socket') return noOp(candidate, remote, undefined);

  if (remote === 'unknown') return { kind: 'deferred', change: deferred(candidate) };
  if (remote.kind === 'refused' || remote.kind === 'failed')
    return { kind: 'problem', problem: trouble(candidate, remote) };

  const there = remote.kind === 'present' ? remote.state : undefined;

  // Gone on both sides: the peer's directory, or what leads to it, may be gone or a link as well. Nothing is left to remove.
  if (local === undefined && there === undefined) return noOp(candidate, remote, there);

  let aspects = NO_ASPECTS;
  if (local !== undefined && remote.kind === 'present') {
    aspects = differences(local, remote, baseline);
    if (aspects.length === 0) return noOp(candidate, remote, there);
    if (aspects.length === 1 && aspects[0] === 'mtime')
      return { kind: 'change', change: makeChange(candidate, remote, aspects) };
  }

  const change = makeChange(candidate, remote, aspects);
  const weights = remote.kind === 'present' ? remote.weights : undefined;
  const forecast =
    unforeseen(candidate, around, baseline) ??
    foresee({ remote, baseline, drift: candidate.drift, dirty: candidate.dirty });
  if (forecast.kind === 'willing') return { kind: 'change', change };

  const verdict: Verdict = candidate.forced
    ? { winner: 'local', because: 'the file was forced', firm: true }
    : judge(candidate.group, candidate.peer, local?.entry, there?.entry, weights);
  const conflict: Conflict = {
    peer: candidate.peer,
    path: candidate.file,
    me: candidate.me,
    groups: change.groups,
    kind: conflictKind(candidate, remote, baseline),
    local: change.after,
    remote: there,
    base: baseState(baseline),
    certainty: forecast.certainty,
    autoMethod: candidate.group.auto,
    resolution: verdict.winner === 'local' ? 'local' : 'none',
    because: sentence(candidate, forecast.because, verdict),
  };
  const decision = decide?.(conflict, verdict);
  const resolution = decision ?? conflict.resolution;
  const overwrite: Change = { ...change, force: true, reason: candidate.forced ? 'forced' : 'conflict-won' };
  return {
    kind: 'conflict',
    met: {
      candidate,
      conflict: { ...conflict, resolution },
      verdict,
      weight: weights?.there,
      stated: decision !== undefined,
      overwrite,
    },
    change: resolution === 'local' || resolution === 'both' ? overwrite : undefined,
  };
}

/** What the peer's own state does not tell; undefined: nothing. */
function unforeseen(
  candidate: Candidate,
  around: string | undefined,
  baseline: Baseline | undefined,
): Extract<Forecast, { kind: 'refuses' }> | undefined {
  const refuses = { kind: 'refuses', certainty: 'predicted' } as const;
  if (around !== undefined) return { ...refuses, because: around };
  // Found only in the peer's database: this host has never had it, so it removed nothing.
  if (candidate.origin === 'settlement' && candidate.local === undefined && baseline === undefined)
    return { ...refuses, because: 'there is one that was never here' };
  return undefined;
}

function noOp(candidate: Candidate, remote: RemoteState | 'unknown', there: SideState | undefined): Outcome {
  const base = blank(candidate, remote === 'unknown' ? 'unknown' : remotePrecondition(there));
  // Forced: as with csync2 the peer forgets its own marks, also one that it could never settle itself.
  const force = candidate.forced && remote !== 'unknown';
  return { kind: 'change', change: { ...base, action: 'no-op', reason: 'equal', force, before: there } };
}

function makeChange(candidate: Candidate, remote: RemoteState, aspects: readonly Aspect[]): Change {
  const there = remote.kind === 'present' ? remote.state : undefined;
  const { local } = candidate;
  const replaced = there === undefined || aspects.some((aspect) => aspect === 'content' || aspect === 'type');
  return {
    ...blank(candidate, remotePrecondition(there)),
    action: local === undefined ? 'delete' : there === undefined ? 'create' : 'update',
    aspects,
    before: there,
    bytes: replaced && local?.entry.type === 'file' ? (local.entry.size ?? 0) : 0,
    reason: reasonOf(candidate, there),
  };
}

/** A change for a peer that was not asked: what stands here, and nothing about there. */
function deferred(candidate: Candidate): Change {
  return { ...blank(candidate, 'unknown'), reason: reasonOf(candidate, undefined) };
}

function blank(candidate: Candidate, remote: Change['precondition']['remote']): Change {
  const { local } = candidate;
  return {
    peer: candidate.peer,
    path: candidate.file,
    me: candidate.me,
    groups: groupNames(candidate),
    action: 'unknown',
    reason: 'equal',
    aspects: NO_ASPECTS,
    force: candidate.forced,
    before: undefined,
    after: local,
    bytes: 0,
    precondition: { local, remote },
  };
}

const NO_ASPECTS: readonly Aspect[] = [];

/** The group that counts first. One list for all files of the same groups: a plan has as many lists as files otherwise. */
function groupNames({ group, groups }: Candidate): readonly string[] {
  const known = NAMES.get(groups);
  if (known !== undefined && known[0] === group.name) return known;
  const names = [group, ...groups.filter((each) => each !== group)].map(({ name }) => name);
  NAMES.set(groups, names);
  return names;
}

const NAMES = new WeakMap<readonly Group[], readonly string[]>();

/** In the form in which SIG will show it again, so that the two compare as strings. */
function remotePrecondition(there: SideState | undefined): Change['precondition']['remote'] {
  return there && { checktxt: withoutMtime(there.checktxt), signature: there.signature };
}

function reasonOf(candidate: Candidate, there: SideState | undefined): ChangeReason {
  if (candidate.forced) return 'forced';
  if (candidate.origin !== 'marked') return candidate.origin;
  if (candidate.local === undefined) return 'removed-here';
  if (there !== undefined) return 'changed-here';
  return candidate.drift?.before === undefined ? 'new-here' : 'missing-there';
}

function conflictKind(candidate: Candidate, remote: RemoteState, baseline: Baseline | undefined): ConflictKind {
  if (candidate.local === undefined) return 'removed-here';
  if (remote.kind !== 'present') return 'removed-there';
  if (remote.state.entry.type !== candidate.local.entry.type) return 'type';
  const created = baseline === undefined ? candidate.drift?.reason === 'new' : baseline.checktxt === undefined;
  return created ? 'both-created' : 'both-changed';
}

function baseState(baseline: Baseline | undefined): SideState | undefined {
  if (baseline?.checktxt === undefined) return undefined;
  const entry = parseCheckText(baseline.checktxt);
  if (entry === undefined) return undefined;
  return {
    // The check text of a link below a prefix leaves the target out.
    entry: baseline.target === undefined ? entry : { ...entry, target: baseline.target },
    checktxt: baseline.checktxt,
    digest: baseline.digest,
    signature: baseline.signature,
  };
}

function sentence(candidate: Candidate, evidence: string, verdict: Verdict): string {
  const here = candidate.local === undefined ? 'Removed here' : 'Changed here';
  const end = {
    local: 'so this version overwrites.',
    peer: 'so the peer keeps its version until it sends it here.',
    none: 'so somebody has to decide.',
  }[verdict.winner];
  return `${here}, and on ${display(candidate.peer)} ${evidence}; ${verdict.because}, ${end}`;
}

function trouble(candidate: Candidate, remote: Extract<RemoteState, { kind: 'refused' | 'failed' }>): Problem {
  const file = display(candidate.file);
  const peer = display(candidate.peer);
  const answer = display(remote.answer);
  const refused = remote.kind === 'refused';
  return {
    severity: 'error',
    code: refused ? 'PEER_REFUSED' : 'PEER_PROTOCOL',
    summary: refused ? `${peer} refuses ${file}: ${answer}` : `${peer} could not say what stands at ${file}: ${answer}`,
    hint: refused
      ? 'Both hosts need the same group, key and host list: compare their configurations. The file stays marked.'
      : `See the log of ${peer}. The file stays marked.`,
    path: file,
    peer: candidate.peer,
  };
}
