/** The csx-to-csx extension `verify`: the body of a PATCH ends with the SHA-256 of the new content, and another content is refused. */

import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startCsx } from './csx-daemon.js';
import type { CsxHost } from './csx-daemon.js';
import { literalDelta, RawClient } from './raw-client.js';

const KEY = 'v'.repeat(64);
const CLIENT = '127.30.9.1';
const HOST = '127.30.9.2';
const OK = 'OK (cmd_finished).\n';
const REFUSED = 'The content is not the one that was sent.\n';

let tree: string;
let host: CsxHost;
let client: RawClient;

beforeEach(async () => {
  tree = fs.mkdtempSync(path.join(tmpdir(), 'csx-verify-'));
  const config = `nossl * *; group g { host ${CLIENT} ${HOST}; key k; include ${tree}; }`;
  host = await startCsx({ address: HOST, config, keys: { k: KEY } });
  client = await RawClient.introduced(HOST, CLIENT);
});
afterEach(async () => {
  client.close();
  await host.stop();
  fs.rmSync(tree, { recursive: true, force: true });
});

function digestOf(content: string): Buffer {
  return createHash('sha256').update(content).digest();
}

/** What the body is answered with. */
async function patch(body: Buffer): Promise<string | undefined> {
  return (await client.patch(`PATCH ${KEY} ${tree}/file`, body)).split('\n--\n')[1];
}

/** The file is there, and both hosts agree on it. */
async function bring(content: string): Promise<void> {
  expect(await patch(literalDelta(content))).toBe(OK);
  expect(await client.say(`SETIME ${KEY} ${tree}/file 1000`)).toBe(OK);
}

describe('verify', () => {
  it('the content that was named is taken, also one byte at a time and after another HELLO', async () => {
    expect(await client.say('CSX verify')).toBe(OK);
    expect(await patch(Buffer.concat([literalDelta('new'), digestOf('new')]))).toBe(OK);
    expect(await client.say(`SETIME ${KEY} ${tree}/file 1000`)).toBe(OK);
    expect(fs.readFileSync(`${tree}/file`, 'utf8')).toBe('new');
    expect(await client.say(`HELLO ${CLIENT}`)).toBe(OK);
    client.socket.setNoDelay(true);
    client.write(`PATCH ${KEY} ${tree}/slow\n`);
    await client.until((text) => /octet-stream 12\n[^]{12}$/.test(text));
    const body = Buffer.concat([literalDelta('drop by drop'), digestOf('drop by drop')]);
    for (const byte of Buffer.concat([Buffer.from(`octet-stream ${String(body.length)}\n`), body])) {
      client.write(Buffer.from([byte]));
      await turn();
    }
    expect(await client.until((text) => text.endsWith('\n'))).toBe(OK);
    expect(await client.say(`SETIME ${KEY} ${tree}/slow 1000`)).toBe(OK);
    expect(fs.readFileSync(`${tree}/slow`, 'utf8')).toBe('drop by drop');
  });

  it('another content is refused with its attributes, and the old one stays; the next is taken', async () => {
    await bring('old');
    await client.say('CSX group-commit');
    await client.say('CSX verify');
    expect(await patch(Buffer.concat([literalDelta('nEw'), digestOf('new')]))).toBe(REFUSED);
    for (const line of ['SETOWN K F 1 1', 'SETMOD K F 33279', 'SETIME K F 2000']) {
      expect(await client.say(line.replace('K', KEY).replace('F', `${tree}/file`)), line).toBe(REFUSED);
    }
    expect(await client.say('SYNC')).toBe(OK);
    expect(fs.readFileSync(`${tree}/file`, 'utf8')).toBe('old');
    expect(fs.statSync(`${tree}/file`).mtimeMs).toBe(1_000_000);
    expect(fs.readdirSync(tree)).toEqual(['file']);
    expect(await patch(Buffer.concat([literalDelta('new'), digestOf('new')]))).toBe(OK);
    expect(await client.say('SYNC')).toBe(OK);
    expect(fs.readFileSync(`${tree}/file`, 'utf8')).toBe('new');
  });

  it.each([
    ['no digest', literalDelta('new')],
    ['nothing', Buffer.alloc(0)],
    ['half a digest', Buffer.concat([literalDelta('new'), digestOf('new').subarray(16)])],
    ['a digest alone', digestOf('')],
    ['a delta without end', Buffer.concat([literalDelta('new').subarray(0, -1), digestOf('new')])],
  ])('a body with %s changes nothing', async (_, body) => {
    await bring('old');
    await client.say('CSX verify');
    expect(await patch(body)).not.toMatch(/^OK/);
    expect(await client.say(`SIG ${KEY} ${tree}/file`)).toContain('size=3');
    expect(fs.readFileSync(`${tree}/file`, 'utf8')).toBe('old');
    expect(fs.readdirSync(tree)).toEqual(['file']);
  });

  it('a client that did not ask for it sends as to csync2, and a digest is no part of its delta', async () => {
    await bring('old');
    expect(await patch(Buffer.concat([literalDelta('new'), digestOf('new')]))).not.toMatch(/^OK/);
    expect(fs.readFileSync(`${tree}/file`, 'utf8')).toBe('old');
    expect(await patch(literalDelta('new'))).toBe(OK);
  });
});
