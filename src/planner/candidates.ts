/**
 * Which files each peer has to be asked about: the dirty rows that stand, and those a scan's findings would make.
 *
 * `plan` writes nothing, so drift is not in the `dirty` table yet. What recording it would mark (every drift, for every
 * peer of its file) is joined here with the rows that are there, into one candidate for each peer and file.
 */

import type { ActionRule, Group } from '../model/config.js';
import type { Problem } from '../model/errors.js';
import type { FileName, PeerName } from '../model/names.js';
import { compareBytes, display, isCanonical, isWithin } from '../model/names.js';
import { eachPaced } from '../model/paced.js';
import type { Paced } from '../model/paced.js';
import type { Drift, LocalState, RootFinding } from '../model/scan.js';
import type { DirtyRow } from '../model/store.js';

/** One peer of a file, with the groups that hold the file and both hosts. */
export interface Route {
  readonly peer: PeerName;
  /** This host's name toward the peer. */
  readonly me: PeerName;
  /** The group whose key and method count. */
  readonly group: Group;
  /** All of them, `group` among them. */
  readonly groups: readonly Group[];
  /** This host only receives here: the peer would refuse the file, and mark it so that this host gets it back. */
  readonly slave: boolean;
}

/** What the planner needs of config's Selection. */
export interface Membership {
  /** The hosts that share the file with this one. */
  peersOf(file: FileName): readonly Route[];
  /** The groups that hold the file, last declared first. */
  groupsOf(file: FileName): readonly Group[];
  /** The group's actions whose patterns match the file. */
  actionRules(file: FileName, group: Group): readonly ActionRule[];
}

/** One file to be sent to one peer, as far as this host knows. */
export interface Candidate extends Route {
  readonly file: FileName;
  /**
   * Marked by the scan or by a row; or brought in because a directory is missing on the peer (parents.ts), or because the file is in
   * conflict with other peers and is settled for everybody (settle.ts).
   */
  readonly origin: 'marked' | 'missing-parent' | 'settlement';
  readonly forced: boolean;
  /** What stands on this host's disk; undefined: nothing. */
  readonly local: LocalState | undefined;
  /** What the scan found of it; undefined: the `file` table knows its state already. */
  readonly drift: Drift | undefined;
  /** Its row; undefined: not marked yet. */
  readonly dirty: DirtyRow | undefined;
}

export interface CandidateInputs {
  readonly drift: readonly Drift[];
  readonly dirty: readonly DirtyRow[];
  readonly roots: readonly RootFinding[];
  readonly membership: Membership;
  /** The disk's state of a file that has a row but no drift: `unreadable` when it could not be looked at. */
  readonly local: (file: FileName) => LocalState | 'unreadable' | undefined;
  /** Names of all hosts the configuration shares a group with, whatever the run is limited to. */
  readonly knownPeers: ReadonlySet<PeerName>;
  /** Limits the run to these peers (`-P`); undefined: all. */
  readonly peers: ReadonlySet<PeerName> | undefined;
  /** The membership was limited to some groups (`-G`), so a row it does not know may be in order. */
  readonly limitedGroups: boolean;
}

export interface Candidates {
  /** For each peer, in the order of names, its files in the order of their bytes. Peers without any are left out. */
  readonly byPeer: ReadonlyMap<PeerName, readonly Candidate[]>;
  /** Rows that are not sent, and why. */
  readonly diagnostics: readonly Problem[];
}

/**
 * Joins drift and dirty rows.
 *
 * Every row in the run's scope ends as a candidate or is counted in a diagnostic. Drift that concerns no peer (a socket)
 * leaves no trace here.
 */
