/** Refusals of an identified client's commands: the answer, and the line in the log that says why. */

import type { FileName } from '../../model/names.js';
import { display } from '../../model/names.js';
import { writeErrorResponse } from '../wire/response-writer.js';
import type { Verb } from '../wire/verbs.js';
import { answerText } from './answer-text.js';
import type { Log } from './log.js';
import type { Replies } from './replies.js';
import type { Client } from './served.js';

export class Refusals {
  readonly #client: Client;
  readonly #replies: Replies;
  readonly #log: Log;

  constructor(client: Client, replies: Replies, log: Log) {
    this.#client = client;
    this.#replies = replies;
    this.#log = log;
  }

  /** The command may not be carried out. */
  refuse(verb: Verb, file: FileName, text: string): void {
    this.#replies.add(writeErrorResponse(text));
    this.note('refused', verb, file, `Refused: ${text}`);
  }

  /** The command could not be carried out. */
  fail(verb: Verb, file: FileName, error: unknown): void {
    const text = answerText(error);
    this.#replies.add(writeErrorResponse(text));
    this.note('failed', verb, file, error instanceof Error && error.message !== '' ? error.message : text);
  }

  /** To the log alone. */
  note(event: 'refused' | 'failed', verb: Verb, file: FileName | undefined, message: string): void {
    const { name, address } = this.#client;
    this.#log({
      level: event === 'failed' ? 'error' : 'warning',
      event,
      peer: display(name),
      address,
      verb,
      file: file === undefined ? undefined : display(file),
      message,
    });
  }
}
