/** The rows of the database, pins and conflicts as lists. Names stand last or are shortened only on a terminal. */

import type { PinFacts } from '../../model/certificate.js';
import { parseCheckText } from '../../model/checktxt.js';
import type { Entry, FileType } from '../../model/entry.js';
import { fileName } from '../../model/encoding.js';
import { display } from '../../model/names.js';
import type { Bytes } from '../../model/names.js';
import type { Conflict } from '../../model/plan.js';
import type { ActionRow, DirtyRow, FileRow, HintRow } from '../../model/store.js';
import { mode } from '../describe.js';
import { age, plural, size, time } from '../quantity.js';
import { screenOf } from '../terminal.js';
import type { Output } from '../terminal.js';
import { padEnd, padStart } from '../width.js';
import { nextLines } from './next.js';
import { humanConflict } from './plan-conflicts.js';
import { safe } from './problem.js';
import { eachRow, table } from './table.js';
import type { Column } from './table.js';

const SHORT_TYPE: Readonly<Record<FileType, string>> = {
  file: 'file',
  directory: 'dir',
  link: 'link',
  fifo: 'fifo',
  'character-device': 'char',
  'block-device': 'block',
  socket: 'socket',
};

/** `csx db list files`: as `ls -l` would show what the database knows. Streams; columns have fixed widths. */
export async function* filesView(
  output: Output,
  batches: AsyncIterable<readonly FileRow[]> | Iterable<readonly FileRow[]>,
): AsyncGenerator<string> {
  const screen = screenOf(output);
  yield `${screen.paint.bold(fileLine('Type', 'Mode', 'Owner', 'Size', 'Modified', 'File'))}\n`;
  for await (const batch of batches) {
    for (const row of batch) {
      const name = display(fileName(row.stored));
      const entry = parseCheckText(row.checktxt);
      yield entry === undefined
        ? `${screen.paint.red(`not a check text: ${display(row.checktxt)}`)}  ${name}\n`
        : `${entryLine(entry, row.target, name, screen.timeZone)}\n`;
    }
  }
}

function entryLine(entry: Entry, target: Bytes | undefined, name: string, timeZone: string | undefined): string {
  const to = entry.target === undefined || entry.target === '' ? target : entry.target;
  return fileLine(
    SHORT_TYPE[entry.type],
    entry.mode === undefined ? '-' : mode(entry.mode),
    entry.uid === undefined && entry.gid === undefined ? '-' : `${entry.uid ?? '-'}:${entry.gid ?? '-'}`,
    entry.size === undefined ? '' : size(entry.size),
    entry.mtime === undefined ? '' : time(entry.mtime * 1000, timeZone),
    to === undefined ? name : `${name} -> ${display(to)}`,
  );
}

function fileLine(type: string, bits: string, owner: string, bytes: string, modified: string, name: string): string {
  return [padEnd(type, 6), padEnd(bits, 4), padEnd(owner, 11), padStart(bytes, 8), padEnd(modified, 19), name].join(
    '  ',
  );
}

/** `csx db list dirty`. `now` in Unix milliseconds. */
export function* dirtyView(output: Output, rows: readonly DirtyRow[], now: number): Generator<string> {
  if (rows.length === 0) {
    yield 'Nothing is marked as changed.\n';
    return;
  }
  // A column for conflicts where there are any: what a peer refused, or is going to.
  const conflicts = rows.some((row) => conflictSince(row) !== undefined);
  const lines = eachRow(rows, (row) => [
    display(row.peer),
    row.forced ? 'yes' : 'no',
    row.since === undefined ? 'by csync2' : age(now - row.since),
    ...(conflicts ? [conflictAge(row, now)] : []),
    display(row.file),
  ]);
  const columns: Column[] = [
    { title: 'Peer' },
    { title: 'Forced' },
    { title: 'Marked' },
    ...(conflicts ? [{ title: 'Conflict' }] : []),
    { title: 'File', cut: 'middle' },
  ];
  yield* table(columns, lines, screenOf(output));
}

/** What a peer refused, or is going to refuse. */
function conflictSince({ refused, foreseen }: DirtyRow): number | undefined {
  return refused ?? foreseen;
}

function conflictAge(row: DirtyRow, now: number): string {
  const since = conflictSince(row);
  return since === undefined ? '' : age(now - since);
}

/** `csx db list hints` */
export function* hintsView(output: Output, rows: readonly HintRow[]): Generator<string> {
  if (rows.length === 0) {
    yield 'No path is hinted at.\n';
    return;
  }
  const lines = eachRow(rows, (row) => [row.recursive ? 'with all below' : 'alone', display(row.file)]);
  yield* table([{ title: 'Scan' }, { title: 'Path', cut: 'middle' }], lines, screenOf(output));
}

/** `csx db list actions` */
export function* actionsView(output: Output, rows: readonly ActionRow[]): Generator<string> {
  if (rows.length === 0) {
    yield 'No command waits to run.\n';
    return;
  }
  const lines = eachRow(rows, (row) => [display(row.command), display(row.logfile), display(row.file)]);
  yield* table(
    [{ title: 'Command' }, { title: 'Output to' }, { title: 'For', cut: 'middle' }],
    lines,
    screenOf(output),
  );
}

/** `csx trust list` */
export function* trustView(output: Output, pins: readonly PinFacts[]): Generator<string> {
  if (pins.length === 0) {
    yield 'No certificate is pinned yet: the first connection to a peer over TLS pins its own.\n';
    return;
  }
  const screen = screenOf(output);
  const lines = pins.map((pin) => [
    display(pin.peer),
    pin.since === undefined ? 'by csync2' : time(pin.since, screen.timeZone).slice(0, 10),
    pin.notAfter === undefined ? 'unknown' : time(pin.notAfter, screen.timeZone).slice(0, 10),
    safe(pin.fingerprint),
  ]);
  const columns = [{ title: 'Peer' }, { title: 'Pinned' }, { title: 'Valid until' }, { title: 'SHA-256 fingerprint' }];
  // A fingerprint is compared character by character: it is never shortened.
  yield* table(columns, lines, screen);
}

/** `csx conflicts`: each with both sides and what becomes of it. */
export function* conflictsView(
  output: Output,
  conflicts: readonly Conflict[],
  options: { readonly verbose?: boolean } = {},
): Generator<string> {
  const screen = screenOf(output);
  if (conflicts.length === 0) {
    yield 'No conflicts.\n';
    return;
  }
  for (const conflict of conflicts) {
    yield* humanConflict(conflict, screen, { indent: 0, digests: options.verbose === true });
    yield '\n';
  }
  const open = conflicts.filter((conflict) => conflict.resolution === 'none').length;
  yield `${screen.paint.bold(`${plural(conflicts.length, 'conflict')}, ${open} to be decided.`)}\n`;
  if (open > 0) {
    yield* nextLines(
      ['csx resolve asks about one after the other', 'csx resolve --keep local|peer|both decides all'],
      screen,
    );
  }
}
