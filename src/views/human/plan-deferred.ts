/** Peers that could not be asked: why, and how much waits for them. Those for whom the same waits stand together. */

import { display } from '../../model/names.js';
import type { Change, Plan, PlanPeer } from '../../model/plan.js';
import { describePeer, markOf, SYMBOLS } from '../describe.js';
import { strangerOf } from '../group.js';
import { list, plural } from '../quantity.js';
import { askedHeading } from '../summary.js';
import type { Screen } from '../terminal.js';
import type { Fold } from './plan.js';
import { foldedLine } from './plan-changes.js';
import { paragraph } from './paragraph.js';
import { safe } from './problem.js';
import { colorOf } from './row.js';

/** Files named for each such peer. */
const SHOWN = 5;

interface Waiting {
  readonly peers: PlanPeer[];
  readonly changes: readonly Change[];
}

export function* humanDeferred(plan: Plan, screen: Screen, fold: Fold): Generator<string> {
  const groups = waitingGroups(plan);
  if (groups.length === 0) return;
  const { paint } = screen;
  yield `${paint.bold(askedHeading(plan))}\n`;
  for (const { peers, changes } of groups) {
    yield* paragraph(title(peers, changes.length), screen, { indent: 2, hanging: 4 });
    for (const peer of peers) yield* reason(peer, peers.length > 1, screen);
    const shown = fold.perPeer === Infinity ? changes : changes.slice(0, SHOWN);
    for (const change of shown) {
      const mark = markOf(change);
      const removed = change.after === undefined ? '  removed here' : '';
      yield `    ${colorOf(mark, paint)(`${SYMBOLS[mark].padEnd(3)} ${display(change.path)}`)}${removed}\n`;
    }
    const rest = changes.slice(shown.length);
    if (rest.length > 0) {
      yield* paragraph(foldedLine(rest, '', fold), screen, { indent: 4, hanging: 4, paint: paint.dim });
    }
  }
  yield '\n';
}

function waitingGroups(plan: Plan): readonly Waiting[] {
  const waiting = Map.groupBy(plan.deferred, (change) => change.peer);
  const known = new Map(plan.peers.map((peer) => [peer.name, peer]));
  const silent = plan.peers.filter((peer) => peer.reachable === false && !waiting.has(peer.name));
  const groups: Waiting[] = [];
  for (const name of [...waiting.keys(), ...silent.map((peer) => peer.name)]) {
    const peer = known.get(name) ?? strangerOf(name);
    const changes = waiting.get(name) ?? [];
    const twin = groups.find(
      (group) =>
        group.changes.length === changes.length &&
        group.changes.every((change, index) => change.path === changes[index]?.path) &&
        factsOf(group.peers[0]) === factsOf(peer),
    );
    if (twin === undefined) groups.push({ peers: [peer], changes });
    else twin.peers.push(peer);
  }
  return groups;
}

function factsOf(peer: PlanPeer | undefined): string {
  return peer === undefined ? '' : describePeer(peer, { address: false });
}

/** `web5 (10.0.0.5, group web): 8 changes wait for it` */
function title(peers: readonly PlanPeer[], changes: number): string {
  const [only, ...others] = peers;
  if (only === undefined) return '';
  const them = others.length === 0 ? 'it' : 'each';
  const wait =
    changes === 0
      ? `nothing waits for ${them}`
      : `${plural(changes, 'change')} ${changes === 1 ? 'waits' : 'wait'} for ${them}`;
  const facts = describePeer(only, { address: others.length === 0 });
  return `${list(peers.map((peer) => display(peer.name)))}${facts === '' ? '' : ` (${facts})`}: ${wait}`;
}

function* reason(peer: PlanPeer, named: boolean, screen: Screen): Generator<string> {
  if (peer.problem === undefined) return;
  const name = named ? `${display(peer.name)}: ` : '';
  yield* paragraph(name + safe(peer.problem.summary), screen, { indent: 6 });
  if (peer.problem.hint !== undefined) yield* paragraph(safe(peer.problem.hint), screen, { indent: 6 });
}
