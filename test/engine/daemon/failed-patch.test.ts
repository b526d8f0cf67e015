/**
 * A PATCH that fails after its body has come. A client that pipelines has sent the attributes along with the body: they are meant
 * for the new content, and the old one keeps its own.
 */

import fs from 'node:fs';
import path from 'node:path';
import { tmpdir } from 'node:os';
import { afterEach, expect, it } from 'vitest';
import { startCsx } from './csx-daemon.js';
import type { CsxHost } from './csx-daemon.js';
import { RawClient } from './raw-client.js';

const KEY = 'a'.repeat(64);
const [CLIENT, SERVER] = ['127.34.21.1', '127.34.21.2'];

let base = '';
let host: CsxHost | undefined;

afterEach(async () => {
  await host?.stop();
  fs.rmSync(base, { recursive: true, force: true });
});

it('owner, mode and time that come behind a failed PATCH are refused as it was; later ones count again', async () => {
  base = fs.mkdtempSync(path.join(fs.realpathSync(tmpdir()), 'csx-failed-'));
  const config = `nossl * *; group g { host ${SERVER} ${CLIENT}; key k; include ${base}/t; }`;
  host = await startCsx({ address: SERVER, config, keys: { k: KEY } });
  fs.mkdirSync(`${base}/t`);
  const file = `${base}/t/file`;
  fs.writeFileSync(file, 'old', { mode: 0o640 });
  fs.utimesSync(file, 500, 500);
  const client = await RawClient.introduced(SERVER, CLIENT);
  await client.say(`FLUSH ${KEY} ${file}`);
  const answer = await client.patch(`PATCH ${KEY} ${file}`, Buffer.from('this is no delta'));
  const refusal = answer.split('--\n')[1];
  expect(refusal).not.toMatch(/^OK/);
  for (const command of ['SETOWN KEY F 1 1', 'SETMOD KEY F 33279', 'SETIME KEY F 1000']) {
    expect(await client.say(command.replace('KEY', KEY).replace('F', file)), command).toBe(refusal);
  }
  const stats = fs.statSync(file);
  expect([stats.uid, stats.mode & 0o7777, stats.mtimeMs]).toEqual([0, 0o640, 500_000]);
  expect(await client.say(`SIG ${KEY} ${file}`)).toContain('size=3');
  expect(await client.say(`SETMOD ${KEY} ${file} 33184`)).toBe('OK (cmd_finished).\n');
  client.close();
});
