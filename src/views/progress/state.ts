/**
 * How far the work is: what the events so far add up to. Events may come a hundred thousand a second, so that taking one
 * in costs next to nothing; a display looks at the state when it draws.
 */

import type { Event } from '../../model/events.js';
import type { Problem } from '../../model/errors.js';
import type { FileName, PeerName } from '../../model/names.js';
import type { ActionInvocation } from '../../model/plan.js';
import type { LockOwner } from '../../model/store.js';

/** Times are milliseconds of the clock the state was made with. */
export interface ProgressState {
  lock: { readonly owner: LockOwner; readonly since: number } | undefined;
  scan: ScanProgress | undefined;
  /** In the order in which they were first heard of. */
  readonly peers: Map<PeerName, PeerProgress>;
  /** Commands that run now. */
  readonly running: Map<ActionInvocation, number>;
  actionsDone: number;
  actionsFailed: number;
  problems: number;
  interrupted: boolean;
}

export interface ScanProgress {
  readonly since: number;
  ended: number | undefined;
  /** Files in the database: about how many there will be. */
  readonly known: number;
  entries: number;
  drift: number;
  at: FileName | undefined;
}

export interface PeerProgress {
  readonly name: PeerName;
  /** When the present round (asking, applying) began. */
  since: number;
  ended: number | undefined;
  stage: 'connecting' | 'connected' | 'asking' | 'asked' | 'applying' | 'applied' | 'unreachable';
  /** Its changes are being made: each connection that is made meanwhile, and there may be several, goes on with them. */
  applying: boolean;
  address: string | undefined;
  problem: Problem | undefined;
  /** Files to ask about, and asked. */
  files: number;
  asked: number;
  /** Changes to make, and made or given up. */
  changes: number;
  done: number;
  failed: number;
  skipped: number;
  /** Bytes of content to send at most, and sent with finished changes. */
  bytes: number;
  sent: number;
  /** Bytes sent of the files under way. */
  readonly sending: Map<FileName, number>;
  /** The file last heard of. */
  at: FileName | undefined;
}

export function newProgress(): ProgressState {
  return {
    lock: undefined,
    scan: undefined,
    peers: new Map(),
    running: new Map(),
    actionsDone: 0,
    actionsFailed: 0,
    problems: 0,
    interrupted: false,
  };
}

/** Takes an event in. `now` in milliseconds. */
export function take(state: ProgressState, event: Event, now: number): void {
  if (event.type !== 'lock_waiting' && event.type !== 'interrupt') state.lock = undefined;
  switch (event.type) {
    case 'lock_waiting':
      state.lock = { owner: event.owner, since: state.lock?.since ?? now };
      return;
    case 'scan_start':
      state.scan = { since: now, ended: undefined, known: event.known, entries: 0, drift: 0, at: undefined };
      return;
    case 'scan_progress':
      if (state.scan === undefined) return;
      state.scan.entries = event.entries;
      state.scan.at = event.at;
      return;
    case 'scan_complete':
      state.scan ??= { since: now, ended: undefined, known: 0, entries: 0, drift: 0, at: undefined };
      state.scan.entries = event.entries;
      state.scan.drift = event.drift;
      state.scan.ended = now;
      return;
    case 'action_start':
      state.running.set(event.action, now);
      return;
    case 'action_complete':
      state.running.delete(event.action);
      state.actionsDone += 1;
      return;
    case 'action_errored':
      state.running.delete(event.action);
      state.actionsFailed += 1;
      return;
    case 'problem':
      state.problems += 1;
      return;
    case 'interrupt':
      state.interrupted = true;
      return;
    case 'conflict_detected':
    case 'conflict_resolved':
      return;
    case 'peer_connecting':
    case 'peer_connected':
    case 'peer_unreachable':
    case 'refresh_start':
    case 'refresh_progress':
    case 'refresh_complete':
    case 'apply_start':
    case 'change_start':
    case 'apply_progress':
    case 'change_complete':
    case 'change_skipped':
    case 'change_errored':
    case 'apply_complete':
      takeForPeer(peerOf(state, event.peer, now), event, now);
      return;
  }
}

