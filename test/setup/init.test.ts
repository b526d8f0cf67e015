/** What init writes, what it refuses, and that it leaves nothing half done. */

import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.js';
import { Selection } from '../../src/config/selection.js';
import { loadCertificatePair } from '../../src/engine/net/certificate.js';
import { instructions } from '../../src/setup/init/instructions.js';
import { setUp, setUpFurther, takeOver } from '../../src/setup/init/set-up.js';
import type { Place } from '../../src/setup/init/set-up.js';
import { checkWish, parsePrefix } from '../../src/setup/init/wish.js';
import type { InitWish } from '../../src/setup/init/wish.js';
import type { FileName } from '../../src/model/names.js';

let root: string;
let place: Place;

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'csx-init-'));
  place = {
    host: '127.33.4.1',
    systemDirectory: path.join(root, 'etc'),
    database: path.join(root, 'db') + '/',
    configName: undefined,
    named: true,
    file: undefined,
  };
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

const WISH: InitWish = {
  host: '127.33.4.1',
  hosts: ['127.33.4.1', '127.33.4.2'],
  include: ['/srv/www', '/etc/my app/*.conf'],
  exclude: ['*~', '/srv/www/cache'],
  group: 'web',
  prefixes: [],
};

const mode = (file: string): string => (statSync(file).mode & 0o777).toString(8);

describe('a new installation', () => {
  it.each([
    ['csync2', 'csync2.cfg', []],
    ['yaml', 'csx.yaml', ['csx.schema.json']],
  ] as const)('as %s means what was wished for, with the right modes', async (form, name, beside) => {
    const report = await setUp(checkWish(WISH), form, place, Date.now());
    const { systemDirectory } = place;
    expect(readdirSync(systemDirectory).sort()).toEqual(
      [name, ...beside, 'csync2.key_web', 'csync2_ssl_cert.pem', 'csync2_ssl_key.pem'].sort(),
    );
    const modes = [name, 'csync2.key_web', 'csync2_ssl_cert.pem', 'csync2_ssl_key.pem'].map((each) =>
      mode(path.join(systemDirectory, each)),
    );
    expect(modes).toEqual(['644', '600', '644', '600']);
    expect(mode(path.join(root, 'db'))).toBe('700');
    const config = await loadConfig({ systemDirectory, host: place.host });
    const selection = new Selection(config);
    const holds = (file: string): boolean => selection.includes(file as FileName);
    expect(['/srv/www/index.html', '/etc/my app/a.conf'].map(holds)).toEqual([true, true]);
    expect(['/srv/www/a~', '/srv/www/cache/x', '/etc/my app/a.txt', '/etc/hosts'].map(holds)).toEqual(
      Array(4).fill(false),
    );
    expect(selection.peers()).toEqual(['127.33.4.2']);
    await loadCertificatePair(systemDirectory);
    expect(report.findings).toEqual([]);
    expect(report.files.every((file) => file.made)).toBe(true);
  });

  it('as csx.yaml is found by editors on every host: its first line names a schema that is there and is copied', async () => {
    const { systemDirectory } = place;
    const report = await setUp(checkWish(WISH), 'yaml', place, Date.now());
    const text = readFileSync(path.join(systemDirectory, 'csx.yaml'), 'utf8');
    const named = /^# yaml-language-server: \$schema=(\S+)\n/.exec(text)?.[1];
    const schema = path.resolve(systemDirectory, named ?? '');
    expect(readFileSync(schema, 'utf8')).toBe(readFileSync('schemas/config.schema.json', 'utf8'));
    expect(report.others[0]?.copy.at(-1)).toContain(` ${schema} `);
  });

  it('never sends what is each host’s own', async () => {
    const report = await setUp(checkWish({ ...WISH, include: [root, '/var/*'] }), 'csync2', place, Date.now());
    const selection = new Selection(await loadConfig({ systemDirectory: place.systemDirectory, host: place.host }));
    const own = ['etc/csync2_ssl_cert.pem', 'etc/csync2_ssl_key.pem', 'db/127.33.4.1.db3'].map((each) =>
      path.join(root, each),
    );
    expect(own.map((file) => selection.includes(file as FileName))).toEqual([false, false, false]);
    expect(selection.includes(path.join(root, 'etc/other') as FileName)).toBe(true);
    expect(report.spared).toHaveLength(3);
  });

  it('refuses what is there, and changes nothing', async () => {
    mkdirSync(place.systemDirectory);
    for (const name of ['csync2.cfg', 'csx.yaml', 'csync2.key_web']) {
      const file = path.join(place.systemDirectory, name);
      writeFileSync(file, 'mine', { mode: 0o600 });
      await expect(setUp(WISH, 'csync2', place, Date.now())).rejects.toMatchObject({ code: 'WRITE_FAILED' });
      expect(readFileSync(file, 'utf8')).toBe('mine');
      expect(readdirSync(place.systemDirectory)).toEqual([name]);
      rmSync(file);
    }
  });

  it('keeps a certificate that is there', async () => {
    await setUp(WISH, 'csync2', place, Date.now());
    const certificate = readFileSync(path.join(place.systemDirectory, 'csync2_ssl_cert.pem'));
    for (const name of ['csync2.cfg', 'csync2.key_web']) rmSync(path.join(place.systemDirectory, name));
    const report = await setUp(WISH, 'csync2', place, Date.now());
    expect(readFileSync(path.join(place.systemDirectory, 'csync2_ssl_cert.pem'))).toEqual(certificate);
    expect(report.files.filter((file) => !file.made)).toHaveLength(2);
  });

  it('leaves nothing behind when it fails half way', async () => {
    mkdirSync(place.systemDirectory);
    writeFileSync(path.join(place.systemDirectory, 'csync2_ssl_cert.pem'), 'no certificate');
    await expect(setUp(WISH, 'csync2', place, Date.now())).rejects.toMatchObject({ code: 'CERTIFICATE_UNREADABLE' });
    expect(readdirSync(place.systemDirectory)).toEqual(['csync2_ssl_cert.pem']);
  });

  it('leaves no directory behind that it made', async () => {
    const below = { ...place, systemDirectory: path.join(root, 'a/b/etc'), database: '/proc/nowhere/' };
    await expect(setUp(WISH, 'yaml', below, Date.now())).rejects.toMatchObject({ code: 'WRITE_FAILED' });
    expect(readdirSync(root)).toEqual([]);
  });

  it('is not written where others can write', async () => {
    mkdirSync(place.systemDirectory);
    chmodSync(place.systemDirectory, 0o777);
    await expect(setUp(WISH, 'csync2', place, Date.now())).rejects.toMatchObject({ code: 'FILE_UNSAFE' });
    expect(readdirSync(place.systemDirectory)).toEqual([]);
  });

  it('warns of names that do not resolve', async () => {
    const report = await setUp({ ...WISH, hosts: ['127.33.4.1', 'web2@nobody.invalid'] }, 'csync2', place, Date.now());
    expect(report.findings.map((each) => [each.status, each.message])).toEqual([
      ['warning', 'The peer nobody.invalid does not resolve.'],
    ]);
  });
});

