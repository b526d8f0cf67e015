/** YAML as a tree that knows where everything stands. Core schema, no custom tags, no aliases, no duplicate keys, one document. */

import {
  constructFromEvents,
  CORE_SCHEMA,
  EVENT_ID,
  getScalarValue,
  parseEvents,
  realMapTag,
  SCALAR_STYLE,
  YAMLException,
} from 'js-yaml';
import type { Event, ScalarEvent } from 'js-yaml';
import { CsxError } from '../model/errors.js';
import type { SourceRange } from '../model/errors.js';
import { toText } from '../model/names.js';
import { Source } from './source.js';

export type YamlNode = YamlMap | YamlList | YamlScalar;

export interface YamlMap {
  readonly kind: 'map';
  readonly range: SourceRange;
  /** In the order of the file. */
  readonly entries: readonly YamlEntry[];
}

export interface YamlEntry {
  /** As written: `1` is the text 1. */
  readonly key: string;
  readonly keyRange: SourceRange;
  readonly value: YamlNode;
}

export interface YamlList {
  readonly kind: 'list';
  readonly range: SourceRange;
  readonly items: readonly YamlNode[];
}

export interface YamlScalar {
  readonly kind: 'scalar';
  readonly range: SourceRange;
  readonly value: string | number | boolean | null;
}

/** Deeper than any configuration. */
const DEPTH = 20;

/** Parses a file's text (byte string). Throws CONFIG_INVALID with the place. */
export function parseYaml(file: string, bytes: string): YamlNode {
  const source = new Source(file, bytes);
  const text = toText(bytes);
  if (text === undefined) {
    throw new CsxError('CONFIG_INVALID', 'The file is not UTF-8 text, as YAML must be.', { range: source.range(0) });
  }
  const rangeAt = (offset: number): SourceRange => source.range(Buffer.byteLength(text.slice(0, offset)));
  const fail = (message: string, offset: number, hint?: string): never => {
    throw new CsxError('CONFIG_INVALID', message, { range: rangeAt(offset), hint });
  };
  try {
    const events = parseEvents(text, { maxDepth: DEPTH });
    const documents = constructFromEvents(events, {
      source: text,
      schema: CORE_SCHEMA.withTags(realMapTag),
      maxAliases: 0,
    });
    if (documents.length !== 1) {
      fail(
        documents.length === 0 ? 'The file is empty.' : 'The file holds more than one document.',
        0,
        'It begins with version: 1.',
      );
    }
    return new TreeBuilder(events, text, rangeAt, fail).build(documents[0]);
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    const at = error.mark?.position ?? 0;
    if (!/alias/i.test(error.reason)) return fail(`${sentence(error.reason)}.`, at, hintFor(error.reason));
    return fail(
      'Anchors and aliases are not supported.',
      text[at - 1] === '*' ? at - 1 : at,
      'Write the value out; a word that starts with * or &, a pattern for example, must be quoted: "*.bak".',
    );
  }
}

/** Joins the events, which know places, with the values js-yaml made of them. */
class TreeBuilder {
  readonly #events: readonly Event[];
  readonly #text: string;
  readonly #rangeAt: (offset: number) => SourceRange;
  readonly #fail: (message: string, offset: number, hint?: string) => never;
  /** Behind the document's own event. */
  #next = 1;

  constructor(
    events: readonly Event[],
    text: string,
    rangeAt: (offset: number) => SourceRange,
    fail: (message: string, offset: number, hint?: string) => never,
  ) {
    this.#events = events;
    this.#text = text;
    this.#rangeAt = rangeAt;
    this.#fail = fail;
  }

  build(value: unknown): YamlNode {
    const event = this.#events[this.#next++];
    if (event?.type === EVENT_ID.MAPPING && value instanceof Map) {
      const entries = [...value.values()].map((inner: unknown) => this.#entry(inner));
      this.#next += 1;
      this.#refuseTwice(entries);
      return { kind: 'map', range: this.#rangeAt(event.start), entries: entries.map(({ entry }) => entry) };
    }
    if (event?.type === EVENT_ID.SEQUENCE && Array.isArray(value)) {
      const items = value.map((inner: unknown) => this.build(inner));
      this.#next += 1;
      return { kind: 'list', range: this.#rangeAt(event.start), items };
    }
    if (event?.type === EVENT_ID.SCALAR && isScalar(value)) {
      return { kind: 'scalar', range: this.#rangeAt(startOf(event)), value };
    }
    return this.#fail('This is neither a map, a list, a text, a number, true, false nor null.', 0);
  }

  #entry(value: unknown): { readonly entry: YamlEntry; readonly at: number } {
    const event = this.#events[this.#next++];
    if (event?.type !== EVENT_ID.SCALAR) {
      const at = event?.type === EVENT_ID.MAPPING || event?.type === EVENT_ID.SEQUENCE ? event.start : 0;
      return this.#fail('A key must be a plain word.', at);
    }
    const key = getScalarValue(this.#text, event);
    const at = startOf(event);
    return { entry: { key, keyRange: this.#rangeAt(at), value: this.build(value) }, at };
  }

  /** js-yaml refuses equal keys; `1` and `"1"` are equal to us as well. */
  #refuseTwice(entries: readonly { readonly entry: YamlEntry; readonly at: number }[]): void {
    const seen = new Set<string>();
    for (const { entry, at } of entries) {
      if (seen.has(entry.key)) this.#fail('Duplicated mapping key.', at, hintFor('duplicated mapping key'));
      seen.add(entry.key);
    }
  }
}

/** Where a scalar begins, its quotation mark included. */
function startOf({ style, valueStart }: ScalarEvent): number {
  const quoted = style === SCALAR_STYLE.SINGLE_QUOTED || style === SCALAR_STYLE.DOUBLE_QUOTED;
  return quoted ? valueStart - 1 : valueStart;
}

function isScalar(value: unknown): value is YamlScalar['value'] {
  return value === null || ['string', 'number', 'boolean'].includes(typeof value);
}

function sentence(reason: string): string {
  return reason.charAt(0).toUpperCase() + reason.slice(1);
}

function hintFor(reason: string): string | undefined {
  if (reason.startsWith('duplicated')) return 'Each key may stand once; put the values together.';
  if (reason.includes('tag')) return 'Tags are not supported.';
  return undefined;
}
