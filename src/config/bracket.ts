/**
 * One bracket expression of a shell pattern (`[a-c]`, `[!x]`, `[[:digit:]]`), as fnmatch(3) of glibc reads it in the C locale.
 *
 * glibc decides while it reads: once the character is found the rest is skipped by other rules, an unknown class fails
 * on the spot, and an expression without end is an ordinary `[`. So it is read anew for each byte, and the
 * outcomes kept in a table. test/config/fnmatch.test.ts holds it against libc.
 */

/** A bracket expression of a pattern: what it makes of each byte, worked out when the byte is first met. */
export class Bracket {
  readonly #pattern: string;
  readonly #start: number;
  readonly #slashNever: boolean;
  readonly #table = new Int32Array(256).fill(UNREAD);

  /** `start`: offset of its `[`. `slashNever`: it does not match `/`, whatever it lists. */
  constructor(pattern: string, start: number, slashNever: boolean) {
    this.#pattern = pattern;
    this.#start = start;
    this.#slashNever = slashNever;
  }

  /** The pattern offset to go on from after `byte`, or -1 where it does not match. */
  after(byte: number): number {
    const known = this.#table[byte] ?? FAIL;
    if (known !== UNREAD) return known;
    const next = this.#slashNever && byte === 0x2f ? FAIL : readFor(this.#pattern, this.#start, byte);
    this.#table[byte] = next;
    return next;
  }

  /** Where it ends as a reader sees it; just behind its `[` when it has no end. */
  end(): number {
    const at = this.#start + (/[!^]/.test(this.#pattern.charAt(this.#start + 1)) ? 2 : 1);
    const end = skipRest(this.#pattern, this.#pattern[at] === ']' ? at + 1 : at, false, FAIL);
    return end === FAIL ? this.#start + 1 : end;
  }
}

const UNREAD = -2;
const BACKSLASH = 0x5c;
const CLOSE = 0x5d;
const DASH = 0x2d;
const FAIL = -1;

/** Reads the expression whose `[` stands at `start` for one byte. */
function readFor(pattern: string, start: number, byte: number): number {
  // Without end it is an ordinary `[`, which the byte may be.
  const ordinary = byte === 0x5b ? start + 1 : FAIL;
  let at = start + 1;
  const negated = pattern[at] === '!' || pattern[at] === '^';
  if (negated) at += 1;
  for (let first = true; ; first = false) {
    if (at >= pattern.length) return ordinary;
    let low = pattern.charCodeAt(at);
    at += 1;
    if (low === CLOSE && !first) return negated ? at : FAIL;
    if (low === BACKSLASH) {
      if (at >= pattern.length) return FAIL;
      low = pattern.charCodeAt(at);
      at += 1;
    } else if (low === 0x5b) {
      const special = readSpecial(pattern, at);
      if (special?.kind === 'unknown') return FAIL;
      if (special !== undefined) at = special.next;
      if (special?.kind === 'class') {
        if (!special.has(byte)) continue;
        return skipRest(pattern, at, negated, ordinary);
      }
      if (special?.kind === 'character') {
        low = special.code;
        if (special.alone) {
          if (low !== byte) continue;
          return skipRest(pattern, at, negated, ordinary);
        }
      }
    }
    let high = low;
    if (pattern.charCodeAt(at) === DASH && pattern.charCodeAt(at + 1) !== CLOSE) {
      if (at + 1 === pattern.length) return byte === low ? ordinary : FAIL;
      at += 1;
      high = pattern.charCodeAt(at);
      at += 1;
      if (high === BACKSLASH) {
        if (at >= pattern.length) return FAIL;
        high = pattern.charCodeAt(at);
        at += 1;
      } else if (high === 0x5b && pattern[at] === '.') {
        const symbol = readSpecial(pattern, at);
        if (symbol?.kind !== 'character') return FAIL;
        high = symbol.code;
        at = symbol.next;
      }
    }
    if (byte >= low && byte <= high) return skipRest(pattern, at, negated, ordinary);
  }
}

type Special =
  | { readonly kind: 'class'; readonly has: (byte: number) => boolean; readonly next: number }
  /** `alone`: `[=c=]`, which cannot begin a range; `[.c.]` can. */
  | { readonly kind: 'character'; readonly code: number; readonly alone: boolean; readonly next: number }
  | { readonly kind: 'unknown' };

/** Reads `[:class:]`, `[=c=]` or `[.c.]` whose second character stands at `at`; undefined when the `[` is a plain one. */
function readSpecial(pattern: string, at: number): Special | undefined {
  switch (pattern.charAt(at)) {
    case ':': {
      const match = /^:([a-y]*):\]/.exec(pattern.slice(at, at + 40));
      if (match === null) return undefined;
      const has = CLASSES[match[1] ?? ''];
      return has === undefined ? { kind: 'unknown' } : { kind: 'class', has, next: at + match[0].length };
    }
    case '=':
      if (at + 1 >= pattern.length || pattern.slice(at + 2, at + 4) !== '=]') return undefined;
      return { kind: 'character', code: pattern.charCodeAt(at + 1), alone: true, next: at + 4 };
    case '.': {
      const end = pattern.indexOf('.]', at + 1);
      // In the C locale only single characters have collating symbols.
      if (end !== at + 2) return { kind: 'unknown' };
      return { kind: 'character', code: pattern.charCodeAt(at + 1), alone: false, next: at + 4 };
    }
    default:
      return undefined;
  }
}

/** After the byte was found: to the end of the expression, by glibc's rules for what is no longer looked at. */
function skipRest(pattern: string, from: number, negated: boolean, ordinary: number): number {
  let at = from;
  for (;;) {
    if (at >= pattern.length) return ordinary;
    const code = pattern.charCodeAt(at);
    at += 1;
    if (code === CLOSE) return negated ? FAIL : at;
    if (code === BACKSLASH) {
      if (at >= pattern.length) return FAIL;
      at += 1;
    } else if (code === 0x5b) {
      const special = readSpecial(pattern, at);
      if (special?.kind === 'unknown') {
        const close = pattern.indexOf(`${pattern[at] ?? ''}]`, at + 1);
        if (close < 0) return FAIL;
        at = close + 2;
      } else if (special !== undefined) {
        at = special.next;
      } else if (pattern[at] === '=') {
        return FAIL;
      }
    }
  }
}

const range =
  (...bounds: readonly string[]) =>
  (byte: number): boolean =>
    bounds.some((pair) => byte >= pair.charCodeAt(0) && byte <= pair.charCodeAt(1));

/** The character classes of the C locale. */
const CLASSES: Readonly<Record<string, ((byte: number) => boolean) | undefined>> = {
  alnum: range('09', 'AZ', 'az'),
  alpha: range('AZ', 'az'),
  blank: range('  ', '\t\t'),
  cntrl: range('\x00\x1f', '\x7f\x7f'),
  digit: range('09'),
  graph: range('!~'),
  lower: range('az'),
  print: range(' ~'),
  punct: range('!/', ':@', '[`', '{~'),
  space: range('  ', '\t\r'),
  upper: range('AZ'),
  xdigit: range('09', 'AF', 'af'),
};
