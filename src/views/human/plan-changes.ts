/** The changes of one peer, by directory, destructive ones first, long lists folded. */

import { display } from '../../model/names.js';
import type { Change } from '../../model/plan.js';
import { describeChange, markOf } from '../describe.js';
import { baseName, changeDirectories, commonDirectory } from '../group.js';
import type { ChangeDirectory } from '../group.js';
import { count, plural } from '../quantity.js';
import type { Screen } from '../terminal.js';
import type { Fold } from './plan.js';
import { paragraph } from './paragraph.js';
import { nameColumn, row } from './row.js';

/** Folding away this many or fewer would cost the line it saves. */
const NOT_WORTH_FOLDING = 2;
/** Rows that decide the width of the name column: laying out a million rows must not take a million names. */
const SAMPLE = 200;
/** How the line about what is folded away stands. */
const FOLDED = { indent: 4, hanging: 4 };

export function* humanChanges(changes: readonly Change[], screen: Screen, fold: Fold): Generator<string> {
  // Deletions have an allowance of their own: no list of other changes can push them out of sight.
  const left = { destructive: fold.perPeer, rest: fold.perPeer };
  const hidden: ChangeDirectory[] = [];
  let told = false;
  for (const directory of changeDirectories(changes)) {
    const destructive = allowance(directory.destructive, Math.min(fold.perDirectory * 2, left.destructive));
    const rest = allowance(directory.rest, Math.min(fold.perDirectory, left.rest));
    if (destructive + rest === 0) {
      hidden.push(directory);
      continue;
    }
    left.destructive -= destructive;
    left.rest -= rest;
    const folds = destructive < directory.destructive.length || rest < directory.rest.length;
    // How to see all is said once for each peer, not at every list.
    yield* oneDirectory(directory, destructive, rest, screen, told ? undefined : fold);
    told ||= folds;
  }
  if (hidden.length > 0) yield* remaining(hidden, screen, fold);
}

/** How many of the changes are shown where `room` may be. */
function allowance(changes: readonly Change[], room: number): number {
  if (room <= 0) return 0;
  return changes.length <= room + NOT_WORTH_FOLDING ? changes.length : room;
}

function* oneDirectory(
  directory: ChangeDirectory,
  destructive: number,
  rest: number,
  screen: Screen,
  fold: Fold | undefined,
): Generator<string> {
  const name = display(directory.name);
  yield `  ${name}\n`;
  const first =
    destructive === directory.destructive.length ? directory.destructive : directory.destructive.slice(0, destructive);
  const second = rest === directory.rest.length ? directory.rest : directory.rest.slice(0, rest);
  const sample = [...first.slice(0, SAMPLE), ...second.slice(0, SAMPLE)].map(nameOf);
  const place = { indent: 4, nameWidth: nameColumn(sample, screen) };
  for (const changes of [first, second]) {
    for (const change of changes) {
      yield* row(markOf(change), nameOf(change), describeChange(change, screen.timeZone), place, screen);
    }
  }
  const hidden = [...directory.destructive.slice(destructive), ...directory.rest.slice(rest)];
  if (hidden.length === 0) return;
  yield* paragraph(foldedLine(hidden, ` in ${name}`, fold), screen, { ...FOLDED, paint: screen.paint.dim });
}

/** What the allowance for this peer leaves out. */
function* remaining(all: readonly ChangeDirectory[], screen: Screen, fold: Fold): Generator<string> {
  const hidden = all.flatMap((directory) => [...directory.destructive, ...directory.rest]);
  const below = commonDirectory(all.map((directory) => directory.name));
  const directories = all.length === 1 ? '' : ` in ${plural(all.length, 'directory')}`;
  const where = below === undefined || below === '/' ? '' : ` below ${display(below)}`;
  const text = foldedLine(hidden, directories + where, fold);
  yield* paragraph(text, screen, { ...FOLDED, indent: 2, paint: screen.paint.dim });
}

/**
 * `... and 9,912 more to create in /etc/alternatives (csx plan --full shows all)`, or with several kinds
 * `... and 9,912 more in /etc/alternatives: 12 to delete, 9,900 to create (...)`
 */
export function foldedLine(hidden: readonly Change[], where: string, fold: Fold | undefined): string {
  const parts = kinds(hidden);
  const [only] = parts;
  const tail = fold === undefined ? '' : ` (${fold.command} shows all)`;
  return only !== undefined && parts.length === 1
    ? `... and ${only.number} more ${only.words}${where}${tail}`
    : `... and ${count(hidden.length)} more${where}: ${parts.map((part) => `${part.number} ${part.words}`).join(', ')}${tail}`;
}

/** `12 to delete`, `9,900 to create`, as pairs; destructive ones first. */
function kinds(changes: readonly Change[]): { number: string; words: string }[] {
  const tally = { delete: 0, create: 0, update: 0, unknown: 0, 'no-op': 0 };
  for (const change of changes) tally[change.action] += 1;
  const words = [
    ['delete', 'to delete'],
    ['create', 'to create'],
    ['update', 'to update'],
    ['unknown', 'not known yet'],
  ] as const;
  return words.flatMap(([action, text]) => (tally[action] > 0 ? [{ number: count(tally[action]), words: text }] : []));
}

/** The name within its directory; a slash shows that it is (or was) a directory. */
export function nameOf(change: Change): string {
  const entry = (change.after ?? change.before)?.entry;
  const slash = entry?.type === 'directory' && markOf(change) !== 'replace' ? '/' : '';
  return display(baseName(change.path)) + slash;
}
