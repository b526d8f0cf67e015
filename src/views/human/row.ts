/** One line about one file: symbol, name, details; details that do not fit go below, aligned. Names are never cut. */

import type { ChalkInstance } from 'chalk';
import { SYMBOLS } from '../describe.js';
import type { Mark } from '../describe.js';
import type { Screen } from '../terminal.js';
import { padEnd, textWidth, wrap } from '../width.js';

/** Room that the widest symbol takes. */
const SYMBOL_WIDTH = 3;

/** The line about a file. `indent` in columns; `nameWidth` from `nameColumn`. */
export function* row(
  mark: Mark,
  name: string,
  details: string,
  place: { readonly indent: number; readonly nameWidth: number },
  screen: Screen,
): Generator<string> {
  const color = colorOf(mark, screen.paint);
  const head = `${' '.repeat(place.indent)}${color(SYMBOLS[mark].padEnd(SYMBOL_WIDTH))} `;
  if (details === '') {
    yield `${head}${color(name)}\n`;
    return;
  }
  const column = place.indent + SYMBOL_WIDTH + 1 + place.nameWidth + 2;
  const nameColumns = textWidth(name);
  const fits = nameColumns <= place.nameWidth;
  if (!fits && place.indent + SYMBOL_WIDTH + 1 + nameColumns + 2 + textWidth(details) <= screen.width) {
    yield `${head}${color(name)}  ${details}\n`;
    return;
  }
  const below = fits ? column : place.indent + SYMBOL_WIDTH + 5;
  const [first = '', ...rest] = wrap(details, Math.max(16, screen.width - below));
  if (fits) yield `${head}${color(padEnd(name, place.nameWidth))}  ${first}\n`;
  else yield `${head}${color(name)}\n${' '.repeat(below)}${first}\n`;
  for (const line of rest) yield `${' '.repeat(below)}${line}\n`;
}

/**
 * Width for the names of rows that stand together: the widest of those that take no more than `share` of the width, so
 * that room is left for the details.
 */
export function nameColumn(names: Iterable<string>, screen: Screen, share = 0.4): number {
  const most = Math.floor(screen.width * share);
  let width = 0;
  for (const name of names) {
    const columns = textWidth(name);
    if (columns <= most) width = Math.max(width, columns);
  }
  return width;
}

export function colorOf(mark: Mark, paint: ChalkInstance): ChalkInstance {
  switch (mark) {
    case 'create':
      return paint.green;
    case 'update':
      return paint.yellow;
    case 'delete':
    case 'replace':
      return paint.red;
    case 'conflict':
      return paint.magenta;
    case 'unknown':
      return paint.cyan;
    case 'equal':
      return paint.dim;
  }
}
