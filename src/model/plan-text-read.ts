/**
 * A plan out of its text, chunk by chunk: one element of an array is parsed at a time, whatever the layout.
 *
 * The text is cut at the commas and brackets of its first two levels; JSON.parse judges what lies between, so nothing that
 * is not JSON gets through.
 */

import { CsxError } from './errors.js';
import { JsonValue } from './json-value.js';
import { PLAN, PlanReader, isPlanArray } from './plan-json-read.js';
import type { PlanArray } from './plan-json.js';
import type { Paced } from './paced.js';
import type { Plan } from './plan.js';

/** What stands next at the place where the text is cut. */
type Expect =
  'object' | 'first-key' | 'key' | 'value' | 'member-end' | 'first-element' | 'element' | 'element-end' | 'end';

/** Longest single element or member in characters: an action names every file that triggers it, in `%%` once more. */
const PIECE_LIMIT = 256_000_000;

export class PlanTextReader {
  private readonly reader = new PlanReader();
  private expect: Expect = 'object';
  private rest = '';
  /** Came after `rest`. Joining copies all of it, so a long piece is joined when it has grown by half, not with every chunk. */
  private coming = '';
  /** How far into `rest` the piece at its start was looked through, and in what state. */
  private at = 0;
  private depth = 0;
  private quoted = false;
  private name = '';
  private array: PlanArray | undefined;
  private index = 0;

  /**
   * Takes the next chunk; characters of several bytes must be whole.
   * @throws CsxError PLAN_INVALID
   */
  push(chunk: string): void {
    this.coming += chunk;
    if (this.coming.length >= this.rest.length / 2) this.take();
    if (this.rest.length + this.coming.length > PIECE_LIMIT)
      throw this.broken(`has a part of more than ${PIECE_LIMIT} characters`);
  }

  /** @throws CsxError PLAN_INVALID, also when the text ended too early */
  *finish(): Paced<Plan> {
    this.take();
    if (this.expect !== 'end') throw this.broken('ends in the middle');
    return yield* this.reader.finish();
  }

  private take(): void {
    this.rest += this.coming;
    this.coming = '';
    while (this.step());
  }

  /** Takes the next token off `rest`. False: more text is needed. */
  private step(): boolean {
    switch (this.expect) {
      case 'object':
        return this.token({ '{': 'first-key' });
      case 'first-key':
        if (this.peek() === '}') return this.token({ '}': 'end' });
        return this.takeKey();
      case 'key':
        return this.takeKey();
      case 'value':
        return this.takeValue();
      case 'member-end':
        return this.token({ ',': 'key', '}': 'end' });
      case 'first-element':
        if (this.peek() === ']') return this.token({ ']': 'member-end' });
        return this.takeElement();
      case 'element':
        return this.takeElement();
      case 'element-end':
        return this.token({ ',': 'element', ']': 'member-end' });
      case 'end':
        if (this.peek() !== undefined) throw this.broken('goes on after its end');
        return false;
    }
  }

  private takeKey(): boolean {
    const text = this.piece(':');
    if (text === undefined) return false;
    const name = this.parse(text);
    if (typeof name !== 'string') throw this.broken('has a member without a name');
    this.name = name;
    this.rest = this.rest.slice(1);
    this.expect = 'value';
    return true;
  }

  private takeValue(): boolean {
    if (this.at === 0 && isPlanArray(this.name)) {
      if (this.peek() === undefined) return false;
      this.array = this.name;
      this.index = 0;
      this.reader.array(this.name);
      return this.token({ '[': 'first-element' });
    }
    const text = this.piece(',}');
    if (text === undefined) return false;
    this.reader.member(this.name, new JsonValue(this.parse(text), PLAN, this.name));
    this.expect = 'member-end';
    return true;
  }

  private takeElement(): boolean {
    const text = this.piece(',]');
    if (text === undefined || this.array === undefined) return false;
    const value = new JsonValue(this.parse(text), PLAN, `${this.array}[${this.index}]`);
    this.reader.element(this.array, value);
    this.index += 1;
    this.expect = 'element-end';
    return true;
  }

  /** The first character that is no white space; undefined: none yet. Drops the white space. */
  private peek(): string | undefined {
    const start = this.rest.search(/[^ \t\r\n]/);
    this.rest = start < 0 ? '' : this.rest.slice(start);
    return this.rest[0];
  }

  private token(table: Readonly<Record<string, Expect>>): boolean {
    const found = this.peek();
    if (found === undefined) return false;
    const next = table[found];
    if (next === undefined)
      throw this.broken(`has ${JSON.stringify(found)} where ${Object.keys(table).join(' or ')} belongs`);
    this.rest = this.rest.slice(1);
    this.expect = next;
    return true;
  }

  /** The text up to one of `ends` outside of quotes and brackets, taken off `rest`; undefined: more is needed. */
  private piece(ends: string): string | undefined {
    const { rest } = this;
    let { at, depth, quoted } = this;
    for (; at < rest.length; at++) {
      const code = rest.charCodeAt(at);
      if (quoted) {
        if (code === 0x5c) at += 1;
        else if (code === 0x22) quoted = false;
      } else if (code === 0x22) {
        quoted = true;
      } else if (depth === 0 && ends.includes(rest[at] ?? '')) {
        this.at = 0;
        this.depth = 0;
        this.quoted = false;
        this.rest = rest.slice(at);
        return rest.slice(0, at);
      } else if (code === 0x7b || code === 0x5b) {
        depth += 1;
      } else if (code === 0x7d || code === 0x5d) {
        depth -= 1;
        if (depth < 0) throw this.broken('has a bracket too many');
      }
    }
    this.at = at;
    this.depth = depth;
    this.quoted = quoted;
    return undefined;
  }

  private parse(text: string): unknown {
    try {
      return JSON.parse(text) as unknown;
    } catch (cause) {
      throw this.broken('is no JSON', cause);
    }
  }

  private broken(what: string, cause?: unknown): CsxError {
    const place = this.array !== undefined && this.name === this.array ? `${this.name}[${this.index}]` : this.name;
    const where = place === '' ? '' : ` (near ${place})`;
    return new CsxError(PLAN.code, `${PLAN.name} is not valid: the text ${what}${where}.`, { hint: PLAN.hint, cause });
  }
}
