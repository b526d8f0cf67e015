/**
 * One file's row against one file's state: is it unchanged, and if not, why.
 *
 * csync2 compares check texts and nothing else. csx also compares what it keeps beside the row:
 * - the stamp: same check text and another stamp means the file was written within the same second, to the same size;
 * - the real target of a link below a prefix, where csync2's check text holds none.
 * A row without a stamp was written by csync2; an equal check text is then all that can be asked for.
 */

import type { BigIntStats } from 'node:fs';
import { formatCheckText, parseCheckText } from '../../model/checktxt.js';
import type { CheckText } from '../../model/checktxt.js';
import type { Entry, Ignore } from '../../model/entry.js';
import { stampOf } from '../../model/entry.js';
import type { DiskPath, FileName } from '../../model/names.js';
import type { DriftReason, LocalState } from '../../model/scan.js';
import type { FileRow } from '../../model/store.js';
import { isBelowPrefix, stateOf } from './local-state.js';

export type Comparison =
  | { readonly kind: 'same' }
  /** Unchanged, but what is kept beside the row is missing or old. */
  | { readonly kind: 'refresh'; readonly state: LocalState }
  | { readonly kind: 'changed'; readonly reason: DriftReason; readonly state: LocalState }
  /** To be decided by the content: whether it still has the row's digest. */
  | { readonly kind: 'verify'; readonly changed: DriftReason; readonly state: LocalState }
  /** It went away while it was looked at. */
  | { readonly kind: 'gone' };

const SAME: Comparison = { kind: 'same' };

/** Compares a file on disk with its row. */
export function compare(row: FileRow, stats: BigIntStats, disk: DiskPath, file: FileName, ignore: Ignore): Comparison {
  // The usual case, and the only one that must be fast: nothing was written, and the row tells the same attributes.
  if (row.stamp !== undefined && !isDirectory(stats)) {
    if (stampOf(stats) === row.stamp && hasForm(row.checktxt, ignore)) return SAME;
  }
  const state = stateOf(stats, disk, file, ignore);
  return state === undefined ? { kind: 'gone' } : compareState(row, state, file);
}

/** The same, with a file that was looked at. */
export function compareState(row: FileRow, state: LocalState, file: FileName): Comparison {
  return state.checktxt === row.checktxt ? compareBeside(row, state, file) : compareTexts(row, state, file);
}

/** The check text is the same: is what it does not tell? */
function compareBeside(row: FileRow, state: LocalState, file: FileName): Comparison {
  const { entry, stamp } = state;
  if (row.stamp === stamp) return SAME;
  if (entry.type === 'link') {
    const elsewhere = isBelowPrefix(file) && row.target !== undefined && row.target !== entry.target;
    return elsewhere ? { kind: 'changed', reason: 'target', state } : { kind: 'refresh', state };
  }
  if (entry.type !== 'file' || row.stamp === undefined) return { kind: 'refresh', state };
  return row.digest === undefined
    ? { kind: 'changed', reason: 'rewritten', state }
    : { kind: 'verify', changed: 'rewritten', state };
}

/** The check texts differ. */
function compareTexts(row: FileRow, state: LocalState, file: FileName): Comparison {
  const before = parseCheckText(row.checktxt);
  // Written by hand, or by a csync2 that is not known: whatever it says, it is not this.
  if (before === undefined) return { kind: 'changed', reason: 'content', state };
  const { entry } = state;
  // Below a prefix an empty target tells nothing.
  const target = row.target ?? (isBelowPrefix(file) && before.target === '' ? entry.target : before.target);
  const same = target === entry.target;
  if (entry.type === 'link' && same && equalButTarget(before, state)) {
    // The row holds the real target of a link below a prefix, which csync2 2.0 would have left out (or the reverse).
    return { kind: 'refresh', state };
  }
  const reason = reasonOf(before, entry, same);
  const couldBeEqual = reason === 'times' && entry.type === 'file' && row.digest !== undefined;
  if (couldBeEqual) return { kind: 'verify', changed: 'content', state };
  return { kind: 'changed', reason: reason === 'times' && entry.type === 'file' ? 'content' : reason, state };
}

function equalButTarget(before: Entry, state: LocalState): boolean {
  return formatCheckText(before, { emptyTarget: true }) === formatCheckText(state.entry, { emptyTarget: true });
}

/** Which of several differences names the change: the one that says most. */
function reasonOf(before: Entry, after: Entry, sameTarget: boolean): DriftReason {
  if (before.type !== after.type) return 'type';
  if (after.type === 'link' && !sameTarget) return 'target';
  if (before.size !== after.size || before.device !== after.device) return 'content';
  if (before.mtime !== after.mtime) return 'times';
  return 'attributes';
}

const TYPE_BITS = 0o170000;
const DIRECTORY_BITS = 0o040000;

/** The stamp of a directory does not cover its mode and owner. */
function isDirectory(stats: BigIntStats): boolean {
  return (Number(stats.mode) & TYPE_BITS) === DIRECTORY_BITS;
}

/** Whether the text tells exactly the attributes that the configuration compares now. */
function hasForm(text: CheckText, ignore: Ignore): boolean {
  return (
    text.includes(':mode=') !== ignore.mod &&
    text.includes(':uid=') !== ignore.uid &&
    text.includes(':gid=') !== ignore.gid
  );
}
