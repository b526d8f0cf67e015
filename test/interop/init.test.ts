/** What `csx init` writes, given to the real csync2: it takes configuration, key and certificate, and both exchange files over TLS. */

import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { put } from '../support/cluster.js';
import { runCsx } from '../support/csx.js';
import { makePair, startCsync2 } from '../support/csync2-daemon.js';
import type { Csync2Host } from '../support/csync2-daemon.js';

const [ONE, TWO] = ['127.33.5.1', '127.33.5.2'] as const;
let root: string;
let hosts: Csync2Host[];

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'csx-init-'));
  for (const name of ['1/my tree', '2/my tree', '1/db']) mkdirSync(path.join(root, name), { recursive: true });
  hosts = [];
});

afterEach(async () => {
  for (const host of hosts) await host.stop();
  rmSync(root, { recursive: true, force: true });
});

it('csync2 serves, and sends, with what init wrote', async () => {
  const place = ['--system-dir', `${root}/1/etc`, '-N', ONE, '-D', `${root}/1/db`];
  const made = await runCsx([
    ...['init', '--host', ONE, '--host', TWO, '--include', '%t%', '--exclude', '*~'],
    ...['--prefix', `t@${ONE}=${root}/1/my tree`, '--prefix', `t@*=${root}/2/my tree`],
    ...place,
  ]);
  expect(made, made.stderr).toMatchObject({ status: 0 });
  const config = readFileSync(`${root}/1/etc/csync2.cfg`, 'latin1');
  const key = readFileSync(`${root}/1/etc/csync2.key_cluster`, 'latin1').trim();
  const peer = await startCsync2({
    address: TWO,
    directory: `${root}/2`,
    config,
    keys: { 'csync2.key_cluster': key },
    tls: makePair(2048),
  });
  hosts.push(peer);
  put(`${root}/1/my tree/a`, 'from csx');
  const applied = await runCsx(['apply', '--auto-approve', ...place]);
  expect(applied.status, applied.stderr).toBe(0);
  expect(readFileSync(`${root}/2/my tree/a`, 'utf8')).toBe('from csx');

  // csync2 with the very files of init, certificate included, as the first host: it serves what the peer sends.
  hosts.push(
    await startCsync2({
      address: ONE,
      directory: `${root}/1`,
      config,
      tls: {
        certificate: readFileSync(`${root}/1/etc/csync2_ssl_cert.pem`, 'latin1'),
        key: readFileSync(`${root}/1/etc/csync2_ssl_key.pem`, 'latin1'),
      },
    }),
  );
  put(`${root}/2/my tree/b`, 'from csync2');
  const sent = await peer.run(['-xv']);
  expect(sent.status, sent.stderr).toBe(0);
  expect(readFileSync(`${root}/1/my tree/b`, 'utf8')).toBe('from csync2');
});

it('an installation of csync2 is taken over as it is', async () => {
  const config = `group g { host ${ONE} ${TWO}; key k; include "${root}/1/my tree"; }`;
  const keys = { k: 'k'.repeat(64) };
  const host = await startCsync2({ address: ONE, directory: `${root}/1`, config, keys, tls: makePair(2048) });
  hosts.push(host);
  put(`${root}/1/my tree/a`, 'a');
  expect((await host.run(['-cr', '/'])).status).toBe(0);
  const before = readFileSync(host.database);
  const args = [
    'init',
    '--from',
    'csync2',
    '--system-dir',
    host.systemDirectory,
    '-N',
    ONE,
    '-D',
    host.databaseDirectory,
  ];
  const good = await runCsx(args);
  expect(good, good.stderr).toMatchObject({ status: 0 });
  expect(good.stdout).toContain('csx can work with what is here. Nothing was changed.');
  expect(readFileSync(host.database)).toEqual(before);

  copyFileSync(`${host.systemDirectory}/csync2_ssl_key.pem`, `${root}/saved`);
  rmSync(`${host.systemDirectory}/csync2_ssl_key.pem`);
  const bad = await runCsx(args);
  expect(bad.status).toBe(1);
  expect(bad.stdout).toContain('Something is missing');
  expect(existsSync(`${host.systemDirectory}/csync2_ssl_key.pem`)).toBe(false);
});
