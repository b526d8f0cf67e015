/** Two sessions bring the same file at the same moment: what stands there already as it was to become is no conflict. */

import {
  chmodSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startCsx } from './csx-daemon.js';
import type { CsxHost } from './csx-daemon.js';
import { RawClient } from './raw-client.js';

const KEY = 'g'.repeat(64);
const CLIENT = '127.30.7.1';
const HOST = '127.30.7.2';
const OK = 'OK (cmd_finished).\n';

let tree: string;
let host: CsxHost;
let clients: RawClient[];

beforeEach(async () => {
  tree = mkdtempSync(path.join(tmpdir(), 'csx-same-'));
  const config = `nossl * *; group g { host ${CLIENT} ${HOST}; key k; include ${tree}; }`;
  host = await startCsx({ address: HOST, config, keys: { k: KEY } });
  clients = [await RawClient.introduced(HOST, CLIENT), await RawClient.introduced(HOST, CLIENT)];
});
afterEach(async () => {
  for (const client of clients) client.socket.destroy();
  await host.stop();
  rmSync(tree, { recursive: true, force: true });
});

async function ask(client: RawClient): Promise<void> {
  client.write(`PATCH ${KEY} ${tree}/file\n`);
  await client.until((received) => received.includes('octet-stream 12\n') && received.length > 40);
}

/** Sends the content and its attributes; what the last answer was. */
async function bring(client: RawClient, content: string): Promise<string> {
  const literal = Buffer.from(content);
  const body = Buffer.concat([Buffer.from([0x72, 0x73, 0x02, 0x36, literal.length]), literal, Buffer.from([0])]);
  client.write(Buffer.concat([Buffer.from(`octet-stream ${String(body.length)}\n`), body]));
  client.write(`SETMOD ${KEY} ${tree}/file ${String(0o100640)}\nSETIME ${KEY} ${tree}/file 1000000\n`);
  const answers = await client.until((received) => received.split('\n').length > 3);
  return answers.slice(answers.trimEnd().lastIndexOf('\n') + 1);
}

async function dirty(): Promise<number> {
  const { store } = await host.open();
  try {
    return (await store.dirty()).length;
  } finally {
    await store.close();
  }
}

it('the same content with the same attributes: both are told OK, and nobody marks anything', async () => {
  const [one, other] = clients as [RawClient, RawClient];
  await ask(one);
  await ask(other);
  expect(await bring(one, 'same')).toBe(OK);
  const { ino } = statSync(`${tree}/file`);
  expect(await bring(other, 'same')).toBe(OK);
  expect(statSync(`${tree}/file`).ino).toBe(ino);
  expect(readdirSync(tree)).toEqual(['file']);
  expect(await dirty()).toBe(0);
});

it('another content of the same length and time: the second is refused', async () => {
  const [one, other] = clients as [RawClient, RawClient];
  await ask(one);
  await ask(other);
  expect(await bring(one, 'this')).toBe(OK);
  expect(await bring(other, 'that')).toBe('File is also marked dirty here!\n');
  expect(readFileSync(`${tree}/file`, 'utf8')).toBe('this');
  expect(readdirSync(tree)).toEqual(['file']);
});

it('a person makes the same file meanwhile: it is accepted; with another mode it is not', async () => {
  const [one, other] = clients as [RawClient, RawClient];
  for (const [client, mode, answer] of [
    [one, 0o640, OK],
    [other, 0o604, 'File is also marked dirty here!\n'],
  ] as const) {
    rmSync(`${tree}/file`, { force: true });
    await client.say(`FLUSH ${KEY} ${tree}/file`);
    await ask(client);
    writeFileSync(`${tree}/file`, 'same');
    chmodSync(`${tree}/file`, mode);
    utimesSync(`${tree}/file`, 1_000_000, 1_000_000);
    expect(await bring(client, 'same')).toBe(answer);
  }
});
