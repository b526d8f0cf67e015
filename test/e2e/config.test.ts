/** `csx config show` and `csx config convert` as they are run. */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { runCsx } from '../support/csx.js';
import type { CsxResult } from '../support/csx.js';

const CONFIG = `
prefix data { on 127.33.6.1: /srv/data; }
nossl 127.33.6.1 nobody.invalid;
ignore gid;
lock-timeout 7;
group web {
	host 127.33.6.1 127.33.6.2 (nobody.invalid);
	key k;
	include /etc/apache2 %data%/www;
	exclude *~;
	auto younger;
	backup-directory /var/backups;
	action { pattern /etc/apache2/*; exec "apache2ctl graceful"; logfile /var/log/a; do-local; }
}
group elsewhere { host a b; key none; include /x; }
`;

let root: string;

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'csx-config-'));
  mkdirSync(path.join(root, 'etc'));
  writeFileSync(path.join(root, 'etc/k'), 'k'.repeat(64), { mode: 0o600 });
  writeFileSync(path.join(root, 'etc/csync2.cfg'), CONFIG);
});

afterEach(() => {
  rmSync(root, { recursive: true });
});

const run = (...args: string[]): Promise<CsxResult> =>
  runCsx(['config', ...args, '-N', '127.33.6.1', '--system-dir', path.join(root, 'etc')]);

it('shows what it comes to', async () => {
  const { stdout, status } = await run('show');
  expect(status).toBe(0);
  const cfg = path.join(root, 'etc/csync2.cfg');
  expect(
    stdout
      .replaceAll(cfg, 'CFG')
      .replaceAll(root, 'ROOT')
      .replace(/[0-9a-f]{64}/, 'HASH'),
  ).toBe(
    `127.33.6.1, by CFG

Group web CFG:6
  hosts       127.33.6.1 127.33.6.2 nobody.invalid (slave)
  this host   127.33.6.1
  key         ROOT/etc/k
  files       include /etc/apache2  CFG:9
              include %data%/www  CFG:9
              exclude *~  CFG:10
  conflicts   younger
  backup      /var/backups, 3 generations
  action      here and on peers, log /var/log/a
                for /etc/apache2/*
                run apache2ctl graceful

Peer            Address           Link        Groups
127.33.6.2      127.33.6.2        TLS         web
nobody.invalid  does not resolve  plain text  web

Prefix  Stands for
%data%  /srv/data

Other groups  elsewhere
Ignored       gid
Plain text    127.33.6.1 to nobody.invalid
Lock timeout  7 seconds
Hash          HASH
`,
  );
});

it('shows it to programs', async () => {
  const { stdout } = await run('show', '--json');
  expect(JSON.parse(stdout)).toMatchObject({
    format_version: '1.0',
    host: '127.33.6.1',
    groups: [{ name: 'web', conflicts: 'younger', slave: false }],
    peers: [
      { name: '127.33.6.2', addresses: ['127.33.6.2'], plain: false },
      { name: 'nobody.invalid', addresses: [], plain: true },
    ],
    other_groups: ['elsewhere'],
    lock_timeout: 7,
  });
  expect(stdout).not.toContain('k'.repeat(32));
});

it('converts there and back, and the meaning stays', async () => {
  const meaning = async (): Promise<string> =>
    (JSON.parse((await run('show', '--json')).stdout) as { config_hash: string }).config_hash;
  const before = await meaning();
  const yaml = path.join(root, 'csx.yaml');
  expect(await run('convert', '--output', yaml)).toMatchObject({ status: 0, stdout: '' });
  // For the editor, which the first line sends there.
  expect(readFileSync(path.join(path.dirname(yaml), 'csx.schema.json'), 'utf8')).toContain('"title": "csx.yaml"');
  expect(await run('convert', '--to', 'yaml')).toMatchObject({ status: 0, stdout: readFileSync(yaml, 'utf8') });
  rmSync(path.join(root, 'etc/csync2.cfg'));
  writeFileSync(path.join(root, 'etc/csx.yaml'), readFileSync(yaml));
  expect(await meaning()).toBe(before);
  const back = await run('convert');
  expect(back.status).toBe(0);
  rmSync(path.join(root, 'etc/csx.yaml'));
  writeFileSync(path.join(root, 'etc/csync2.cfg'), back.stdout);
  expect(await meaning()).toBe(before);
});

it('says what csync2.cfg has no words for, and never writes over a file', async () => {
  const yaml = path.join(root, 'csx.yaml');
  writeFileSync(
    yaml,
    'version: 1\ngroups:\n  g:\n    hosts: [a, b]\n    key: k\n    max-delete: 25%\n    files:\n      - include: /x\n',
  );
  const converted = await run('convert', '--config', yaml);
  expect(converted).toMatchObject({ status: 0 });
  expect(converted.stdout).toContain('include /x;');
  expect(converted.stderr).toContain('max-delete of the group g: 25%');
  const refused = await run('convert', '--config', yaml, '-o', path.join(root, 'etc/csync2.cfg'));
  expect(refused.status).toBe(1);
  expect(refused.stderr).toContain('it exists');
  expect(readFileSync(path.join(root, 'etc/csync2.cfg'), 'utf8')).toBe(CONFIG);
});

it('keeps bytes that are no text', async () => {
  writeFileSync(path.join(root, 'etc/csync2.cfg'), Buffer.from(CONFIG.replace('*~', 'caf\xe9'), 'latin1'));
  const back = await run('convert', '--to', 'csync2', '-o', path.join(root, 'out'));
  expect(back.status).toBe(0);
  expect(readFileSync(path.join(root, 'out'), 'latin1')).toContain('exclude caf\xe9;');
  expect((await run('convert', '--to', 'yaml')).stderr).toContain('not UTF-8');
});
