/**
 * Commands as lines: `VERB SP argument SP argument ... LF`, every argument URL-encoded.
 *
 *   writeRequest('SIG', { key: 'k', file: '%d%/a b' })  <->  "SIG k %25d%25/a%20b\n"
 *
 * Verbs are case-insensitive; words are separated by spaces or tabs (csync2 also drops a carriage return at the end, and
 * answers a blank line with nothing at all). Source: reference/wire-protocol.md, "Words and encoding".
 */

import { decodeUrl, encodeUrl } from '../../model/encoding.js';
import { CsxError } from '../../model/errors.js';
import { isCanonical } from '../../model/names.js';
import { MAX_ARGUMENTS, MAX_DIGITS, MAX_LINE } from './limits.js';
import { findVerb, verbRow } from './verbs.js';
import type { Argument, Arguments, Request, Verb } from './verbs.js';

/** What a line of a client may be. */
export type ParsedRequest =
  | { readonly kind: 'request'; readonly request: Request }
  /** A blank line: no answer is due. */
  | { readonly kind: 'blank' }
  /** Answer `Unknown command!`. */
  | { readonly kind: 'unknown'; readonly verb: string }
  /** A known verb with missing or impossible arguments, such as a file name with `..`. csync2 answers `Permission denied!`. */
  | { readonly kind: 'malformed'; readonly verb: Verb; readonly reason: string };

/**
 * Writes a command, newline included. Fails with PATH_OUTSIDE when it would be longer than a csync2 daemon reads (a name of
 * more than 5,000 bytes that all need encoding), and with INTERNAL for values that no line can carry.
 */
export function writeRequest<V extends Verb>(verb: V, args: Arguments<V>): Buffer {
  const values = args as Readonly<Record<string, unknown>>;
  let line: string = verb;
  let words = 0;
  for (const argument of verbRow(verb).arguments) {
    const value = values[argument.name];
    if (value === undefined && argument.optional === true && argument.type !== 'name') continue;
    const list: readonly unknown[] = argument.rest === true && Array.isArray(value) ? value : [value ?? ''];
    for (const item of list) line += ` ${writeWord(verb, argument, item)}`;
    words += list.length;
  }
  if (words > MAX_ARGUMENTS) {
    throw new CsxError('INTERNAL', `${verb} cannot carry ${words} arguments; the protocol allows ${MAX_ARGUMENTS}.`);
  }
  if (line.length > MAX_LINE) {
    throw new CsxError('PATH_OUTSIDE', `${verb} would be a line of ${line.length} bytes; csync2 reads ${MAX_LINE}.`, {
      hint: 'Exclude the file from synchronisation, or give it a shorter name.',
    });
  }
  return Buffer.from(`${line}\n`, 'latin1');
}

function writeWord(verb: Verb, argument: Argument, value: unknown): string {
  if (argument.type === 'decimal') {
    if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value);
  } else if (typeof value === 'string' && !value.includes('\0') && (value !== '' || argument.type === 'name')) {
    return encodeUrl(value);
  }
  throw new CsxError('INTERNAL', `${verb} was given no usable value for "${argument.name}".`);
}

const SEPARATOR = /[ \t\r]+/;
const DECIMAL = new RegExp(`^-?[0-9]{1,${MAX_DIGITS}}$`);

/** Reads a line (without its newline, at most MAX_LINE bytes) as a byte string. Never throws; surplus arguments are ignored. */
export function parseRequest(line: string): ParsedRequest {
  const words = line.split(SEPARATOR).filter((word) => word !== '');
  const [first, ...rest] = words;
  if (first === undefined) return { kind: 'blank' };
  const verb = findVerb(first);
  if (verb === undefined) return { kind: 'unknown', verb: first };
  if (line.includes('\0')) return { kind: 'malformed', verb, reason: 'it holds a zero byte' };
  if (rest.length > MAX_ARGUMENTS) {
    return { kind: 'malformed', verb, reason: `it has more than ${MAX_ARGUMENTS} arguments` };
  }
  const args: Record<string, unknown> = {};
  let index = 0;
  for (const argument of verbRow(verb).arguments) {
    const taken = argument.rest === true ? rest.slice(index) : rest.slice(index, index + 1);
    index += taken.length;
    if (taken.length === 0 && argument.rest !== true) {
      if (argument.optional === true) continue;
      return { kind: 'malformed', verb, reason: `its argument "${argument.name}" is missing` };
    }
    const values = taken.map((word) => readWord(argument, word));
    if (values.includes(undefined)) {
      return { kind: 'malformed', verb, reason: `its argument "${argument.name}" is not a ${argument.type}` };
    }
    args[argument.name] = argument.rest === true ? values : values[0];
  }
  // Built from the verb's own row above: the names and types are those of Arguments<verb>.
  return { kind: 'request', request: { verb, args } as unknown as Request };
}

function readWord(argument: Argument, word: string): string | number | undefined {
  if (argument.type === 'decimal') return DECIMAL.test(word) ? Number(word) : undefined;
  const value = decodeUrl(word);
  if (value.includes('\0')) return undefined;
  if (argument.type !== 'file' || (argument.orAll === true && value === '-')) return value;
  return isCanonical(value) ? value : undefined;
}
