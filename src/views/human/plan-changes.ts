/** The changes of one peer, by directory, destructive ones first, long lists folded. */

import { display } from '../../model/names.js';
import type { Change } from '../../model/plan.js';
import { describeChange, isDestructive, markOf } from '../describe.js';
import { baseName, byDirectory, commonDirectory, splitDestructive } from '../group.js';
import type { Directory } from '../group.js';
import { count, plural } from '../quantity.js';
import type { Screen } from '../terminal.js';
import type { Fold } from './plan.js';
import { nameColumn, row } from './row.js';

/** Folding away this many or fewer would cost the line it saves. */
const NOT_WORTH_FOLDING = 2;

export function* humanChanges(changes: readonly Change[], screen: Screen, fold: Fold): Generator<string> {
  const { first, rest } = splitDestructive(changes);
  // Deletions have their own allowance, twice as large: they are what a reader must not miss.
  const wide = { ...fold, perDirectory: fold.perDirectory * 2 };
  yield* directories(byDirectory(first, pathOf), screen, wide);
  yield* directories(byDirectory(rest, pathOf), screen, fold);
}

function pathOf(change: Change) {
  return change.path;
}

function* directories(all: readonly Directory<Change>[], screen: Screen, fold: Fold): Generator<string> {
  let left = fold.perPeer;
  for (const [index, directory] of all.entries()) {
    if (left <= 0) {
      yield* remaining(all.slice(index), screen, fold);
      return;
    }
    const room = Math.min(fold.perDirectory, left);
    const shown = directory.items.length <= room + NOT_WORTH_FOLDING ? directory.items.length : room;
    left -= shown;
    yield* oneDirectory(directory, shown, screen, fold);
  }
}

function* oneDirectory(directory: Directory<Change>, shown: number, screen: Screen, fold: Fold): Generator<string> {
  yield `  ${display(directory.name)}\n`;
  // Column widths come from the first rows alone: laying out a million would take a million names in memory.
  const sample = directory.items.slice(0, Math.min(shown, 200)).map(nameOf);
  const place = { indent: 4, nameWidth: nameColumn(sample, screen) };
  for (let index = 0; index < shown; index += 1) {
    const change = directory.items[index];
    if (change === undefined) break;
    yield* row(markOf(change), nameOf(change), describeChange(change, screen.timeZone), place, screen);
  }
  const hidden = directory.items.slice(shown);
  if (hidden.length === 0) return;
  const text = `... and ${count(hidden.length)} more in ${display(directory.name)} (${kinds(hidden)}; ${fold.command} shows all)`;
  yield `    ${screen.paint.dim(text)}\n`;
}

/** What the allowance for this peer leaves out. */
function* remaining(all: readonly Directory<Change>[], screen: Screen, fold: Fold): Generator<string> {
  const hidden = all.flatMap((directory) => directory.items);
  const below = commonDirectory(all.map((directory) => directory.name));
  const place = all.length === 1 ? '' : ` in ${plural(all.length, 'directory')}`;
  const where = below === undefined || below === '/' ? '' : ` below ${display(below)}`;
  const text = `... and ${count(hidden.length)} more${place}${where} (${kinds(hidden)}; ${fold.command} shows all)`;
  yield `  ${screen.paint.dim(text)}\n`;
}

/** `9,900 to create, 12 to delete` */
export function kinds(changes: readonly Change[]): string {
  const tally = { create: 0, update: 0, delete: 0, unknown: 0 };
  for (const change of changes) if (change.action !== 'no-op') tally[change.action] += 1;
  const parts: string[] = [];
  if (tally.delete > 0) parts.push(`${count(tally.delete)} to delete`);
  if (tally.create > 0) parts.push(`${count(tally.create)} to create`);
  if (tally.update > 0) parts.push(`${count(tally.update)} to update`);
  if (tally.unknown > 0) parts.push(`${count(tally.unknown)} not known yet`);
  return parts.join(', ');
}

/** The name within its directory; a slash shows that it is (or was) a directory itself. */
function nameOf(change: Change): string {
  const entry = change.after?.entry ?? change.before?.entry;
  const slash = entry?.type === 'directory' && !isDestructiveReplacement(change) ? '/' : '';
  return display(baseName(change.path)) + slash;
}

function isDestructiveReplacement(change: Change): boolean {
  return isDestructive(markOf(change)) && change.action === 'update';
}
