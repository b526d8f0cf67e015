/**
 * A unified diff of one file on two sides, coloured on a terminal, where changed words within changed lines stand out.
 * Binary files are shown as sizes and digests, files under `sensitive` patterns as no more than that they differ.
 *
 *   --- web2:/etc/hosts
 *   +++ web1:/etc/hosts
 *   @@ -1,3 +1,3 @@
 *    127.0.0.1 localhost
 *   -10.0.0.2 web2
 *   +10.0.0.2 web2 www
 */

import { diffWordsWithSpace, structuredPatch } from 'diff';
import type { StructuredPatchHunk } from 'diff';
import { display, fromText, toText } from '../model/names.js';
import type { Bytes } from '../model/names.js';
import { count, plural } from './quantity.js';
import { screenOf } from './terminal.js';
import type { Output, Screen } from './terminal.js';

/** One side of a file. */
export interface DiffSide {
  /** What stands in the heading: `web2:/etc/hosts`. Bytes. */
  readonly label: string;
  /** Undefined: it does not exist on this side, or is no regular file. */
  readonly content: Bytes | undefined;
  /** SHA-256 of the content, hex, for binary files. */
  readonly digest: string | undefined;
}

export interface DiffOptions {
  /** Say only that and by how much it differs. */
  readonly masked?: boolean;
  /** Lines around each change. Default 3. */
  readonly context?: number;
}

/** Content longer than this is compared by size and digest: a line diff of it would take minutes and nobody reads it. */
const LARGEST = 8 * 1024 * 1024;
/** The search gives up beyond so many differing lines, or so long. */
const MOST_EDITS = 5_000;
const TIMEOUT = 3_000;
const LONGEST_LINE_FOR_WORDS = 2_000;

/** The diff that turns `before` into `after`; nothing when they are the same. */
export function* diffView(
  output: Output,
  before: DiffSide,
  after: DiffSide,
  options: DiffOptions = {},
): Generator<string> {
  if (before.content === after.content) return;
  const screen = screenOf(output);
  yield* diffHeading(screen, before.label, after.label);
  if (options.masked === true) {
    yield 'The contents differ; they are not shown because a sensitive pattern matches the file.\n';
    return;
  }
  if (isBinary(before.content) || isBinary(after.content)) {
    yield* sizes('Binary contents differ', before, after);
    return;
  }
  const patch = patchOf(before.content ?? '', after.content ?? '', options.context ?? 3);
  if (patch === undefined) yield* sizes('The contents differ in more than can be shown line by line', before, after);
  else for (const hunk of patch) yield* hunkLines(hunk, screen);
}

/** The two lines that name the sides. Labels are bytes. */
export function* diffHeading({ paint }: Screen, before: string, after: string): Generator<string> {
  yield `${paint.bold(`--- ${display(before)}`)}\n${paint.bold(`+++ ${display(after)}`)}\n`;
}

/** A NUL in the first 8,000 bytes, as git decides it; or too long to show. */
export function isBinary(content: string | undefined): boolean {
  if (content === undefined) return false;
  return content.length > LARGEST || content.slice(0, 8_000).includes('\0');
}

function patchOf(before: string, after: string, context: number): readonly StructuredPatchHunk[] | undefined {
  const patch = structuredPatch('', '', before, after, undefined, undefined, {
    context,
    maxEditLength: MOST_EDITS,
    timeout: TIMEOUT,
  });
  return patch?.hunks;
}

function* sizes(sentence: string, ...sides: readonly DiffSide[]): Generator<string> {
  yield `${sentence}:\n`;
  for (const side of sides) {
    const text = side.content === undefined ? 'does not exist' : plural(side.content.length, 'byte');
    yield `  ${display(side.label)}: ${text}${side.digest === undefined ? '' : `, sha256 ${side.digest}`}\n`;
  }
}

function* hunkLines(hunk: StructuredPatchHunk, screen: Screen): Generator<string> {
  const { paint } = screen;
  yield `${paint.cyan(`@@ -${range(hunk.oldStart, hunk.oldLines)} +${range(hunk.newStart, hunk.newLines)} @@`)}\n`;
  const { lines } = hunk;
  for (let index = 0; index < lines.length;) {
    const removed = run(lines, index, '-');
    const added = run(lines, index + removed.length, '+');
    if (removed.length + added.length > 0) {
      yield* changedLines(removed, added, screen);
      index += removed.length + added.length;
      continue;
    }
    const line = lines[index] ?? '';
    // "\ No newline at end of file" is diff's own line.
    yield line.startsWith('\\') ? `${paint.dim(line)}\n` : ` ${shown(line.slice(1))}\n`;
    index += 1;
  }
}

function range(start: number, lines: number): string {
  // An empty range is numbered by the line before it.
  return lines === 1 ? String(start) : lines === 0 ? `${start - 1},0` : `${start},${lines}`;
}

function run(lines: readonly string[], from: number, sign: string): readonly string[] {
  let to = from;
  while (lines[to]?.startsWith(sign) === true) to += 1;
  return lines.slice(from, to);
}

/** Lines that were replaced one by one are compared word by word, where colours can show it. */
function* changedLines(removed: readonly string[], added: readonly string[], screen: Screen): Generator<string> {
  const { paint } = screen;
  const pairs = paint.level > 0 && removed.length === added.length;
  const words = pairs ? removed.map((line, index) => wordDiff(line.slice(1), (added[index] ?? '').slice(1))) : [];
  for (const [index, line] of removed.entries()) {
    const parts = words[index]?.filter((part) => !part.added);
    yield `${paint.red('-')}${paintLine(line, parts, paint.red, screen)}\n`;
  }
  for (const [index, line] of added.entries()) {
    const parts = words[index]?.filter((part) => !part.removed);
    yield `${paint.green('+')}${paintLine(line, parts, paint.green, screen)}\n`;
  }
}

interface Part {
  readonly value: string;
  readonly added: boolean;
  readonly removed: boolean;
}

/** Undefined where the lines have so little in common that marking words would mark everything. */
function wordDiff(before: string, after: string): readonly Part[] | undefined {
  if (Math.max(before.length, after.length) > LONGEST_LINE_FOR_WORDS) return undefined;
  // As text, so that no word ends between the bytes of a character.
  const [from, to] = [toText(before), toText(after)];
  if (from === undefined || to === undefined) return undefined;
  const parts = diffWordsWithSpace(from, to);
  const same = parts.reduce((sum, part) => sum + (part.added || part.removed ? 0 : part.value.trim().length), 0);
  return same * 3 < Math.max(from.trim().length, to.trim().length) ? undefined : parts;
}

function paintLine(
  line: string,
  parts: readonly Part[] | undefined,
  color: (text: string) => string,
  screen: Screen,
): string {
  if (parts === undefined) return color(shown(line.slice(1)));
  return parts
    .map((part) => {
      const text = shown(fromText(part.value));
      return color(part.added || part.removed ? screen.paint.inverse(text) : text);
    })
    .join('');
}

/** A line's bytes for a terminal: as `display`, but tabs and backslashes stand for themselves, as in the file. */
function shown(bytes: string): string {
  return bytes.replace(/[^\t\\]+/g, display);
}

/** `3 files differ, 120 are the same.` */
export function diffSummary(different: number, same: number): string {
  return `${plural(different, 'file')} ${different === 1 ? 'differs' : 'differ'}, ${count(same)} ${same === 1 ? 'is' : 'are'} the same.\n`;
}
