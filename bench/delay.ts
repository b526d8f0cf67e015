/** A line with delay: a proxy on loopback that hands on every byte so many milliseconds later, each way. */

import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';

export interface Line {
  readonly from: { readonly host: string; readonly port: number };
  readonly to: { readonly host: string; readonly port: number };
  /** Each way. */
  readonly milliseconds: number;
  /** Told of all bytes, both ways. */
  readonly count?: (bytes: number) => void;
}

/** Opens the line; the returned function closes it. The far end sees the caller's own address, as on a real line. */
export async function delayedLine({ from, to, milliseconds, count }: Line): Promise<() => Promise<void>> {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (near) => {
    const far = connect({ ...to, localAddress: near.remoteAddress, noDelay: true, allowHalfOpen: true });
    pass(near, far, milliseconds, count);
    pass(far, near, milliseconds, count);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      socket.on('error', () => {
        near.destroy();
        far.destroy();
      });
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(from.port, from.host, resolve);
  });
  return () =>
    new Promise((resolve) => {
      server.close(() => {
        resolve();
      });
      for (const socket of sockets) socket.destroy();
    });
}

/** Timers of one length fire in the order they were set, so bytes stay in order. */
function pass(source: Socket, target: Socket, milliseconds: number, count: Line['count']): void {
  source.on('data', (chunk: Buffer) => {
    count?.(chunk.length);
    setTimeout(() => {
      if (!target.destroyed) target.write(chunk);
    }, milliseconds);
  });
  source.on('end', () => {
    setTimeout(() => {
      target.end();
    }, milliseconds);
  });
}
