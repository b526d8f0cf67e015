/** A client that sends what it is told and collects the daemon's bytes: for comparing daemons byte for byte, and for misbehaving. */

import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';

/** No daemon knows this command; its answer closes the answer to the command before it. */
const SENTINEL = 'ZZZ\n';
const SENTINEL_ANSWER = 'Unknown command!\n';
const DEADLINE = 10_000;

export class RawClient {
  readonly socket: Socket;
  #received = '';
  #ended = false;
  #wake: (() => void) | undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#received += chunk.toString('latin1');
      this.#wake?.();
    });
    for (const event of ['end', 'close', 'error']) {
      socket.on(event, () => {
        this.#ended = true;
        this.#wake?.();
      });
    }
  }

  static async open(host: string, from: string, port = 30865): Promise<RawClient> {
    const socket = connect({ host, port, localAddress: from, allowHalfOpen: true });
    await once(socket, 'connect');
    return new RawClient(socket);
  }

  /** Connects and identifies itself by its address. */
  static async introduced(host: string, from: string, port = 30865): Promise<RawClient> {
    const client = await RawClient.open(host, from, port);
    await client.say('CONFIG ');
    await client.say(`HELLO ${from}`);
    return client;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** What has come and was not taken. */
  get pending(): string {
    return this.#received;
  }

  write(bytes: string | Buffer): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  }

  /**
   * Sends a command and returns everything the daemon says to it; the end of the connection shows as `<closed>`. `unknown`: the
   * command is one the daemon does not know, so that its own answer looks like the one that closes.
   */
  async say(line: string, unknown = false): Promise<string> {
    const closing = unknown ? SENTINEL_ANSWER + SENTINEL_ANSWER : SENTINEL_ANSWER;
    this.write(`${line}\n${SENTINEL}`);
    const text = await this.until((received) => received.endsWith(closing));
    return text.endsWith(closing) ? text.slice(0, -SENTINEL_ANSWER.length) : text;
  }

  /** PATCH with a whole exchange: the first answer, then (when it was accepted) the second one. */
  async patch(line: string, body: Buffer | 'ERROR'): Promise<string> {
    this.write(`${line}\n`);
    const first = await this.until((received) => {
      if (!received.startsWith('OK (send_data).\n')) return received.includes('\n');
      const header = /^OK \(send_data\)\.\noctet-stream (-?\d+)\n/.exec(received);
      return header !== null && received.length >= header[0].length + Math.max(0, Number(header[1]));
    });
    if (!first.startsWith('OK (send_data).')) return first;
    this.write(
      body === 'ERROR' ? 'ERROR\n' : Buffer.concat([Buffer.from(`octet-stream ${String(body.length)}\n`), body]),
    );
    return `${first}\n--\n${await this.until((received) => received.includes('\n'))}`;
  }

  /** Takes what comes until it is enough, or the connection ends. */
  async until(enough: (received: string) => boolean): Promise<string> {
    const end = Date.now() + DEADLINE;
    while (!enough(this.#received) && !this.#ended) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        timer = setTimeout(resolve, DEADLINE);
      });
      clearTimeout(timer);
      if (Date.now() >= end) throw new Error(`No answer in time; so far: ${JSON.stringify(this.#received)}`);
    }
    const text = this.#received;
    this.#received = '';
    return this.#ended && !enough(text) ? `${text}<closed>` : text;
  }

  close(): void {
    this.socket.destroy();
  }
}

/** A delta that makes the content out of nothing. */
export function literalDelta(content: string | Buffer): Buffer {
  const bytes = typeof content === 'string' ? Buffer.from(content, 'latin1') : content;
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  const literal = bytes.length === 0 ? [] : [Buffer.from([0x43]), length, bytes];
  return Buffer.concat([Buffer.from([0x72, 0x73, 0x02, 0x36]), ...literal, Buffer.from([0])]);
}
