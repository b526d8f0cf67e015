/** The daemon's end of a connection over TCP, played by the test line by line. */

import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { Connection } from '../../../src/engine/net/connection.js';
import type { ConnectionOptions } from '../../../src/engine/net/connection.js';
import type { FileName, PeerName } from '../../../src/model/names.js';

export class ScriptedPeer {
  readonly socket: Socket;
  #received = '';
  #ended = false;
  #wake: () => void = () => undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#received += chunk.toString('latin1');
      this.#wake();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#ended = true;
      this.#wake();
    });
  }

  /** What has come and was not taken. */
  get pending(): string {
    return this.#received;
  }

  /** Takes a line, without its newline. */
  async line(): Promise<string> {
    await this.#until(() => this.#received.includes('\n'));
    const at = this.#received.indexOf('\n');
    return this.#take(at + 1).slice(0, -1);
  }

  async bytes(count: number): Promise<string> {
    await this.#until(() => this.#received.length >= count);
    return this.#take(count);
  }

  /** Resolves when the client has closed; everything it sent before is pending. */
  async closed(): Promise<void> {
    while (!this.#ended) await this.#next();
  }

  send(text: string): void {
    this.socket.write(Buffer.from(text, 'latin1'));
  }

  #take(count: number): string {
    const taken = this.#received.slice(0, count);
    this.#received = this.#received.slice(count);
    return taken;
  }

  async #until(there: () => boolean): Promise<void> {
    while (!there()) {
      if (this.#ended) throw new Error(`The client closed; it had sent ${JSON.stringify(this.#received)}.`);
      await this.#next();
    }
  }

  #next(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

export const OK = 'OK (cmd_finished).\n';
export const PEER = 'host-b' as PeerName;

/** File arguments of any verb. */
export function target(name: string): { readonly key: string; readonly file: FileName } {
  return { key: 'secret-key', file: `/${name}` as FileName };
}

const LOOPBACK = '127.22.3.1';

/** A connection and its other end. */
export async function connected(
  options: Partial<ConnectionOptions> = {},
): Promise<{ readonly connection: Connection; readonly peer: ScriptedPeer }> {
  const server = createServer({ noDelay: true });
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  await new Promise<void>((resolve) => {
    server.listen(0, LOOPBACK, resolve);
  });
  const ours = connect({ host: LOOPBACK, port: (server.address() as AddressInfo).port, noDelay: true });
  await new Promise((resolve) => ours.once('connect', resolve));
  const theirs = await accepted;
  server.close();
  const connection = new Connection(ours, {
    peer: PEER,
    address: '10.0.0.2:30865',
    answerDeadline: 20_000,
    ...options,
  });
  return { connection, peer: new ScriptedPeer(theirs) };
}
