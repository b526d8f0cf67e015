/** A configuration file's text and the places in it. */

import { display, toText } from '../model/names.js';
import type { SourceRange } from '../model/errors.js';

export class Source {
  /** As messages show it. */
  readonly file: string;
  /** Byte string. */
  readonly text: string;
  /** Offsets at which lines start. */
  readonly #lines: number[] = [0];

  constructor(file: string, text: string) {
    this.file = display(file);
    this.text = text;
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) this.#lines.push(at + 1);
  }

  /** The place of a byte offset. The column counts characters where the line is UTF-8, bytes where it is not. */
  range(offset: number): SourceRange {
    const index = this.#lineOf(offset);
    const start = this.#lines[index] ?? 0;
    const end = (this.#lines[index + 1] ?? this.text.length + 1) - 1;
    const line = this.text.slice(start, end).replace(/\r$/, '');
    const before = this.text.slice(start, offset);
    const decoded = toText(line);
    const column = 1 + (decoded === undefined ? display(before).length : Array.from(toText(before) ?? before).length);
    return { file: this.file, line: index + 1, column, text: decoded ?? display(line) };
  }

  #lineOf(offset: number): number {
    let low = 0;
    let high = this.#lines.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#lines[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
