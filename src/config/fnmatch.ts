/**
 * Shell patterns on byte strings: fnmatch(3) of glibc in the C locale, compiled once.
 *
 * Matching takes at most pattern length times name length steps: only the last star is ever taken back. That is
 * enough, because each token eats exactly one byte and, where `*` stops at slashes, a slash in the pattern has only one
 * place in the name. glibc itself is exponential on patterns like `*a*a*a*b`.
 */

import { Bracket } from './bracket.js';

/** How `*`, `?` and brackets meet a slash, and what may follow. */
export interface PatternFlags {
  /** `*`, `?` and brackets do not match `/` (FNM_PATHNAME). */
  readonly pathname: boolean;
  /** The pattern may also match just an ancestor of the name (FNM_LEADING_DIR). */
  readonly leadingDir: boolean;
}

export const PLAIN: PatternFlags = { pathname: false, leadingDir: false };

/** Compiles a pattern. It can be tested whole, from an offset of the name on, and cut at a slash. */
export function compilePattern(pattern: string, flags: PatternFlags = PLAIN): ShellPattern {
  return new ShellPattern(pattern, flags);
}

const STAR = -1;
const ANY = -2;
/** Tokens at or below this refer to `brackets[BRACKET - token]`. */
const BRACKET = -3;
const NEVER = -0x10000;

const SLASH = 0x2f;

export class ShellPattern {
  readonly text: string;
  readonly flags: PatternFlags;
  /** What the pattern stands for when it holds no wildcard: then matching is comparing. */
  readonly literal: string | undefined;
  /** Escapes resolved, up to the first wildcard. */
  readonly literalStart: string;
  /** Offsets of the slashes in `tokens` (those inside brackets do not count), for cutting. */
  readonly slashes: readonly number[];

  /** At each offset of the pattern: a byte, STAR, ANY, BRACKET - n or NEVER; and the offset of the next token. */
  readonly #tokens: Int32Array;
  readonly #next: Int32Array;
  readonly #brackets: readonly Bracket[];

  constructor(text: string, flags: PatternFlags) {
    this.text = text;
    this.flags = flags;
    const tokens = new Int32Array(text.length);
    const next = new Int32Array(text.length);
    const brackets: Bracket[] = [];
    const slashes: number[] = [];
    let literal: string | undefined = '';
    let literalStart = '';
    // Every offset gets its token, since a bracket expression may end in different places for different bytes.
    for (let at = text.length - 1; at >= 0; at--) {
      tokens[at] = text.charCodeAt(at);
      next[at] = at + 1;
      switch (text.charAt(at)) {
        case '*':
          tokens[at] = STAR;
          break;
        case '?':
          tokens[at] = ANY;
          break;
        case '\\':
          tokens[at] = at + 1 < text.length ? text.charCodeAt(at + 1) : NEVER;
          next[at] = at + 2;
          break;
        case '[':
          tokens[at] = BRACKET - brackets.length;
          brackets.push(new Bracket(text, at, flags.pathname));
          break;
      }
    }
    let afterStar = false;
    for (let at = 0; at < text.length; at = endOfToken(at, tokens, next, brackets)) {
      // glibc's `*` stops at a slash and then knows only an unescaped one.
      if (afterStar && flags.pathname && tokens[at] === SLASH && text[at] === '\\') tokens[at] = NEVER;
      const token = tokens[at] ?? NEVER;
      afterStar = token === STAR || (token === ANY && afterStar);
      if (token === SLASH) slashes.push(at);
      const character = token >= 0;
      literal = character && literal !== undefined ? literal + String.fromCharCode(token) : undefined;
      if (literal !== undefined) literalStart = literal;
    }
    this.literal = literal;
    this.literalStart = literalStart;
    this.slashes = slashes;
    this.#tokens = tokens;
    this.#next = next;
    this.#brackets = brackets;
  }

  /** Whether the pattern matches `name` from offset `from` on. */
  test(name: string, from = 0): boolean {
    const { literal, literalStart } = this;
    if (literal !== undefined) {
      const end = from + literal.length;
      if (name.length === end) return from === 0 ? name === literal : name.endsWith(literal);
      return this.flags.leadingDir && name.charCodeAt(end) === SLASH && name.startsWith(literal, from);
    }
    if (literalStart !== '' && !name.startsWith(literalStart, from)) return false;
    return this.#run(name, from, 0, this.#tokens.length, this.flags.leadingDir);
  }

  /** Whether the pattern up to offset `end` (one of `slashes`) matches all of `name`. */
  testCut(name: string, end: number): boolean {
    return this.#run(name, 0, 0, end, false);
  }

  /** Whether the pattern from offset `start` (just after one of `slashes`) matches `name` from `from` to its end. */
  testTail(name: string, from: number, start: number): boolean {
    return this.#run(name, from, start, this.#tokens.length, false);
  }

  #run(name: string, from: number, start: number, end: number, leadingDir: boolean): boolean {
    const tokens = this.#tokens;
    const { pathname } = this.flags;
    const length = name.length;
    let at = from;
    let token = start;
    let starToken = -1;
    let starAt = 0;
    for (;;) {
      if (token < end) {
        const kind = tokens[token] ?? NEVER;
        if (kind === STAR) {
          token += 1;
          starToken = token;
          starAt = at;
          continue;
        }
        if (at < length) {
          const byte = name.charCodeAt(at);
          if (kind >= 0) {
            if (kind === byte) {
              // With `pathname` no earlier star can help once a slash has matched.
              if (pathname && byte === SLASH) starToken = -1;
              token = this.#next[token] ?? end;
              at += 1;
              continue;
            }
          } else if (kind === ANY) {
            if (!pathname || byte !== SLASH) {
              token += 1;
              at += 1;
              continue;
            }
          } else if (kind !== NEVER) {
            const to = this.#brackets[BRACKET - kind]?.after(byte) ?? -1;
            if (to >= 0) {
              token = to;
              at += 1;
              continue;
            }
          }
        }
      } else if (at === length || (leadingDir && name.charCodeAt(at) === SLASH)) {
        return true;
      }
      if (starToken < 0 || starAt >= length || (pathname && name.charCodeAt(starAt) === SLASH)) return false;
      starAt += 1;
      at = starAt;
      token = starToken;
    }
  }
}

/** Where the token at `at` ends. */
function endOfToken(at: number, tokens: Int32Array, next: Int32Array, brackets: readonly Bracket[]): number {
  const token = tokens[at] ?? NEVER;
  if (token > BRACKET || token === NEVER) return next[at] ?? at + 1;
  return brackets[BRACKET - token]?.end() ?? at + 1;
}
