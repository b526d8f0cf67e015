/** PUT: a new file in one command, its body behind it whatever is answered; from raw commands, and between two csx hosts. */

import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCsx } from '../../support/csx.js';
import { readTree } from '../../support/tree.js';
import { startCsx } from './csx-daemon.js';
import type { CsxHost } from './csx-daemon.js';
import { literalDelta, RawClient } from './raw-client.js';

const KEY = 'a'.repeat(64);
const [CLIENT, SERVER] = ['127.35.100.1', '127.35.100.2'];
const OK = 'OK (cmd_finished).\n';

let base = '';
let host: CsxHost;
let client: RawClient;
const there = (name: string): string => `${base}/${SERVER}/${name}`;

beforeEach(async () => {
  base = fs.mkdtempSync(path.join(fs.realpathSync(tmpdir()), 'csx-put-'));
  for (const name of [CLIENT, SERVER]) fs.mkdirSync(`${base}/${name}`);
  host = await startCsx({ address: SERVER, config: config(), keys: { k: KEY } });
  client = await RawClient.introduced(SERVER, CLIENT);
});
afterEach(async () => {
  client.close();
  await host.stop();
  fs.rmSync(base, { recursive: true, force: true });
});

function config(): string {
  return `nossl * *; prefix p { on ${CLIENT}: ${base}/${CLIENT}; on ${SERVER}: ${base}/${SERVER}; }
    group g { host ${SERVER} ${CLIENT}; key k; include %p%; exclude *.secret; }`;
}

/** The command, its body, and a command that nobody knows behind it. */
function put(name: string, delta: Buffer, attributes = '0 0 33184 500', key = KEY): Promise<string> {
  const line = `PUT ${key} %25p%25/${name} ${attributes}\noctet-stream ${String(delta.length)}\n`;
  return client.say(`${line}${delta.toString('latin1')}BLANK`, true);
}
const UNKNOWN = 'Unknown command!\n';

describe('PUT', () => {
  it('makes a file with owner, mode and time, and answers once', async () => {
    expect(await put('new', literalDelta('content'), '12 34 33188 500')).toBe(OK + UNKNOWN);
    expect(fs.readFileSync(there('new'), 'utf8')).toBe('content');
    const { uid, gid, mode, mtimeMs } = fs.statSync(there('new'));
    expect([uid, gid, mode & 0o7777, mtimeMs]).toEqual([12, 34, 0o644, 500_000]);
    expect(await client.say(`LIST ${SERVER} - ${KEY}`)).toContain('mtime=500');
  });

  it('leaves what is `-`, and takes what comes in any pieces', async () => {
    const delta = literalDelta('x'.repeat(100_000));
    client.write(`PUT ${KEY} %25p%25/slow - - - -\noctet-str`);
    client.write(`eam ${String(delta.length)}\n`);
    client.write(delta.subarray(0, 70_000));
    expect(client.pending).toBe('');
    client.write(delta.subarray(70_000));
    expect(await client.until((received) => received.includes('\n'))).toBe(OK);
    expect(fs.statSync(there('slow'))).toMatchObject({ size: 100_000, uid: 0 });
    expect(fs.statSync(there('slow')).mode & 0o7777).toBe(0o600);
  });

  it.each([
    ['another key', 'new', undefined, 'b'.repeat(64), 'Permission denied!\n'],
    ['an excluded name', 'new.secret', undefined, KEY, 'Permission denied!\n'],
    ['a name with ..', '../new', undefined, KEY, 'Permission denied!\n'],
    ['attributes that are no numbers', 'new', '0 0 x 500', KEY, 'Permission denied!\n'],
    ['too few attributes', 'new', '0 0', KEY, 'Permission denied!\n'],
    ['a directory that is not there', 'none/new', undefined, KEY, 'No such file or directory\n'],
  ])('refuses %s, and reads over the body', async (_, name, attributes, key, refusal) => {
    // The body would be a command if it were read as one.
    const body = Buffer.from(`MKDIR ${KEY} %25p%25/smuggled\n`);
    expect(await put(name, body, attributes, key)).toBe(refusal + UNKNOWN);
    expect(fs.readdirSync(`${base}/${SERVER}`)).toEqual([]);
  });

  it('refuses where something stands, also since the same moment', async () => {
    fs.writeFileSync(there('old'), 'local');
    expect(await put('old', literalDelta('other'))).toBe(`File is also marked dirty here!\n${UNKNOWN}`);
    expect(fs.readFileSync(there('old'), 'utf8')).toBe('local');
    expect(await put('twice', literalDelta('first'))).toBe(OK + UNKNOWN);
    expect(await put('twice', literalDelta('second'))).toBe(`File exists\n${UNKNOWN}`);
    expect(fs.readFileSync(there('twice'), 'utf8')).toBe('first');
  });

  it('refuses a body that is no delta, and leaves nothing', async () => {
    const answer = await put('new', Buffer.from('this is no delta'));
    expect(answer.endsWith(UNKNOWN)).toBe(true);
    expect(answer).not.toContain('OK (');
    expect(fs.readdirSync(`${base}/${SERVER}`)).toEqual([]);
  });

  it('waits for attributes of a PATCH no longer when it comes', async () => {
    const patched = await client.patch(`PATCH ${KEY} %25p%25/first`, literalDelta('1'));
    expect(patched.endsWith(OK)).toBe(true);
    expect(await put('../bad', Buffer.from('body'))).toBe(`Permission denied!\n${UNKNOWN}`);
    expect(fs.readFileSync(there('first'), 'utf8')).toBe('1');
  });

  it('carries a tree from csx to csx', async () => {
    const here = `${base}/${CLIENT}`;
    for (let index = 0; index < 300; index++) {
      fs.mkdirSync(`${here}/d${index % 7}`, { recursive: true });
      fs.writeFileSync(`${here}/d${index % 7}/file ${index}`, 'c'.repeat(index * 3), { mode: 0o600 + (index % 8) });
    }
    fs.writeFileSync(`${here}/large`, Buffer.alloc(600_000, 'large'));
    fs.writeFileSync(`${here}/empty`, '');
    const system = `${base}/system`;
    fs.mkdirSync(system);
    fs.writeFileSync(`${system}/csync2.cfg`, config());
    fs.writeFileSync(`${system}/k`, `${KEY}\n`, { mode: 0o600 });
    const place = ['-N', CLIENT, '-D', `${base}/database`];
    fs.mkdirSync(`${base}/database`);
    const env = { CSYNC2_SYSTEM_DIR: system };
    const applied = await runCsx(['apply', '--auto-approve', ...place], { env });
    expect(applied, applied.stdout + applied.stderr).toMatchObject({ status: 0 });
    expect(readTree(`${base}/${SERVER}`)).toEqual(readTree(here));
    const again = await runCsx(['plan', '--detailed-exitcode', ...place], { env });
    expect(again, again.stdout + again.stderr).toMatchObject({ status: 0 });
  });
});
