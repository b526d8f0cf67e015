/**
 * A client's side of a session, read by a daemon: lines, and after an accepted PATCH (and some commands of csx) a counted body.
 *
 *   reader.push(chunk);
 *   while ((event = reader.next()) !== undefined) ...      // stop in between as you like; what was pushed waits
 *
 * Whether a body follows a PATCH is the daemon's own decision (a refused one has none), so after answering
 * `OK (send_data).` it calls `expectBody()` before it asks for the next event. Synchronous, knows no socket, bounds every
 * length, fails with PEER_PROTOCOL where a session cannot go on: after a line that is too long, or where the header of a body
 * had to come and something else did.
 */

import { CsxError } from '../../model/errors.js';
import { parseBodyHeader } from './body.js';
import { ByteQueue } from './byte-queue.js';
import { MAX_BODY, MAX_LINE } from './limits.js';
import { parseRequest } from './request.js';
import type { ParsedRequest } from './request.js';

export type RequestEvent =
  | { readonly kind: 'line'; readonly parsed: ParsedRequest }
  /** A body of `length` bytes starts. */
  | { readonly kind: 'body'; readonly length: number }
  /** The next piece of it, never empty; a view of the chunk that was pushed. */
  | { readonly kind: 'piece'; readonly bytes: Buffer }
  /** The body is complete. */
  | { readonly kind: 'body-end' }
  /** The client could not make the delta (`ERROR` or `octet-stream -1`): answer with an error text, nothing is changed. */
  | { readonly kind: 'no-body' };

export class RequestReader {
  readonly #bytes = new ByteQueue();
  #state: 'line' | 'header' | 'body' = 'line';
  #missing = 0;
  readonly #largest: number;
  #bodyLimit: number;

  /** `bodyLimit`: bytes of a body that are accepted. */
  constructor(bodyLimit: number = MAX_BODY) {
    this.#largest = bodyLimit;
    this.#bodyLimit = bodyLimit;
  }

  /** Bytes that were pushed and not yet taken. Stop reading the socket while this is large. */
  get buffered(): number {
    return this.#bytes.length;
  }

  /** True between commands: an end of the connection here cuts nothing off. */
  get idle(): boolean {
    return this.#state === 'line' && this.#bytes.length === 0;
  }

  /** The chunk must not be written to afterwards. */
  push(chunk: Buffer): void {
    this.#bytes.push(chunk);
  }

  /**
   * The next bytes are a body's header: call it when a PATCH was answered with `OK (send_data).`, and for a command whose body follows
   * at once. `limit`: bytes of it that are accepted.
   */
  expectBody(limit = this.#largest): void {
    if (this.#state !== 'line') throw new CsxError('INTERNAL', 'A body was expected inside a body.');
    this.#state = 'header';
    this.#bodyLimit = Math.min(limit, this.#largest);
  }

  /** The next thing that is there; undefined until more bytes come. */
  next(): RequestEvent | undefined {
    switch (this.#state) {
      case 'line':
        return this.#readLine();
      case 'header':
        return this.#readHeader();
      case 'body':
        return this.#readBody();
    }
  }

  #readLine(): RequestEvent | undefined {
    const line = this.#line();
    return line === undefined ? undefined : { kind: 'line', parsed: parseRequest(line) };
  }

  #readHeader(): RequestEvent | undefined {
    const line = this.#line();
    if (line === undefined) return undefined;
    const length = line === 'ERROR' ? 'none' : parseBodyHeader(line, this.#bodyLimit);
    if (length === undefined) {
      throw new CsxError(
        'PEER_PROTOCOL',
        'The client does not keep to the protocol: no body came where one had to come.',
      );
    }
    if (length === 'none') {
      this.#state = 'line';
      return { kind: 'no-body' };
    }
    this.#state = 'body';
    this.#missing = length;
    return { kind: 'body', length };
  }

  #readBody(): RequestEvent | undefined {
    if (this.#missing === 0) {
      this.#state = 'line';
      return { kind: 'body-end' };
    }
    const bytes = this.#bytes.takePiece(this.#missing);
    if (bytes.length === 0) return undefined;
    this.#missing -= bytes.length;
    return { kind: 'piece', bytes };
  }

  #line(): string | undefined {
    const taken = this.#bytes.takeLine(MAX_LINE);
    if (taken !== 'too-long') return taken?.line;
    throw new CsxError(
      'PEER_PROTOCOL',
      `The client does not keep to the protocol: it sent a line of more than ${MAX_LINE} bytes.`,
    );
  }
}
