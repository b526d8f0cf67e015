/** What the daemon does besides answering: actions, backups, reloading, stopping, many clients at once. */

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { startCsx } from '../engine/daemon/csx-daemon.js';
import type { CsxHost } from '../engine/daemon/csx-daemon.js';
import { literalDelta, RawClient } from '../engine/daemon/raw-client.js';
import { startCsync2 } from '../support/csync2-daemon.js';

const KEY = 'a'.repeat(64);
const SERVER = '127.25.7.1';
const CLIENT = '127.25.7.2';

let base = '';
let host: CsxHost | undefined;

function prepare(): void {
  base = fs.mkdtempSync(path.join(fs.realpathSync(tmpdir()), 'csx-work-'));
  fs.mkdirSync(`${base}/t`);
  fs.chmodSync(base, 0o755);
}

function configuration(more = '', hosts = CLIENT): string {
  return `nossl * *; group g { host ${SERVER} ${hosts}; key k; include ${base}/t; ${more} }`;
}

async function start(more = '', hosts = CLIENT): Promise<CsxHost> {
  host = await startCsx({ address: SERVER, config: configuration(more, hosts), keys: { k: KEY } });
  return host;
}

afterEach(async () => {
  await host?.stop();
  host = undefined;
  fs.rmSync(base, { recursive: true, force: true });
});

async function put(client: RawClient, name: string, content: string): Promise<void> {
  const file = `${base}/t/${encodeURI(name).replaceAll("'", '%27').replaceAll('$', '%24')}`;
  expect(await client.patch(`PATCH ${KEY} ${file}`, literalDelta(content))).toMatch(/\nOK \(cmd_finished\)\.\n$/);
  await client.say(`SETOWN ${KEY} ${file} 0 0`);
  await client.say(`SETMOD ${KEY} ${file} 33188`);
  expect(await client.say(`SETIME ${KEY} ${file} 1000`)).toBe('OK (cmd_finished).\n');
}

async function until(done: () => boolean): Promise<void> {
  for (let round = 0; round < 500; round += 1) {
    if (done()) return;
    await sleep(20);
  }
  throw new Error(`It did not come about. The log:\n${host?.log() ?? ''}`);
}

describe('actions', () => {
  it('run once for all their files when the session ends, are logged and reported, and go', async () => {
    prepare();
    const { open } = await start(
      `action { pattern ${base}/t/*; exec "echo ran %% ; exit 3"; logfile ${base}/log; }
       action { pattern ${base}/t/a*; exec "echo local"; logfile ${base}/log; do-local-only; }`,
    );
    const client = await RawClient.introduced(SERVER, CLIENT);
    await put(client, 'a', 'x');
    await put(client, 'b', 'y');
    expect(fs.existsSync(`${base}/log`)).toBe(false);
    await client.say('BYE');
    client.close();
    await until(() => host?.log().includes('exit status 3') === true);
    expect(fs.readFileSync(`${base}/log`, 'utf8')).toBe(`ran ${base}/t/a ${base}/t/b\n`);
    const { store } = await open();
    try {
      // The log comes first, then the database.
      await expect.poll(() => store.actions(), { timeout: 10_000 }).toEqual([]);
      expect(await store.actionRuns()).toMatchObject([
        { command: 'echo ran %% ; exit 3', status: 3, signal: undefined, timedOut: false, files: 2 },
      ]);
    } finally {
      await store.close();
    }
  });

  it('no name runs as a command, whatever it is called (promise 13)', async () => {
    prepare();
    await start(
      `action { exec "printf '<%%s>' %% >> ${base}/seen"; exec "echo '%%' \\"%%\\" >> ${base}/seen2"; }`.replace(
        /\\"/g,
        '',
      ),
    );
    const client = await RawClient.introduced(SERVER, CLIENT);
    const names = [
      '; touch OWNED',
      '$(touch OWNED)',
      '`touch OWNED`',
      "'; touch OWNED; '",
      'a\nb',
      '| touch OWNED',
      '&',
    ];
    for (const name of names) await put(client, name, 'x');
    await client.say('BYE');
    client.close();
    await until(() => (host?.log().match(/exit status/g) ?? []).length >= 2);
    expect(fs.readdirSync(`${base}/t`).sort()).toEqual([...names].sort());
    expect(fs.existsSync('/OWNED')).toBe(false);
    expect(fs.readdirSync(base).sort()).toEqual(['seen', 'seen2', 't']);
  });

  it('left behind by a crash run when the next session ends', async () => {
    prepare();
    const { open } = await start();
    const { store } = await open();
    const action = { file: `${base}/t/x`, command: `touch ${base}/late`, logfile: '/dev/null' } as never;
    await store.write([{ kind: 'put-action', action }]);
    await store.close();
    const client = await RawClient.introduced(SERVER, CLIENT);
    await client.say('BYE');
    client.close();
    await until(() => fs.existsSync(`${base}/late`));
  });
});

