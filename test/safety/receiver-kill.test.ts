/**
 * Promise 2, at the receiver: kill -9 at any moment loses nothing. A client sends as csync2's does, many files at once, and the daemon
 * is killed under it again and again. At no moment is there a half file or a half-dressed one; what was answered for is there; sent
 * again, everything is as the client wants it, nothing staged is left, and nothing counts as a local change.
 */

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { literalDelta, RawClient } from '../engine/daemon/raw-client.js';

const PROGRAM = fileURLToPath(new URL('../../bin/csx', import.meta.url));
const KEY = 'a'.repeat(64);
const SERVER = '127.25.22.1';
const CLIENT = '127.25.22.2';
const FILES = 24;
const KILLS = 8;
const OK = 'OK (cmd_finished).\n';

let base = '';
let daemon: ChildProcess | undefined;

beforeEach(() => {
  base = fs.mkdtempSync(path.join(fs.realpathSync(tmpdir()), 'csx-kill-'));
  for (const name of ['t', 'db']) fs.mkdirSync(`${base}/${name}`);
  fs.writeFileSync(`${base}/k`, `${KEY}\n`, { mode: 0o600 });
  fs.writeFileSync(`${base}/csync2.cfg`, `nossl * *; group g { host ${SERVER} ${CLIENT}; key k; include ${base}/t; }`);
});

afterEach(async () => {
  await kill();
  fs.rmSync(base, { recursive: true, force: true });
});