describe('a further host', () => {
  it('gets what is its own and keeps what was copied', async () => {
    await setUp(WISH, 'csync2', place, Date.now());
    const there = path.join(root, 'there');
    mkdirSync(there);
    for (const name of ['csync2.cfg', 'csync2.key_web']) {
      const from = path.join(place.systemDirectory, name);
      writeFileSync(path.join(there, name), readFileSync(from), { mode: statSync(from).mode & 0o777 });
    }
    const further = { ...place, host: '127.33.4.2', systemDirectory: there, database: path.join(root, 'db2') + '/' };
    const first = await setUpFurther(further, Date.now());
    expect(first.files.filter((file) => file.made).map((file) => path.relative(root, file.path))).toEqual([
      'there/csync2_ssl_cert.pem',
      'there/csync2_ssl_key.pem',
      'db2',
    ]);
    const again = await setUpFurther(further, Date.now());
    expect(again.files.some((file) => file.made)).toBe(false);
    chmodSync(path.join(there, 'csync2.key_web'), 0o644);
    await expect(setUpFurther(further, Date.now())).rejects.toMatchObject({ code: 'FILE_UNSAFE' });
  });

  it('has to be one of the hosts', async () => {
    await setUp(WISH, 'csync2', place, Date.now());
    await expect(setUpFurther({ ...place, host: '127.33.4.9' }, Date.now())).rejects.toMatchObject({
      code: 'HOST_NOT_IN_GROUP',
    });
  });
});

