/**
 * Promise 14, at the daemon: clients that send one byte at a time, everything at once, nothing, or without end, that never read, or
 * stop in the middle of a delta, harm nobody else, and memory stays bounded.
 */

import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { startCsx } from '../engine/daemon/csx-daemon.js';
import type { CsxHost, CsxOptions } from '../engine/daemon/csx-daemon.js';
import { literalDelta, RawClient } from '../engine/daemon/raw-client.js';

const KEY = 'a'.repeat(64);
const CLIENT = '127.25.6.1';
const SERVER = '127.25.6.2';

let base = '';
let host: CsxHost | undefined;

async function start(options: Partial<CsxOptions> = {}): Promise<void> {
  base = fs.mkdtempSync(path.join(fs.realpathSync(tmpdir()), 'csx-hostile-'));
  fs.mkdirSync(`${base}/t`);
  const config = `nossl * *; group g { host ${SERVER} ${CLIENT}; key k; include ${base}/t; }`;
  host = await startCsx({ address: SERVER, config, keys: { k: KEY }, ...options });
}

afterEach(async () => {
  await host?.stop();
  fs.rmSync(base, { recursive: true, force: true });
});

function introduction(): string {
  return `CONFIG \nHELLO ${CLIENT}\n`;
}

function creation(name: string, content: string): Buffer[] {
  const delta = literalDelta(content);
  const file = `${base}/t/${name}`;
  return [
    Buffer.from(`PATCH ${KEY} ${file}\n`),
    Buffer.concat([Buffer.from(`octet-stream ${String(delta.length)}\n`), delta]),
    Buffer.from(`SETOWN ${KEY} ${file} 0 0\nSETMOD ${KEY} ${file} 33188\nSETIME ${KEY} ${file} 1000\n`),
  ];
}

/** An honest client gets its work done meanwhile. */
async function honestWork(name = 'honest'): Promise<void> {
  const client = await RawClient.introduced(SERVER, CLIENT);
  await client.patch(`PATCH ${KEY} ${base}/t/${name}`, literalDelta('content'));
  for (const line of ['SETOWN KEY F 0 0', 'SETMOD KEY F 33188', 'SETIME KEY F 1000']) {
    expect(await client.say(line.replace('KEY', KEY).replace('F', `${base}/t/${name}`))).toBe('OK (cmd_finished).\n');
  }
  client.close();
  expect(fs.readFileSync(`${base}/t/${name}`, 'utf8')).toBe('content');
}

function leftOver(): string[] {
  return fs.readdirSync(`${base}/t`).filter((name) => name.startsWith('.csx-stage-'));
}