async function start(): Promise<void> {
  const child = spawn(PROGRAM, ['daemon', '--system-dir', base, '-N', SERVER, '-D', `${base}/db`], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  daemon = child;
  let stderr = '';
  while (!stderr.includes('Listening on')) {
    if (child.exitCode !== null) throw new Error(stderr);
    const [chunk] = (await once(child.stderr, 'data')) as [Buffer];
    stderr += chunk.toString();
  }
  child.stderr.resume();
}

async function kill(): Promise<void> {
  const child = daemon;
  daemon = undefined;
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

function nameOf(index: number): string {
  return `${base}/t/d${String(index % 4)}/f${String(index)}`;
}

/** Content that tells its round and shows when it is not whole. */
function contentOf(round: number): string {
  return `${String(round)}\n`.repeat(1000 + round);
}

/** Sends one file as csync2's client does; true when its last command was answered with OK. */
async function send(client: RawClient, index: number, round: number): Promise<boolean> {
  const file = `${KEY} ${nameOf(index)}`;
  const sig = await client.say(`SIG ${file}`);
  const here = fs.existsSync(nameOf(index)) ? fs.readFileSync(nameOf(index), 'latin1') : undefined;
  if (!sig.startsWith('OK (data_follows)') || here !== contentOf(round)) {
    if (!(await client.patch(`PATCH ${file}`, literalDelta(contentOf(round)))).endsWith(OK)) return false;
    if ((await client.say(`SETOWN ${file} ${String(round)} 0`)) !== OK) return false;
    if ((await client.say(`SETMOD ${file} 33188`)) !== OK) return false;
  }
  return (await client.say(`SETIME ${file} ${String(round)}`)) === OK;
}

/** Sends a round; the files that were answered for. */
async function sendAll(round: number, onDone: (count: number) => void = () => undefined): Promise<Set<number>> {
  const done = new Set<number>();
  try {
    const client = await RawClient.introduced(SERVER, CLIENT);
    for (let directory = 0; directory < 4; directory += 1) {
      await client.say(`MKDIR ${KEY} ${base}/t/d${String(directory)}`);
      await client.say(`SETMOD ${KEY} ${base}/t/d${String(directory)} 16877`);
    }
    for (let index = 0; index < FILES && !client.ended; index += 1)
      if (await send(client, index, round)) onDone(done.add(index).size);
    if (!client.ended) await client.say('BYE');
    client.close();
  } catch (error) {
    if (!(error instanceof Error) || !/ECONN|EPIPE/.test(error.message)) throw error;
  }
  return done;
}

/** Every file is whole and dressed as one round made it; those answered for as this one. */
function look(round: number, done: ReadonlySet<number>): void {
  for (let index = 0; index < FILES; index += 1) {
    if (!fs.existsSync(nameOf(index))) {
      expect(done.has(index), `file ${String(index)} was answered for`).toBe(false);
      continue;
    }
    const content = fs.readFileSync(nameOf(index), 'latin1');
    const stats = fs.statSync(nameOf(index));
    const of = Number(content.slice(0, content.indexOf('\n')));
    expect(content).toBe(contentOf(of));
    expect([stats.uid, stats.mode & 0o7777, stats.mtimeMs]).toEqual([of, 0o644, of * 1000]);
    if (done.has(index)) expect(of).toBe(round);
  }
}

it('a daemon that is killed while a client sends', async () => {
  let killedInside = 0;
  for (let round = 1; round <= KILLS; round += 1) {
    await start();
    // At first while the directories are made, then ever later among the files, and at any step of one.
    const from = (round - 1) * 3;
    const time = Promise.withResolvers<undefined>();
    if (from === 0) time.resolve(undefined);
    const sending = sendAll(round, (count) => {
      if (count === from) time.resolve(undefined);
    });
    await Promise.race([time.promise, sending]);
    await sleep(round);
    await kill();
    const done = await sending;
    if (done.size > 0 && done.size < FILES) killedInside += 1;
    look(round, done);

    await start();
    const all = await sendAll(round);
    expect([...Array(FILES).keys()].filter((index) => !all.has(index))).toEqual([]);
    look(round, all);
    const names = fs.readdirSync(`${base}/t`, { recursive: true, encoding: 'utf8' });
    expect(names.filter((name) => name.includes('.csx-stage-'))).toEqual([]);
    expect(names).toHaveLength(FILES + 4);
    await kill();
  }
  expect(killedInside).toBeGreaterThan(0);
}, 180_000);

const PACKS = 4;
const PACKED = 150;
const MADE = 'OK (data_follows).\noctet-stream 0\n';

function packedName(pack: number, index: number): string {
  return `${base}/t/p${String(pack)}/f${String(index)}`;
}

/** Large enough to be made in a thread of its own. */
function packOf(pack: number): string {
  const content = contentOf(pack);
  const digest = createHash('sha256').update(content).digest('hex');
  const lines = Array.from(
    { length: PACKED },
    (_, index) => `f ${packedName(pack, index)} 5 0 33188 500 ${String(content.length)} ${digest}\n`,
  );
  const body = `d ${base}/t/p${String(pack)} 0 0 16877 500\n${lines.join('')}\n${content.repeat(PACKED)}`;
  return `PACK ${KEY}\noctet-stream ${String(body.length)}\n${body}`;
}

it('a daemon that is killed while it makes packs', async () => {
  const packs = Array.from({ length: PACKS }, (_, pack) => packOf(pack)).join('');
  const names = Array.from({ length: PACKS * PACKED }, (_, n) => packedName(Math.floor(n / PACKED), n % PACKED));
  let killedInside = 0;
  for (let round = 0; round < 6; round += 1) {
    fs.rmSync(`${base}/t`, { recursive: true });
    fs.rmSync(`${base}/db`, { recursive: true });
    for (const name of ['t', 'db']) fs.mkdirSync(`${base}/${name}`);
    await start();
    const client = await RawClient.introduced(SERVER, CLIENT);
    client.write(packs);
    const last = packedName(round % PACKS, PACKED - 1);
    while (!fs.existsSync(round < PACKS ? path.dirname(last) : last)) await sleep(1);
    await sleep(round * 2);
    await kill();
    const answered = (await client.until(() => false)).split(MADE).length - 1;
    client.close();

    const standing = names.filter((name) => fs.existsSync(name));
    if (standing.length > 0 && standing.length < names.length) killedInside += 1;
    expect(standing.slice(0, answered * PACKED)).toEqual(names.slice(0, answered * PACKED));
    for (const name of standing) {
      const { uid, mode, mtimeMs } = fs.statSync(name);
      expect([uid, mode & 0o7777, mtimeMs]).toEqual([5, 0o644, 500_000]);
      expect(fs.readFileSync(name, 'latin1')).toBe(contentOf(Number(path.basename(path.dirname(name)).slice(1))));
    }

    await start();
    const again = await RawClient.introduced(SERVER, CLIENT);
    const asked = standing.map((name) => `AGREED ${KEY} ${name}\n`).join('');
    const agreed = (await again.say(asked.trimEnd())).split('\n').filter((line) => line === OK.trimEnd());
    expect(agreed, 'none of it is a local change').toHaveLength(standing.length);
    await again.say(packs.trimEnd());
    expect(names.filter((name) => !fs.existsSync(name))).toEqual([]);
    const left = fs.readdirSync(`${base}/t`, { recursive: true, encoding: 'latin1' });
    expect(left.filter((name) => name.includes('.csx-stage-'))).toEqual([]);
    again.close();
    await kill();
  }
  expect(killedInside).toBeGreaterThan(0);
}, 180_000);
