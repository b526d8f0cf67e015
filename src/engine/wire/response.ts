/**
 * A daemon's answers, read: bytes go in as they come, typed answers come out in the order of the commands.
 *
 *   reader.expect('signature');            // a SIG was sent
 *   reader.push(chunk);                    // as often as bytes come
 *   while ((event = reader.next()) !== undefined) ...
 *
 * Synchronous, knows no socket, bounds every length, and fails with PEER_PROTOCOL (without a peer's name: the caller knows
 * it) on anything the protocol does not allow here. Grammar (source: reference/wire-protocol.md):
 *
 *   line      = text LF                                      ; success when it starts with "OK ("
 *   signature = line | okhead checktxt LF body line          ; SIG; "---" as checktxt when there is nothing
 *   send-data = line | "OK (send_data)." LF body             ; PATCH, before its delta
 *   decimal   = line | okhead ["-"] digits LF                ; GETTM, GETSZ
 *   content   = line | okhead *BYTE, to the end of the connection   ; TYPE
 *   rows      = *( checktxt TAB filename LF ) line           ; LIST; both encoded, rows start with "v"
 *   counted   = line | okhead body                           ; PACK, LOOK
 *   body      = "octet-stream " ( "-1" | digits ) LF *BYTE
 */

import type { CheckText } from '../../model/checktxt.js';
import { decodeUrl } from '../../model/encoding.js';
import { CsxError } from '../../model/errors.js';
import { display } from '../../model/names.js';
import type { StoredName } from '../../model/names.js';
import { classifyRefusal, isOk, OK } from './answers.js';
import type { Refusal } from './answers.js';
import { parseBodyHeader } from './body.js';
import { ByteQueue } from './byte-queue.js';
import { MAX_COUNTED, MAX_DIGITS, MAX_LINE, MAX_ROW, MAX_SIGNATURE } from './limits.js';
import type { AnswerShape } from './verbs.js';

export type Answer =
  | { readonly kind: 'ok'; readonly text: string }
  /** The peer refused or failed; the connection is still good. `text` is a byte string: `display` it. */
  | { readonly kind: 'error'; readonly text: string; readonly refusal: Refusal }
  /** SIG: the peer has it. */
  | {
      readonly kind: 'present';
      /** With `mtime=0`; not validated. */
      readonly checktxt: CheckText;
      /** Empty unless it is a regular file; undefined when the peer could not read the file. */
      readonly signature: Buffer | undefined;
    }
  /** SIG: nothing stands at the path. */
  | { readonly kind: 'path-not-found' }
  /** SIG: a component of the path is a symbolic link on the peer. */
  | { readonly kind: 'not-found' }
  /** PATCH: send the delta against this; undefined when the peer could not read what it has. */
  | { readonly kind: 'send-data'; readonly signature: Buffer | undefined }
  /** GETTM, GETSZ; undefined: there is no such file (-1). */
  | { readonly kind: 'decimal'; readonly value: number | undefined }
  /** PACK, LOOK: see pack.ts and look.ts. */
  | { readonly kind: 'counted'; readonly bytes: Buffer };

/** A row of LIST. */
export interface ListRow {
  /** Still encoded, as the peer's database holds it. */
  readonly stored: StoredName;
  /** Decoded; not validated. */
  readonly checktxt: CheckText;
}

export type ResponseEvent =
  /** Completes the first expected answer. */
  | { readonly kind: 'answer'; readonly answer: Answer }
  /** LIST, before its answer. */
  | { readonly kind: 'row'; readonly row: ListRow }
  /** TYPE, before its answer (which comes with `end`). */
  | { readonly kind: 'content'; readonly bytes: Buffer };

type State = 'head' | 'checktxt' | 'header' | 'body' | 'closing' | 'decimal' | 'content';

const EMPTY = Buffer.alloc(0);
/** Bytes that an answer is believed to have because it says so (the system gives them as they are filled); beyond that, memory grows with what comes. */
const ALLOCATED = 128 * 1024 * 1024;
const DECIMAL = new RegExp(`^(-?[0-9]{1,${MAX_DIGITS}})$`);

export class ResponseReader {
  readonly #bytes = new ByteQueue();
  #expected: AnswerShape[] = [];
  #first = 0;
  #state: State = 'head';
  #ended = false;
  /** Of the SIG or PATCH answer being read. */
  #head = '';
  #checktxt = '';
  /** The counted part of an answer; the first `#filled` bytes have come, `#missing` have not. */
  #body = EMPTY;
  #filled = 0;
  #missing = 0;
  #unreadable = false;

  /** Appends an answer to those that are due. */
  expect(shape: AnswerShape): void {
    this.#expected.push(shape);
  }

  /** Answers that are due and not complete. */
  get outstanding(): number {
    return this.#expected.length - this.#first;
  }

  /** Bytes that were pushed and not yet understood. */
  get buffered(): number {
    return this.#bytes.length;
  }

  /** The chunk must not be written to afterwards. */
  push(chunk: Buffer): void {
    this.#bytes.push(chunk);
  }

  /** The peer has closed: the content of TYPE is complete. */
  end(): void {
    this.#ended = true;
  }

  /** The next thing that is complete; undefined until more bytes come. */
  next(): ResponseEvent | undefined {
    const shape = this.#expected[this.#first];
    if (shape === undefined) {
      if (this.#bytes.length > 0) throw protocolError('it sent data that no command had asked for');
      return undefined;
    }
    for (;;) {
      const event = this.#step(shape);
      if (event !== 'again') return event;
    }
  }

  #step(shape: AnswerShape): ResponseEvent | 'again' | undefined {
    switch (this.#state) {
      case 'head':
        return this.#readHead(shape);
      case 'checktxt':
        return this.#readCheckText();
      case 'header':
        return this.#readHeader(shape);
      case 'body':
        return this.#readBody(shape);
      case 'closing':
        return this.#readClosing();
      case 'decimal':
        return this.#readDecimal();
      case 'content':
        return this.#readContent();
    }
  }

