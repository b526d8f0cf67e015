/** A plan's changes as a reader wants them: by peer, equal peers together, destructive ones first, by directory. */

import { compareBytes, parentName } from '../model/names.js';
import type { FileName, PeerName } from '../model/names.js';
import { everyPaced } from '../model/paced.js';
import type { Paced } from '../model/paced.js';
import type { Change, Conflict, Plan, PlanPeer } from '../model/plan.js';
import { describeChange, describePeer, isDestructive, markOf } from './describe.js';

/** Peers for which exactly the same is to be done, and what. */
export interface PeerSection {
  readonly peers: readonly PlanPeer[];
  /** Of the first of them; the others' are alike. No-ops are left out. */
  readonly changes: readonly Change[];
  readonly noOp: number;
  readonly conflicts: readonly Conflict[];
}

export interface Directory<Item> {
  /** `/etc`, `%home%`, `/`. */
  readonly name: FileName;
  readonly items: readonly Item[];
}

/** What is to be done on the peers, in the order of the plan's peers. Peers with nothing to do are in it too. */
export function* sectionsOf(plan: Pick<Plan, 'peers' | 'changes' | 'conflicts'>): Paced<PeerSection[]> {
  const changes = Map.groupBy(plan.changes, (change) => change.peer);
  const conflicts = Map.groupBy(plan.conflicts, (conflict) => conflict.peer);
  const sections: { peers: PlanPeer[]; changes: Change[]; noOp: number; conflicts: readonly Conflict[] }[] = [];
  for (const peer of peersOf(plan, changes, conflicts)) {
    const all = changes.get(peer.name) ?? [];
    const doing = all.filter((change) => change.action !== 'no-op');
    const own = conflicts.get(peer.name) ?? [];
    const noOp = all.length - doing.length;
    let twin: (typeof sections)[number] | undefined;
    for (const section of sections) {
      const alike =
        own.length === 0 &&
        section.conflicts.length === 0 &&
        section.noOp === noOp &&
        section.changes.length === doing.length &&
        sameLink(section.peers[0], peer);
      if (alike && (yield* everyPaced(section.changes, (change, index) => sameChange(change, doing[index])))) {
        twin = section;
        break;
      }
    }
    if (twin === undefined) sections.push({ peers: [peer], changes: doing, noOp, conflicts: own });
    else twin.peers.push(peer);
  }
  return sections;
}

/** The plan's peers, and (never seen, but a plan may come from a file) names that only changes or conflicts mention. */
function peersOf(
  plan: Pick<Plan, 'peers'>,
  ...mentions: readonly ReadonlyMap<PeerName, unknown>[]
): readonly PlanPeer[] {
  const known = new Set(plan.peers.map((peer) => peer.name));
  const others = new Set(mentions.flatMap((map) => [...map.keys()]).filter((name) => !known.has(name)));
  return [...plan.peers, ...[...others].map(strangerOf)];
}

/** What is known of a peer that the plan's list does not hold: its name. */
export function strangerOf(name: PeerName): PlanPeer {
  return {
    name,
    address: undefined,
    groups: [],
    reachable: 'unknown',
    implementation: 'unknown',
    protocol: undefined,
    tls: 'unknown',
    problem: undefined,
  };
}

function sameLink(a: PlanPeer | undefined, b: PlanPeer): boolean {
  return (
    a !== undefined &&
    a.reachable === b.reachable &&
    describePeer(a, { address: false }) === describePeer(b, { address: false })
  );
}

function sameChange(a: Change, b: Change | undefined): boolean {
  if (b === undefined || a.path !== b.path || a.action !== b.action) return false;
  // The same new file for both: nothing to put into words.
  if (a.after === b.after && a.before === undefined && b.before === undefined && a.reason === b.reason) return true;
  // The words are compared, not the states: peers may differ in what nobody is told of.
  return markOf(a) === markOf(b) && describeChange(a, 'UTC') === describeChange(b, 'UTC');
}

/** By directory, both in the order of their bytes. */
export function byDirectory<Item>(items: readonly Item[], pathOf: (item: Item) => FileName): Directory<Item>[] {
  const directories = Map.groupBy(items, (item) => directoryOf(pathOf(item)));
  return [...directories]
    .sort(([a], [b]) => compareBytes(a, b))
    .map(([name, inside]) => ({
      name,
      items: inside.sort((a, b) => compareBytes(pathOf(a), pathOf(b))),
    }));
}

/** The changes in one directory: what destroys, and the rest. */
export interface ChangeDirectory {
  readonly name: FileName;
  readonly destructive: readonly Change[];
  readonly rest: readonly Change[];
}

/** By directory; those in which something is deleted or replaced come first. */
export function changeDirectories(changes: readonly Change[]): ChangeDirectory[] {
  const all = byDirectory(changes, (change) => change.path).map(({ name, items }) => ({
    name,
    destructive: items.filter((change) => isDestructive(markOf(change))),
    rest: items.filter((change) => !isDestructive(markOf(change))),
  }));
  return [
    ...all.filter((directory) => directory.destructive.length > 0),
    ...all.filter((directory) => directory.destructive.length === 0),
  ];
}

/** Where a file is listed: its directory; a root under itself. */
export function directoryOf(path: FileName): FileName {
  return parentName(path) ?? path;
}

/** The name within `directoryOf`. */
export function baseName(path: FileName): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 || path === '/' ? '.' : path.slice(slash + 1);
}

/** The nearest directory that holds all of them; undefined when they have none in common (`/etc` and `%home%`). */
export function commonDirectory(names: readonly FileName[]): FileName | undefined {
  let common = names[0];
  for (const name of names) {
    while (common !== undefined && !(name === common || name.startsWith(common === '/' ? '/' : `${common}/`))) {
      common = parentName(common);
    }
  }
  return common;
}