describe('backups', () => {
  it('hold the last generations, made before replacement and before removal', async () => {
    prepare();
    await start(`backup-directory ${base}/backups; backup-generations 2;`);
    const client = await RawClient.introduced(SERVER, CLIENT);
    for (const content of ['one', 'two', 'three']) await put(client, 'f', content);
    const copy = `${base}/backups${base}/t/f`;
    expect([fs.readFileSync(copy, 'utf8'), fs.readFileSync(`${copy}.1`, 'utf8')]).toEqual(['two', 'one']);
    expect(await client.say(`DEL ${KEY} ${base}/t/f`)).toBe('OK (cmd_finished).\n');
    expect([fs.readFileSync(copy, 'utf8'), fs.readFileSync(`${copy}.1`, 'utf8')]).toEqual(['three', 'two']);
    expect(fs.readdirSync(path.dirname(copy))).toHaveLength(2);
    client.close();
  });

  it('that cannot be made stop the change', async () => {
    prepare();
    fs.writeFileSync(`${base}/backups`, 'no directory');
    await start(`backup-directory ${base}/backups;`);
    const client = await RawClient.introduced(SERVER, CLIENT);
    await put(client, 'f', 'one');
    const file = `${base}/t/f`;
    await client.patch(`PATCH ${KEY} ${file}`, literalDelta('two'));
    expect(await client.say(`SETIME ${KEY} ${file} 2000`)).not.toMatch(/^OK/);
    expect(await client.say(`DEL ${KEY} ${file}`)).not.toMatch(/^OK/);
    expect(fs.readFileSync(file, 'utf8')).toBe('one');
    client.close();
  });
});

describe('trouble with the disk', () => {
  it('a full one: the old file stays, the answer says why, the next client works', async () => {
    prepare();
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', `${base}/t`]);
    try {
      await start();
      const client = await RawClient.introduced(SERVER, CLIENT);
      await put(client, 'f', 'one');
      const answer = await client.patch(`PATCH ${KEY} ${base}/t/f`, literalDelta(Buffer.alloc(500_000, 'x')));
      expect(answer).toMatch(/\n--\nNo space left on device\n$/);
      expect(fs.readFileSync(`${base}/t/f`, 'utf8')).toBe('one');
      expect(fs.readdirSync(`${base}/t`)).toEqual(['f']);
      await put(client, 'f', 'two');
      client.close();
    } finally {
      await host?.stop();
      host = undefined;
      execFileSync('umount', [`${base}/t`]);
    }
  });

  it('a read-only one, and an immutable file', async () => {
    prepare();
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', `${base}/t`]);
    try {
      await start();
      const client = await RawClient.introduced(SERVER, CLIENT);
      await put(client, 'f', 'one');
      execFileSync('mount', ['-o', 'remount,ro', `${base}/t`]);
      expect(await client.patch(`PATCH ${KEY} ${base}/t/f`, literalDelta('two'))).toBe('Read-only file system\n');
      for (const command of ['DEL KEY f', 'SETMOD KEY f 384', 'MKDIR KEY d', 'MKLINK KEY l t', 'MKFIFO KEY p']) {
        const line = command.replace(/KEY (\w)/, `${KEY} ${base}/t/$1`);
        expect(await client.say(line), command).toBe('Read-only file system\n');
      }
      client.close();
    } finally {
      await host?.stop();
      host = undefined;
      execFileSync('umount', [`${base}/t`]);
    }
  });
});

