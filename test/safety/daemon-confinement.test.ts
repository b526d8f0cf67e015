/**
 * Promise 10, at the daemon: no operation leaves its group's tree. Every command with every kind of hostile name, with links planted by the client
 * itself, and with links that somebody swaps in while the daemon works.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startCsx } from '../engine/daemon/csx-daemon.js';
import type { CsxHost } from '../engine/daemon/csx-daemon.js';
import { literalDelta, RawClient } from '../engine/daemon/raw-client.js';

const KEY = 'a'.repeat(64);
const CLIENT = '127.25.5.1';
const SERVER = '127.25.5.2';
const SECRET = 'nobody may read this';

let base = '';
let host: CsxHost;

beforeAll(async () => {
  base = fs.mkdtempSync(path.join(fs.realpathSync(tmpdir()), 'csx-confined-'));
  fs.mkdirSync(`${base}/outside`);
  const config = `nossl * *; prefix d { on *: ${base}/tree; }
    group g { host ${SERVER} ${CLIENT}; key k; include %d%; include ${base}/tree; backup-directory ${base}/backups; }`;
  host = await startCsx({ address: SERVER, config, keys: { k: KEY } });
});

afterAll(async () => {
  await host.stop();
  fs.rmSync(base, { recursive: true, force: true });
});

/** Everything outside the tree, as it must stay. */
function outside(): string {
  const lines = fs.readdirSync(`${base}/outside`, { recursive: true, encoding: 'utf8' }).map((name) => {
    const stats = fs.lstatSync(`${base}/outside/${name}`);
    const content = stats.isFile() ? fs.readFileSync(`${base}/outside/${name}`, 'utf8') : '';
    return [name, stats.mode, stats.uid, stats.gid, stats.ino, stats.mtimeMs, stats.ctimeMs, content].join(' ');
  });
  const stats = fs.statSync(`${base}/outside`);
  return [...lines.sort(), String(stats.ctimeMs), String(stats.mode)].join('\n');
}

beforeEach(() => {
  for (const name of ['tree', 'outside', 'backups']) fs.rmSync(`${base}/${name}`, { recursive: true, force: true });
  fs.mkdirSync(`${base}/tree`);
  fs.mkdirSync(`${base}/outside/sub`, { recursive: true });
  fs.writeFileSync(`${base}/outside/secret`, SECRET);
  fs.writeFileSync(`${base}/outside/sub/file`, SECRET);
});

const COMMANDS = [
  'SIG KEY NAME',
  'FLUSH KEY NAME',
  'MARK KEY NAME',
  'PATCH KEY NAME',
  'DEL KEY NAME',
  'MKDIR KEY NAME',
  'MKFIFO KEY NAME',
  'MKCHR KEY NAME 259',
  'MKBLK KEY NAME 259',
  'MKLINK KEY NAME target',
  'MKSOCK KEY NAME',
  'SETOWN KEY NAME 12 34',
  'SETMOD KEY NAME 511',
  'SETIME KEY NAME 1000',
  'GETTM KEY NAME',
  'GETSZ KEY NAME',
  'TYPE KEY NAME',
  `LIST ${SERVER} NAME KEY`,
];

async function attack(command: string, name: string): Promise<string> {
  const client = await RawClient.introduced(SERVER, CLIENT);
  try {
    const line = command.replace('KEY', KEY).replace('NAME', name);
    return line.startsWith('PATCH') ? await client.patch(line, literalDelta('evil')) : await client.say(line);
  } finally {
    await client.say('BYE');
    client.close();
  }
}

