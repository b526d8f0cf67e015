/** Peers that could not be asked: why, and how much waits for them. */

import { display } from '../../model/names.js';
import type { Plan } from '../../model/plan.js';
import { describePeer, markOf, SYMBOLS } from '../describe.js';
import { strangerOf } from '../group.js';
import { plural } from '../quantity.js';
import { askedHeading } from '../summary.js';
import type { Screen } from '../terminal.js';
import { wrap } from '../width.js';
import type { Fold } from './plan.js';
import { foldedLine } from './plan-changes.js';
import { paragraph } from './paragraph.js';
import { safe } from './problem.js';
import { colorOf } from './row.js';

/** Files named for each such peer. */
const SHOWN = 5;

export function* humanDeferred(plan: Plan, screen: Screen, fold: Fold): Generator<string> {
  const waiting = Map.groupBy(plan.deferred, (change) => change.peer);
  const unreachable = plan.peers.filter((peer) => peer.reachable === false && !waiting.has(peer.name));
  if (waiting.size === 0 && unreachable.length === 0) return;
  const { paint } = screen;
  yield `${paint.bold(askedHeading(plan))}\n`;
  const known = new Map(plan.peers.map((peer) => [peer.name, peer]));
  for (const name of [...waiting.keys(), ...unreachable.map((peer) => peer.name)]) {
    const peer = known.get(name) ?? strangerOf(name);
    const changes = waiting.get(name) ?? [];
    const facts = describePeer(peer, { address: true });
    const wait = changes.length === 0 ? 'nothing waits for it' : `${plural(changes.length, 'change')} wait for it`;
    const title = `${display(name)}${facts === '' ? '' : ` (${facts})`}: ${changes.length === 1 ? '1 change waits for it' : wait}`;
    for (const line of wrap(title, screen.width - 2)) yield `  ${line}\n`;
    if (peer.problem !== undefined) {
      const texts = [peer.problem.summary, ...(peer.problem.hint === undefined ? [] : [peer.problem.hint])];
      for (const text of texts) {
        for (const line of wrap(safe(text), screen.width - 6)) yield `      ${line}\n`;
      }
    }
    const shown = fold.perPeer === Infinity ? changes : changes.slice(0, SHOWN);
    for (const change of shown) {
      const mark = markOf(change);
      yield `    ${colorOf(mark, paint)(`${SYMBOLS[mark].padEnd(3)} ${display(change.path)}`)}\n`;
    }
    const rest = changes.slice(shown.length);
    if (rest.length > 0) {
      yield* paragraph(foldedLine(rest, '', fold), screen, { indent: 4, hanging: 4, paint: paint.dim });
    }
  }
  yield '\n';
}