describe('taking over', () => {
  it('says what is missing, and changes nothing', async () => {
    await setUp(WISH, 'csync2', place, Date.now());
    rmSync(path.join(place.systemDirectory, 'csync2_ssl_key.pem'));
    const before = readdirSync(root, { recursive: true });
    const report = await takeOver(place, undefined, '1');
    expect(report.title).toContain('Something is missing');
    expect(report.findings.filter((each) => each.status === 'error').map((each) => each.check)).toEqual([
      'certificate',
    ]);
    expect(readdirSync(root, { recursive: true })).toEqual(before);
    expect(existsSync(path.join(root, 'db/127.33.4.1.db3'))).toBe(false);
  });
});

describe('a wish', () => {
  const refused = (change: Partial<InitWish>): string => {
    try {
      checkWish({ ...WISH, ...change });
    } catch (error) {
      return error instanceof Error && 'hint' in error ? `${error.message} ${String(error.hint)}` : String(error);
    }
    return 'taken';
  };

  it.each([
    [{ hosts: ['127.33.4.1'] }, 'Add another'],
    [{ hosts: ['127.33.4.1', 'a b'] }, "'a b' is no name of a host"],
    [{ hosts: ['127.33.4.1', '127.33.4.1'] }, 'named twice'],
    [{ hosts: ['web1', 'web2'], host: 'web1.example' }, 'add --host web1.example'],
    [{ hosts: ['server1', 'server2'], host: 'server3' }, 'If it is server1, say so: -N server1. Otherwise add'],
    [{ host: 'vm', hosts: ['web1', 'web2'] }, 'If it is one of them, say so: -N web1. Otherwise add --host vm.'],
    [{ include: [] }, '--include /etc/apache2'],
    [{ include: ['/'] }, 'too much'],
    [{ include: ['www'] }, 'no absolute path'],
    [{ include: ['/srv/../etc'] }, 'no absolute path'],
    [{ include: ['%x%/y'] }, "--prefix 'x@*=/path'"],
    [{ group: 'a/b' }, 'no name for a group'],
    [{ prefixes: [{ name: 'x', host: '*', path: 'y' }] }, 'no absolute path'],
  ])('%j is refused with its cure', (change, words) => {
    expect(refused(change)).toContain(words);
  });

  it('may name a prefix', () => {
    expect(parsePrefix('data@web[12]=/srv/data/')).toEqual({ name: 'data', host: 'web[12]', path: '/srv/data' });
    expect(() => parsePrefix('data=/srv')).toThrow('does not say');
  });
});

describe('instructions', () => {
  const usual = {
    host: 'web1',
    hosts: ['web1', 'web2@10.0.0.2', 'web3@fe80::3'],
    files: ['/etc/csync2.cfg', '/etc/csync2.key_web'],
    systemDirectory: '/etc',
    configName: undefined,
    database: undefined,
    named: false,
  };

  it('are short where everything is usual', () => {
    const { here, others } = instructions(usual);
    expect(here).toEqual(['csx daemon', 'csx plan', 'csx apply']);
    // The README shows them as they are printed.
    const [second] = others;
    const shown = [
      'Copy to web2',
      ...(second?.copy ?? []),
      'Then on web2',
      ...(second?.commands ?? []),
      '',
      'Here',
      ...here,
    ];
    const lines = shown.map((line) => (/^csx |^scp /.test(line) ? `  ${line}` : line));
    const readme = readFileSync(path.resolve('README.md'), 'utf8');
    expect(readme.replaceAll('root@web2:', 'root@10.0.0.2:').replaceAll('key_cluster', 'key_web')).toContain(
      `\n${lines.join('\n')}\n`,
    );
    expect(others).toEqual([
      {
        host: 'web2',
        copy: ['scp -p /etc/csync2.cfg /etc/csync2.key_web root@10.0.0.2:/etc/'],
        commands: ['csx init --join', 'csx daemon'],
      },
      {
        host: 'web3',
        copy: ["scp -p /etc/csync2.cfg /etc/csync2.key_web 'root@[fe80::3]:/etc/'"],
        commands: ['csx init --join', 'csx daemon'],
      },
    ]);
  });

  it('name what is not usual, quoted', () => {
    const { here, others } = instructions({
      ...usual,
      systemDirectory: '/my etc',
      named: true,
      configName: 'x',
      database: '/d',
    });
    expect(here[0]).toBe("csx daemon --system-dir '/my etc' -C x -N web1 -D /d");
    expect(others[0]?.copy[0]).toBe(`ssh root@10.0.0.2 'mkdir -p '\\''/my etc'\\'''`);
    expect(others[0]?.commands[0]).toBe("csx init --join --system-dir '/my etc' -C x -N web2 -D /d");
  });
});
