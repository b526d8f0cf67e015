/** The answers of a session that wait to be sent, in the order of its commands. */

/** An answer. Until it is sent it can still become a refusal: what it reports may yet fail to be made durable. */
export interface Reply {
  bytes: Buffer;
}

export class Replies {
  #waiting: Reply[] = [];

  add(bytes: Buffer): Reply {
    const reply: Reply = { bytes };
    this.#waiting.push(reply);
    return reply;
  }

  /** All that wait, as one piece; undefined when none does. */
  take(): Buffer | undefined {
    if (this.#waiting.length === 0) return undefined;
    const bytes = Buffer.concat(this.#waiting.map((reply) => reply.bytes));
    this.#waiting = [];
    return bytes;
  }
}
