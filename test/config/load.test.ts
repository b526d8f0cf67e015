import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeConfig } from '../../src/config/describe.js';
import { loadConfig } from '../../src/config/load.js';
import { SystemDirectory } from './configure.js';

const HOST = '127.20.0.1';
const GOOD = `group g { host ${HOST} b; key k; include /a; }`;

let system: SystemDirectory;
beforeEach(() => {
  system = new SystemDirectory();
});
afterEach(() => {
  system.remove();
});

const load = (options: { configName?: string; file?: string; host?: string } = {}): ReturnType<typeof loadConfig> =>
  loadConfig({ systemDirectory: system.path, host: HOST, ...options });

describe('loading', () => {
  it('finds csync2.cfg, a named configuration, or the file it is told', async () => {
    system.write('csync2.cfg', GOOD);
    system.write('csync2_two.cfg', GOOD.replace('/a', '/two'));
    const other = system.write('sub/other', `config part; ${GOOD.replace('/a', '/other')}`);
    system.write('sub/part', 'ignore uid;');
    expect((await load()).groups[0]!.patterns[0]!.text).toBe('/a');
    expect((await load({ configName: 'two' })).groups[0]!.patterns[0]!.text).toBe('/two');
    const config = await load({ file: other });
    expect(config.groups[0]!.patterns[0]!.text).toBe('/other');
    expect(config.files).toEqual([other, path.join(system.path, 'sub/part')]);
    expect(config.ignore.uid).toBe(true);
  });

  it('says what is missing', async () => {
    await expect(load()).rejects.toMatchObject({ code: 'CONFIG_NOT_FOUND' });
    await expect(load({ configName: 'x' })).rejects.toMatchObject({ code: 'CONFIG_NOT_FOUND' });
    await expect(load({ file: path.join(system.path, 'none.cfg') })).rejects.toMatchObject({
      code: 'CONFIG_NOT_FOUND',
      hint: expect.stringContaining('--config') as string,
    });
    await expect(load({ configName: '../x' })).rejects.toMatchObject({ code: 'USAGE' });
  });

  it('refuses while csync2.lock exists', async () => {
    system.write('csync2.cfg', GOOD);
    const lock = system.write('csync2.lock', '');
    await expect(load()).rejects.toMatchObject({
      code: 'LOCKED_BY_FILE',
      message: expect.stringContaining(lock) as string,
    });
    rmSync(lock);
    await expect(load()).resolves.toBeDefined();
  });

  it('folds host names to lower case', async () => {
    const config = await system.load(
      'prefix p { on A*: /upper; on a*: /lower; } group g { host aB.C@Net-1 X; key k; include /a; }',
      'Ab.c',
    );
    expect(config.host).toBe('ab.c');
    expect(config.groups[0]).toMatchObject({ me: 'net-1', members: [{ host: 'ab.c', name: 'net-1' }, { name: 'x' }] });
    expect(config.prefixes[0]!.path).toBe('/lower');
  });

  it('takes the last path of a prefix that is declared more than once', async () => {
    const prefix = async (text: string): Promise<unknown> =>
      (await system.load(`${text} ${GOOD}`)).prefixes.map(({ name, path: where }) => [name, where]);
    expect(await prefix('prefix p { on *: /a; } prefix p { on *: /b; }')).toEqual([['p', '/b']]);
    expect(await prefix('prefix p { on *: /a; } prefix p { on x: /b; }')).toEqual([['p', '/a']]);
    expect(await prefix('prefix p { on x: /a; } prefix p { on *: /b; }')).toEqual([['p', '/b']]);
    expect(await prefix('prefix p { on x: /a; }')).toEqual([['p', undefined]]);
    expect(await prefix('prefix p { on *: /a/; on *: /b; } prefix q { on *: //; } prefix r { }')).toEqual([
      ['p', '/a'],
      ['q', '/'],
      ['r', undefined],
    ]);
  });
});

