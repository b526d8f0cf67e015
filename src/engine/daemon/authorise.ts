/** Column P of the protocol table: whether a client may touch a file with a key (promise 11). Everything not allowed is refused. */

import { createHash, timingSafeEqual } from 'node:crypto';
import type { Selection } from '../../config/selection.js';
import type { Group } from '../../model/config.js';
import type { DiskPath, FileName, PeerName } from '../../model/names.js';
import { isCanonical, isReserved } from '../../model/names.js';

export type Verdict =
  | {
      readonly kind: 'allowed';
      readonly disk: DiskPath;
      /** The groups with that key that hold the file and list the client, not as a slave. Never empty. */
      readonly groups: readonly Group[];
    }
  | { readonly kind: 'denied' }
  /** The client is a slave in every group that would allow it: it may not write. */
  | { readonly kind: 'slave' };

/** `compare`: compare patterns count as includes (TYPE). */
export function authorise(
  selection: Selection,
  client: PeerName,
  key: string,
  file: FileName,
  compare = false,
): Verdict {
  return authoriser(selection, client, key, compare)(file);
}

/** The same for many files of one command: what keys and hosts say of a set of groups is asked once. */
export function authoriser(
  selection: Selection,
  client: PeerName,
  key: string,
  compare = false,
): (file: FileName) => Verdict {
  const known = new Map<readonly Group[], readonly Group[] | 'denied' | 'slave'>();
  const opens = opensGroup(key);
  const judge = (holding: readonly Group[]): readonly Group[] | 'denied' | 'slave' => {
    const listing = holding.filter((group) => opens(group) && roleIn(group, client) !== undefined);
    if (listing.length === 0) return 'denied';
    const groups = listing.filter((group) => roleIn(group, client) === 'member');
    return groups.length === 0 ? 'slave' : groups;
  };
  return (file) => {
    if (!isCanonical(file) || isReserved(file)) return { kind: 'denied' };
    const holding = compare ? selection.comparedGroupsOf(file) : selection.groupsOf(file);
    const judged = known.get(holding) ?? judge(holding);
    known.set(holding, judged);
    return typeof judged === 'string'
      ? { kind: judged }
      : { kind: 'allowed', disk: selection.toDisk(file), groups: judged };
  };
}

/** What the client is in the group; undefined: nothing. */
export function roleIn(group: Group, client: PeerName): 'member' | 'slave' | undefined {
  const member = group.members.find(({ self, name }) => !self && name === client);
  if (member === undefined) return undefined;
  return member.slave ? 'slave' : 'member';
}

/** Which groups a key opens. Keys are compared in a time that does not depend on where they differ, nor on their lengths. */
export function opensGroup(key: string): (group: Group) => boolean {
  const told = sha256(key);
  return ({ key: expected }) => {
    let digest = digests.get(expected);
    if (digest === undefined) {
      digest = sha256(expected.secret());
      digests.set(expected, digest);
    }
    return timingSafeEqual(digest, told);
  };
}

/** Of the groups' keys: each is asked for with every command. */
const digests = new WeakMap<Group['key'], Buffer>();

function sha256(text: string): Buffer {
  return createHash('sha256').update(text, 'latin1').digest();
}
