/** A command with a body that is taken whole: PACK and LOOK. Its pieces are gathered as they come, up to the verb's own limit. */

import { REFUSED } from '../wire/answers.js';
import { parseLook, writeLookAnswer } from '../wire/look.js';
import { parsePack, writePackAnswer } from '../wire/pack.js';
import { writeCountedResponse, writeErrorResponse } from '../wire/response-writer.js';
import type { Request } from '../wire/verbs.js';
import { answerText } from './answer-text.js';
import { lookFor } from './look.js';
import { receivePack } from './pack.js';
import type { PackContext } from './pack.js';
import type { PackOrder } from './packing.js';

export type BatchRequest = Extract<Request, { readonly verb: 'PACK' | 'LOOK' }>;

export class Batch {
  readonly #request: BatchRequest;
  readonly #pieces: Buffer[] = [];
  #length = 0;

  constructor(request: BatchRequest) {
    this.#request = request;
  }

  add(piece: Buffer): void {
    this.#pieces.push(piece);
    this.#length += piece.length;
  }

  get verb(): BatchRequest['verb'] {
    return this.#request.verb;
  }

  /** Carries out a PACK; resolves with the whole answer. Everything before it must be durable, but for packs. Never rejects. */
  async pack(context: PackContext, order: PackOrder): Promise<Buffer> {
    const { key } = this.#request.args;
    const memory = context.services.maker.memory.take(this.#length);
    const entries = parsePack(this.#body(memory));
    if (entries === undefined) return writeErrorResponse(REFUSED.denied);
    try {
      return writeCountedResponse(writePackAnswer(await receivePack({ key, entries, body: memory }, context, order)));
    } catch (error) {
      return writeErrorResponse(answerText(error));
    } finally {
      context.services.maker.memory.give(memory);
    }
  }

  /** Carries out a LOOK; resolves with the whole answer. Everything before it must be durable. */
  async look({ client, served }: PackContext): Promise<Buffer> {
    const files = parseLook(this.#body(new ArrayBuffer(this.#length)));
    if (files === undefined) return writeErrorResponse(REFUSED.denied);
    return writeCountedResponse(writeLookAnswer(await lookFor(files, this.#request.args.key, client.name, served)));
  }

  /** All of it, as it lies in the memory now. */
  #body(memory: ArrayBuffer): Buffer {
    const body = Buffer.from(memory, 0, this.#length);
    let offset = 0;
    for (const piece of this.#pieces.splice(0)) offset += piece.copy(body, offset);
    return body;
  }
}
