/**
 * csync2.cfg to statements (reference/configuration.md).
 *
 *   file    = { group | prefix | nossl | database | tempdir | ignore | lock-timeout | no-cygwin-lowercase }
 *   group   = "group" [ word ] "{" { item } "}"
 *   item    = "host" { member | "(" { member } ")" } ";" | "key" word ";" | ("include" | "exclude" | "compare") { word } ";"
 *           | "auto" word ";" | "backup-directory" word ";" | "backup-generations" word ";" | action
 *   member  = word [ "@" word ]
 *   action  = "action" "{" { "pattern" { word } ";" | "exec" { word } ";" | "logfile" word ";" | "do-local" ";"
 *           | "do-local-only" ";" } "}"
 *   prefix  = "prefix" word "{" { "on" word ":" word ";" } "}"
 *
 * After an error the parser goes on behind the statement, so that one run shows every mistake.
 */

import { CsxError } from '../model/errors.js';
import type { SourceRange } from '../model/errors.js';
import { describeToken, tokenize } from './lexer.js';
import type { Keyword, ReadFile, Token } from './lexer.js';
import { nearest } from './nearest.js';
import type { Report } from './report.js';
import type { ActionItem, GroupItem, MemberWord, PrefixStatement, Statement, Word } from './statements.js';

/** Parses a file with all it includes. Errors go to the report; what could be read comes back. */
export function parseConfigFile(file: string, readFile: ReadFile, report: Report): ParsedFile {
  const files: string[] = [];
  const parser = new Parser(tokenize(file, readFile, files), report);
  return { statements: parser.file(), files };
}

export interface ParsedFile {
  readonly statements: readonly Statement[];
  /** The file and all it includes, in the order of reading. */
  readonly files: readonly string[];
}

const TOP = [
  'group',
  'prefix',
  'nossl',
  'database',
  'tempdir',
  'ignore',
  'lock-timeout',
  'no-cygwin-lowercase',
] as const;
const GROUP = [
  'host',
  'key',
  'include',
  'exclude',
  'compare',
  'auto',
  'action',
  'backup-directory',
  'backup-generations',
] as const;
const ACTION = ['pattern', 'exec', 'logfile', 'do-local', 'do-local-only'] as const;

/** Statements that people write in the wrong place, and where they belong. */
const PLACES: Readonly<Record<string, string>> = {
  ...Object.fromEntries(TOP.map((word) => [word, 'outside of groups'])),
  ...Object.fromEntries(GROUP.map((word) => [word, 'inside a group'])),
  ...Object.fromEntries(ACTION.map((word) => [word, 'inside an action section'])),
  on: 'inside a prefix section',
};

class Parser {
  readonly #tokens: Generator<Token, void>;
  readonly #report: Report;
  #token: Token = { kind: 'end', text: '' as Word['text'], range: { file: '', line: 1, column: 1 } };
  /** The lexer has failed: nothing follows. */
  #over = false;
  #depth = 0;

  constructor(tokens: Generator<Token, void>, report: Report) {
    this.#tokens = tokens;
    this.#report = report;
  }

  file(): readonly Statement[] {
    const statements: Statement[] = [];
    try {
      this.#advance();
      while (this.#token.kind !== 'end') {
        const statement = this.#recovering(() => this.#statement(), 0);
        if (statement !== undefined) statements.push(statement);
      }
    } catch (error) {
      this.#report.caught(error);
    }
    return statements;
  }