export function* findCandidates(inputs: CandidateInputs): Paced<Candidates> {
  const drift = new Map(inputs.drift.map((each) => [each.file, each]));
  const wanted = (peer: PeerName): boolean => inputs.peers === undefined || inputs.peers.has(peer);
  const heldBack = (file: FileName, local: LocalState | undefined): boolean =>
    local === undefined && inputs.roots.some((root) => isWithin(file, root.file));
  const found = new Map<PeerName, Map<FileName, Candidate>>();
  const rejected = new Rejections();

  const put = (candidate: Candidate): void => {
    let files = found.get(candidate.peer);
    if (files === undefined) found.set(candidate.peer, (files = new Map<FileName, Candidate>()));
    files.set(candidate.file, candidate);
  };

  yield* eachPaced(drift.values(), (each) => {
    if (each.after?.entry.type === 'socket' || heldBack(each.file, each.after)) return;
    for (const route of inputs.membership.peersOf(each.file)) {
      if (!wanted(route.peer)) continue;
      // Even asking would change the peer: its answer to a slave's SIG is to mark the file.
      if (route.slave) rejected.add('slave', { peer: route.peer, file: each.file });
      else
        put({
          ...route,
          file: each.file,
          origin: 'marked',
          forced: false,
          local: each.after,
          drift: each,
          dirty: undefined,
        });
    }
  });

  yield* eachPaced(inputs.dirty, (row) => {
    if (!wanted(row.peer)) return;
    const joined = found.get(row.peer)?.get(row.file);
    if (joined !== undefined) {
      put({ ...joined, forced: row.forced, dirty: row });
      return;
    }
    if (!isCanonical(row.file)) {
      rejected.add('damaged', row);
      return;
    }
    if (!inputs.knownPeers.has(row.peer)) {
      rejected.add('unknown-peer', row);
      return;
    }
    const route = inputs.membership.peersOf(row.file).find((each) => each.peer === row.peer);
    if (route === undefined) {
      if (!inputs.limitedGroups) rejected.add('outside', row);
      return;
    }
    if (route.slave) {
      rejected.add('slave', row);
      return;
    }
    const found_ = drift.get(row.file);
    const local = found_ === undefined ? inputs.local(row.file) : found_.after;
    if (local === 'unreadable') rejected.add('unreadable', row);
    else if (heldBack(row.file, local)) rejected.add('held-back', row);
    else put({ ...route, file: row.file, origin: 'marked', forced: row.forced, local, drift: found_, dirty: row });
  });

  const byPeer = new Map<PeerName, readonly Candidate[]>();
  for (const peer of [...found.keys()].sort(compareBytes)) {
    const files = [...(found.get(peer)?.values() ?? [])];
    byPeer.set(
      peer,
      files.sort((a, b) => compareBytes(a.file, b.file)),
    );
  }
  return { byPeer, diagnostics: rejected.problems() };
}

/** Whether the peer has to be asked: a socket is never sent, so the answer would change nothing. */
export function mustAsk(candidate: Candidate): boolean {
  return candidate.local?.entry.type !== 'socket';
}

type Rejection = 'damaged' | 'unknown-peer' | 'outside' | 'slave' | 'unreadable' | 'held-back';

/** Rows that are not sent, gathered so that a whole tree taken out of a group makes one sentence for each peer. */
class Rejections {
  private readonly files = new Map<string, Set<FileName>>();

  add(why: Rejection, row: Pick<DirtyRow, 'peer' | 'file'>): void {
    const key = `${why}\0${row.peer}`;
    const files = this.files.get(key);
    if (files === undefined) this.files.set(key, new Set([row.file]));
    else files.add(row.file);
  }

  problems(): readonly Problem[] {
    return [...this.files.keys()].sort(compareBytes).map((key) => {
      const [why, peer] = key.split('\0') as [Rejection, PeerName];
      return describeRejection(why, peer, [...(this.files.get(key) ?? [])].sort(compareBytes));
    });
  }
}

function describeRejection(why: Rejection, peer: PeerName, files: readonly FileName[]): Problem {
  const subject = files.length === 1 ? '1 file is' : `${files.length} files are`;
  const host = display(peer);
  const rows = `${subject} marked for ${host}`;
  const clean = '`csx db clean` removes such rows.';
  const common = { peer, path: files.length === 1 && files[0] !== undefined ? display(files[0]) : undefined };
  switch (why) {
    case 'damaged':
      return {
        ...common,
        severity: 'warning',
        code: 'STATE_CORRUPT',
        summary: `${rows}, but the database names what can be no file: ${list(files)}.`,
        hint: clean,
      };
    case 'unknown-peer':
      return {
        ...common,
        severity: 'warning',
        code: 'PATH_OUTSIDE',
        summary: `${rows}, but no group of this host has a host of that name any more: ${list(files)}.`,
        hint: clean,
      };
    case 'outside':
      return {
        ...common,
        severity: 'warning',
        code: 'PATH_OUTSIDE',
        summary: `${rows}, but this host sends nothing of that name to it any more: ${list(files)}.`,
        hint: `${clean} \`csx explain PATH\` shows which statement leaves a file out.`,
      };
    case 'slave':
      return {
        ...common,
        severity: 'warning',
        code: 'PEER_REFUSED',
        summary: `${files.length === 1 ? '1 file' : `${files.length} files`} changed here where this host is a slave, so ${host} gets nothing of it: ${list(files)}.`,
        hint: `Make the change on a host that is no slave. The next update from ${host} overwrites what is here.`,
      };
    case 'unreadable':
      return {
        ...common,
        severity: 'error',
        code: 'READ_FAILED',
        summary: `${rows}, but cannot be read here: ${list(files)}.`,
        hint: 'Make them readable, then plan again: they stay marked.',
      };
    case 'held-back':
      return {
        ...common,
        severity: 'warning',
        code: 'CHECK_FAILED',
        summary: `${rows} as removed, but the tree they were in is gone as a whole: ${list(files)}.`,
        hint: 'Mount or restore the tree, then plan again: they stay marked.',
      };
  }
}

/** The first few names, and how many more there are. */
function list(files: readonly FileName[]): string {
  const shown = files.slice(0, 3).map(display).join(', ');
  return files.length > 3 ? `${shown} and ${files.length - 3} more` : shown;
}
