/** What the engine reports while it works. Views turn events into a tree, lines, or JSON; nothing else does. */

import type { Problem } from './errors.js';
import type { FileName, PeerName } from './names.js';
import type { ActionInvocation, ChangeAction, Conflict } from './plan.js';
import type { LockOwner } from './store.js';

export type Event =
  | { readonly type: 'lock_waiting'; readonly owner: LockOwner }
  | { readonly type: 'scan_start'; readonly known: number }
  | { readonly type: 'scan_progress'; readonly entries: number; readonly at: FileName }
  | { readonly type: 'scan_complete'; readonly entries: number; readonly drift: number }
  | { readonly type: 'peer_connecting'; readonly peer: PeerName; readonly address: string }
  | { readonly type: 'peer_connected'; readonly peer: PeerName; readonly tls: boolean }
  | { readonly type: 'peer_unreachable'; readonly peer: PeerName; readonly problem: Problem }
  | { readonly type: 'refresh_start'; readonly peer: PeerName; readonly files: number }
  | { readonly type: 'refresh_progress'; readonly peer: PeerName; readonly files: number }
  | { readonly type: 'refresh_complete'; readonly peer: PeerName; readonly files: number }
  | { readonly type: 'apply_start'; readonly peer: PeerName; readonly changes: number; readonly bytes: number }
  | {
      readonly type: 'change_start';
      readonly peer: PeerName;
      readonly path: FileName;
      readonly action: ChangeAction;
      readonly bytes: number;
    }
  /** `bytes`: of this file, sent so far; change_complete tells the final figure. */
  | { readonly type: 'apply_progress'; readonly peer: PeerName; readonly path: FileName; readonly bytes: number }
  | {
      readonly type: 'change_complete';
      readonly peer: PeerName;
      readonly path: FileName;
      readonly action: ChangeAction;
      readonly bytes: number;
    }
  | {
      readonly type: 'change_skipped';
      readonly peer: PeerName;
      readonly path: FileName;
      readonly action: ChangeAction;
      readonly problem: Problem;
    }
  | {
      readonly type: 'change_errored';
      readonly peer: PeerName;
      readonly path: FileName;
      readonly action: ChangeAction;
      readonly problem: Problem;
    }
  | { readonly type: 'apply_complete'; readonly peer: PeerName; readonly changes: number; readonly bytes: number }
  | { readonly type: 'conflict_detected'; readonly conflict: Conflict }
  | { readonly type: 'conflict_resolved'; readonly conflict: Conflict }
  | { readonly type: 'action_start'; readonly action: ActionInvocation }
  | {
      readonly type: 'action_complete';
      readonly action: ActionInvocation;
      readonly status: number;
      readonly milliseconds: number;
    }
  | {
      readonly type: 'action_errored';
      readonly action: ActionInvocation;
      readonly status: number | undefined;
      readonly milliseconds: number;
      readonly output: string;
    }
  | { readonly type: 'problem'; readonly problem: Problem }
  | { readonly type: 'interrupt'; readonly signal: string };

export type Report = (event: Event) => void;
