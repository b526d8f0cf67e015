/** csx_action_run: how each action's command ended when it last ran. */

import { decodeUrl } from '../../model/encoding.js';
import type { Bytes } from '../../model/names.js';
import type { ActionRun } from '../../model/store.js';
import type { Connection } from './connection.js';
import { bytesIn, bytesOf, encodedParam, integer, numberOf, textOf } from './text.js';

/** Commands that are kept: more than a configuration has, so that those it no longer has go some day. */
const KEPT = 500;

export function putActionRun(connection: Connection, run: ActionRun): void {
  const { command, startedAt, milliseconds, status, signal, timedOut, files } = run;
  connection
    .statement(
      `INSERT OR REPLACE INTO csx_action_run (command, started_at, milliseconds, status, signal, timed_out, files)
       VALUES (CAST(? AS TEXT), ?, ?, ?, ?, ?, ?)`,
    )
    .run(
      encodedParam(command),
      integer(startedAt),
      integer(milliseconds),
      status === undefined ? null : integer(status),
      signal ?? null,
      timedOut ? 1n : 0n,
      integer(files),
    );
  connection
    .statement(
      `DELETE FROM csx_action_run WHERE command NOT IN
         (SELECT command FROM csx_action_run ORDER BY started_at DESC, command LIMIT ${String(KEPT)})`,
    )
    .run();
}

/** The latest first. */
export function readActionRuns(connection: Connection): ActionRun[] {
  if (!connection.has('csx_action_run')) return [];
  const select = connection.statement(
    `SELECT ${bytesIn('command')}, started_at, milliseconds, status, signal, timed_out, files FROM csx_action_run
       ORDER BY started_at DESC, command`,
  );
  return (select.raw().all() as unknown[][]).map(
    ([command, startedAt, milliseconds, status, signal, timedOut, files]) => ({
      command: decodeUrl(bytesOf(command) ?? '') as Bytes,
      startedAt: numberOf(startedAt) ?? 0,
      milliseconds: numberOf(milliseconds) ?? 0,
      status: numberOf(status),
      signal: textOf(signal),
      timedOut: numberOf(timedOut) === 1,
      files: numberOf(files) ?? 0,
    }),
  );
}
