/**
 * Directories that are missing on a peer.
 *
 * `Parent dir missing.` says only that some directory above a file is not there. csync2's client then marks the parent, and all it
 * knows below it, and starts over. Here the same is found before anything is sent: first the ancestors are asked about
 * (`ancestorsToAsk`), then everything known below the topmost missing one joins the plan (`missingTrees`), since a
 * directory that is gone there took all of it along. A file or link that stands there in the place of a directory is the same case.
 */

import type { FileName, PeerName } from '../model/names.js';
import { compareBytes, parentName } from '../model/names.js';
import type { RemoteState } from '../model/plan.js';
import type { LocalState } from '../model/scan.js';
import type { Candidate, Membership } from './candidates.js';

/**
 * The ancestors of files that were answered `parent-missing` or `behind-link` which have to be asked about next, in the order of bytes.
 * All of them in one go: the answers are pipelined, a round trip is dearer than a question.
 * @param states the peer's answers so far
 * @param belongs whether a name lies in a group with this peer (others may not be asked: `Permission denied!`)
 */
export function ancestorsToAsk(
  states: ReadonlyMap<FileName, RemoteState>,
  belongs: (file: FileName) => boolean,
): readonly FileName[] {
  const ask = new Set<FileName>();
  const seen = new Set<FileName>();
  for (const [file, state] of states) {
    if (state.kind !== 'parent-missing' && state.kind !== 'behind-link') continue;
    for (let above = parentName(file); above !== undefined && !seen.has(above); above = parentName(above)) {
      seen.add(above);
      if (!states.has(above) && belongs(above)) ask.add(above);
    }
  }
  return [...ask].sort(compareBytes);
}

/**
 * The topmost missing directories, once all ancestors were asked: what is known below them has to be sent too. None lies
 * within another.
 */
export function missingTrees(states: ReadonlyMap<FileName, RemoteState>): readonly FileName[] {
  const needed = new Set<FileName>();
  for (const [file, state] of states) {
    if (state.kind !== 'parent-missing' && state.kind !== 'behind-link') continue;
    for (let above = parentName(file); above !== undefined && !needed.has(above); above = parentName(above)) {
      const there = states.get(above);
      if (there === undefined || isDirectory(there) || there.kind === 'refused' || there.kind === 'failed') break;
      needed.add(above);
    }
  }
  // A chain of missing directories has no gaps, so the topmost of it is the one whose parent is not missing.
  return [...needed]
    .filter((name) => {
      const above = parentName(name);
      return above === undefined || !needed.has(above);
    })
    .sort(compareBytes);
}

/** A directory stands there. */
export function isDirectory(there: RemoteState): boolean {
  return there.kind === 'present' && there.state.entry.type === 'directory';
}

/**
 * Directories there that are to go, for good or for something else: what the peer has below them, and this host does not know, has to be
 * decided about first. Only the peer's database tells of it (LIST).
 */
export function directoriesToGo(
  candidates: readonly Candidate[],
  states: ReadonlyMap<FileName, RemoteState>,
): readonly FileName[] {
  return candidates
    .filter(({ file, local }) => {
      const there = states.get(file);
      return there !== undefined && isDirectory(there) && local?.entry.type !== 'directory';
    })
    .map(({ file }) => file);
}

/**
 * Candidates for ancestors to ask about and for files below missing trees. Names that are candidates already, that have
 * no route to the peer, or that do not stand on this host's disk are left out.
 */
export function joinMissing(
  peer: PeerName,
  files: Iterable<FileName>,
  known: ReadonlySet<FileName>,
  membership: Membership,
  local: (file: FileName) => LocalState | 'unreadable' | undefined,
): readonly Candidate[] {
  const joined: Candidate[] = [];
  for (const file of files) {
    if (known.has(file)) continue;
    const route = membership.peersOf(file).find((each) => each.peer === peer);
    const state = route && local(file);
    if (
      route === undefined ||
      route.slave ||
      state === undefined ||
      state === 'unreadable' ||
      state.entry.type === 'socket'
    )
      continue;
    joined.push({
      ...route,
      file,
      origin: 'missing-parent',
      forced: false,
      local: state,
      drift: undefined,
      dirty: undefined,
    });
  }
  return joined;
}
