/**
 * Column D of the protocol table: the check of one file before it is changed, so that a local change nobody has scanned yet is
 * noticed and not overwritten.
 */

import type { BigIntStats } from 'node:fs';
import { CsxError, errnoOf } from '../../model/errors.js';
import type { DiskPath, FileName } from '../../model/names.js';
import type { Drift, LocalState } from '../../model/scan.js';
import type { FileRow, Write } from '../../model/store.js';
import { within } from '../files/confined.js';
import { digestOf } from '../scan/digest.js';
import { compare } from '../scan/drift.js';
import { isBehindLink, stateOf } from '../scan/local-state.js';
import { recordWrites } from '../scan/record.js';
import type { Opened } from './served.js';

/**
 * Compares the file with its row; a difference is recorded and marked for every peer, as a scan would do it. Returns whether
 * any peer's dirty row for the file is there afterwards. Throws when the file cannot be looked at.
 */
export async function checkBeforeChange(opened: Opened, file: FileName, disk: DiskPath, now: number): Promise<boolean> {
  const { store, selection } = opened;
  const row = (await store.file([file])).get(file);
  const writes = await writesFor(opened, file, disk, row, now);
  if (writes.length > 0) await store.write(writes);
  if (writes.some((write) => write.kind === 'mark')) return true;
  const dirty = await store.dirty({ scopes: [{ file, recursive: false }] });
  return dirty.length > 0 && selection.includes(file);
}

async function writesFor(
  { config, selection }: Opened,
  file: FileName,
  disk: DiskPath,
  row: FileRow | undefined,
  now: number,
): Promise<Write[]> {
  const options = { mark: true, now };
  const drift = (reason: Drift['reason'], after: LocalState | undefined): Write[] =>
    recordWrites([{ kind: 'drift', drift: { file, disk, reason, before: row?.checktxt, after } }], selection, options);
  const stats = lstat(disk);
  if (stats === undefined) {
    return row === undefined ? [] : drift(isBehindLink(disk) ? 'behind-link' : 'removed', undefined);
  }
  if (row === undefined) {
    const state = stateOf(stats, disk, file, config.ignore);
    return state === undefined ? [] : drift('new', state);
  }
  const found = compare(row, stats, disk, file, config.ignore);
  switch (found.kind) {
    case 'same':
      return [];
    case 'gone':
      return drift('removed', undefined);
    case 'refresh':
      return recordWrites([{ kind: 'refresh', file, state: found.state }], selection, options);
    case 'changed':
      return drift(found.reason, found.state);
    case 'verify': {
      const digest = await digestOf(disk);
      if (digest === row.digest) {
        return recordWrites([{ kind: 'refresh', file, state: { ...found.state, digest } }], selection, options);
      }
      return drift(found.changed, { ...found.state, digest });
    }
  }
}

/** What stands there; undefined: nothing, or it lies behind a link. */
export function lstat(disk: DiskPath): BigIntStats | undefined {
  try {
    return within(disk, (directory, name) => directory.lstat(name));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    if (error instanceof CsxError && error.code === 'PATH_UNSAFE') return undefined;
    throw error;
  }
}
