/**
 * Pre-shared keys: the first line of a key file, at least 32 characters of `[A-Za-z0-9._]`.
 *
 * The text is kept where nothing prints it: a `Key` shows its file's name and no more, to JSON, to a template string and
 * to the inspector alike. A file that others may read or write is refused (promises 15 and 16).
 */

import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { inspect } from 'node:util';
import { CsxError, errnoOf } from '../model/errors.js';
import type { SourceRange } from '../model/errors.js';
import type { Key } from '../model/config.js';
import { display, toBuffer } from '../model/names.js';
import { checkOperatorFile } from '../operator/operator-file.js';

const LEAST = 32;
/** A line of csync2's protocol holds at most 16 KiB, the key and a file name among it. */
const MOST = 4_096;

/**
 * Reads a key. Fails with KEY_UNREADABLE, KEY_INVALID or FILE_UNSAFE, never with any of its text.
 * `uid`: the user this process runs as.
 */
export function readKey(file: string, uid: number, range: SourceRange | undefined): Key {
  checkOperatorFile(file, { what: 'key file', secret: true, uid, range });
  return new FileKey(file, checkKey(readFirstLine(file, range), file, range));
}

class FileKey implements Key {
  readonly file: string;
  readonly #text: string;

  constructor(file: string, text: string) {
    this.file = file;
    this.#text = text;
  }

  secret(): string {
    return this.#text;
  }

  toString(): string {
    return `[key from ${this.file}]`;
  }

  toJSON(): { readonly file: string } {
    return { file: this.file };
  }

  [inspect.custom](): string {
    return this.toString();
  }
}

function readFirstLine(file: string, range: SourceRange | undefined): Buffer {
  const shown = display(file);
  let descriptor: number | undefined;
  try {
    descriptor = openSync(toBuffer(file), constants.O_RDONLY | constants.O_NONBLOCK);
    if (!fstatSync(descriptor).isFile()) throw notRegular(shown, range);
    const start = Buffer.alloc(MOST + 2);
    const bytes = start.subarray(0, readSync(descriptor, start));
    const newline = bytes.indexOf('\n');
    return newline < 0 ? bytes : bytes.subarray(0, newline);
  } catch (error) {
    if (error instanceof CsxError) throw error;
    const missing = errnoOf(error) === 'ENOENT';
    throw new CsxError(
      'KEY_UNREADABLE',
      missing
        ? `The key file ${shown} does not exist.`
        : `The key file ${shown} cannot be read (${errnoOf(error) ?? 'error'}).`,
      {
        range,
        hint: missing
          ? `Copy it from another host of the group, or make it: csx keygen ${shown}.`
          : 'It must be a file that the user csx runs as can read.',
        data: { path: shown },
        cause: error,
      },
    );
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

function notRegular(shown: string, range: SourceRange | undefined): CsxError {
  return new CsxError('KEY_UNREADABLE', `The key file ${shown} is not a regular file.`, {
    range,
    hint: 'Name the file itself, or make one: csx keygen FILE.',
    data: { path: shown },
  });
}

function checkKey(line: Buffer, file: string, range: SourceRange | undefined): string {
  const invalid = (what: string, hint: string): CsxError =>
    new CsxError('KEY_INVALID', `The key in ${display(file)} ${what}.`, { range, hint, data: { path: display(file) } });
  const text = line.toString('latin1');
  const wrong = /[^A-Za-z0-9._]/.exec(text);
  if (wrong !== null) {
    const carriage = wrong[0] === '\r' ? ' It has DOS line ends: convert the file.' : '';
    throw invalid(
      `holds a character that is not allowed, in column ${wrong.index + 1}`,
      `Its first line must consist of letters, digits, dots and underscores.${carriage}`,
    );
  }
  if (text.length < LEAST) {
    throw invalid(
      `is too short: ${text.length} characters`,
      `At least ${LEAST} are needed in the first line. A new one: csx keygen FILE.`,
    );
  }
  if (text.length > MOST) throw invalid(`is longer than ${MOST} characters`, 'A new one: csx keygen FILE.');
  return text;
}
