/**
 * csync2.cfg as tokens (reference/configuration.md, "Lexical rules").
 *
 *   white space: space, tab, carriage return, newline     comment: `#` to the end of the line
 *   single characters: { } ( ) ; : @
 *   word: the longest run without white space and @ ; ( ) # " that does not end in `:`; a lone { } or : is none
 *   "...": a word whatever it holds, no escapes, may span lines; "" is no token at all
 *   config FILE;   is replaced by the tokens of FILE, wherever it stands, up to ten levels deep
 *
 * As in csync2 the name after `config` is read raw, without quotes. A relative one is taken from the system directory, as key
 * files are; csync2 takes it from whatever directory it was started in.
 */

import path from 'node:path';
import { CsxError } from '../model/errors.js';
import type { SourceRange } from '../model/errors.js';
import { display } from '../model/names.js';
import type { Bytes } from '../model/names.js';
import { Source } from './source.js';

export const KEYWORDS = [
  'nossl',
  'ignore',
  'database',
  'group',
  'host',
  'exclude',
  'include',
  'compare',
  'key',
  'auto',
  'action',
  'pattern',
  'exec',
  'logfile',
  'do-local',
  'do-local-only',
  'prefix',
  'on',
  'lock-timeout',
  'tempdir',
  'backup-directory',
  'backup-generations',
  'no-cygwin-lowercase',
  'config',
] as const;

export type Keyword = (typeof KEYWORDS)[number];

export type TokenKind = 'keyword' | 'word' | '{' | '}' | '(' | ')' | ';' | ':' | '@' | 'end';

export interface Token {
  readonly kind: TokenKind;
  /** Without quotes. */
  readonly text: Bytes;
  /** Worked out when asked for: only errors and the statements that are kept need it. */
  readonly range: SourceRange;
}

/** Reads a file for the lexer, as a byte string. Throws CsxError. */
export type ReadFile = (file: string, from: SourceRange | undefined) => string;

const NESTING = 10;
/** Ten levels of files that include each other several times would never end. */
const FILES = 1_000;
const WORDS = new Set<string>(KEYWORDS);
const SPACE = /(?:[ \t\r\n]+|#[^\n]*|"")+/y;
const WORD = /[^ \t\r\n@;()#"]*[^ \t\r\n@;()#":]/y;
const FILE_NAME = /[^ \t\r\n;]+/y;

/** The tokens of a file and of all it includes, ending with `end`. `files` is given every file that is read. */
export function* tokenize(file: string, readFile: ReadFile, files: string[]): Generator<Token, void> {
  const systemDirectory = path.dirname(file);
  const [source, offset] = yield* tokensOf(file, undefined, 1);
  yield token(source, offset, 'end', '');

  function* tokensOf(name: string, from: SourceRange | undefined, depth: number): Generator<Token, [Source, number]> {
    const source = new Source(name, readFile(name, from));
    files.push(name);
    const { text } = source;
    let at = skip(SPACE, text, 0);
    while (at < text.length) {
      const read = readToken(source, at);
      at = skip(SPACE, text, read.next);
      if (read.kind !== 'keyword' || read.text !== 'config') {
        yield token(source, read.start, read.kind, read.text);
        continue;
      }
      const end = skip(FILE_NAME, text, at);
      const range = source.range(end === at ? read.start : at);
      if (end === at) throw new CsxError('CONFIG_INVALID', 'config is not followed by the name of a file.', { range });
      const included = path.resolve(systemDirectory, text.slice(at, end));
      at = skip(SPACE, text, end);
      if (text[at] !== ';') {
        throw new CsxError('CONFIG_INVALID', `Expected ; after the file name in a config statement.`, {
          range: source.range(Math.min(at, text.length)),
          hint: 'One config statement names one file, without quotes.',
        });
      }
      at = skip(SPACE, text, at + 1);
      if (depth > NESTING) {
        throw new CsxError('CONFIG_INVALID', `The config statements are nested more than ${NESTING} levels deep.`, {
          range,
          hint: 'A file that includes itself, directly or through others, never ends.',
        });
      }
      if (files.length >= FILES) {
        throw new CsxError('CONFIG_INVALID', `The config statements read more than ${FILES} files.`, { range });
      }
      yield* tokensOf(included, range, depth + 1);
    }
    return [source, at];
  }
}

interface Read {
  readonly kind: TokenKind;
  readonly text: string;
  readonly start: number;
  readonly next: number;
}

function readToken(source: Source, start: number): Read {
  const { text } = source;
  const character = text.charAt(start);
  if (character === '"') {
    const end = text.indexOf('"', start + 1);
    if (end < 0) {
      throw new CsxError('CONFIG_INVALID', 'This quotation mark is never closed.', {
        range: source.range(start),
        hint: 'Quoted words end at the next ", also over several lines; there are no escapes.',
      });
    }
    return { kind: 'word', text: text.slice(start + 1, end), start, next: end + 1 };
  }
  const end = skip(WORD, text, start);
  if (end - start <= 1 && isSingle(character)) return { kind: character, text: character, start, next: start + 1 };
  const word = text.slice(start, end);
  return { kind: WORDS.has(word) ? 'keyword' : 'word', text: word, start, next: end };
}

function isSingle(character: string): character is '{' | '}' | '(' | ')' | ';' | ':' | '@' {
  return '{}();:@'.includes(character);
}

/** Where the pattern, tried at `at`, ends; `at` itself where it does not match. */
function skip(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : at;
}

function token(source: Source, offset: number, kind: TokenKind, text: string): Token {
  return {
    kind,
    text: text as Bytes,
    get range() {
      return source.range(offset);
    },
  };
}

/** A token as a message names it. */
export function describeToken({ kind, text }: Token): string {
  if (kind === 'end') return 'the end of the file';
  if (kind === 'keyword') return `the keyword ${text}`;
  return kind === 'word' ? `"${display(text)}"` : kind;
}
