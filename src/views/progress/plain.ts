/**
 * Progress as plain lines, for logs. Each phase that takes longer than a second says so, then ever more rarely (after 2,
 * 4, 8, 16 and from then on every 30 seconds), and once more when it ends: never more than one line a second for a
 * phase, and a job that hangs is seen to hang.
 *
 *   csx: Scanning: 12,345 of about 33,042 files (2.0 s)
 *   csx: Scanned 33,042 files, 12 changed (4.2 s)
 *   csx: Applying: 1 of 3 peers done (8.0 s); web3: 12 of 60 changes, 1.2 MB of 6.9 MB
 */

import { display } from '../../model/names.js';
import type { PeerName } from '../../model/names.js';
import { count } from '../quantity.js';
import type { Output } from '../terminal.js';
import { isSettled, roundOf } from './state.js';
import type { PeerProgress, ProgressState } from './state.js';
import { actionsWords, elapsed, INTERRUPTED, lockWords, peersWords, peerWords, scanWords } from './words.js';

export interface PlainLines {
  /** Looks at the state and writes what is due. Called a few times a second. */
  readonly tick: () => void;
}

/** Peers named in a heartbeat. */
const NAMED = 3;
const FIRST = 1_000;
const LONGEST = 30_000;

interface Phase {
  readonly since: number;
  readonly done: boolean;
  readonly words: string;
}

/** When a phase speaks next. */
interface Pulse {
  readonly since: number;
  next: number;
  spoken: boolean;
  done: boolean;
}

export function plainLines(state: ProgressState, output: Output, now: () => number): PlainLines {
  const pulses = new Map<string, Pulse>();
  const unreachable = new Set<PeerName>();
  let interrupted = false;

  function tick(): void {
    const at = now();
    for (const [name, phase] of phases(state, at)) beat(name, phase, at);
    for (const peer of state.peers.values()) {
      if (peer.stage !== 'unreachable') unreachable.delete(peer.name);
      else if (!unreachable.has(peer.name)) {
        unreachable.add(peer.name);
        line(`${display(peer.name)} ${peerWords(peer, undefined)}`);
      }
    }
    if (state.interrupted && !interrupted) line(INTERRUPTED);
    interrupted = state.interrupted;
  }

  function beat(name: string, phase: Phase, at: number): void {
    let pulse = pulses.get(name);
    if (pulse?.since !== phase.since) {
      pulse = { since: phase.since, next: phase.since + FIRST, spoken: false, done: false };
      pulses.set(name, pulse);
    }
    if (phase.done) {
      if (!pulse.done && pulse.spoken) line(phase.words);
      pulse.done = true;
      return;
    }
    pulse.done = false;
    if (at < pulse.next) return;
    line(phase.words);
    pulse.spoken = true;
    pulse.next = at + Math.min(LONGEST, Math.max(FIRST, at - phase.since));
  }

  function line(text: string): void {
    void output.write(`csx: ${text}\n`);
  }

  return { tick };
}

function* phases(state: ProgressState, at: number): Generator<[string, Phase]> {
  if (state.lock !== undefined) {
    const { since } = state.lock;
    yield ['lock', { since, done: false, words: lockWords(state.lock) + elapsed(since, at) }];
  }
  if (state.scan !== undefined) {
    const { since, ended } = state.scan;
    yield ['scan', { since, done: ended !== undefined, words: scanWords(state.scan) + elapsed(since, ended ?? at) }];
  }
  const peers = roundOf(state);
  if (peers.length > 0) {
    const since = Math.min(...peers.map((peer) => peer.since));
    const done = peers.every(isSettled);
    const until = done ? Math.max(...peers.map((peer) => peer.ended ?? at)) : at;
    yield ['peers', { since, done, words: peersWords(peers) + elapsed(since, until) + busyPeers(peers) }];
  }
  if (state.running.size > 0) {
    const since = Math.min(...state.running.values());
    yield ['actions', { since, done: false, words: actionsWords(state) + elapsed(since, at) }];
  }
}

function busyPeers(peers: readonly PeerProgress[]): string {
  const busy = peers.filter((peer) => !isSettled(peer));
  const named = busy.slice(0, NAMED).map((peer) => `; ${display(peer.name)}: ${peerWords(peer, undefined)}`);
  const more = busy.length > NAMED ? `; ${count(busy.length - NAMED)} more under way` : '';
  return named.join('') + more;
}
