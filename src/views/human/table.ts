/**
 * Aligned columns with a heading, streamed: widths come from the headings and the first thousand rows, a wider cell
 * further down only pushes its own line. On a terminal the column that may be `cut` is shortened so that lines fit; in a pipe nothing is ever cut.
 */

import type { Screen } from '../terminal.js';
import { padEnd, padStart, textWidth, truncateEnd, truncateMiddle } from '../width.js';

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
  /** Where it may be shortened on a terminal: names in the middle, lists at the end. At most one column. */
  readonly cut?: 'middle' | 'end';
}

const SAMPLE = 1000;
const GAP = '  ';
const NARROWEST_CUT = 12;

/** The table's lines. Cells are plain text (`display` put them in shape); a row has one for each column. */
export function* table(
  columns: readonly Column[],
  rows: Iterable<readonly string[]>,
  screen: Screen,
): Generator<string> {
  const iterator = rows[Symbol.iterator]();
  const sample: (readonly string[])[] = [];
  let more = iterator.next();
  while (more.done !== true && sample.length < SAMPLE) {
    sample.push(more.value);
    more = iterator.next();
  }
  const widths = fit(columns, sample, screen);
  yield `${screen.paint.bold(
    lineOf(
      columns,
      columns.map((column) => column.title),
      widths,
      screen.isTTY,
    ),
  )}\n`;
  for (const row of sample) yield `${lineOf(columns, row, widths, screen.isTTY)}\n`;
  for (; more.done !== true; more = iterator.next()) yield `${lineOf(columns, more.value, widths, screen.isTTY)}\n`;
}

/** The cells of rows, made when they are asked for. */
export function* eachRow<Row>(
  rows: Iterable<Row>,
  cells: (row: Row) => readonly string[],
): Generator<readonly string[]> {
  for (const row of rows) yield cells(row);
}

function fit(columns: readonly Column[], sample: readonly (readonly string[])[], screen: Screen): readonly number[] {
  const widths = columns.map((column, index) =>
    sample.reduce((most, row) => Math.max(most, textWidth(row[index] ?? '')), textWidth(column.title)),
  );
  const cut = columns.findIndex((column) => column.cut !== undefined);
  const over = widths.reduce((sum, width) => sum + width, 0) + GAP.length * (columns.length - 1) - screen.width;
  const width = widths[cut];
  if (screen.isTTY && over > 0 && width !== undefined) {
    widths[cut] = Math.max(Math.min(width, NARROWEST_CUT), width - over);
  }
  return widths;
}

function lineOf(columns: readonly Column[], row: readonly string[], widths: readonly number[], isTTY: boolean): string {
  const cells = columns.map((column, index) => {
    const width = widths[index] ?? 0;
    const cell = row[index] ?? '';
    const text = column.cut === undefined || !isTTY ? cell : CUTTERS[column.cut](cell, width);
    return column.align === 'right' ? padStart(text, width) : padEnd(text, width);
  });
  return cells.join(GAP).trimEnd();
}

const CUTTERS = { middle: truncateMiddle, end: truncateEnd };
