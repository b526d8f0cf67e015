/**
 * Text laid out by the columns it takes on a terminal: East Asian wide characters and emoji take two, combining marks
 * none. Text comes from `display` (model/names.ts): no control or format characters, so no joined emoji either. Colours
 * are put on afterwards, never measured.
 */

/** EastAsianWidth W and F as of Unicode 16; the wide emoji come by their property. */
const WIDE =
  /[\u1100-\u115F\u2329\u232A\u2630-\u2637\u268A-\u268F\u2E80-\u2E99\u2E9B-\u2EF3\u2F00-\u2FD5\u2FF0-\u303E\u3041-\u3096\u3099-\u30FF\u3105-\u312F\u3131-\u318E\u3190-\u31E5\u31EF-\u321E\u3220-\u3247\u3250-\uA48C\uA490-\uA4C6\uA960-\uA97C\uAC00-\uD7A3\uF900-\uFAFF\uFE10-\uFE19\uFE30-\uFE52\uFE54-\uFE66\uFE68-\uFE6B\uFF01-\uFF60\uFFE0-\uFFE6\u{16FE0}-\u{16FE4}\u{16FF0}-\u{16FF1}\u{17000}-\u{18CD5}\u{18CFF}-\u{18D08}\u{1AFF0}-\u{1B2FB}\u{1D300}-\u{1D356}\u{1D360}-\u{1D376}\u{1F200}\u{1F202}\u{1F210}-\u{1F219}\u{1F21B}-\u{1F22E}\u{1F230}-\u{1F231}\u{1F237}\u{1F23B}\u{1F240}-\u{1F248}\u{1F260}-\u{1F265}\u{20000}-\u{2FFFD}\u{30000}-\u{3FFFD}]|\p{Emoji_Presentation}/u;
const REGIONAL = /\p{Regional_Indicator}/u;
const ZERO = /[\p{Mn}\p{Me}\u1160-\u11FF\uD7B0-\uD7FB]/u;
const PLAIN = /^[\x20-\x7e]*$/;

/** Columns that the text takes. */
export function textWidth(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += characterWidth(character);
  return width;
}

function characterWidth(character: string): number {
  if (character < '\x7f') return 1;
  if (ZERO.test(character)) return 0;
  return WIDE.test(character) && !REGIONAL.test(character) ? 2 : 1;
}

/** The text with spaces up to `width` columns. */
export function padEnd(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - textWidth(text)));
}

export function padStart(text: string, width: number): string {
  return ' '.repeat(Math.max(0, width - textWidth(text))) + text;
}

/** At most `width` columns: what does not fit at the end gives way to `...`. */
export function truncateEnd(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  const dots = '...'.slice(0, Math.max(0, width));
  return headOf(text, width - dots.length) + dots;
}

/** At most `width` columns: the middle gives way to `...`, a little more of the end stays (it holds the file's name). */
export function truncateMiddle(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  if (width < 8) return truncateEnd(text, width);
  const tail = Math.ceil((width - 3) * 0.6);
  const end = Array.from(text).reverse();
  let used = 0;
  let count = 0;
  for (const character of end) {
    const columns = characterWidth(character);
    if (used + columns > tail) break;
    used += columns;
    count += 1;
  }
  return `${headOf(text, width - 3 - used)}...${end.slice(0, count).reverse().join('')}`;
}

function headOf(text: string, width: number): string {
  let head = '';
  let used = 0;
  for (const character of text) {
    const columns = characterWidth(character);
    if (used + columns > width) break;
    used += columns;
    head += character;
  }
  return head;
}

/** Lines of at most `width` columns, broken at spaces; a word that is longer stands alone, whole. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line: string | undefined;
  let used = 0;
  for (const word of text.split(' ')) {
    const columns = textWidth(word);
    if (line === undefined) {
      line = word;
      used = columns;
    } else if (used + 1 + columns > width) {
      lines.push(line);
      line = word;
      used = columns;
    } else {
      line = `${line} ${word}`;
      used += 1 + columns;
    }
  }
  lines.push(line ?? '');
  return lines;
}
