/** One command under way: its bytes, the form of its answer, and where the answer goes. */

import type { CsxError } from '../../model/errors.js';
import { display } from '../../model/names.js';
import { writeRequest } from '../wire/request.js';
import type { Answer, ListRow } from '../wire/response.js';
import { verbRow } from '../wire/verbs.js';
import type { AnswerShape, Arguments, PlainVerb, Verb } from '../wire/verbs.js';
import type { Stream } from './stream.js';

/** A command as data. */
export type Command = { readonly [V in PlainVerb]: { readonly verb: V; readonly args: Arguments<V> } }[PlainVerb];

/** Content that goes to the peer: exactly `length` bytes in pieces, which must not be written to afterwards. */
export interface Body {
  readonly length: number;
  readonly chunks: Iterable<Buffer> | AsyncIterable<Buffer>;
}

/** Makes the delta against a signature; undefined signature: the peer could not read its file; no body: none can be made. */
export type Respond = (signature: Buffer | undefined) => Promise<Body | undefined> | Body | undefined;

/** What a PATCH carries besides its command. */
export interface PatchJob {
  readonly respond: Respond;
  readonly followers: readonly Exchange[];
  /** Followers leave when the body has been taken (the last answer is OK), not right behind it. */
  readonly late: boolean;
  /** Settled when nothing more of the PATCH has to be sent; true: a whole body has left, and followers go with it or, late, after it. */
  readonly sent: PromiseWithResolvers<boolean>;
  /** The caller's failure to make or read the body. */
  failure: Error | undefined;
}

export interface Exchange {
  readonly verb: Verb;
  readonly shape: AnswerShape;
  readonly bytes: Buffer;
  /** What follows them at once, in pieces that are not copied: they must not be written to before the answer has come. */
  readonly body?: readonly Buffer[];
  /** The file it is about, for messages. Never the key. */
  readonly file: string | undefined;
  /** Milliseconds that its answer may take longer than others. */
  readonly grace?: number | undefined;
  readonly answer: Promise<Answer>;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: CsxError) => void;
  readonly patch?: PatchJob;
  /** Of a PATCH whose body is on its way: what its failure takes along. */
  readonly followers?: readonly Exchange[];
  /** And those leave when its answer is OK. */
  readonly late?: boolean;
  readonly rows?: Stream<ListRow>;
  readonly content?: Stream<Buffer>;
}

/** Makes an exchange. Throws what `writeRequest` throws. The answer's rejection never counts as unhandled. */
export function newExchange<V extends Verb>(
  verb: V,
  args: Arguments<V>,
  extra: Pick<Exchange, 'patch' | 'rows' | 'content' | 'grace'> = {},
): Exchange {
  const bytes = writeRequest(verb, args);
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  promise.catch(ignore);
  const file = 'file' in args && typeof args.file === 'string' ? args.file : undefined;
  return { verb, shape: verbRow(verb).answer, bytes, file, answer: promise, resolve, reject, ...extra };
}

/** Bytes that an exchange puts on the line, but for what it is asked for later. */
export function sizeOf({ bytes, body = [] }: Exchange): number {
  return body.reduce((sum, piece) => sum + piece.length, bytes.length);
}

/** An exchange for messages: `SIG /etc/hosts`. */
export function describeExchange(exchange: Exchange): string {
  return exchange.file === undefined ? exchange.verb : `${exchange.verb} ${display(exchange.file)}`;
}

/** For promises whose rejection is told elsewhere. */
export function ignore(): void {
  // Nothing to do.
}