describe('clients of every pace', () => {
  it('one byte at a time', async () => {
    await start();
    const client = await RawClient.open(SERVER, CLIENT);
    client.socket.setNoDelay(true);
    const [patch, body, rest] = creation('slow', 'drop by drop');
    const slowly = async (bytes: Buffer): Promise<void> => {
      for (const byte of bytes) {
        client.write(Buffer.from([byte]));
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    await slowly(Buffer.concat([Buffer.from(introduction()), patch!]));
    await client.until((text) => /octet-stream 12\n[^]{12}$/.test(text));
    await slowly(Buffer.concat([body!, rest!, Buffer.from('BYE\n')]));
    expect(await client.until((text) => text.endsWith('(cu_later).\n'))).toBe(
      `${'OK (cmd_finished).\n'.repeat(4)}OK (cu_later).\n`,
    );
    expect(fs.readFileSync(`${base}/t/slow`, 'utf8')).toBe('drop by drop');
    client.close();
  });

  it('everything at once: hundreds of commands in one write, answered in order', async () => {
    await start();
    const client = await RawClient.open(SERVER, CLIENT);
    const count = 700;
    let text = introduction();
    for (let index = 0; index < count; index += 1) {
      const name = `${base}/t/d${String(index)}`;
      text += `MKDIR ${KEY} ${name}\nSETOWN ${KEY} ${name} 1 2\nSETMOD ${KEY} ${name} 16877\nSETIME ${KEY} ${name} 5\n`;
    }
    client.write(`${text}SIG ${KEY} ${base}/t/d0\nBYE\n`);
    const answers = await client.until((received) => received.endsWith('(cu_later).\n'));
    expect(answers.split('\n').filter((line) => line === 'OK (cmd_finished).')).toHaveLength(2 + 4 * count + 1);
    expect(answers).toContain('OK (data_follows).\nv1:mode=16877:uid=1:gid=2:type=dir\n');
    expect(fs.readdirSync(`${base}/t`)).toHaveLength(count);
    client.close();
  });

  it('a body that comes without an accepted PATCH is read as commands that do nothing', async () => {
    await start();
    fs.mkdirSync(`${base}/t/full/x`, { recursive: true });
    const client = await RawClient.introduced(SERVER, CLIENT);
    const answer = await client.patch(`PATCH wrong ${base}/t/full`, literalDelta('x'));
    expect(answer).toBe('Permission denied!\n');
    expect(await client.say(`octet-stream 5`, true)).toBe('Unknown command!\n');
    client.close();
  });
});

describe('clients that want to do harm', () => {
  it('10 MB without a newline: cut off, and memory does not grow', async () => {
    await start();
    const before = process.memoryUsage().rss;
    const clients = await Promise.all(Array.from({ length: 5 }, () => RawClient.open(SERVER, CLIENT)));
    const rubbish = Buffer.alloc(10 * 1024 * 1024, 'x');
    for (const client of clients) client.write(rubbish);
    await honestWork();
    for (const client of clients) expect(await client.until(() => false)).toBe('<closed>');
    // The 50 MB were allocated here, by the clients: what the daemon kept would come on top.
    expect(process.memoryUsage().rss - before).toBeLessThan(120 * 1024 * 1024);
    expect(host?.log()).toContain('line of more than 16383 bytes');
  });

  it('never identifies itself: cut off when its time is over', async () => {
    await start({ limits: { identify: 200 } });
    const silent = await RawClient.open(SERVER, CLIENT);
    const talker = await RawClient.open(SERVER, CLIENT);
    await talker.say('CONFIG');
    const nagging = setInterval(() => {
      talker.write('HELLO nosuch.invalid\n');
    }, 20);
    try {
      await honestWork();
      expect(await silent.until(() => false)).toBe('<closed>');
      await talker.until(() => false);
      expect(talker.ended).toBe(true);
    } finally {
      clearInterval(nagging);
    }
  });

  it('says nothing any more: cut off, also in the middle of a delta, and nothing is left of it', async () => {
    await start({ limits: { idle: 300 } });
    const idle = await RawClient.introduced(SERVER, CLIENT);
    const half = await RawClient.introduced(SERVER, CLIENT);
    half.write(`PATCH ${KEY} ${base}/t/half\n`);
    await half.until((text) => text.includes('octet-stream'));
    half.write('octet-stream 1000\nrs\x026\x43\x00\x00\x01\x00half of it');
    await honestWork();
    expect(await idle.until(() => false)).toBe('<closed>');
    await half.until(() => false);
    await vanish();
    expect(fs.readdirSync(`${base}/t`)).toEqual(['honest']);
  });

  it('goes away in the middle of a delta, or before the attributes: the old file stays', async () => {
    await start();
    await honestWork('old');
    for (const bytes of [`octet-stream 1000\nrs\x026\x43`, Buffer.concat([creation('old', 'new')[1]!])]) {
      const client = await RawClient.introduced(SERVER, CLIENT);
      client.write(`PATCH ${KEY} ${base}/t/old\n`);
      await client.until((text) => /octet-stream \d+\n[^]{12}/.test(text));
      client.write(bytes);
      await sleep(20);
      client.socket.resetAndDestroy();
    }
    await vanish();
    expect(fs.readFileSync(`${base}/t/old`, 'utf8')).toBe('content');
    expect(leftOver()).toEqual([]);
  });

  it('never reads: others go on, and it is cut off', async () => {
    await start({ limits: { write: 400 } });
    fs.writeFileSync(`${base}/t/large`, Buffer.alloc(30_000_000));
    const deaf = await RawClient.open(SERVER, CLIENT);
    deaf.socket.pause();
    deaf.write(`${introduction()}TYPE ${KEY} ${base}/t/large\n`);
    const pipelining = await RawClient.open(SERVER, CLIENT);
    pipelining.socket.pause();
    pipelining.write(introduction() + `SIG ${KEY} ${base}/t/large\n`.repeat(200));
    await honestWork();
    await until(() => (host?.log().match(/Cut off/g) ?? []).length === 2);
    deaf.close();
    pipelining.close();
  });

  it.each([
    ['rubbish', Buffer.from('this is no delta')],
    ['nothing', Buffer.alloc(0)],
    ['a copy from outside the file', Buffer.from('727302364500ff00', 'hex')],
    ['no end', Buffer.from('72730236', 'hex')],
    ['more after its end', Buffer.from('7273023600ff', 'hex')],
  ])('a delta that is %s changes nothing', async (_, delta) => {
    await start();
    await honestWork('old');
    const client = await RawClient.introduced(SERVER, CLIENT);
    const answer = await client.patch(`PATCH ${KEY} ${base}/t/old`, delta);
    expect(answer).toMatch(/\n--\n(?!OK)/);
    expect(await client.say(`SIG ${KEY} ${base}/t/old`)).toContain('size=7');
    client.close();
    expect(fs.readFileSync(`${base}/t/old`, 'utf8')).toBe('content');
    expect(leftOver()).toEqual([]);
  });

  it('comes a hundred times: what is too much is closed at once', async () => {
    await start({ connections: 10 });
    const clients = await Promise.all(Array.from({ length: 30 }, () => RawClient.open(SERVER, CLIENT)));
    await until(() => clients.filter((client) => client.ended).length === 20);
    for (const client of clients) client.close();
    await until(async () => {
      const client = await RawClient.open(SERVER, CLIENT);
      const answer = await client.say('CONFIG').catch(() => '');
      client.close();
      return answer.startsWith('OK');
    });
  });
});

/** Waits until no session is left that could still be cleaning up. */
async function vanish(): Promise<void> {
  await until(() => {
    const log = host?.log() ?? '';
    const connected = log.match(/Connected\./g) ?? [];
    const ended = log.match(/Closed\.|Cut off/g) ?? [];
    return connected.length === ended.length;
  });
}

async function until(done: () => boolean | Promise<boolean>): Promise<void> {
  for (let round = 0; round < 500; round += 1) {
    if (await done()) return;
    await sleep(20);
  }
  throw new Error(`It did not come about. The log:\n${host?.log() ?? ''}`);
}