describe.each(COMMANDS)('%s', (command) => {
  it('refuses names that are not canonical, reserved or over-long, and changes and reveals nothing', async () => {
    const before = outside();
    const names = [
      '%25d%25/../outside/secret',
      `${base}/tree/../outside/secret`,
      `${base}/tree/./x`,
      `${base}/tree//x`,
      `${base}/tree/x/`,
      'tree/x',
      '%25d%25x',
      `%25d%25/${'x'.repeat(256)}`,
      `%25d%25${'/abcdefgh'.repeat(500)}`,
      '%25d%25/a%00b',
      '%25d%25/.csx-stage-0-0-0-0',
      '%25nosuch%25/x',
      '/etc/hostname',
    ];
    for (const name of names) {
      const answer = await attack(command, name);
      expect(answer, name).not.toMatch(command.startsWith('LIST') ? /^v/ : /^OK/);
      expect(answer, name).not.toContain(SECRET);
    }
    expect(outside()).toBe(before);
    expect(fs.readdirSync(`${base}/tree`)).toEqual([]);
  });

  it('follows no link: not the last component, not one above it', async () => {
    fs.symlinkSync('../outside', `${base}/tree/up`);
    fs.symlinkSync('../outside/secret', `${base}/tree/direct`);
    fs.symlinkSync('../outside/absent', `${base}/tree/dangling`);
    const before = outside();
    for (const name of ['up/secret', 'up/new', 'up/sub', 'up/sub/file', 'up/sub/new', 'direct', 'dangling', 'up']) {
      const answer = await attack(command, `%25d%25/${name}`);
      expect(answer, name).not.toContain(SECRET);
      expect(answer, name).not.toContain('size=20');
      expect(answer, name).not.toMatch(/^OK \(data_follows\)\.\n20\n/);
    }
    expect(outside()).toBe(before);
  });
});

it('a link that the client itself made does not lead its next commands out', async () => {
  const client = await RawClient.introduced(SERVER, CLIENT);
  const before = outside();
  await client.say(`MKLINK ${KEY} %25d%25/door ../outside`);
  expect(fs.readlinkSync(`${base}/tree/door`)).toBe('../outside');
  await client.say(`MKDIR ${KEY} %25d%25/door/made`);
  await client.patch(`PATCH ${KEY} %25d%25/door/file`, literalDelta('evil'));
  await client.say(`SETMOD ${KEY} %25d%25/door/secret 511`);
  await client.say(`DEL ${KEY} %25d%25/door/secret`);
  await client.say('BYE');
  client.close();
  expect(outside()).toBe(before);
});

it.each(['PATCH', 'MKDIR', 'MKLINK', 'MKFIFO', 'DEL', 'SETMOD', 'SETOWN', 'SETIME', 'TYPE', 'SIG'])(
  '%s while somebody swaps the directory for a link all the time',
  async (verb) => {
    fs.mkdirSync(`${base}/tree/d`);
    fs.writeFileSync(`${base}/tree/d/victim`, 'inside');
    fs.writeFileSync(`${base}/outside/victim`, SECRET);
    const before = outside();
    const attacker = spawn('/bin/sh', [
      '-c',
      'cd "$1" && while :; do mv d aside && ln -s ../outside d; rm d; mv aside d; done',
      'sh',
      `${base}/tree`,
    ]);
    const client = await RawClient.introduced(SERVER, CLIENT);
    try {
      for (let round = 0; round < 60 && verb !== 'TYPE'; round += 1) {
        const name = `%25d%25/d/${verb === 'DEL' || verb.startsWith('SET') || verb === 'SIG' ? 'victim' : `n${String(round)}`}`;
        await client.say(`FLUSH ${KEY} ${name}`);
        if (verb === 'PATCH') {
          await client.patch(`PATCH ${KEY} ${name}`, literalDelta('evil'));
          await client.say(`SETIME ${KEY} ${name} 1000`);
        } else {
          const rest = { SETMOD: '511', SETOWN: '1 1', SETIME: '5', MKLINK: 't' }[verb] ?? '';
          expect(await client.say(`${verb} ${KEY} ${name} ${rest}`)).not.toContain('size=20');
        }
      }
      for (let round = 0; round < 40 && verb === 'TYPE'; round += 1) {
        expect(await attack('TYPE KEY NAME', '%25d%25/d/victim')).not.toContain(SECRET);
      }
    } finally {
      attacker.kill('SIGKILL');
      await once(attacker, 'close');
      client.close();
    }
    expect(outside()).toBe(before);
  },
);

it('backups go where they belong although the tree holds links', async () => {
  fs.mkdirSync(`${base}/tree/d`);
  fs.writeFileSync(`${base}/tree/d/file`, 'old');
  fs.mkdirSync(`${base}/backups${base}/tree`, { recursive: true });
  fs.symlinkSync(`${base}/outside`, `${base}/backups${base}/tree/d`);
  const before = outside();
  const client = await RawClient.introduced(SERVER, CLIENT);
  await client.say(`FLUSH ${KEY} %25d%25/d/file`);
  expect(await client.say(`DEL ${KEY} %25d%25/d/file`)).not.toMatch(/^OK/);
  client.close();
  expect(fs.readFileSync(`${base}/tree/d/file`, 'utf8')).toBe('old');
  expect(outside()).toBe(before);
});
