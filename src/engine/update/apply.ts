/**
 * Carries out a plan and nothing but the plan: records what its scan found, sends every peer its changes, settles each as soon
 * as the peer has acknowledged it, and runs the local actions. Every step can be killed: what was not acknowledged stays marked.
 */

import type { Selection } from '../../config/selection.js';
import type { Config } from '../../model/config.js';
import { CsxError } from '../../model/errors.js';
import type { Problem } from '../../model/errors.js';
import type { Report } from '../../model/events.js';
import type { DiskPath, PeerName } from '../../model/names.js';
import type { Change, Conflict, Plan } from '../../model/plan.js';
import { summarizeResult } from '../../model/result.js';
import type { ApplyResult, ChangeResult, Decided, PeerResult } from '../../model/result.js';
import type { Store, Write } from '../../model/store.js';
import { lookAt } from '../scan/local-state.js';
import { lstat } from '../scan/lstat.js';
import { Parents } from '../scan/parents.js';
import type { ContentDigests } from './content.js';
import type { Dialer } from './dial.js';
import { runLocalActions } from './local-actions.js';
import { recordPlan } from './record.js';
import { Settlement } from './settlement.js';
import { side } from './side.js';
import type { Raw } from './steps.js';
import { carryOutDecisions } from './takes.js';
import { transfer } from './transfer.js';

export interface ApplyRequest {
  readonly plan: Plan;
  readonly config: Config;
  /** Everything this host has to do with. */
  readonly selection: Selection;
  readonly store: Store;
  readonly dialer: Dialer;
  /** Peers served at a time. */
  readonly parallelism: number;
  /** For the actions' processes. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly report: Report;
  /** Fires at the first interrupt: what is in flight is finished, nothing new begun. Its reason is the signal's name. */
  readonly stop: AbortSignal;
  readonly now: () => number;
  /** What the run ends with, for `history`. */
  readonly statusOf: (result: ApplyResult) => number;
}

/** Connections tried for one peer: more than one only after a file changed while it was sent. */
const ATTEMPTS = 20;

/**
 * Applies the plan. Trouble with a file or a peer is in the result.
 * Throws CsxError when the state cannot be written: then nothing more is sent, and what was sent is found equal next time.
 */
export async function applyPlan(request: ApplyRequest): Promise<ApplyResult> {
  const { plan, store, selection, config, now } = request;
  const startedAt = now();
  await store.write([putRun(plan, startedAt)]);

  const problems = [...(await recordPlan(plan, { store, selection, ignore: config.ignore, now }))];
  const { decided, changes: due, blocked } = await carryOutDecisions(request);
  const settlement = new Settlement(store);
  const names = plan.peers.map((peer) => peer.name);
  const toSend = { ...request, plan: { ...plan, changes: due.filter((change) => !blocked.has(change)) } };
  const sent = await side(names, request.parallelism, (peer) => applyToPeer(peer, toSend, settlement));
  await settlement.flush();

  const changes = inPlanOrder([...due, ...plan.deferred], blocked, sent);
  const actions = await runLocalActions(plan, request, problems);
  const partial = {
    peers: sent.map((each) => each.peer),
    changes,
    actions,
    decided,
    conflicts: [
      ...plan.conflicts.filter((conflict) => conflict.resolution === 'none'),
      ...decided.filter((each) => each.status !== 'done').map(stillOpen),
      ...sent.flatMap((each) => each.refused),
    ],
  };
  const finishedAt = now();
  const result: ApplyResult = {
    planId: plan.id,
    planHash: plan.hash,
    host: plan.host,
    startedAt: new Date(startedAt).toISOString(),
    finishedAt: new Date(finishedAt).toISOString(),
    ...partial,
    problems,
    interrupted: request.stop.aborted ? String(request.stop.reason) : undefined,
    timedOut: false,
    summary: summarizeResult(partial, finishedAt - startedAt),
  };
  await store.write([putRun(plan, startedAt, { result, status: request.statusOf(result) })]);
  return result;
}

function putRun(plan: Plan, startedAt: number, end?: { readonly result: ApplyResult; readonly status: number }): Write {
  return {
    kind: 'put-run',
    run: {
      id: plan.id,
      planHash: plan.hash,
      startedAt,
      finishedAt: end && Date.parse(end.result.finishedAt),
      exitStatus: end?.status,
      summary: JSON.stringify(end?.result.summary ?? {}),
    },
  };
}

