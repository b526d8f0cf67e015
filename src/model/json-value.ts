/**
 * A value out of JSON that is not trusted yet: read member by member, each read says what it expects and where.
 *
 * Also the form of byte strings in JSON: text where the bytes are valid UTF-8; otherwise what a person may read
 * (`display`) and beside it, under the name with `_bytes`, the bytes in base64. A reader that knows `_bytes` loses nothing.
 */

import { CsxError } from './errors.js';
import type { ErrorCode } from './errors.js';
import type { Bytes } from './names.js';
import { display, fromBuffer, fromText, toBuffer, toText } from './names.js';

/** The members for a byte string: `{ name }`, or `{ name, name_bytes }` when it is no UTF-8. */
export function bytesMember<Name extends string>(name: Name, bytes: string): BytesMember<Name> {
  const text = toText(bytes);
  const members =
    text === undefined
      ? { [name]: display(bytes), [`${name}_bytes`]: toBuffer(bytes).toString('base64') }
      : { [name]: text };
  return members as BytesMember<Name>;
}

/** The same for a byte string that may be missing: null then. */
export function optionalBytesMember<Name extends string>(
  name: Name,
  bytes: string | undefined,
): OptionalBytesMember<Name> {
  return bytes === undefined ? ({ [name]: null } as OptionalBytesMember<Name>) : bytesMember(name, bytes);
}

/** The same for a list: `name_bytes` holds null for each element that is text, and is there only when one is not. */
export function bytesListMember<Name extends string>(name: Name, list: readonly string[]): BytesListMember<Name> {
  const texts = list.map((each) => toText(each));
  const members = texts.every((text) => text !== undefined)
    ? { [name]: texts }
    : {
        [name]: texts.map((text, index) => text ?? display(list[index] ?? '')),
        [`${name}_bytes`]: texts.map((text, index) =>
          text === undefined ? toBuffer(list[index] ?? '').toString('base64') : null,
        ),
      };
  return members as BytesListMember<Name>;
}

export type BytesMember<Name extends string> = Readonly<
  Record<Name, string> & Partial<Record<`${Name}_bytes`, string>>
>;
export type OptionalBytesMember<Name extends string> = Readonly<
  Record<Name, string | null> & Partial<Record<`${Name}_bytes`, string>>
>;
export type BytesListMember<Name extends string> = Readonly<
  Record<Name, readonly string[]> & Partial<Record<`${Name}_bytes`, readonly (string | null)[]>>
>;

/** What a document is called in errors, and the code they get. */
export interface Document {
  readonly name: string;
  readonly code: ErrorCode;
  readonly hint: string;
}

/** Longest text taken from a document, in UTF-16 units, unless a read says otherwise. */
const TEXT_LIMIT = 65_536;

export class JsonValue {
  private readonly value: unknown;
  private readonly document: Document;
  private readonly parent: JsonValue | undefined;
  private readonly key: string | number;

  constructor(value: unknown, document: Document, key: string | number = '', parent?: JsonValue) {
    this.value = value;
    this.document = document;
    this.key = key;
    this.parent = parent;
  }

  get isNull(): boolean {
    return this.value === null;
  }

  /** A member that has to be there. */
  member(name: string): JsonValue {
    const found = this.object()[name];
    if (found === undefined) throw this.error(`lacks "${name}"`);
    return new JsonValue(found, this.document, name, this);
  }

  private optional(name: string): JsonValue | undefined {
    const found = this.object()[name];
    return found === undefined ? undefined : new JsonValue(found, this.document, name, this);
  }

  /** The members of an object that serves as a map, as they come. */
  entries(): readonly (readonly [string, JsonValue])[] {
    return Object.entries(this.object()).map(([name, value]) => [
      name,
      new JsonValue(value, this.document, name, this),
    ]);
  }

  elements(): readonly JsonValue[] {
    const { value } = this;
    if (!Array.isArray(value)) throw this.error('is no array');
    return value.map((each: unknown, index) => new JsonValue(each, this.document, index, this));
  }

  text(limit = TEXT_LIMIT): string {
    if (typeof this.value !== 'string') throw this.error('is no text');
    if (this.value.length > limit) throw this.error(`is longer than ${limit} characters`);
    return this.value;
  }

  matching(pattern: RegExp, what: string): string {
    const text = this.text();
    if (!pattern.test(text)) throw this.error(`is no ${what}`);
    return text;
  }

  is(word: string): boolean {
    return this.value === word;
  }

  oneOf<Word extends string | boolean>(words: readonly Word[]): Word {
    const found = words.find((word) => word === this.value);
    if (found === undefined) throw this.error(`is none of ${words.map(String).join(', ')}`);
    return found;
  }

  boolean(): boolean {
    if (typeof this.value !== 'boolean') throw this.error('is neither true nor false');
    return this.value;
  }

  /** A whole number, not negative unless `least` says so. */
  integer(least = 0): number {
    const { value } = this;
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least) {
      throw this.error(least === 0 ? 'is no whole number from 0' : 'is no whole number');
    }
    return value;
  }

  /** Undefined for null, otherwise what `read` makes of it. */
  nullable<T>(read: (value: JsonValue) => T): T | undefined {
    return this.value === null ? undefined : read(this);
  }

  /** The byte string written by `bytesMember`. */
  bytes(name: string, limit = TEXT_LIMIT): Bytes {
    const exact = this.optional(`${name}_bytes`);
    return exact === undefined ? this.member(name).textBytes(limit) : exact.base64(limit);
  }

  /** The byte string written by `optionalBytesMember`. */
  optionalBytes(name: string): Bytes | undefined {
    return this.member(name).isNull ? undefined : this.bytes(name);
  }

  /** The list written by `bytesListMember`. */
  bytesList(name: string): readonly Bytes[] {
    const texts = this.member(name).elements();
    const exact = this.optional(`${name}_bytes`)?.elements();
    if (exact !== undefined && exact.length !== texts.length) throw this.error(`has another length in "${name}_bytes"`);
    return texts.map((text, index) => {
      const bytes = exact?.[index];
      return bytes === undefined || bytes.isNull ? text.textBytes(TEXT_LIMIT) : bytes.base64(TEXT_LIMIT);
    });
  }

  private textBytes(limit: number): Bytes {
    const text = this.text(limit);
    // Half a surrogate pair has no UTF-8: as bytes it would become another name.
    if (!text.isWellFormed()) throw this.error('is no valid Unicode text');
    return fromText(text);
  }

  private base64(limit: number): Bytes {
    const text = this.text(Math.ceil(limit / 3) * 4);
    const bytes = Buffer.from(text, 'base64');
    if (bytes.toString('base64') !== text) throw this.error('is no base64');
    return fromBuffer(bytes);
  }

  /** What is wrong with this value, as an error that says where it stands. */
  error(what: string): CsxError {
    const place = this.path();
    return new CsxError(this.document.code, `${this.document.name} is not valid: ${place} ${what}.`, {
      hint: this.document.hint,
      data: { place },
    });
  }

  private path(): string {
    if (this.parent === undefined) return this.key === '' ? 'it' : String(this.key);
    const above = this.parent.path();
    if (typeof this.key === 'number') return `${above}[${this.key}]`;
    return above === 'it' ? this.key : `${above}.${this.key}`;
  }

  private object(): Readonly<Record<string, unknown>> {
    const { value } = this;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw this.error('is no object');
    return value as Readonly<Record<string, unknown>>;
  }
}
