/**
 * The names of things, as types that do not mix.
 *
 * File names on Linux are bytes, not Unicode. Inside csx every name is a *byte string*: a JavaScript string whose char
 * codes are the bytes (0 to 255, what Node calls latin1). Such a string is lossless, compares with `<` as memcmp does,
 * works as a Map key, and takes one byte a character. It becomes a Buffer where it meets the system
 * (`toBuffer`) and text where it meets a person (`display`).
 */

declare const brand: unique symbol;
type Brand<Name extends string> = { readonly [brand]: Name };

/** Any byte string: one char code 0-255 for each byte. */
export type Bytes = string & { readonly [brand]: string };

/** An absolute path on this host's disk, canonical: no `.`, `..`, empty component, or trailing slash (but `/` itself). */
export type DiskPath = string & Brand<'DiskPath'>;

/** A file as the configuration knows it: an absolute path, or `%prefix%/rest`. Decoded, canonical. */
export type FileName = string & Brand<'FileName'>;

/** A file name in csync2's URL encoding, as it stands in the database and on the wire (wire/encoding.ts). */
export type StoredName = string & Brand<'StoredName'>;

/** The name under which a host is reached in a group (after `@` where there is one), lower case. */
export type PeerName = string & Brand<'PeerName'>;

/** The bytes of a name, for the system. */
export function toBuffer(name: string): Buffer {
  return Buffer.from(name, 'latin1');
}

/** A byte string from bytes. */
export function fromBuffer(bytes: Uint8Array): Bytes {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1') as Bytes;
}

/** A byte string from text (an argument, a YAML scalar): its UTF-8 bytes. */
export function fromText(text: string): Bytes {
  return (isAscii(text) ? text : Buffer.from(text, 'utf8').toString('latin1')) as Bytes;
}

/** True when every char is below 0x80: then text, bytes and UTF-8 are the same string. */
export function isAscii(value: string): boolean {
  return /^[\x00-\x7f]*$/.test(value);
}

/** Made when a name needs it: few do. */
let strictUtf8: InstanceType<typeof TextDecoder> | undefined;

/** The text of a byte string when it is valid UTF-8, otherwise undefined. */
export function toText(name: string): string | undefined {
  if (isAscii(name)) return name;
  try {
    return (strictUtf8 ??= new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })).decode(toBuffer(name));
  } catch {
    return undefined;
  }
}

/**
 * A name as a person may read it, safe on a terminal and in a log: UTF-8 where it is valid, `\xNN` for the bytes where it is not,
 * and `\n`, `\t`, `\xNN`, `\u{N}` for control, format and other invisible characters. A backslash becomes `\\`.
 * Injective: two names never look the same.
 */
export function display(name: string): string {
  return escapeInvisible(toText(name) ?? decodeLoosely(name));
}

/** Decodes the valid UTF-8 runs; each invalid byte becomes a private placeholder that `escapeInvisible` prints as `\xNN`. */
function decodeLoosely(name: string): string {
  let text = '';
  let index = 0;
  while (index < name.length) {
    const lead = name.charCodeAt(index);
    const length = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc2 ? 2 : 0;
    const character = length === 0 ? undefined : toText(name.slice(index, index + length));
    if (character === undefined) {
      text += String.fromCharCode(0xdc00 + lead);
      index += 1;
    } else {
      text += character;
      index += length;
    }
  }
  return text;
}

const NAMED: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\t': '\\t', '\r': '\\r' };

function escapeInvisible(text: string): string {
  return text.replace(/[\\\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (character) => {
    const named = NAMED[character];
    if (named !== undefined) return named;
    const code = character.codePointAt(0) ?? 0;
    if (code >= 0xdc00 && code <= 0xdcff) return `\\x${(code - 0xdc00).toString(16).padStart(2, '0')}`;
    return code < 0x80 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
  });
}

/** Orders two byte strings as memcmp does. */
export function compareBytes(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The name of the directory that holds `name`; undefined for `/` and for a bare `%prefix%`. */
export function parentName(name: FileName): FileName | undefined {
  const slash = name.lastIndexOf('/');
  if (slash < 0 || name === '/') return undefined;
  return (slash === 0 ? '/' : name.slice(0, slash)) as FileName;
}

/** True when `name` is `ancestor` or lies below it. */
export function isWithin(name: string, ancestor: string): boolean {
  if (ancestor === '/') return name.startsWith('/');
  return name.startsWith(ancestor) && (name.length === ancestor.length || name[ancestor.length] === '/');
}

/**
 * Whether a name is one that csx handles at all: absolute or `%prefix%`, no `.`, `..` or empty component, no NUL, no trailing
 * slash, components of at most 255 bytes and 4,095 in all. Names from peers, the database and plans must pass before use.
 */
export function isCanonical(name: string): boolean {
  if (name === '/') return true;
  if (name.length > 4095 || name.includes('\0')) return false;
  const [head, ...rest] = name.split('/');
  if (head !== '' && !/^%[^%/]+%$/.test(head ?? '')) return false;
  if (head === '' && rest.length === 0) return false;
  return rest.every((part) => part !== '' && part !== '.' && part !== '..' && part.length <= 255);
}

/**
 * How the names of csx's own files begin that lie beside the files it replaces, for the moment of the replacement.
 * No pattern matches them, no scan sees them, no peer may name them. engine/files/stage.ts makes and removes them.
 */
export const RESERVED_PREFIX = '.csx-stage-';

/** Whether a name, or a component of a path, is one of csx's own: to be left alone and never synchronised. */
export function isReserved(name: string): boolean {
  return name.startsWith(RESERVED_PREFIX) || name.includes(`/${RESERVED_PREFIX}`);
}
