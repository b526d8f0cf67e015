/** A terminal in memory: what a person would see after these bytes. Knows the sequences csx and listr2 write. */

import { textWidth } from '../../src/views/width.js';

export class FakeScreen {
  readonly columns: number;
  readonly rows: number;
  cursorVisible = true;
  /** Lines that went out at the top. */
  scrolled = 0;
  /** The most lines that ever held something. */
  highest = 0;
  #lines: string[][];
  #row = 0;
  #column = 0;

  constructor(columns: number, rows: number) {
    this.columns = columns;
    this.rows = rows;
    this.#lines = Array.from({ length: rows }, () => []);
  }

  write(text: string): void {
    for (const [token] of text.matchAll(/\x1b\[[?\d;]*[A-Za-z]|\x1b.|[^]/gu)) this.#put(token);
    this.highest = Math.max(this.highest, this.text().split('\n').length);
  }

  /** What is on it, without trailing space. */
  text(): string {
    return this.#lines
      .map((line) =>
        Array.from(line, (cell: string | undefined) => cell ?? ' ')
          .join('')
          .trimEnd(),
      )
      .join('\n')
      .trimEnd();
  }

  #put(token: string): void {
    if (token === '\n') {
      this.#column = 0;
      this.#down();
    } else if (token === '\r') this.#column = 0;
    else if (token.startsWith('\x1b')) this.#control(token);
    else if (token < ' ' || token === '\x7f') throw new Error(`control character ${JSON.stringify(token)}`);
    else {
      if (this.#column + textWidth(token) > this.columns) {
        this.#column = 0;
        this.#down();
      }
      const line = this.#line();
      line[this.#column] = token;
      for (let extra = 1; extra < textWidth(token); extra += 1) line[this.#column + extra] = '';
      this.#column += textWidth(token);
    }
  }

  #control(token: string): void {
    const number = Number(/\d+/.exec(token)?.[0] ?? 1);
    if (token === '\x1b[?25l') this.cursorVisible = false;
    else if (token === '\x1b[?25h') this.cursorVisible = true;
    else if (/^\x1b\[\?2026[hl]$/.test(token) || token.endsWith('m')) return;
    else if (token.endsWith('A')) this.#row = Math.max(0, this.#row - number);
    else if (token.endsWith('B')) this.#row = Math.min(this.rows - 1, this.#row + number);
    else if (token.endsWith('G')) this.#column = number - 1;
    else if (token.endsWith('K')) {
      const whole = token === '\x1b[2K';
      this.#lines[this.#row] = whole ? [] : this.#line().slice(0, this.#column);
    } else throw new Error(`unknown sequence ${JSON.stringify(token)}`);
  }

  #line(): string[] {
    const line = this.#lines[this.#row] ?? [];
    this.#lines[this.#row] = line;
    return line;
  }

  #down(): void {
    if (this.#row < this.rows - 1) {
      this.#row += 1;
      return;
    }
    if ((this.#lines.shift() ?? []).length > 0) this.scrolled += 1;
    this.#lines.push([]);
  }
}
