/**
 * What a group's auto method makes of a conflict, in the sender's role (reference/behaviour.md, Conflicts).
 *
 *   none            nobody wins
 *   first           the sender
 *   younger, older  the sender when its mtime is larger / not larger than the peer's
 *   bigger, smaller the sender when its size is larger / not larger
 *   left, right     the sender when the peer is not left / not right of it in the host list
 *   slave peer      the sender, whatever the method
 *
 * For younger, older, bigger and smaller a file that was removed on the peer counts as won, and a removal here never wins. Times and sizes
 * are those of lstat(2), for directories and links too, though no check text tells them.
 */

import type { AutoMethod, Group } from '../model/config.js';
import type { Entry } from '../model/entry.js';
import type { PeerName } from '../model/names.js';
import type { Weights } from '../model/plan.js';

export interface Verdict {
  readonly winner: 'local' | 'peer' | 'none';
  /** Half a sentence, after "auto METHOD: " or for itself. */
  readonly because: string;
  /** Beyond decision: a slave's version is never taken, and who forced a file has decided already. */
  readonly firm?: true;
}

/**
 * @param local undefined: removed here
 * @param remote undefined: removed there
 * @param weights what the method weighs, where the entries do not tell it
 */
export function judge(
  group: Group,
  peer: PeerName,
  local: Entry | undefined,
  remote: Entry | undefined,
  weights?: Weights,
): Verdict {
  const members = group.members;
  const there = members.findIndex((member) => member.name === peer && !member.self);
  const here = members.findIndex((member) => member.self);
  if (members[there]?.slave === true && !group.slave)
    return { winner: 'local', because: 'the peer is a slave of the group', firm: true };
  switch (group.auto) {
    case 'none':
      return { winner: 'none', because: 'the group has no auto method' };
    case 'first':
      return won('auto first: who sends first wins');
    case 'left':
      return there < here
        ? lost('auto left: the peer stands left of this host')
        : won('auto left: this host stands left');
    case 'right':
      return there > here
        ? lost('auto right: the peer stands right of this host')
        : won('auto right: this host stands right');
    case 'younger':
    case 'older':
    case 'bigger':
    case 'smaller':
      return weigh(group.auto, local, remote, weights);
  }
}

type WeighingMethod = Extract<AutoMethod, 'younger' | 'older' | 'bigger' | 'smaller'>;

/** What the method weighs; undefined: nothing. */
export function weighed(method: WeighingMethod): 'time' | 'size';
export function weighed(method: AutoMethod): 'time' | 'size' | undefined;
export function weighed(method: AutoMethod): 'time' | 'size' | undefined {
  switch (method) {
    case 'younger':
    case 'older':
      return 'time';
    case 'bigger':
    case 'smaller':
      return 'size';
    case 'none':
    case 'first':
    case 'left':
    case 'right':
      return undefined;
  }
}

/** What the entry tells of its weight: seconds or bytes; undefined: nothing. */
export function weightOf(what: 'time' | 'size', entry: Entry): number | undefined {
  return what === 'time' ? entry.mtime : sizeOf(entry);
}

/** One host's version, as the method compares it. */
export interface Holder {
  readonly peer: PeerName;
  /** Undefined: removed there. */
  readonly entry: Entry | undefined;
  /** What the method weighs, where the entry does not tell it. */
  readonly weight: number | undefined;
}

/** Whether the method prefers the version of one peer to that of another; undefined: it does not say. */
export function better(group: Group, a: Holder, b: Holder): boolean | undefined {
  const place = ({ peer }: Holder): number => group.members.findIndex((member) => member.name === peer && !member.self);
  switch (group.auto) {
    case 'none':
    case 'first':
      return undefined;
    case 'left':
      return place(a) < place(b);
    case 'right':
      return place(a) > place(b);
    case 'younger':
    case 'bigger':
      return outdoes(group.auto, a, b);
    case 'older':
    case 'smaller': {
      // As for the sender: not being larger is enough.
      const larger = outdoes(group.auto, a, b);
      return larger === undefined ? undefined : !larger && outdoes(group.auto, b, a) === true;
    }
  }
}

function outdoes(method: WeighingMethod, a: Holder, b: Holder): boolean | undefined {
  if (a.entry === undefined || b.entry === undefined) return undefined;
  const what = weighed(method);
  const mine = weightOf(what, a.entry) ?? a.weight;
  const theirs = weightOf(what, b.entry) ?? b.weight;
  return mine === undefined || theirs === undefined ? undefined : mine > theirs;
}

function weigh(
  method: WeighingMethod,
  local: Entry | undefined,
  remote: Entry | undefined,
  weights: Weights | undefined,
): Verdict {
  if (local === undefined) return lost(`auto ${method}: a removal never wins`);
  if (remote === undefined) return won(`auto ${method}: it was removed on the peer`);
  const what = weighed(method);
  const mine = weights?.here ?? weightOf(what, local);
  const theirs = weights?.there ?? weightOf(what, remote);
  // The peer did not say: guessing would overwrite by accident.
  if (mine === undefined || theirs === undefined) {
    return { winner: 'none', because: `auto ${method}: the ${what} is not known on both sides` };
  }
  const larger = mine > theirs;
  const wins = method === 'younger' || method === 'bigger' ? larger : !larger;
  return wins
    ? won(`auto ${method}: this host's version is ${method}`)
    : lost(`auto ${method}: this host's version is not ${method}`);
}

/** What lstat gives as the size, where it means the same on every file system. */
function sizeOf(entry: Entry): number | undefined {
  switch (entry.type) {
    case 'file':
      return entry.size;
    case 'link':
      return entry.target === undefined || entry.target === '' ? undefined : entry.target.length;
    case 'directory':
      return undefined;
    case 'fifo':
    case 'character-device':
    case 'block-device':
    case 'socket':
      return 0;
  }
}

function won(because: string): Verdict {
  return { winner: 'local', because };
}

function lost(because: string): Verdict {
  return { winner: 'peer', because };
}
