/** Where this host stands toward its peers, read from the state alone. */

import type { Selection } from '../../config/selection.js';
import type { Config } from '../../model/config.js';
import type { PeerName } from '../../model/names.js';
import type { PeerStatus, PendingConflict, Status } from '../../model/status.js';
import { NO_STANDING, readStanding } from '../../model/standing.js';
import type { Standing } from '../../model/standing.js';
import type { DirtyRow, Store } from '../../model/store.js';

export interface StatusRequest {
  readonly config: Config;
  readonly chosen: Selection;
  readonly store: Store;
  /** Unix milliseconds. */
  readonly now: number;
}

const FIRST = 5;

export async function readStatus({ config, chosen, store, now }: StatusRequest): Promise<Status> {
  const names = chosen.peers();
  const rows = (await store.dirty()).filter((row) => names.includes(row.peer));
  const [run] = await store.runs(1);
  const standing = run === undefined ? NO_STANDING : readStanding(run.summary);
  const conflicts = rows.flatMap(pendingConflict);
  return {
    host: config.host,
    now,
    location: store.location,
    known: await store.countFiles(),
    hints: (await store.hints()).length,
    drift: undefined,
    peers: names.map((name) => peerStatus(name, rows, conflicts, chosen, standing)),
    conflicts,
    actions: await store.actions(),
    actionRuns: await store.actionRuns(),
    lastRun: run && { id: run.id, startedAt: run.startedAt, finishedAt: run.finishedAt, exitStatus: run.exitStatus },
    lastSuccess: standing.succeededAt,
    problems: [],
  };
}

function peerStatus(
  name: PeerName,
  rows: readonly DirtyRow[],
  conflicts: readonly PendingConflict[],
  chosen: Selection,
  standing: Standing,
): PeerStatus {
  const contact = standing.contacts.find((each) => each.peer === name);
  const groups = chosen.groups.filter((group) => group.members.some((member) => member.name === name));
  const waiting = rows.filter((row) => row.peer === name);
  const ages = waiting.flatMap((row) => row.since ?? []);
  return {
    name,
    address: undefined,
    groups: groups.map((group) => group.name).reverse(),
    slave: groups.every((group) => group.members.some((member) => member.name === name && member.slave)),
    waiting: waiting.length,
    forced: waiting.filter((row) => row.forced).length,
    oldest: ages.length === 0 ? undefined : ages.reduce((least, each) => Math.min(least, each)),
    first: waiting.slice(0, FIRST).map((row) => row.file),
    reachable: contact?.reached ?? 'unknown',
    asked: contact?.at,
    since: contact?.since,
    conflicts: conflicts.filter(({ peer }) => peer === name).length,
    problem: contact?.problem,
    lastSuccess: contact?.succeededAt,
  };
}

function pendingConflict({ peer, file, forced, refused, foreseen }: DirtyRow): readonly PendingConflict[] {
  if (forced) return [];
  if (refused !== undefined) {
    return [{ peer, path: file, seen: refused, because: `${peer} refused it: it was changed there too.` }];
  }
  if (foreseen === undefined) return [];
  return [{ peer, path: file, seen: foreseen, because: `${peer} is going to refuse it: it was changed there too.` }];
}
