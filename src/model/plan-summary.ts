/** What follows from a plan's parts: its counts and its hash. */

import { createHash } from 'node:crypto';
import type { PeerName } from './names.js';
import { compareBytes } from './names.js';
import { eachPaced } from './paced.js';
import type { Paced } from './paced.js';
import { planText } from './plan-text.js';
import type { Plan, Summary, Tally } from './plan.js';

/** Counts a plan. Peers come in the order of their names; those without anything planned are counted as zeros. */
export function summarizePlan(plan: Pick<Plan, 'peers' | 'changes' | 'conflicts' | 'deferred' | 'actions'>): Summary {
  const total = emptyTally();
  const tallies = new Map<PeerName, Writable<Tally>>();
  const tallyOf = (peer: PeerName): Writable<Tally> => {
    let tally = tallies.get(peer);
    if (tally === undefined) tallies.set(peer, (tally = emptyTally()));
    return tally;
  };
  const count = (peer: PeerName, key: keyof Tally, amount: number): void => {
    total[key] += amount;
    tallyOf(peer)[key] += amount;
  };
  for (const peer of plan.peers) tallyOf(peer.name);
  for (const change of plan.changes) {
    if (change.action !== 'unknown') count(change.peer, change.action === 'no-op' ? 'noOp' : change.action, 1);
    count(change.peer, 'bytes', change.bytes);
  }
  for (const conflict of plan.conflicts) if (conflict.resolution !== 'local') count(conflict.peer, 'conflict', 1);
  for (const change of plan.deferred) count(change.peer, 'deferred', 1);
  const byPeer = Object.fromEntries([...tallies].sort(([a], [b]) => compareBytes(a, b)));
  return { ...total, actions: plan.actions.length, byPeer };
}

/** SHA-256, lower-case hex, over the plan's JSON less its time, id and hash. */
export function* hashPlan(plan: Omit<Plan, 'hash'>): Paced<string> {
  const hash = createHash('sha256');
  yield* eachPaced(planText({ ...plan, hash: '', id: '', timestamp: '' }), (piece) => {
    hash.update(piece);
  });
  return hash.digest('hex');
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

function emptyTally(): Writable<Tally> {
  return { create: 0, update: 0, delete: 0, noOp: 0, conflict: 0, deferred: 0, bytes: 0 };
}
