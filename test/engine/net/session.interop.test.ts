/** A session with the real csync2 daemon: thousands of commands under way, refusals, broken bodies, a daemon that dies. */

import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect as connectSocket, createServer } from 'node:net';
import type { Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { certificatePair } from '../../../src/engine/net/certificate.js';
import { connect } from '../../../src/engine/net/connect.js';
import type { ConnectOptions } from '../../../src/engine/net/connect.js';
import type { Body, Connection } from '../../../src/engine/net/connection.js';
import type { FileName, PeerName } from '../../../src/model/names.js';
import { makePair, startCsync2 } from '../../support/csync2-daemon.js';
import type { Csync2Host } from '../../support/csync2-daemon.js';

const KEY = 'k'.repeat(64);
const ME = '127.22.5.1' as PeerName;
const PEER = '127.22.5.2' as PeerName;
const SSL = makePair(2048);
const TLS = certificatePair(SSL.certificate, SSL.key, { certificateFile: 'cert', keyFile: 'key' });
const OK = { kind: 'ok', text: 'OK (cmd_finished).' };

let directory: string;
let host: Csync2Host;
let server: Server | undefined;

beforeEach(async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'csx-session-'));
  const config = `nossl * *; group g { host ${ME} ${PEER}; key k; include ${directory}; }`;
  host = await startCsync2({ address: PEER, config, keys: { k: KEY }, tls: SSL, verbose: 0 });
});
afterEach(async () => {
  server?.close();
  server = undefined;
  await host.stop();
  rmSync(directory, { recursive: true, force: true });
});

async function session(options: Partial<ConnectOptions> = {}): Promise<Connection> {
  return (await connect({ peer: PEER, me: ME, bind: ME, ...options })).connection;
}

function target(name: string): { readonly key: string; readonly file: FileName } {
  return { key: KEY, file: path.join(directory, name) as FileName };
}

/** A delta that makes `text` of anything. */
function literal(text: string): Body {
  const head = Buffer.from([0x72, 0x73, 0x02, 0x36, 0x43, 0, 0, 0, 0]);
  head.writeUInt32BE(text.length, 5);
  const delta = Buffer.concat([head, Buffer.from(text), Buffer.from([0])]);
  return { length: delta.length, chunks: [delta] };
}

describe.each([
  ['plain', {}],
  ['encrypted', { tls: TLS }],
] as const)('%s', (_, security) => {
  test('ten thousand SIGs under way at once', async () => {
    writeFileSync(path.join(directory, 'file'), 'x'.repeat(10_000));
    const name = `${'d'.repeat(200)}-absent`;
    const connection = await session(security);
    const answers: Promise<{ kind: string }>[] = [];
    for (let index = 0; index < 5000; index += 1) {
      answers.push(connection.request('SIG', target('file')), connection.request('SIG', target(name)));
    }
    const kinds = new Map<string, number>();
    for (const [index, answer] of answers.entries()) {
      const key = `${index % 2} ${(await answer).kind}`;
      kinds.set(key, (kinds.get(key) ?? 0) + 1);
    }
    expect([...kinds]).toEqual([
      ['0 present', 5000],
      ['1 path-not-found', 5000],
    ]);
    // Far more than one window of answers and of commands was under way.
    expect(connection.counters.sent).toBeGreaterThan(1_900_000);
    await connection.bye();
  });

  test('three hundred new files: one round trip each, everything else none', async () => {
    const connection = await session(security);
    const before = connection.counters.roundTrips;
    const outcomes = Array.from({ length: 300 }, (__, index) => {
      const name = `new-${String(index)}`;
      return connection.patch(target(name), () => literal(`content of ${name}`), [
        { verb: 'SETOWN', args: { ...target(name), uid: 0, gid: 0 } },
        { verb: 'SETMOD', args: { ...target(name), mode: 0o100640 } },
        { verb: 'SETIME', args: { ...target(name), mtime: 1_000_000_000 } },
      ]);
    });
    for (const outcome of outcomes) expect(await outcome).toEqual({ answer: OK, followers: [OK, OK, OK] });
    expect(readFileSync(path.join(directory, 'new-299'), 'latin1')).toBe('content of new-299');
    const stat = statSync(path.join(directory, 'new-0'));
    expect([stat.mode & 0o7777, stat.mtimeMs]).toEqual([0o640, 1_000_000_000_000]);
    // One for the first PATCH, and one for each body, behind which the next PATCH leaves.
    expect(connection.counters.roundTrips - before).toBe(301);
    await connection.bye();
  });

  test('a body that breaks off changes nothing', async () => {
    writeFileSync(path.join(directory, 'old'), 'old content');
    const cut = (name: string, connection: Connection): Promise<unknown> => {
      const whole = Buffer.concat([...(literal('new content '.repeat(20_000)).chunks as Iterable<Buffer>)]);
      return connection.patch(target(name), () => ({
        length: whole.length,
        chunks: (async function* () {
          yield whole.subarray(0, 150_000);
          await new Promise((resolve) => setTimeout(resolve, 100));
          throw new Error('the disk is gone');
        })(),
      }));
    };
    // csync2 has to know the file as clean, or it would refuse the PATCH.
    await host.run(['-cIr', directory]);
    for (const name of ['old', 'new'])
      await expect(cut(name, await session(security))).rejects.toThrow('the disk is gone');
    // The daemon's process has ended when a new one can have the database.
    const connection = await session(security);
    expect(await connection.request('GETSZ', target('old'))).toEqual({ kind: 'decimal', value: 11 });
    expect(await connection.request('GETSZ', target('new'))).toEqual({ kind: 'decimal', value: undefined });
    await connection.bye();
    expect(readFileSync(path.join(directory, 'old'), 'latin1')).toBe('old content');
    expect(existsSync(path.join(directory, 'new'))).toBe(false);
  });

  test('a daemon that is killed in the middle', async () => {
    writeFileSync(path.join(directory, 'file'), 'x'.repeat(100_000));
    const connection = await session(security);
    const answers = Array.from({ length: 5000 }, () => connection.request('SIG', target('file')));
    await answers[10];
    await host.kill();
    const results = await Promise.allSettled(answers);
    const errors = new Set(results.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : [])));
    expect(errors.size).toBe(1);
    expect([...errors][0]).toMatchObject({ code: 'PEER_CLOSED' });
    expect(results[0]?.status).toBe('fulfilled');
  });
});