  #statement(): Statement {
    const { range } = this.#token;
    const keyword = this.#keyword(TOP, 'a statement');
    switch (keyword) {
      case 'group': {
        const name = this.#token.kind === 'word' ? this.#word('') : undefined;
        return { kind: 'group', name, range, items: this.#section('group', () => this.#item()) };
      }
      case 'prefix':
        return this.#prefix(range);
      case 'nossl':
        return this.#ended({
          kind: keyword,
          from: this.#word('a host pattern'),
          to: this.#word('a second host pattern'),
        });
      case 'database':
      case 'tempdir':
        return this.#ended({ kind: keyword, value: this.#word('a path') });
      case 'lock-timeout':
        return this.#ended({ kind: keyword, value: this.#word('a number of seconds') });
      case 'ignore':
        return this.#ended({ kind: keyword, properties: this.#words() });
      case 'no-cygwin-lowercase':
        return this.#ended({ kind: keyword, range });
    }
  }

  #prefix(range: SourceRange): PrefixStatement {
    const name = this.#word('the name of the prefix');
    const paths = this.#section('prefix', () => {
      this.#keyword(['on'], 'on');
      const host = this.#word('a host pattern');
      this.#expect(':', `: (with a space between the pattern and the path)`);
      return this.#ended({ host, path: this.#word('an absolute path') });
    });
    return { kind: 'prefix', name, range, paths };
  }

  #item(): GroupItem {
    const { range } = this.#token;
    const keyword = this.#keyword(GROUP, 'a statement of the group or }');
    switch (keyword) {
      case 'host':
        return this.#ended({ kind: keyword, members: this.#members() });
      case 'key':
        return this.#ended({ kind: keyword, file: this.#word('the name of the key file') });
      case 'include':
      case 'exclude':
      case 'compare':
        return this.#ended({ kind: keyword, patterns: this.#words() });
      case 'auto':
        return this.#ended({ kind: keyword, method: this.#word('a method') });
      case 'backup-directory':
        return this.#ended({ kind: keyword, value: this.#word('an absolute path') });
      case 'backup-generations':
        return this.#ended({ kind: keyword, value: this.#word('a number') });
      case 'action':
        return this.#action(range);
    }
  }

  #members(): readonly MemberWord[] {
    const members: MemberWord[] = [];
    let slave = false;
    for (;;) {
      if (this.#token.kind === (slave ? ')' : '(')) {
        slave = !slave;
        this.#advance();
      } else if (this.#token.kind === 'word') {
        const host = this.#word('');
        members.push({ host, name: this.#accept('@') ? this.#word('a name after @') : undefined, slave });
      } else {
        if (slave) throw this.#unexpected('a host name or )');
        return members;
      }
    }
  }

  #action(range: SourceRange): ActionItem {
    const patterns: Word[] = [];
    const commands: Word[] = [];
    let logfile: Word | undefined;
    let where: ActionItem['where'] = 'peers';
    this.#section('action', () => {
      const keyword = this.#keyword(ACTION, 'a statement of the action or }');
      switch (keyword) {
        case 'pattern':
          patterns.push(...this.#words());
          break;
        case 'exec':
          commands.push(...this.#words());
          break;
        case 'logfile':
          logfile = this.#word('the name of a file');
          break;
        case 'do-local':
          if (where === 'peers') where = 'everywhere';
          break;
        case 'do-local-only':
          where = 'here';
          break;
      }
      this.#expectEnd();
    });
    return { kind: 'action', range, patterns, commands, logfile, where, timeout: undefined };
  }

  /** `{ ... }`: what `read` makes of each statement inside. */
  #section<T>(what: Keyword, read: () => T): readonly T[] {
    const open = this.#token.range;
    this.#expect('{', '{ (with a space before it)');
    const depth = ++this.#depth;
    const items: T[] = [];
    while (this.#token.kind !== '}') {
      if (this.#token.kind === 'end') {
        throw new CsxError('CONFIG_INVALID', `The ${what} that begins in line ${open.line} is never closed with }.`, {
          range: this.#token.range,
        });
      }
      const item = this.#recovering(read, depth);
      if (item !== undefined) items.push(item);
    }
    this.#depth = depth - 1;
    this.#advance();
    return items;
  }

  /** Runs `read`; after an error inside, goes on behind the statement at the same depth. */
  #recovering<T>(read: () => T, depth: number): T | undefined {
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
    while (this.#token.kind !== 'end') {
      const { kind } = this.#token;
      if (kind === '{') inside += 1;
      if (kind === '}') {
        if (inside === 0 && depth > 0) return;
        inside = Math.max(inside - 1, 0);
      }
      this.#advance();
      if (inside === 0 && (kind === ';' || kind === '}')) return;
    }
  }

  #words(): readonly Word[] {
    const words: Word[] = [];
    while (this.#token.kind === 'word') words.push(this.#word(''));
    return words;
  }

  #word(expected: string): Word {
    if (this.#token.kind !== 'word') throw this.#unexpected(expected);
    const { text, range } = this.#token;
    this.#advance();
    return { text, range };
  }

  #keyword<K extends Keyword>(known: readonly K[], expected: string): K {
    const { kind, text, range } = this.#token;
    const keyword = known.find((word) => (word as string) === text);
    if (kind === 'keyword' && keyword !== undefined) {
      this.#advance();
      return keyword;
    }
    const list = `Known here: ${known.join(', ')}.`;
    if (kind === 'keyword') {
      const hint = `It belongs ${PLACES[text] ?? 'elsewhere'}. ${list}`;
      throw new CsxError('CONFIG_INVALID', `${text} cannot stand here.`, { range, hint });
    }
    const near = kind === 'word' ? nearest(text, known) : undefined;
    throw this.#unexpected(expected, near === undefined ? list : `Did you mean ${near}?`);
  }

  #accept(kind: Token['kind']): boolean {
    if (this.#token.kind !== kind) return false;
    this.#advance();
    return true;
  }

  #expect(kind: Token['kind'], expected: string): void {
    if (!this.#accept(kind)) throw this.#unexpected(expected);
  }

  #ended<T>(value: T): T {
    this.#expectEnd();
    return value;
  }

  #expectEnd(): void {
    this.#expect(';', ';');
  }

  #unexpected(expected: string, hint?: string): CsxError {
    const token = this.#token;
    return new CsxError('CONFIG_INVALID', `Expected ${expected}, found ${describeToken(token)}.`, {
      range: token.range,
      hint: hint ?? hintFor(token),
    });
  }

  #advance(): void {
    try {
      const next = this.#tokens.next();
      if (next.done !== true) this.#token = next.value;
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
