/** The csx-to-csx extension: answers before the disk, SYNC for the disk. And that csync2 knows nothing of it. */

import {
  existsSync,
  readFileSync,
  readdirSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseAbout } from '../../../src/engine/wire/about.js';
import { CSX_VERSION } from '../../../src/model/version.js';
import { startCsync2 } from '../../support/csync2-daemon.js';
import { startCsx } from './csx-daemon.js';
import type { CsxHost } from './csx-daemon.js';
import { RawClient } from './raw-client.js';

const KEY = 'g'.repeat(64);
const CLIENT = '127.30.6.1';
const HOST = '127.30.6.2';

let tree: string;
let config: string;
let host: CsxHost;
let client: RawClient;

beforeEach(async () => {
  tree = mkdtempSync(path.join(tmpdir(), 'csx-group-'));
  config = `nossl * *; group g { host ${CLIENT} ${HOST}; key k; include ${tree}; }`;
  host = await startCsx({ address: HOST, config, keys: { k: KEY } });
  client = await RawClient.introduced(HOST, CLIENT);
});
afterEach(async () => {
  client.socket.destroy();
  await host.stop();
  rmSync(tree, { recursive: true, force: true });
});

async function rows(): Promise<readonly string[]> {
  const { store } = await host.open();
  try {
    const stored: string[] = [];
    for await (const batch of store.files()) stored.push(...batch.map((row) => row.stored));
    return stored;
  } finally {
    await store.close();
  }
}

describe('group-commit', () => {
  it('without it every answer is durable; with it SYNC is', async () => {
    expect(await client.say(`MKDIR ${KEY} ${tree}/plain`)).toBe('OK (cmd_finished).\n');
    expect(await rows()).toContain(`${tree}/plain`);
    expect(await client.say('CSX group-commit')).toBe('OK (cmd_finished).\n');
    client.write(`MKDIR ${KEY} ${tree}/grouped\n`);
    await client.until((received) => received.endsWith('OK (cmd_finished).\n'));
    expect(existsSync(`${tree}/grouped`)).toBe(true);
    expect(await rows()).not.toContain(`${tree}/grouped`);
    expect(await client.say('SYNC')).toBe('OK (cmd_finished).\n');
    expect(await rows()).toContain(`${tree}/grouped`);
  });

  it('a client that falls silent, or goes, loses nothing it was told', async () => {
    await client.say('CSX group-commit');
    await client.say(`MKDIR ${KEY} ${tree}/silent`);
    for (let wait = 0; wait < 100 && !(await rows()).includes(`${tree}/silent`); wait++) await sleep(50);
    expect(await rows()).toContain(`${tree}/silent`);
    client.write(`MKDIR ${KEY} ${tree}/gone\nBYE\n`);
    await client.until((received) => received.includes('cu_later'));
    for (let wait = 0; wait < 100 && !(await rows()).includes(`${tree}/gone`); wait++) await sleep(50);
    expect(await rows()).toContain(`${tree}/gone`);
  });

  it('a client that falls silent within a content does not keep others from the file', async () => {
    await client.say('CSX group-commit');
    client.write(`PATCH ${KEY} ${tree}/file\n`);
    await client.until((received) => received.includes('octet-stream 12\n') && received.length > 40);
    client.write('octet-stream 100000\nr');
    const other = await RawClient.introduced(HOST, CLIENT);
    try {
      expect(await other.say(`MKDIR ${KEY} ${tree}/file`)).toBe('OK (cmd_finished).\n');
    } finally {
      other.socket.destroy();
    }
  });

  it('a client whose content comes slowly does not keep others from what it has changed before', async () => {
    await client.say('CSX group-commit');
    client.write(`MKDIR ${KEY} ${tree}/before\nPATCH ${KEY} ${tree}/file\n`);
    await client.until((received) => received.includes('octet-stream 12\n') && received.length > 40);
    client.write('octet-stream 100000\n');
    const slowly = setInterval(() => {
      client.write('r');
    }, 50);
    const other = await RawClient.introduced(HOST, CLIENT);
    try {
      expect(await other.say(`DEL ${KEY} ${tree}/before`)).toBe('OK (cmd_finished).\n');
    } finally {
      clearInterval(slowly);
      other.socket.destroy();
    }
  });

  it('SYNC says that something could not be made durable, once', async () => {
    await client.say('CSX group-commit');
    const body = Buffer.concat([Buffer.from([0x72, 0x73, 0x02, 0x36, 0x03]), Buffer.from('new'), Buffer.from([0])]);
    client.write(`PATCH ${KEY} ${tree}/file\n`);
    await client.until((received) => received.includes('octet-stream 12\n') && received.length > 40);
    // Somebody makes the file while its new content is on the way, so that it must not be put in place.
    writeFileSync(`${tree}/file`, 'a local edit');
    client.write(Buffer.concat([Buffer.from(`octet-stream ${body.length}\n`), body]));
    await client.until((received) => received.includes('cmd_finished'));
    expect(await client.say('SYNC')).toBe('File is also marked dirty here!\n');
    expect(await client.say('SYNC')).toBe('OK (cmd_finished).\n');
    expect(readFileSync(`${tree}/file`, 'utf8')).toBe('a local edit');
    expect(readdirSync(tree)).toEqual(['file']);
    unlinkSync(`${tree}/file`);
  });

  it('about tells version and clock, to those who said who they are', async () => {
    const before = Date.now();
    const about = parseAbout((await client.say('CSX about')).trimEnd());
    expect(about?.version).toBe(CSX_VERSION);
    expect(about?.at).toBeGreaterThanOrEqual(before);
    expect(about?.at).toBeLessThanOrEqual(Date.now());
    const stranger = await RawClient.open(HOST, CLIENT);
    try {
      await stranger.say('CONFIG ');
      expect(await stranger.say('CSX about')).toContain('please identify first');
    } finally {
      stranger.socket.destroy();
    }
  });

  it('other extensions and other daemons are unknown, and the session goes on', async () => {
    expect(await client.say('CSX something-else', true)).toBe('Unknown command!\n');
    mkdirSync(`${tree}/there`);
    const csync2 = await startCsync2({
      address: '127.30.6.3',
      config: config.replace(HOST, '127.30.6.3'),
      keys: { k: KEY },
    });
    const other = await RawClient.introduced('127.30.6.3', CLIENT);
    try {
      expect(await other.say('CSX group-commit', true)).toMatch(/^Unk.*own command!\n$/);
      expect(await other.say('CSX about', true)).toMatch(/^Unk.*own command!\n$/);
      expect(await other.say('CSX verify', true)).toMatch(/^Unk.*own command!\n$/);
      expect(await other.say(`SIG ${KEY} ${tree}/there`)).toMatch(/^OK \(data_follows\)/);
    } finally {
      other.socket.destroy();
      await csync2.stop();
    }
  });
});