interface Sent {
  readonly peer: PeerResult;
  readonly changes: ReadonlyMap<Change, ChangeResult>;
  /** Conflicts that only the peer's refusal showed. */
  readonly refused: readonly Conflict[];
}

async function applyToPeer(name: PeerName, request: ApplyRequest, settlement: Settlement): Promise<Sent> {
  const { plan, report, stop } = request;
  const planned = plan.peers.find((peer) => peer.name === name);
  const changes = plan.changes.filter((change) => change.peer === name);
  const results = new Map<Change, ChangeResult>();
  const refused: Conflict[] = [];
  const facts = { name, address: planned?.address, tls: planned?.tls ?? ('unknown' as const) };
  if (changes.length === 0) {
    const unreachable = planned?.reachable === false;
    return {
      peer: { ...facts, reached: unreachable ? false : 'not-needed', problem: planned?.problem },
      changes: results,
      refused,
    };
  }

  report({
    type: 'apply_start',
    peer: name,
    changes: changes.length,
    bytes: changes.reduce((sum, each) => sum + each.bytes, 0),
  });
  let left: readonly Change[] = changes;
  let peer: PeerResult = { ...facts, reached: false, problem: undefined };
  for (let attempt = 0; attempt < ATTEMPTS && left.length > 0 && !stop.aborted && !settlement.failed; attempt++) {
    const before = left.length;
    const round = await oneConnection(name, left, request, (result, digests, dirtyThere) => {
      results.set(result.change, result);
      settlement.add(settle(result, digests, request.now(), dirtyThere));
      if (dirtyThere) refused.push(refusal(result.change, request));
    });
    peer = { ...peer, ...round.peer };
    left = round.left;
    if (peer.problem !== undefined || left.length >= before) break;
  }
  report({
    type: 'apply_complete',
    peer: name,
    changes: [...results.values()].filter((result) => result.status === 'done').length,
    bytes: [...results.values()].reduce((sum, result) => sum + result.bytes, 0),
  });
  return { peer, changes: results, refused };
}

type Finished = (result: ChangeResult, digests: ContentDigests | undefined, refused: boolean) => void;

async function oneConnection(
  name: PeerName,
  changes: readonly Change[],
  request: ApplyRequest,
  finished: Finished,
): Promise<{ readonly peer: Partial<PeerResult>; readonly left: readonly Change[] }> {
  const { dialer, store, report, selection, config, stop } = request;
  const me = changes[0]?.me;
  if (me === undefined) return { peer: {}, left: [] };
  report({ type: 'peer_connecting', peer: name, address: name });
  try {
    const { connection, certificate, cipher } = await dialer.dial(name, me, 'finishes');
    try {
      const tls = cipher !== undefined;
      report({ type: 'peer_connected', peer: name, tls });
      // csync2 pins a certificate the first time it sees it, and so does every other peer: a later change is noticed.
      if (certificate !== undefined) await pin(store, name, certificate, request.now());
      // A csync2 peer does not know the command, says so, and goes on.
      const knows = async (extension: string): Promise<boolean> =>
        (await connection.request('CSX', { extension })).kind === 'ok';
      const grouped = await knows('group-commit');
      const puts = grouped && (await knows('put'));
      let left: readonly Change[] = [];
      for (const run of runsOfOneName(changes)) {
        if (run.me !== me) await connection.hello(run.me);
        const parents = new Parents();
        const rest = await transfer({
          connection,
          grouped,
          puts,
          changes: run.changes,
          keyOf: (change) => keyOf(change, selection),
          toDisk: (file) => selection.toDisk(file),
          look: (file) => lookAt(selection.toDisk(file), file, config.ignore, { parents }),
          raw: (file) => rawOf(selection.toDisk(file)),
          report,
          stop,
          finished,
        });
        left = [...left, ...rest];
      }
      const { failure } = connection;
      if (failure === undefined) await connection.bye();
      const lost = failure !== undefined && failure.code !== 'CHANGED_MEANWHILE';
      return {
        peer: { reached: true, tls, address: connection.address, problem: lost ? asProblem(failure, name) : undefined },
        left,
      };
    } finally {
      connection.destroy();
    }
  } catch (error) {
    if (!(error instanceof CsxError)) throw error;
    const problem = asProblem(error, name);
    report({ type: 'peer_unreachable', peer: name, problem });
    return { peer: { problem }, left: changes };
  }
}