describe('the configuration', () => {
  it('counts from the next session on, also without SIGHUP; a broken one serves nobody; csync2.lock stops everything', async () => {
    prepare();
    const { systemDirectory } = await start();
    const file = path.join(systemDirectory, 'csync2.cfg');
    const ask = async (): Promise<string> => {
      const client = await RawClient.open(SERVER, CLIENT);
      const opened = await client.say('CONFIG');
      const answer = opened.startsWith('OK') ? await client.say(`HELLO ${CLIENT}`) : opened;
      const last = answer.startsWith('OK') ? await client.say(`SIG ${KEY} ${base}/t/none`) : answer;
      client.close();
      return last;
    };
    const before = await RawClient.introduced(SERVER, CLIENT);
    expect(await ask()).toMatch(/^OK \(path_not_found\)/);
    fs.writeFileSync(file, configuration('exclude none;'));
    expect(await ask()).toBe('Permission denied!\n');
    expect(await before.say(`SIG ${KEY} ${base}/t/none`)).toMatch(/^OK \(path_not_found\)/);
    fs.writeFileSync(file, 'group {');
    expect(await ask()).toBe('The configuration of this host cannot be used.\n<closed>');
    fs.writeFileSync(file, configuration());
    expect(await ask()).toMatch(/^OK/);
    await host?.daemon.reload();
    expect(await ask()).toMatch(/^OK/);
    fs.writeFileSync(path.join(systemDirectory, 'csync2.lock'), '');
    expect(await ask()).not.toMatch(/^OK/);
    before.close();
  });
});

describe('stopping', () => {
  it('lets a change in flight come to its end, and takes nobody new', async () => {
    prepare();
    await start();
    const busy = await RawClient.introduced(SERVER, CLIENT);
    const idle = await RawClient.introduced(SERVER, CLIENT);
    const file = `${base}/t/f`;
    await busy.patch(`PATCH ${KEY} ${file}`, literalDelta('content'));
    const stopped = host?.daemon.stop();
    expect(await idle.until(() => false)).toBe('<closed>');
    await expect(RawClient.open(SERVER, CLIENT)).rejects.toThrow('ECONNREFUSED');
    busy.write(`SETOWN ${KEY} ${file} 0 0\nSETIME ${KEY} ${file} 1000\n`);
    expect(await busy.until(() => false)).toBe('OK (cmd_finished).\nOK (cmd_finished).\n<closed>');
    await stopped;
    expect(fs.readFileSync(file, 'utf8')).toBe('content');
  });
});

describe('many clients at once', () => {
  it('20 of the real one: no error, nothing lost, the database never locked', async () => {
    prepare();
    const count = 20;
    const addresses = Array.from({ length: count }, (_, index) => `127.25.8.${String(index + 1)}`);
    const config = `nossl * *; prefix d { on ${SERVER}: ${base}/t;
      ${addresses.map((address, index) => `on ${address}: ${base}/c${String(index)};`).join(' ')} }
      ${addresses.map((address, index) => `group g${String(index)} { host ${SERVER} ${address}; key k; include %d%/from${String(index)}; }`).join('\n')}`;
    host = await startCsx({ address: SERVER, config, keys: { k: KEY } });
    const clients = await Promise.all(
      addresses.map((address) => startCsync2({ address, config, keys: { k: KEY }, listen: false })),
    );
    try {
      const rounds = 3;
      for (let round = 0; round < rounds; round += 1) {
        const results = await Promise.all(
          clients.map((client, index) => {
            const root = `${base}/c${String(index)}/from${String(index)}`;
            fs.mkdirSync(root, { recursive: true });
            for (let file = 0; file < 4; file += 1) {
              fs.writeFileSync(`${root}/f${String(file)}`, `${String(round)} ${'x'.repeat(round * 1000)}`);
            }
            return client.run(['-xr', '/']);
          }),
        );
        expect(results.map(({ status, stderr }) => `${String(status)}${stderr}`)).toEqual(Array(count).fill('0'));
      }
      for (let index = 0; index < count; index += 1) {
        for (let file = 0; file < 4; file += 1) {
          const content = fs.readFileSync(`${base}/t/from${String(index)}/f${String(file)}`, 'utf8');
          expect(content).toBe(`2 ${'x'.repeat(2000)}`);
        }
      }
      const { open } = host;
      const { store } = await open();
      expect(await store.dirty()).toEqual([]);
      expect(await store.countFiles()).toBe(count * 5);
      await store.close();
      expect(host.log()).not.toMatch(/locked|error/);
    } finally {
      await Promise.all(clients.map((client) => client.stop()));
    }
  });
});
