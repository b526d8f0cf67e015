/**
 * The command of an action as it is run: `%%` replaced by the names of the files that triggered it.
 *
 * csync2 pastes the names in its URL encoding, as the configuration knows them, with a space between them, and leaves `;`, `&`, `` ` ``, `(` and
 * others as they are. Here no name can be read as shell syntax, and a name without special bytes looks as csync2 writes it:
 *
 *   plain (letters, digits, `_ . / + , : = @ % -`)   as it is, wherever `%%` stands
 *   anything else, `%%` outside quotes               in single quotes: one word of the shell
 *   anything else, `%%` inside quotes, a here-document
 *   or a substitution                                each special byte as `%XX`, since quotes inside quotes would end them
 */

import type { Bytes } from './names.js';
import { compareBytes } from './names.js';

/** The command for these files, each named once, in the order of their bytes. */
export function expandCommand(command: Bytes, files: readonly string[]): Bytes {
  if (!command.includes('%%')) return command;
  const names = [...new Set(files)].sort(compareBytes);
  const pieces = command.split('%%');
  let before = '';
  let text = '';
  for (const [index, piece] of pieces.entries()) {
    if (index > 0) text += names.map(isBare(before) ? quoteWord : encodeWord).join(' ');
    text += piece;
    before += index > 0 ? `x${piece}` : piece;
  }
  return text as Bytes;
}

const PLAIN = /^[A-Za-z0-9_./+,:=@%-]*$/;

/** A name as one word of the shell. */
export function quoteWord(name: string): string {
  return PLAIN.test(name) ? name : `'${name.replaceAll("'", "'\\''")}'`;
}

function encodeWord(name: string): string {
  if (PLAIN.test(name)) return name;
  return name.replace(
    /[^A-Za-z0-9_./+,:=@-]/g,
    (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}

/** Whether what follows `text` stands outside quotes for sure: anything but words and closed quotes before it is doubt. */
function isBare(text: string): boolean {
  return /^(?:[^'"\\`$<#]|'[^']*'|"(?:[^"\\`$]|\\[^]|\$[A-Za-z0-9_@*?])*"|\\[^]|\$[A-Za-z0-9_@*?]|<(?!<))*$/.test(text);
}
