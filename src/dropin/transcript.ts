/**
 * What an update says of its peers. They are served side by side, but told of one after the other, in csync2's order: who is first
 * is told of as it happens, the others when their turn comes.
 */

import { storedName } from '../model/encoding.js';
import { compareBytes } from '../model/names.js';
import type { FileName, PeerName } from '../model/names.js';
import type { Change } from '../model/plan.js';
import type { Voice } from './voice.js';

type Line = readonly [level: number, text: string];

export class Transcript {
  readonly #voice: Voice;
  readonly #order: PeerName[];
  readonly #waiting = new Map<PeerName, Line[]>();

  constructor(voice: Voice, peers: readonly PeerName[]) {
    this.#voice = voice;
    this.#order = [...peers];
  }

  say(peer: PeerName, level: number, text: string): void {
    if (this.#order[0] === peer || !this.#order.includes(peer)) {
      this.#voice.say(level, text);
      return;
    }
    const lines = this.#waiting.get(peer);
    if (lines === undefined) this.#waiting.set(peer, [[level, text]]);
    else lines.push([level, text]);
  }

  /** Everything about the peer has been said. */
  done(peer: PeerName): void {
    const first = this.#order[0] === peer;
    if (!first) {
      this.#waiting.get(peer)?.push(END);
      if (!this.#waiting.has(peer)) this.#waiting.set(peer, [END]);
      return;
    }
    this.#order.shift();
    for (let next = this.#order[0]; next !== undefined; next = this.#order[0]) {
      const lines = this.#waiting.get(next) ?? [];
      this.#waiting.delete(next);
      for (const line of lines) if (line !== END) this.#voice.say(...line);
      if (!lines.includes(END)) return;
      this.#order.shift();
    }
  }
}

const END: Line = [0, ''];

/** One peer's changes, told in the order of the plan though many are under way at a time. */
export class ChangeLines {
  readonly #say: (level: number, text: string) => void;
  readonly #queue: Change[];
  readonly #started = new Set<string>();
  readonly #ended = new Map<string, readonly Line[]>();
  #told = false;

  /** @param changes in the order in which they are carried out */
  constructor(changes: readonly Change[], say: (level: number, text: string) => void) {
    this.#queue = [...changes];
    this.#say = say;
  }

  start(path: string): void {
    this.#started.add(path);
    this.#advance();
  }

  end(path: string, lines: readonly Line[]): void {
    this.#ended.set(path, lines);
    this.#advance();
  }

  #advance(): void {
    for (let change = this.#queue[0]; change !== undefined; change = this.#queue[0]) {
      const ended = this.#ended.get(change.path);
      if (ended === undefined && !this.#started.has(change.path)) return;
      if (!this.#told) this.#say(1, headline(change, change.after === undefined));
      this.#told = true;
      if (ended === undefined) return;
      for (const line of ended) this.#say(...line);
      this.#queue.shift();
      this.#told = false;
    }
  }
}

/** csync2 announces what it is about to do in one of two sentences. */
export function headline(change: Pick<Change, 'path' | 'peer'>, removed: boolean): string {
  return `${removed ? 'Deleting' : 'Updating'} ${change.path} on ${change.peer} ...`;
}

/** Removals first, backwards, so that a directory follows what is in it; then the rest by stored name. */
export function inCsync2Order<T extends { readonly path: FileName }>(
  items: readonly T[],
  isRemoval: (item: T) => boolean,
): readonly T[] {
  const sorted = items
    .map((item) => ({ item, stored: storedName(item.path) }))
    .sort((a, b) => compareBytes(a.stored, b.stored))
    .map(({ item }) => item);
  return [...sorted.filter(isRemoval).reverse(), ...sorted.filter((item) => !isRemoval(item))];
}
