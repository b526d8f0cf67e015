/** The answers of a session that wait to be sent, in the order of its commands. */

/** An answer. Until it is sent it can still become a refusal: what it reports may yet fail to be made durable. */
export interface Reply {
  bytes: Buffer;
}

/** Bytes. */
const ENOUGH = 256 * 1024;

export class Replies {
  #waiting: Reply[] = [];
  #length = 0;

  add(bytes: Buffer): Reply {
    const reply: Reply = { bytes };
    this.#waiting.push(reply);
    this.#length += bytes.length;
    return reply;
  }

  /** Whether so much waits that it has to go out before more is worked out: a client may ask without reading. */
  get full(): boolean {
    return this.#length >= ENOUGH;
  }

  /** All that wait, in pieces: TLS would hold a long signature a second time if it were given it whole. */
  *take(): Generator<Buffer, void, undefined> {
    const waiting = this.#waiting.map((reply) => reply.bytes);
    const pieces = this.full || waiting.length < 2 ? waiting : [Buffer.concat(waiting)];
    this.#waiting = [];
    this.#length = 0;
    for (const bytes of pieces) {
      for (let at = 0; at < bytes.length; at += ENOUGH) yield bytes.subarray(at, at + ENOUGH);
    }
  }
}
