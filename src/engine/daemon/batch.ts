/** A command with a body that is taken whole: PACK and LOOK. Its pieces are gathered as they come, up to the verb's own limit. */

import { REFUSED } from '../wire/answers.js';
import { parseLook, writeLookAnswer } from '../wire/look.js';
import { parsePack, writePackAnswer } from '../wire/pack.js';
import { writeCountedResponse, writeErrorResponse } from '../wire/response-writer.js';
import type { Request } from '../wire/verbs.js';
import { lookFor } from './look.js';
import { receivePack } from './pack.js';
import type { PackContext } from './pack.js';

export type BatchRequest = Extract<Request, { readonly verb: 'PACK' | 'LOOK' }>;

export class Batch {
  readonly #request: BatchRequest;
  readonly #pieces: Buffer[] = [];

  constructor(request: BatchRequest) {
    this.#request = request;
  }

  add(piece: Buffer): void {
    this.#pieces.push(piece);
  }

  /** Carries the command out; resolves with the whole answer. Everything before it must be durable. */
  async carryOut(context: PackContext): Promise<Buffer> {
    const { verb, args } = this.#request;
    const body = Buffer.concat(this.#pieces);
    if (verb === 'PACK') {
      const entries = parsePack(body);
      if (entries === undefined) return writeErrorResponse(REFUSED.denied);
      return writeCountedResponse(writePackAnswer(await receivePack(entries, args.key, context)));
    }
    const files = parseLook(body);
    if (files === undefined) return writeErrorResponse(REFUSED.denied);
    return writeCountedResponse(writeLookAnswer(await lookFor(files, args.key, context.client.name, context.served)));
  }
}
