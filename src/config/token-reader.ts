/**
 * Reads tokens for the parser: expects, accepts, and after an error goes on behind the statement. Errors say what was expected, what
 * was found, and what usually went wrong there.
 */

import { CsxError } from '../model/errors.js';
import { nearest } from '../model/nearest.js';
import { describeToken } from './lexer.js';
import type { Keyword, Token } from './lexer.js';
import type { Report } from './report.js';
import type { Word } from './statements.js';

export class TokenReader {
  protected token: Token = { kind: 'end', text: '' as Word['text'], range: { file: '', line: 1, column: 1 } };
  readonly #tokens: Generator<Token, void>;
  readonly #places: Readonly<Record<string, string>>;
  readonly #report: Report;
  /** The lexer has failed: nothing follows. */
  #over = false;
  #depth = 0;

  /** `places`: where keywords belong, for those that stand elsewhere. */
  constructor(tokens: Generator<Token, void>, places: Readonly<Record<string, string>>, report: Report) {
    this.#tokens = tokens;
    this.#places = places;
    this.#report = report;
  }

  /** What `read` makes of each statement up to the end. Errors go to the report. */
  protected all<T>(read: () => T): readonly T[] {
    const statements: T[] = [];
    try {
      this.advance();
      while (this.token.kind !== 'end') {
        const statement = this.recovering(read, 0);
        if (statement !== undefined) statements.push(statement);
      }
    } catch (error) {
      this.#report.caught(error);
    }
    return statements;
  }

  /** `{ ... }`: what `read` makes of each statement inside. */
  protected section<T>(what: Keyword, read: () => T): readonly T[] {
    const open = this.token.range;
    this.expect('{', '{ (with a space before it)');
    const depth = ++this.#depth;
    const items: T[] = [];
    while (this.token.kind !== '}') {
      if (this.token.kind === 'end') {
        throw new CsxError('CONFIG_INVALID', `The ${what} that begins in line ${open.line} is never closed with }.`, {
          range: this.token.range,
        });
      }
      const item = this.recovering(read, depth);
      if (item !== undefined) items.push(item);
    }
    this.#depth = depth - 1;
    this.advance();
    return items;
  }

  /** Runs `read`; after an error inside, goes on behind the statement at the same depth. */
  protected recovering<T>(read: () => T, depth: number): T | undefined {
    try {
      return read();
    } catch (error) {
      if (this.#over) throw error;
      this.#report.caught(error);
      this.#skipStatement(depth);
      return undefined;
    }
  }

  /** To behind the next `;` or closed section at `depth`, or in front of the `}` that closes it. */
  #skipStatement(depth: number): void {
    let inside = this.#depth - depth;
    this.#depth = depth;
    while (this.token.kind !== 'end') {
      const { kind } = this.token;
      if (kind === '{') inside += 1;
      if (kind === '}') {
        if (inside === 0 && depth > 0) return;
        inside = Math.max(inside - 1, 0);
      }
      this.advance();
      if (inside === 0 && (kind === ';' || kind === '}')) return;
    }
  }

  protected words(): readonly Word[] {
    const words: Word[] = [];
    while (this.token.kind === 'word') words.push(this.word(''));
    return words;
  }

  protected word(expected: string): Word {
    if (this.token.kind !== 'word') throw this.unexpected(expected);
    const { text, range } = this.token;
    this.advance();
    return { text, range };
  }

  protected keyword<K extends Keyword>(known: readonly K[], expected: string): K {
    const { kind, text, range } = this.token;
    const keyword = known.find((word) => (word as string) === text);
    if (kind === 'keyword' && keyword !== undefined) {
      this.advance();
      return keyword;
    }
    const list = `Known here: ${known.join(', ')}.`;
    if (kind === 'keyword') {
      const hint = `It belongs ${this.#places[text] ?? 'elsewhere'}. ${list}`;
      throw new CsxError('CONFIG_INVALID', `${text} cannot stand here.`, { range, hint });
    }
    const near = kind === 'word' ? nearest(text, known) : undefined;
    throw this.unexpected(expected, near === undefined ? list : `Did you mean ${near}?`);
  }

  protected accept(kind: Token['kind']): boolean {
    if (this.token.kind !== kind) return false;
    this.advance();
    return true;
  }

  protected expect(kind: Token['kind'], expected: string): void {
    if (!this.accept(kind)) throw this.unexpected(expected);
  }

  protected ended<T>(value: T): T {
    this.expectEnd();
    return value;
  }

  protected expectEnd(): void {
    this.expect(';', ';');
  }

  protected unexpected(expected: string, hint?: string): CsxError {
    const token = this.token;
    return new CsxError('CONFIG_INVALID', `Expected ${expected}, found ${describeToken(token)}.`, {
      range: token.range,
      hint: hint ?? hintFor(token),
    });
  }

  protected advance(): void {
    try {
      const next = this.#tokens.next();
      if (next.done !== true) this.token = next.value;
    } catch (error) {
      this.#over = true;
      throw error;
    }
  }
}

/** What usually went wrong when a token stands where none of its kind may. */
function hintFor({ kind, text }: Token): string | undefined {
  switch (kind) {
    case 'keyword':
      return `A word that is spelled like a keyword must be quoted: "${text}".`;
    case '@':
    case '(':
    case ')':
    case ':':
      return `A word that holds ${kind} must be quoted; a word cannot end in : without quotes.`;
    case '{':
    case '}':
    case 'end':
      return 'A ; may be missing before it.';
    case 'word':
      return /[{}]$/.test(text)
        ? 'A { or } needs a space before it, or it belongs to the word.'
        : 'A ; may be missing before it.';
    case ';':
      return undefined;
  }
}
