/** `csx status --json` (schemas/status.schema.json). Times are ISO 8601 in UTC; byte strings as model/json-value.ts says. */

import { bytesListMember, bytesMember } from '../../model/json-value.js';
import { diagnosticJson } from '../../model/plan-json.js';
import type { PeerStatus, Status } from '../../model/status.js';
import type { ActionRun } from '../../model/store.js';
import { nextAfterStatus } from '../next-after-status.js';
import { actionRowJson } from './database.js';
import { optionalTime, time } from './time.js';

export function statusJson(status: Status): object {
  return {
    format_version: '1.0',
    host: status.host,
    timestamp: time(status.now),
    database: status.location,
    known: status.known,
    hints: status.hints,
    drift: status.drift ?? null,
    peers: status.peers.map(peerJson),
    conflicts: status.conflicts.map((conflict) => ({
      ...bytesMember('peer', conflict.peer),
      ...bytesMember('path', conflict.path),
      seen: optionalTime(conflict.seen),
      because: conflict.because,
    })),
    actions: status.actions.map(actionRowJson),
    action_runs: status.actionRuns.map(actionRunJson),
    last_run:
      status.lastRun === undefined
        ? null
        : {
            id: status.lastRun.id,
            started: time(status.lastRun.startedAt),
            finished: optionalTime(status.lastRun.finishedAt),
            exit_status: status.lastRun.exitStatus ?? null,
          },
    last_success: optionalTime(status.lastSuccess),
    problems: status.problems.map(diagnosticJson),
    next: nextAfterStatus(status) ?? null,
  };
}

function actionRunJson(run: ActionRun): object {
  return {
    ...bytesMember('command', run.command),
    started: time(run.startedAt),
    milliseconds: run.milliseconds,
    exit_status: run.status ?? null,
    signal: run.signal ?? null,
    timed_out: run.timedOut,
    files: run.files,
  };
}

function peerJson(peer: PeerStatus): object {
  return {
    ...bytesMember('name', peer.name),
    address: peer.address ?? null,
    ...bytesListMember('groups', peer.groups),
    slave: peer.slave,
    waiting: peer.waiting,
    forced: peer.forced,
    oldest: optionalTime(peer.oldest),
    ...bytesListMember('first', peer.first),
    reachable: peer.reachable,
    asked: optionalTime(peer.asked),
    since: optionalTime(peer.since),
    conflicts: peer.conflicts,
    last_success: optionalTime(peer.lastSuccess),
    error: peer.problem === undefined ? null : diagnosticJson(peer.problem),
  };
}