test('a refused PATCH takes no body, and what follows is understood', async () => {
  writeFileSync(path.join(directory, 'clean'), 'clean');
  await host.run(['-cIr', directory]);
  // Nobody has scanned it: the daemon finds it, marks it dirty, and refuses.
  writeFileSync(path.join(directory, 'dirty'), 'written here');
  const connection = await session();
  const refused = connection.patch(target('dirty'), () => literal('written there'), [
    { verb: 'SETIME', args: { ...target('dirty'), mtime: 1 } },
  ]);
  const accepted = connection.patch(target('clean'), () => literal('cleaner'));
  const unknown = connection.patch({ key: 'x'.repeat(64), file: target('clean').file }, () => literal('no'));
  const none = connection.patch(target('clean'), () => undefined);
  const size = connection.request('GETSZ', target('clean'));
  expect(await refused).toMatchObject({ answer: { refusal: { kind: 'marked-dirty' } }, followers: [] });
  expect(await accepted).toEqual({ answer: OK, followers: [] });
  expect((await unknown).answer).toMatchObject({ refusal: { kind: 'denied' } });
  expect((await none).answer).toMatchObject({ refusal: { errno: 'EIO' } });
  expect(await size).toEqual({ kind: 'decimal', value: 7 });
  await connection.bye();
  expect(readFileSync(path.join(directory, 'dirty'), 'latin1')).toBe('written here');
  // The conflict is still known: a SETIME would have made csync2 forget it.
  expect((await host.run(['-M'])).stdout).toContain(`${directory}/dirty`);
});

test('another identity in the middle, and the way back', async () => {
  const connection = await session();
  await expect(connection.hello('nobody.invalid' as PeerName)).rejects.toMatchObject({ code: 'IDENTIFICATION_FAILED' });
  expect(await connection.request('GETSZ', target('x'))).toMatchObject({ refusal: { kind: 'not-identified' } });
  await connection.hello(ME);
  expect(await connection.request('GETSZ', target('x'))).toEqual({ kind: 'decimal', value: undefined });
  await connection.bye();
});

test('LIST and TYPE', async () => {
  for (let index = 0; index < 3000; index += 1) writeFileSync(path.join(directory, `f ${index}`), String(index));
  await host.run(['-cIr', directory]);
  const connection = await session();
  let rows = 0;
  for await (const batch of connection.list({ peer: PEER, file: '-', keys: ['no-such-key', KEY] }))
    rows += batch.length;
  expect(rows).toBe(3001);
  const pieces: Buffer[] = [];
  for await (const batch of connection.type(target('f 2999'))) pieces.push(...batch);
  expect(Buffer.concat(pieces).toString()).toBe('2999');
});

test('through a line that delivers byte by byte, encrypted', async () => {
  writeFileSync(path.join(directory, 'file'), 'x');
  server = createServer((client) => {
    const daemon = connectSocket({ host: PEER, port: 30865, localAddress: ME, noDelay: true });
    for (const [from, to] of [
      [client, daemon],
      [daemon, client],
    ] as const) {
      from.on('data', (chunk: Buffer) => {
        for (const byte of chunk) to.write(Buffer.from([byte]));
      });
      from.on('error', () => to.destroy());
      from.on('close', () => to.destroy());
    }
  });
  const proxy = server;
  await new Promise<void>((resolve) => {
    proxy.listen(30865, '127.22.5.9', resolve);
  });
  const connection = await session({ address: '127.22.5.9', tls: TLS });
  expect(await connection.request('SIG', target('file'))).toMatchObject({ kind: 'present' });
  expect((await connection.patch(target('n'), () => literal('by bytes'))).answer).toEqual(OK);
  await connection.bye();
  expect(readFileSync(path.join(directory, 'n'), 'latin1')).toBe('by bytes');
});