describe('bounds', () => {
  it.each([
    ['/dev/zero', /is not a regular file/],
    ['SELF/fifo', /is not a regular file/],
    ['SELF', /is not a regular file/],
    ['SELF/large', /is larger than 8 MB/],
    ['SELF/many', /read more than 1000 files/],
  ])('keep config %s from hanging or filling the memory', async (name, message) => {
    const file = name.replace('SELF', system.path);
    if (name.endsWith('fifo')) expect(spawnSync('mkfifo', [file]).status).toBe(0);
    if (name.endsWith('large')) truncateSync(system.write('large', ''), 9_000_000);
    if (name.endsWith('many')) {
      for (let level = 0; level < 7; level++) system.write(`level${level}`, `config level${level + 1}; `.repeat(20));
      system.write('level7', '');
      system.write('many', 'config level0;');
    }
    system.write('csync2.cfg', `config ${file}; ${GOOD}`);
    // For root /dev/zero fails before, since everybody can write it.
    await expect(loadConfig({ systemDirectory: system.path, host: HOST, uid: 1 })).rejects.toThrow(message);
  });

  it('names with any letters are found', async () => {
    const directory = path.join(system.path, 'süd €');
    mkdirSync(directory);
    writeFileSync(path.join(directory, 'csync2.cfg'), `config part; ${GOOD}`);
    writeFileSync(path.join(directory, 'part'), 'foo');
    writeFileSync(path.join(directory, 'k'), 'a'.repeat(40), { mode: 0o600 });
    const wrong = loadConfig({ systemDirectory: directory, host: HOST });
    await expect(wrong).rejects.toMatchObject({ range: { file: path.join(directory, 'part') } });
    writeFileSync(path.join(directory, 'part'), '');
    const config = await loadConfig({ systemDirectory: directory, host: HOST });
    expect(describeConfig(config).files[0]).toBe(path.join(directory, 'csync2.cfg'));
    expect(config.systemDirectory).toBe(directory);
  });
});

describe('the hash', () => {
  const hash = async (text: string, host = HOST): Promise<string> => (await system.load(text, host)).hash;

  it('is the same for the same meaning', async () => {
    const first = await hash(GOOD);
    expect(await hash(`# comment\n group "g"\n{ host ${HOST};\n host B; key k; include /a/ ; auto none; }`)).toBe(
      first,
    );
    system.write('k2', 'another.key_0123456789abcdefghijklmnopqrstuvwxyz');
    expect(await hash(GOOD.replace('key k', 'key k2'))).toBe(first);
    expect(await hash(`${GOOD} group other { host x; key k; }`)).toBe(first);
    expect(first).toMatch(/^[0-9a-f]{64}$/);
  });

  it('differs where the meaning does', async () => {
    const texts = [
      GOOD,
      GOOD.replace('group g', 'group h'),
      GOOD.replace(' b;', ' c;'),
      GOOD.replace(' b;', ' (b);'),
      GOOD.replace(' b;', ' b@c;'),
      GOOD.replace('/a', '/b'),
      GOOD.replace('include', 'exclude'),
      GOOD.replace('include', 'compare'),
      GOOD.replace('}', 'auto first; }'),
      GOOD.replace('}', 'backup-directory /b; }'),
      GOOD.replace('}', 'backup-directory /b; backup-generations 2; }'),
      GOOD.replace('}', 'action { exec a; } }'),
      GOOD.replace('}', 'action { exec a; do-local; } }'),
      GOOD.replace('}', 'action { exec a; pattern /a; } }'),
      `prefix p { on *: /p; } ${GOOD}`,
      `nossl a b; ${GOOD}`,
      `ignore uid; ${GOOD}`,
      `database /d; ${GOOD}`,
    ];
    const hashes = [];
    for (const text of texts) hashes.push(await hash(text));
    hashes.push(await hash(GOOD, 'b'));
    expect(new Set(hashes).size).toBe(texts.length + 1);
  });
});
