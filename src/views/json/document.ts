/**
 * JSON on stdout: one document, indented by two spaces, LF at the end. Written piece by piece, so that a plan of a
 * million changes is never one string. What may not stand in a terminal or a log (control characters) is escaped as
 * JSON does; names arrive as the text their documents define.
 *
 *   { "error": { "code": "PEER_UNREACHABLE", "message": "...", "hint": "...", "range": null, "data": {} } }
 */

import { CsxError } from '../../model/errors.js';
import type { SourceRange } from '../../model/errors.js';

/** The pieces of a document. `value` is what JSON.stringify takes, without toJSON methods of its own making. */
export function* jsonDocument(value: unknown): Generator<string> {
  yield* pieces(value, '');
  yield '\n';
}

/** A document whose last member is a list that comes piece by piece, and is never held as a whole. */
export async function* jsonList(
  head: Readonly<Record<string, unknown>>,
  name: string,
  items: AsyncIterable<object>,
): AsyncGenerator<string> {
  let separator = '[\n    ';
  yield '{\n';
  for (const [key, value] of Object.entries(head)) yield `  ${escape(JSON.stringify(key))}: ${whole(value, '  ')},\n`;
  yield `  ${escape(JSON.stringify(name))}: `;
  for await (const item of items) {
    yield `${separator}${whole(item, '    ')}`;
    separator = ',\n    ';
  }
  yield separator.startsWith('[') ? '[]\n}\n' : '\n  ]\n}\n';
}

/** The document that every failing command prints under --json. */
export function errorDocument(error: unknown): Generator<string> {
  return jsonDocument({ error: errorObject(error) });
}

export interface ErrorObject {
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
  readonly range: (Omit<SourceRange, 'text'> & { readonly text: string | null }) | null;
  readonly data: Readonly<Record<string, unknown>>;
}

/** An error as JSON tells it; every member is always there. */
export function errorObject(error: unknown): ErrorObject {
  if (error instanceof CsxError) {
    return {
      code: error.code,
      message: error.message,
      hint: error.hint ?? null,
      range: error.range === undefined ? null : { ...error.range, text: error.range.text ?? null },
      data: error.data,
    };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { code: 'INTERNAL', message, hint: null, range: null, data: {} };
}

/** Arrays and objects below this depth are written whole: a change, a conflict, a peer. */
const WHOLE = 2;

function* pieces(value: unknown, indent: string): Generator<string> {
  if (indent.length >= WHOLE * 2 || value === null || typeof value !== 'object' || 'toJSON' in value) {
    yield whole(value, indent);
    return;
  }
  const inner = `${indent}  `;
  const isArray = Array.isArray(value);
  const [open, close] = isArray ? '[]' : '{}';
  let separator = `${open ?? ''}\n${inner}`;
  let empty = true;
  for (const [key, item] of isArray ? value.entries() : Object.entries(value)) {
    if (!isArray && (item === undefined || typeof item === 'function')) continue;
    yield isArray ? separator : `${separator}${escape(JSON.stringify(key))}: `;
    yield* pieces(item, inner);
    separator = `,\n${inner}`;
    empty = false;
  }
  yield empty ? `${open ?? ''}${close ?? ''}` : `\n${indent}${close ?? ''}`;
}

function whole(value: unknown, indent: string): string {
  // JSON.stringify gives undefined for what has no JSON: null, as in arrays.
  const text = JSON.stringify(value, undefined, 2) as string | undefined;
  return escape(text ?? 'null').replaceAll('\n', `\n${indent}`);
}

/** JSON leaves DEL, C1 controls, line separators and text direction marks as they are; a terminal may act on them. */
export function escape(json: string): string {
  return json.replace(/[\x7f-\x9f\u2028\u2029\p{Cf}]/gu, (character) =>
    Array.from(
      { length: character.length },
      (_, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`,
    ).join(''),
  );
}
