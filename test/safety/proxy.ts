/**
 * A network between two hosts that cuts, stalls, dribbles or damages (`flip`: one byte; `spoil`: one of every long piece; `forge`: says
 * something else instead), says a line twice (`repeat`: the first whole one after so many
 * bytes), or opens each connection twice and sends the same over both (`duplicate`): a TCP proxy in front of a daemon.
 */

import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';

export interface Weather {
  /** Which way it happens. */
  readonly way: 'to' | 'from';
  /** After how many bytes that way, counted over one connection. */
  readonly after: number;
  readonly does: 'reset' | 'end' | 'stall' | 'flip' | 'spoil' | 'forge' | 'dribble' | 'repeat' | 'duplicate';
  /** What `forge` replaces, and by what; both of one length. */
  readonly forge?: readonly [Buffer, Buffer];
}

export interface Proxy {
  /** From the next connection on; undefined: fair. */
  weather: Weather | undefined;
  /** The weather of those who come from an address, instead of that of all. */
  readonly weatherFrom: Map<string, Weather>;
  /** Connections that had it so far. */
  readonly hits: number;
  /** Connections that are open. */
  readonly open: number;
  /** Bytes of the last connection. */
  readonly passed: { readonly to: number; readonly from: number };
  /** Ends all connections: what stalled is found out at both ends. */
  hangUp(): void;
  stop(): Promise<void>;
}

/** Listens on `address:port` and connects on to `address:onward`, from the address of who came: HELLO looks at it. */
export async function startProxy(address: string, port: number, onward: number): Promise<Proxy> {
  const sockets = new Set<Socket>();
  const weatherFrom = new Map<string, Weather>();
  const state = { weather: undefined as Weather | undefined, hits: 0, passed: { to: 0, from: 0 } };
  const server: Server = createServer({ allowHalfOpen: true }, (client) => {
    const from = client.remoteAddress ?? '';
    const daemon = connect({ host: address, port: onward, localAddress: from, allowHalfOpen: true });
    const weather = weatherFrom.get(from) ?? state.weather;
    const twin =
      weather?.does === 'duplicate' ? connect({ host: address, port: onward, localAddress: from }) : undefined;
    if (twin !== undefined) {
      state.hits += 1;
      sockets.add(twin);
      twin.on('close', () => sockets.delete(twin));
      twin.on('error', () => twin.destroy());
      twin.resume();
      client.on('data', (chunk: Buffer) => twin.write(chunk));
      client.on('close', () => twin.end());
    }
    state.passed = { to: 0, from: 0 };
    for (const socket of [client, daemon]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('close', () => sockets.delete(socket));
      socket.on('error', () => {
        client.destroy();
        daemon.destroy();
      });
    }
    const carry = (way: 'to' | 'from', here: Socket, there: Socket): void => {
      let hit = false;
      here.on('data', (chunk: Buffer) => {
        if (hit && weather?.does !== 'flip' && weather?.does !== 'repeat') return;
        const before = state.passed[way];
        state.passed[way] += chunk.length;
        if (weather?.way !== way) {
          there.write(chunk);
          return;
        }
        if (weather.does === 'duplicate') {
          there.write(chunk);
          return;
        }
        if (weather.does === 'spoil' || weather.does === 'forge') {
          const other = Buffer.from(chunk);
          const [from, to] = weather.forge ?? [chunk.subarray(5000, 5001), Buffer.from([~(chunk[5000] ?? 0) & 0xff])];
          const place = weather.does === 'forge' ? chunk.indexOf(from) : chunk.length > 10_000 ? 5000 : -1;
          if (place >= 0) {
            to.copy(other, place);
            state.hits += 1;
          }
          there.write(other);
          return;
        }
        if (weather.does === 'repeat') {
          const end = before < weather.after || hit ? -1 : chunk.indexOf('\n');
          there.write(chunk.subarray(0, end + 1));
          if (end >= 0) {
            hit = true;
            state.hits += 1;
            there.write(chunk.subarray(0, end + 1));
          }
          there.write(chunk.subarray(end + 1));
          return;
        }
        if (weather.does === 'dribble') {
          if (before === 0) state.hits += 1;
          void dribble(chunk, here, there);
          return;
        }
        const left = weather.after - before;
        if (hit || chunk.length <= left) {
          there.write(chunk);
          return;
        }
        hit = true;
        state.hits += 1;
        there.write(chunk.subarray(0, left));
        if (weather.does === 'flip') {
          const damaged = Buffer.from(chunk.subarray(left));
          damaged[0] = (damaged[0] ?? 0) ^ 0x41;
          there.write(damaged);
        } else if (weather.does === 'reset') {
          setTimeout(() => {
            client.resetAndDestroy();
            daemon.resetAndDestroy();
          }, 5);
        } else if (weather.does === 'end') {
          there.end();
          here.end();
        }
      });
      here.on('end', () => {
        if (!hit || weather?.does === 'flip' || weather?.does === 'repeat') there.end();
        else here.destroy();
      });
    };
    carry('to', client, daemon);
    carry('from', daemon, client);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, resolve);
  });
  const hangUp = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    weatherFrom,
    get weather() {
      return state.weather;
    },
    set weather(weather) {
      state.weather = weather;
    },
    get hits() {
      return state.hits;
    },
    get open() {
      return sockets.size / 2;
    },
    get passed() {
      return state.passed;
    },
    hangUp,
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      hangUp();
      await closed;
    },
  };
}

async function dribble(chunk: Buffer, here: Socket, there: Socket): Promise<void> {
  here.pause();
  for (const byte of chunk) {
    if (there.destroyed) return;
    there.write(Buffer.from([byte]));
    await new Promise((resolve) => setImmediate(resolve));
  }
  here.resume();
}
