/** `csx db list --json` (schemas/db-list.schema.json) and `csx db clean --json` (schemas/db-clean.schema.json). */

import { fileName } from '../../model/encoding.js';
import { bytesMember } from '../../model/json-value.js';
import type { FileName } from '../../model/names.js';
import type { ActionRow, BaselineName, DirtyRow, FileRow, HintRow } from '../../model/store.js';
import { jsonList } from './document.js';
import { optionalTime } from './time.js';

/** The `file` table may have millions of rows: they are written as they come. */
export function filesDocument(batches: AsyncIterable<readonly FileRow[]>): AsyncGenerator<string> {
  return jsonList({ format_version: '1.0', table: 'files' }, 'rows', rowsOf(batches));
}

async function* rowsOf(batches: AsyncIterable<readonly FileRow[]>): AsyncGenerator<object> {
  for await (const batch of batches) {
    for (const row of batch)
      yield { ...bytesMember('path', fileName(row.stored)), ...bytesMember('checktxt', row.checktxt) };
  }
}

export function dirtyJson(rows: readonly DirtyRow[]): object {
  return tableJson(
    'dirty',
    rows.map((row) => ({
      ...bytesMember('path', row.file),
      ...bytesMember('peer', row.peer),
      ...bytesMember('me', row.me),
      forced: row.forced,
      since: optionalTime(row.since),
      refused: optionalTime(row.refused),
      foreseen: optionalTime(row.foreseen),
    })),
  );
}

export function hintsJson(rows: readonly HintRow[]): object {
  return tableJson(
    'hints',
    rows.map((row) => ({ ...bytesMember('path', row.file), recursive: row.recursive })),
  );
}

export function actionsJson(rows: readonly ActionRow[]): object {
  return tableJson('actions', rows.map(actionRowJson));
}

/** A command that waits to run here. */
export function actionRowJson(row: ActionRow): object {
  return {
    ...bytesMember('path', row.file),
    ...bytesMember('command', row.command),
    ...bytesMember('logfile', row.logfile),
  };
}

function tableJson(table: string, rows: readonly object[]): object {
  return { format_version: '1.0', table, rows };
}

/** Rows that belong to nothing any more. `removed` false: they are still there (`--dry-run`). */
export function cleanedJson(
  stale: {
    readonly files: readonly FileName[];
    readonly dirty: readonly DirtyRow[];
    readonly baselines: readonly BaselineName[];
  },
  removed: boolean,
): object {
  return {
    format_version: '1.0',
    removed,
    files: stale.files.map((file) => bytesMember('path', file)),
    dirty: stale.dirty.map((row) => ({ ...bytesMember('path', row.file), ...bytesMember('peer', row.peer) })),
    baselines: stale.baselines.map((row) => ({ ...bytesMember('path', row.file), ...bytesMember('peer', row.peer) })),
  };
}
