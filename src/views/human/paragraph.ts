/** Prose broken to the width of the screen. */

import type { Screen } from '../terminal.js';
import { wrap } from '../width.js';

export interface ParagraphLook {
  /** Columns before the first line. */
  readonly indent?: number;
  /** Further columns before the lines that follow. */
  readonly hanging?: number;
  readonly paint?: (line: string) => string;
}

export function* paragraph(text: string, screen: Screen, look: ParagraphLook = {}): Generator<string> {
  const { indent = 0, hanging = 0 } = look;
  const paint = look.paint ?? ((line: string) => line);
  const [first = '', ...rest] = wrap(text, screen.width - indent - hanging);
  yield `${' '.repeat(indent)}${paint(first)}\n`;
  for (const line of rest) yield `${' '.repeat(indent + hanging)}${paint(line)}\n`;
}

/** `web2 (10.0.0.2, csync2 over TLS, group web)`, the name in bold. */
export function* nameAndFacts(name: string, facts: string, screen: Screen): Generator<string> {
  const [first = '', ...rest] = wrap(facts === '' ? name : `${name} (${facts})`, screen.width - 4);
  yield `${screen.paint.bold(first.slice(0, name.length))}${first.slice(name.length)}\n`;
  for (const line of rest) yield `    ${line}\n`;
}