  #readHead(shape: AnswerShape): ResponseEvent | 'again' | undefined {
    const line = this.#line(shape === 'rows' ? MAX_ROW : MAX_LINE);
    if (line === undefined) return undefined;
    if (shape === 'rows' && line.startsWith('v')) return { kind: 'row', row: parseRow(line) };
    if (!isOk(line)) return this.#complete(errorAnswer(line));
    this.#head = line;
    switch (shape) {
      case 'line':
      case 'rows':
        return this.#complete({ kind: 'ok', text: line });
      case 'signature':
        this.#state = 'checktxt';
        return 'again';
      case 'send-data':
        // To anything else no body may follow, so guessing would let the delta be read as commands.
        if (line !== OK.sendData) throw protocolError(`it answered PATCH with "${display(line)}"`);
        this.#state = 'header';
        return 'again';
      case 'counted':
        this.#state = 'header';
        return 'again';
      case 'decimal':
        this.#state = 'decimal';
        return 'again';
      case 'content':
        this.#state = 'content';
        return 'again';
    }
  }

  #readCheckText(): 'again' | undefined {
    const line = this.#line(MAX_LINE);
    if (line === undefined) return undefined;
    this.#checktxt = line;
    this.#state = 'header';
    return 'again';
  }

  #readHeader(shape: AnswerShape): 'again' | undefined {
    const line = this.#line(MAX_LINE);
    if (line === undefined) return undefined;
    const length = parseBodyHeader(line, shape === 'counted' ? MAX_COUNTED : MAX_SIGNATURE);
    if (length === undefined) throw protocolError(`it sent "${shorten(line)}" where a counted answer had to start`);
    this.#unreadable = length === 'none';
    this.#missing = length === 'none' ? 0 : length;
    this.#body = Buffer.allocUnsafe(Math.min(this.#missing, ALLOCATED));
    this.#filled = 0;
    this.#state = 'body';
    return 'again';
  }

  #readBody(shape: AnswerShape): ResponseEvent | 'again' | undefined {
    while (this.#missing > 0) {
      const piece = this.#bytes.takePiece(this.#missing);
      if (piece.length === 0) return undefined;
      this.#fill(piece);
    }
    if (shape === 'send-data') return this.#complete({ kind: 'send-data', signature: this.#signature() });
    if (shape === 'counted') return this.#complete({ kind: 'counted', bytes: this.#body });
    this.#state = 'closing';
    return 'again';
  }

  #readClosing(): ResponseEvent | undefined {
    const line = this.#line(MAX_LINE);
    if (line === undefined) return undefined;
    if (!isOk(line)) return this.#complete(errorAnswer(line));
    if (this.#head === OK.pathNotFound) return this.#complete({ kind: 'path-not-found' });
    if (this.#head === OK.notFound) return this.#complete({ kind: 'not-found' });
    return this.#complete({
      kind: 'present',
      checktxt: this.#checktxt as CheckText,
      signature: this.#signature(),
    });
  }

  #readDecimal(): ResponseEvent | undefined {
    const line = this.#line(MAX_LINE);
    if (line === undefined) return undefined;
    const digits = DECIMAL.exec(line)?.[1];
    if (digits === undefined) throw protocolError(`it sent "${shorten(line)}" where a number had to come`);
    return this.#complete({ kind: 'decimal', value: digits === '-1' ? undefined : Number(digits) });
  }

  #readContent(): ResponseEvent | undefined {
    const bytes = this.#bytes.takePiece(Infinity);
    if (bytes.length > 0) return { kind: 'content', bytes };
    return this.#ended ? this.#complete({ kind: 'ok', text: this.#head }) : undefined;
  }

  #line(limit: number): string | undefined {
    const taken = this.#bytes.takeLine(limit);
    if (taken === 'too-long') throw protocolError(`it sent a line of more than ${limit} bytes`);
    return taken?.line;
  }

  #signature(): Buffer | undefined {
    return this.#unreadable ? undefined : this.#body;
  }

  #fill(piece: Buffer): void {
    const filled = this.#filled + piece.length;
    if (filled > this.#body.length) {
      const larger = Buffer.allocUnsafe(Math.min(this.#filled + this.#missing, 2 * this.#body.length));
      this.#body.copy(larger);
      this.#body = larger;
    }
    piece.copy(this.#body, this.#filled);
    this.#filled = filled;
    this.#missing -= piece.length;
  }

  #complete(answer: Answer): ResponseEvent {
    this.#state = 'head';
    this.#body = EMPTY;
    this.#first += 1;
    if (this.#first >= 1024 || this.#first === this.#expected.length) {
      this.#expected = this.#expected.slice(this.#first);
      this.#first = 0;
    }
    return { kind: 'answer', answer };
  }
}

function errorAnswer(text: string): Answer {
  return { kind: 'error', text, refusal: classifyRefusal(text) };
}

function parseRow(line: string): ListRow {
  const tab = line.indexOf('\t');
  if (tab < 0) throw protocolError(`it sent "${shorten(line)}" as a row of its file table`);
  return { stored: line.slice(tab + 1) as StoredName, checktxt: decodeUrl(line.slice(0, tab)) as CheckText };
}

function protocolError(what: string): CsxError {
  return new CsxError('PEER_PROTOCOL', `The peer does not keep to the protocol: ${what}.`);
}

function shorten(line: string): string {
  return display(line.length > 80 ? `${line.slice(0, 80)}...` : line);
}
