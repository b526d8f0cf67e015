/** Who may speak: encryption, nossl statements and pinned certificates (promises 11 and 12), with the real client and raw bytes. */

import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { startCsx } from '../engine/daemon/csx-daemon.js';
import { RawClient } from '../engine/daemon/raw-client.js';
import { makePair, startCsync2 } from '../support/csync2-daemon.js';

const KEY = 'a'.repeat(64);
const CLIENT = '127.25.4.1';
const SERVER = '127.25.4.2';
const THEIRS = '127.25.4.3';

const cleanups: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function tree(): string {
  const directory = fs.mkdtempSync(path.join(fs.realpathSync(tmpdir()), 'csx-identity-'));
  cleanups.push(() => {
    fs.rmSync(directory, { recursive: true, force: true });
  });
  for (const name of ['a', 'b']) fs.mkdirSync(path.join(directory, name));
  return directory;
}

function configuration(directory: string, nossl: string): string {
  return `${nossl} prefix d { on ${CLIENT}: ${directory}/a; on *: ${directory}/b; }
    group g { host ${CLIENT} ${SERVER} ${THEIRS}; key k; include %d%; }`;
}

describe('without TLS', () => {
  it.each(['', `nossl ${CLIENT} ${SERVER};`, `nossl 127.25.4.[23] ${CLIENT};`, `nossl * nobody;`, 'nossl * *;'])(
    'HELLO is answered as by csync2 under "%s"',
    async (nossl) => {
      const config = configuration(tree(), nossl);
      const csx = await startCsx({ address: SERVER, config, keys: { k: KEY } });
      cleanups.push(() => csx.stop());
      const csync2 = await startCsync2({ address: THEIRS, config, keys: { k: KEY } });
      cleanups.push(() => csync2.stop());
      const answers = [];
      for (const address of [SERVER, THEIRS]) {
        const client = await RawClient.open(address, CLIENT);
        await client.say('CONFIG');
        answers.push([await client.say(`HELLO ${CLIENT}`), await client.say('HELLO nosuch.invalid')]);
        client.close();
      }
      expect(answers[0]).toEqual(answers[1]);
    },
  );

  it('SSL is refused by a host without a certificate', async () => {
    const csx = await startCsx({ address: SERVER, config: configuration(tree(), ''), keys: { k: KEY } });
    cleanups.push(() => csx.stop());
    const client = await RawClient.open(SERVER, CLIENT);
    expect(await client.say('SSL')).toBe('This host does not encrypt.\n<closed>');
  });
});

describe('pinned certificates', () => {
  it('are taken when first seen; another one is refused, and the log says what would accept it', async () => {
    const directory = tree();
    const config = configuration(directory, '');
    const csx = await startCsx({ address: SERVER, config, keys: { k: KEY }, tls: makePair(2048) });
    cleanups.push(() => csx.stop());
    const files = { address: CLIENT, config, keys: { k: KEY }, listen: false };
    const client = await startCsync2({ ...files, tls: makePair(2048) });
    cleanups.push(() => client.stop());
    fs.writeFileSync(`${directory}/a/file`, 'one');
    await client.run(['-cr', '/']);
    expect(await client.run(['-u', '-P', SERVER])).toMatchObject({ status: 0 });
    expect(fs.readFileSync(`${directory}/b/file`, 'utf8')).toBe('one');

    const other = makePair(2048);
    fs.writeFileSync(path.join(client.systemDirectory, 'csync2_ssl_cert.pem'), other.certificate);
    fs.writeFileSync(path.join(client.systemDirectory, 'csync2_ssl_key.pem'), other.key);
    fs.writeFileSync(`${directory}/a/file`, 'two, by somebody else');
    await client.run(['-cr', '/']);
    const refused = await client.run(['-uv', '-P', SERVER]);
    expect(refused.status).toBe(1);
    expect(refused.stderr).not.toContain('Updating');
    expect(fs.readFileSync(`${directory}/b/file`, 'utf8')).toBe('one');
    expect(csx.log()).toContain(`csx trust remove ${CLIENT}`);
    expect(csx.log()).not.toContain(KEY);
  });

  it('a handshake without a certificate, with rubbish, or with bytes ahead of it gets nowhere', async () => {
    const csx = await startCsx({
      address: SERVER,
      config: configuration(tree(), 'nossl * *;'),
      keys: { k: KEY },
      tls: makePair(2048),
    });
    cleanups.push(() => csx.stop());
    const rubbish = await RawClient.open(SERVER, CLIENT);
    rubbish.write('SSL\n');
    expect(await rubbish.until((text) => text.includes('\n'))).toBe('OK (activating_ssl).\n');
    rubbish.write('CONFIG \nHELLO 127.25.4.1\n');
    expect(await rubbish.until(() => false)).not.toContain('OK');
    const ahead = await RawClient.open(SERVER, CLIENT);
    ahead.write('SSL\nCONFIG \n');
    expect(await ahead.until(() => false)).not.toContain('OK');
    rubbish.close();
    ahead.close();
  });
});
