/** The events of the engine as records (event-record.ts). Progress of scan and refresh is for the eye and left out. */

import { diagnosticRecord, record, verbOf } from './event-record.js';
import type { EventRecord, HookJson } from './event-record.js';
import type { Event } from './events.js';
import { bytesMember } from './json-value.js';
import { display } from './names.js';
import type { FileName, PeerName } from './names.js';
import { actionJson, conflictJson, diagnosticJson } from './plan-json.js';
import type { ActionInvocation, Conflict } from './plan.js';

/**
 * The record of an event; undefined: it is for the eye only.
 * @param at ISO 8601, UTC
 */
export function eventRecord(event: Event, at: string): EventRecord | undefined {
  switch (event.type) {
    case 'scan_progress':
    case 'refresh_progress':
    case 'peer_connecting':
      return undefined;
    default:
      return toRecord(event, at);
  }
}

type Recorded = Exclude<Event, { readonly type: 'scan_progress' | 'refresh_progress' | 'peer_connecting' }>;

function toRecord(event: Recorded, at: string): EventRecord {
  switch (event.type) {
    case 'lock_waiting': {
      const { pid, command, since } = event.owner;
      return record(at, 'info', `Waiting for ${command} (process ${pid}), which holds the lock.`, {
        type: 'lock_waiting',
        owner: { pid, command, since: new Date(since).toISOString() },
      });
    }
    case 'scan_start':
      return log(at, `Looking for changes among ${event.known} known files.`);
    case 'scan_complete':
      return log(at, `Looked at ${event.entries} files: ${event.drift} differ from the database.`);
    case 'peer_connected':
      return record(at, 'info', `Connected to ${display(event.peer)}${event.tls ? '' : ', without TLS'}.`, {
        type: 'peer_connected',
        ...bytesMember('peer', event.peer),
        tls: event.tls,
      });
    case 'peer_unreachable':
      return record(at, 'error', event.problem.summary, {
        type: 'peer_unreachable',
        ...bytesMember('peer', event.peer),
        diagnostic: diagnosticJson(event.problem),
      });
    case 'refresh_start':
      return record(at, 'info', `Asking ${display(event.peer)} about ${event.files} files.`, {
        type: 'refresh_start',
        ...bytesMember('peer', event.peer),
        files: event.files,
      });
    case 'refresh_complete':
      return record(at, 'info', `${display(event.peer)} told about ${event.files} files.`, {
        type: 'refresh_complete',
        ...bytesMember('peer', event.peer),
        files: event.files,
      });
    case 'apply_start':
      return log(at, `${display(event.peer)}: ${event.changes} changes, ${event.bytes} bytes at most.`);
    case 'apply_complete':
      return log(at, `${display(event.peer)}: ${event.changes} changes done, ${event.bytes} bytes sent.`);
    case 'change_start':
      return changeRecord('apply_start', `${verbOf(event.action)}...`, event, at);
    case 'change_complete':
      return changeRecord('apply_complete', `${verbOf(event.action)} done`, event, at);
    case 'apply_progress':
      return record(at, 'info', `${addressOf(event)}: ${event.bytes} bytes`, {
        type: 'apply_progress',
        hook: { ...hookOf(event), bytes: event.bytes },
      });
    case 'change_skipped':
    case 'change_errored':
      return record(at, event.type === 'change_skipped' ? 'warn' : 'error', event.problem.summary, {
        type: 'apply_errored',
        hook: { ...hookOf(event), action: event.action, skipped: event.type === 'change_skipped' },
        diagnostic: diagnosticJson(event.problem),
      });
    case 'conflict_detected':
    case 'conflict_resolved':
      return conflictRecord(event.type, event.conflict, at);
    case 'action_start':
      return record(at, 'info', `${commandOf(event.action)}...`, {
        type: 'action_start',
        action: actionJson(event.action),
      });
    case 'action_complete':
      return record(at, 'info', `${commandOf(event.action)} ended with status ${event.status}.`, {
        type: 'action_complete',
        action: actionJson(event.action),
        status: event.status,
        milliseconds: event.milliseconds,
      });
    case 'action_errored':
      return record(
        at,
        'error',
        `${commandOf(event.action)} ${event.status === undefined ? 'did not end by itself' : `ended with status ${event.status}`}.`,
        {
          type: 'action_errored',
          action: actionJson(event.action),
          status: event.status ?? null,
          milliseconds: event.milliseconds,
          ...bytesMember('output', event.output),
        },
      );
    case 'problem':
      return diagnosticRecord(event.problem, at);
    case 'interrupt':
      return record(
        at,
        'warn',
        `Interrupted by ${event.signal}: what is in flight is finished, nothing new is begun.`,
        {
          type: 'interrupt',
          signal: event.signal,
        },
      );
  }
}

export function conflictRecord(
  type: 'conflict_detected' | 'conflict_resolved',
  conflict: Conflict,
  at: string,
): EventRecord {
  const json = conflictJson(conflict);
  const level = type === 'conflict_detected' ? 'warn' : 'info';
  return record(at, level, `${json.address}: ${json.because}`, { type, conflict: json });
}

function changeRecord(
  type: 'apply_start' | 'apply_complete',
  what: string,
  event: Extract<Event, { type: 'change_start' | 'change_complete' }>,
  at: string,
): EventRecord {
  return record(at, 'info', `${addressOf(event)}: ${what}`, {
    type,
    hook: { ...hookOf(event), action: event.action, bytes: event.bytes },
  });
}

interface OnPeer {
  readonly peer: PeerName;
  readonly path: FileName;
}

function hookOf(event: OnPeer): HookJson {
  return { address: addressOf(event), ...bytesMember('peer', event.peer), ...bytesMember('path', event.path) };
}

function addressOf({ peer, path }: OnPeer): string {
  return `${display(peer)}:${display(path)}`;
}

function commandOf(action: ActionInvocation): string {
  return `${display(action.host)}: ${display(action.command)}`;
}

function log(at: string, message: string): EventRecord {
  return record(at, 'info', message, { type: 'log' });
}
