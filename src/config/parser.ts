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

import type { SourceRange } from '../model/errors.js';
import { tokenize } from './lexer.js';
import type { ReadFile } from './lexer.js';
import type { Report } from './report.js';
import type { ActionItem, GroupItem, MemberWord, PrefixStatement, Statement, Word } from './statements.js';
import { TokenReader } from './token-reader.js';

/** Parses a file with all it includes. Errors go to the report; what could be read comes back. */
export function parseConfigFile(file: string, readFile: ReadFile, report: Report): ParsedFile {
  const files: string[] = [];
  const parser = new Parser(tokenize(file, readFile, files), PLACES, report);
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

class Parser extends TokenReader {
  file(): readonly Statement[] {
    return this.all(() => this.#statement());
  }

  #statement(): Statement {
    const { range } = this.token;
    const keyword = this.keyword(TOP, 'a statement');
    switch (keyword) {
      case 'group': {
        const name = this.token.kind === 'word' ? this.word('') : undefined;
        return { kind: 'group', name, range, items: this.section('group', () => this.#item()) };
      }
      case 'prefix':
        return this.#prefix(range);
      case 'nossl':
        return this.ended({
          kind: keyword,
          from: this.word('a host pattern'),
          to: this.word('a second host pattern'),
        });
      case 'database':
      case 'tempdir':
        return this.ended({ kind: keyword, value: this.word('a path') });
      case 'lock-timeout':
        return this.ended({ kind: keyword, value: this.word('a number of seconds') });
      case 'ignore':
        return this.ended({ kind: keyword, properties: this.words() });
      case 'no-cygwin-lowercase':
        return this.ended({ kind: keyword, range });
    }
  }

  #prefix(range: SourceRange): PrefixStatement {
    const name = this.word('the name of the prefix');
    const paths = this.section('prefix', () => {
      this.keyword(['on'], 'on');
      const host = this.word('a host pattern');
      this.expect(':', `: (with a space between the pattern and the path)`);
      return this.ended({ host, path: this.word('an absolute path') });
    });
    return { kind: 'prefix', name, range, paths };
  }

  #item(): GroupItem {
    const { range } = this.token;
    const keyword = this.keyword(GROUP, 'a statement of the group or }');
    switch (keyword) {
      case 'host':
        return this.ended({ kind: keyword, members: this.#members() });
      case 'key':
        return this.ended({ kind: keyword, file: this.word('the name of the key file') });
      case 'include':
      case 'exclude':
      case 'compare':
        return this.ended({ kind: keyword, patterns: this.words() });
      case 'auto':
        return this.ended({ kind: keyword, method: this.word('a method') });
      case 'backup-directory':
        return this.ended({ kind: keyword, value: this.word('an absolute path') });
      case 'backup-generations':
        return this.ended({ kind: keyword, value: this.word('a number') });
      case 'action':
        return this.#action(range);
    }
  }

  #members(): readonly MemberWord[] {
    const members: MemberWord[] = [];
    let slave = false;
    for (;;) {
      if (this.token.kind === (slave ? ')' : '(')) {
        slave = !slave;
        this.advance();
      } else if (this.token.kind === 'word') {
        const host = this.word('');
        members.push({ host, name: this.accept('@') ? this.word('a name after @') : undefined, slave });
      } else {
        if (slave) throw this.unexpected('a host name or )');
        return members;
      }
    }
  }

  #action(range: SourceRange): ActionItem {
    const patterns: Word[] = [];
    const commands: Word[] = [];
    let logfile: Word | undefined;
    let where: ActionItem['where'] = 'peers';
    this.section('action', () => {
      const keyword = this.keyword(ACTION, 'a statement of the action or }');
      switch (keyword) {
        case 'pattern':
          patterns.push(...this.words());
          break;
        case 'exec':
          commands.push(...this.words());
          break;
        case 'logfile':
          logfile = this.word('the name of a file');
          break;
        case 'do-local':
          if (where === 'peers') where = 'everywhere';
          break;
        case 'do-local-only':
          where = 'here';
          break;
      }
      this.expectEnd();
    });
    return { kind: 'action', range, patterns, commands, logfile, where, timeout: undefined };
  }
}