type PeerEvent = Extract<Event, { readonly peer: PeerName }>;

function takeForPeer(peer: PeerProgress, event: PeerEvent, now: number): void {
  switch (event.type) {
    case 'peer_connecting':
      peer.stage = 'connecting';
      peer.address = event.address;
      reopen(peer, now);
      return;
    case 'peer_connected':
      peer.stage = peer.applying ? 'applying' : 'connected';
      return;
    case 'peer_unreachable':
      peer.stage = 'unreachable';
      peer.problem = event.problem;
      peer.ended = now;
      return;
    case 'refresh_start':
      peer.stage = 'asking';
      peer.files = event.files;
      peer.asked = 0;
      reopen(peer, now);
      return;
    case 'refresh_progress':
      peer.asked = event.files;
      return;
    case 'refresh_complete':
      peer.stage = 'asked';
      peer.asked = event.files;
      peer.ended = now;
      return;
    case 'apply_start':
      peer.stage = 'applying';
      peer.applying = true;
      peer.changes = event.changes;
      peer.bytes = event.bytes;
      peer.done = peer.failed = peer.skipped = peer.sent = 0;
      peer.sending.clear();
      reopen(peer, now);
      return;
    case 'change_start':
      peer.at = event.path;
      return;
    case 'apply_progress':
      peer.at = event.path;
      peer.sending.set(event.path, event.bytes);
      return;
    case 'change_complete':
      peer.sending.delete(event.path);
      peer.sent += event.bytes;
      peer.done += 1;
      return;
    case 'change_skipped':
      peer.sending.delete(event.path);
      peer.skipped += 1;
      return;
    case 'change_errored':
      peer.sending.delete(event.path);
      peer.failed += 1;
      return;
    case 'apply_complete':
      // Why it was not reached is worth more than how much was done before.
      if (peer.stage !== 'unreachable') peer.stage = 'applied';
      peer.applying = false;
      peer.changes = event.changes;
      peer.sent = event.bytes;
      peer.sending.clear();
      peer.ended = now;
      return;
  }
}

/** A peer that was done has more to do: its clock starts anew, so that no prompt in between counts. */
function reopen(peer: PeerProgress, now: number): void {
  if (peer.ended !== undefined) peer.since = now;
  peer.ended = undefined;
}

function peerOf(state: ProgressState, name: PeerName, now: number): PeerProgress {
  let peer = state.peers.get(name);
  if (peer === undefined) {
    peer = {
      name,
      since: now,
      ended: undefined,
      stage: 'connecting',
      applying: false,
      address: undefined,
      problem: undefined,
      files: 0,
      asked: 0,
      changes: 0,
      done: 0,
      failed: 0,
      skipped: 0,
      bytes: 0,
      sent: 0,
      sending: new Map(),
      at: undefined,
    };
    state.peers.set(name, peer);
  }
  return peer;
}

/** Bytes of content that have gone to the peer. */
export function sentTo(peer: PeerProgress): number {
  let sent = peer.sent;
  for (const bytes of peer.sending.values()) sent += bytes;
  return sent;
}

/**
 * The peers of the present round: while anything is applied, those that were asked and have nothing to apply (or not
 * yet) do not count.
 */
export function roundOf(state: ProgressState): readonly PeerProgress[] {
  const peers = [...state.peers.values()];
  return isApplying(peers) ? peers.filter((peer) => peer.stage !== 'asked') : peers;
}

/** The round is that of changes, not of questions. */
export function isApplying(peers: readonly PeerProgress[]): boolean {
  return peers.some((peer) => peer.applying || peer.stage === 'applied');
}

/** Nothing more is going on with it at present. */
export function isSettled(peer: PeerProgress): boolean {
  return peer.ended !== undefined;
}