async function pin(store: Store, peer: PeerName, certificate: Buffer, since: number): Promise<void> {
  const known = await store.certificates();
  if (!known.some((row) => row.peer === peer)) await store.write([{ kind: 'pin', peer, certificate, since }]);
}

/** A host may bear different names toward one peer in different groups: each needs a HELLO of its own. */
function runsOfOneName(
  changes: readonly Change[],
): readonly { readonly me: PeerName; readonly changes: readonly Change[] }[] {
  const runs: { me: PeerName; changes: Change[] }[] = [];
  for (const change of changes) {
    const last = runs.at(-1);
    if (last?.me === change.me) last.changes.push(change);
    else runs.push({ me: change.me, changes: [change] });
  }
  return runs;
}

/** The text of the key a change is sent with. Throws CsxError PLAN_MISMATCH when no group holds file and peer together any more. */
export function keyOf(change: Change, selection: Selection): string {
  const route = selection.peersOf(change.path).find((each) => each.peer === change.peer);
  if (route === undefined) {
    throw new CsxError(
      'PLAN_MISMATCH',
      `No group of this host holds ${change.path} together with ${change.peer} any more.`,
      {
        hint: 'The configuration was changed since the plan was made: plan again.',
      },
    );
  }
  return route.group.key.secret();
}

function rawOf(disk: DiskPath): Raw {
  const stats = lstat(disk);
  if (stats === undefined) return { uid: 0, gid: 0, mtime: 0 };
  return { uid: Number(stats.uid), gid: Number(stats.gid), mtime: Number(stats.mtimeNs / 1_000_000_000n) };
}

/** What an acknowledged change leaves in the state: no dirty row, and what both sides agree on now. */
function settle(
  result: ChangeResult,
  digests: ContentDigests | undefined,
  at: number,
  refused: boolean,
): readonly Write[] {
  const { change, status } = result;
  const place = { file: change.path, peer: change.peer };
  if (refused) return [{ kind: 'refused', ...place, at }];
  if (status !== 'done') return [];
  const local = change.precondition.local;
  const settled: Write = { kind: 'settle', ...place, checktxt: local?.checktxt, stamp: local?.stamp };
  if (change.after === undefined || local === undefined) {
    // That both have no such file is a state agreed on too: one that is made there later is the peer's own.
    const gone = { checktxt: undefined, target: undefined, digest: undefined, signature: undefined };
    return [settled, { kind: 'put-baseline', baseline: { ...place, ...gone, at } }];
  }
  // Equal content on the peer has the signature it showed.
  const signature = digests?.signature ?? (change.aspects.includes('content') ? undefined : change.before?.signature);
  const digest =
    digests?.digest ?? change.after.digest ?? (change.aspects.includes('content') ? undefined : change.before?.digest);
  return [
    settled,
    {
      kind: 'put-baseline',
      baseline: { ...place, checktxt: local.checktxt, target: change.after.entry.target, digest, signature, at },
    },
  ];
}

function refusal(change: Change, request: ApplyRequest): Conflict {
  const group = request.config.groups.find((each) => each.name === change.groups[0]);
  const conflict: Conflict = {
    peer: change.peer,
    path: change.path,
    me: change.me,
    groups: change.groups,
    kind: change.after === undefined ? 'removed-here' : change.before === undefined ? 'both-created' : 'both-changed',
    local: change.after,
    remote: change.before,
    base: undefined,
    certainty: 'certain',
    autoMethod: group?.auto ?? 'none',
    resolution: 'none',
    because: `${change.peer} has it marked as changed too, and refused it.`,
  };
  request.report({ type: 'conflict_detected', conflict });
  return conflict;
}

function inPlanOrder(
  changes: readonly Change[],
  blocked: ReadonlyMap<Change, ChangeResult>,
  sent: readonly Sent[],
): readonly ChangeResult[] {
  const done = new Map([...blocked, ...sent.flatMap((each) => [...each.changes])]);
  return changes.map((change) => done.get(change) ?? { change, status: 'not-attempted', problem: undefined, bytes: 0 });
}

/** A decision that could not be carried out leaves the conflict as it was. */
function stillOpen({ conflict, problem }: Decided): Conflict {
  return { ...conflict, resolution: 'none', because: problem?.summary ?? conflict.because };
}

function asProblem(error: CsxError, peer: PeerName): Problem {
  return { severity: 'error', code: error.code, summary: error.message, hint: error.hint, peer };
}
