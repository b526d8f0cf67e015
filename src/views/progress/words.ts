/** The state of the work in words, the same for the tree and for plain lines. */

import { display } from '../../model/names.js';
import { count, duration, plural, size } from '../quantity.js';
import { isApplying, isSettled, sentTo } from './state.js';
import type { PeerProgress, ProgressState, ScanProgress } from './state.js';

/** `Waiting for csx apply (process 4711), which holds the lock` */
export function lockWords(lock: NonNullable<ProgressState['lock']>): string {
  return `Waiting for ${display(lock.owner.command)} (process ${lock.owner.pid}) to finish`;
}

/** `Scanning: 12,345 of about 33,042 files`, `Scanned 33,042 files, 12 changed` */
export function scanWords(scan: ScanProgress): string {
  if (scan.ended !== undefined) return `Scanned ${plural(scan.entries, 'file')}, ${count(scan.drift)} changed`;
  // More than were known: the old number is no measure any more.
  const of = scan.known > scan.entries ? ` of about ${count(scan.known)}` : '';
  return `Scanning: ${of === '' ? plural(scan.entries, 'file') : `${count(scan.entries)}${of} files`}`;
}

/** What happens with one peer: `12 of 60 changes, 1.2 MB of 6.9 MB, 3.2 MB/s` */
export function peerWords(peer: PeerProgress, rate: number | undefined): string {
  switch (peer.stage) {
    case 'connecting':
      return peer.address === undefined || peer.address === peer.name
        ? 'connecting'
        : `connecting to ${display(peer.address)}`;
    case 'connected':
      return 'connected';
    case 'asking':
      return `asking, ${count(peer.asked)} of ${plural(peer.files, 'file')}`;
    case 'asked':
      return `asked about ${plural(peer.asked, 'file')}`;
    case 'applying':
      return [
        `${count(peer.done + peer.failed + peer.skipped)} of ${plural(peer.changes, 'change')}`,
        ...(peer.bytes > 0 ? [`${size(sentTo(peer))} of ${size(Math.max(peer.bytes, sentTo(peer)))}`] : []),
        ...(rate !== undefined && rate >= 1 ? [`${size(Math.round(rate))}/s`] : []),
        ...troubles(peer),
      ].join(', ');
    case 'applied':
      return [
        plural(peer.changes, 'change'),
        ...(peer.sent > 0 ? [`${size(peer.sent)} sent`] : []),
        ...troubles(peer),
      ].join(', ');
    case 'unreachable':
      return `not reached: ${display(peer.problem?.summary ?? 'unknown reason')}`;
  }
}

function troubles(peer: PeerProgress): string[] {
  return [
    ...(peer.failed > 0 ? [`${count(peer.failed)} failed`] : []),
    ...(peer.skipped > 0 ? [`${count(peer.skipped)} skipped`] : []),
  ];
}

/** All peers together: `Applying: 1 of 3 peers done` */
export function peersWords(peers: readonly PeerProgress[]): string {
  const settled = peers.filter(isSettled).length;
  const asking = peers.some((peer) => peer.stage === 'asking' || peer.stage === 'asked');
  const what = isApplying(peers) ? 'Applying' : asking ? 'Asking' : 'Connecting';
  return `${what}: ${count(settled)} of ${plural(peers.length, 'peer')} done`;
}

/** `Running: newaliases on web1` */
export function actionsWords(state: ProgressState): string {
  const [running] = state.running.keys();
  const more = state.running.size > 1 ? ` and ${count(state.running.size - 1)} more` : '';
  if (running !== undefined) return `Running: ${display(running.command)} on ${display(running.host)}${more}`;
  const failed = state.actionsFailed > 0 ? `, ${count(state.actionsFailed)} failed` : '';
  return `Ran ${plural(state.actionsDone + state.actionsFailed, 'command')}${failed}`;
}

/** ` (12 s)` once it is worth telling. */
export function elapsed(since: number, until: number): string {
  return until - since < 1_000 ? '' : ` (${duration(until - since)})`;
}

export const INTERRUPTED = 'Stopping after what is under way; interrupt once more to stop at once';
