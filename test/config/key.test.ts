import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readKey } from '../../src/config/key.js';
import { writeKeyFile } from '../../src/config/keygen.js';
import { checkConfig, loadConfig } from '../../src/config/load.js';
import { KEY_TEXT, SystemDirectory } from './configure.js';

let system: SystemDirectory;
beforeEach(() => {
  system = new SystemDirectory();
});
afterEach(() => {
  system.remove();
});

const read = (file: string, uid = process.geteuid?.() ?? 0): string => readKey(file, uid, undefined).secret();

describe('a key file', () => {
  it.each([
    ['32 characters', 'a'.repeat(32), 'a'.repeat(32)],
    ['all kinds of characters', `${KEY_TEXT}\n`, KEY_TEXT],
    ['whatever follows the first line', `${KEY_TEXT}\nnot - a key\n`, KEY_TEXT],
    ['a long key', `${'x'.repeat(4096)}\n`, 'x'.repeat(4096)],
  ])('may hold %s', (_, text, key) => {
    expect(read(system.write('key', text))).toBe(key);
  });

  it.each([
    ['31 characters', 'a'.repeat(31), /too short: 31 characters/],
    ['nothing', '', /too short: 0/],
    ['an empty first line', `\n${KEY_TEXT}`, /too short: 0/],
    ['a dash', `${KEY_TEXT}-\n`, /not allowed, in column 46/],
    ['white space at its end', `${KEY_TEXT} \n`, /not allowed, in column 46/],
    ['DOS line ends', `${KEY_TEXT}\r\n`, /not allowed, in column 46/],
    ['bytes that are no text', `${KEY_TEXT}\xff\n`, /not allowed, in column 46/],
    ['more than 4,096 characters', 'x'.repeat(5_000), /longer than 4096/],
  ])('must not hold %s', (_, text, message) => {
    const file = system.write('key', text);
    expect(() => read(file)).toThrow(expect.objectContaining({ code: 'KEY_INVALID' }));
    try {
      read(file);
    } catch (error) {
      expect(String(error)).toMatch(message);
      expect(inspect(error, { depth: 9 })).not.toContain('key_0123');
    }
  });

  it.each([0o644, 0o640, 0o604, 0o602, 0o620, 0o606, 0o601])('of mode %o is refused, with the cure', (mode) => {
    const file = system.write('key', KEY_TEXT);
    // With the group root, 0640 lets nobody in whom 0600 keeps out.
    chownSync(file, 0, 1);
    chmodSync(file, mode);
    expect(() => read(file)).toThrow(
      expect.objectContaining({
        code: 'FILE_UNSAFE',
        hint: expect.stringContaining(`chmod ${mode === 0o620 ? 'g-w' : ''}`) as string,
      }),
    );
  });

  it('may be readable by the group root', () => {
    const file = system.write('key', KEY_TEXT);
    chmodSync(file, 0o640);
    expect(read(file)).toBe(KEY_TEXT);
  });

  it('made by csx is one csync2 takes, and never replaces another', async () => {
    const file = path.join(system.path, 'new');
    writeKeyFile(file);
    expect(statSync(file).mode & 0o7777).toBe(0o600);
    expect(readFileSync(file, 'latin1')).toMatch(/^[A-Za-z0-9._]{64}\n$/);
    const key = read(file);
    expect(() => {
      writeKeyFile(file);
    }).toThrow(expect.objectContaining({ code: 'WRITE_FAILED' }));
    expect(read(file)).toBe(key);
    await system.load('group g { host 127.20.0.1 b; key new; include /a; }');
    const run = spawnSync('csync2', ['-N', '127.20.0.1', '-D', path.join(system.path, 'db'), '-M'], {
      env: { ...process.env, CSYNC2_SYSTEM_DIR: system.path },
    });
    expect([run.status, run.stderr.toString()]).toEqual([2, '']);
  });

  it('made by csync2 -k is a good one', () => {
    const file = path.join(system.path, 'new');
    expect(spawnSync('csync2', ['-k', file]).status).toBe(0);
    expect(read(file)).toMatch(/^[A-Za-z0-9._]{64}$/);
  });

  it('that cannot be read is named, with what to do', () => {
    expect(() => read(path.join(system.path, 'none'))).toThrow(
      expect.objectContaining({ code: 'KEY_UNREADABLE', hint: expect.stringMatching(/Copy it|csx keygen/) as string }),
    );
    mkdirSync(path.join(system.path, 'directory'), { mode: 0o700 });
    const fifo = path.join(system.path, 'fifo');
    expect(spawnSync('mkfifo', ['-m', '600', fifo]).status).toBe(0);
    expect(() => read(fifo)).toThrow(/is not a regular file/);
    expect(() => read(path.join(system.path, 'directory'))).toThrow(/is not a regular file/);
    symlinkSync('loop', path.join(system.path, 'loop'));
    expect(() => read(path.join(system.path, 'loop'))).toThrow(/is a link to itself/);
  });
});

describe('a key', () => {
  it('does not show its text, however it is printed', async () => {
    const config = await system.load('group g { host 127.20.0.1 b; key k; include /a; }');
    const key = config.groups[0]!.key;
    expect(key.secret()).toBe(KEY_TEXT);
    const shown = [
      JSON.stringify(config),
      inspect(config, { depth: 9, showHidden: true }),
      inspect(key, { customInspect: false, showHidden: true }),
      Reflect.apply(String, undefined, [key]),
      JSON.stringify({ ...key }),
      Object.values(key).join(),
      config.hash,
    ].join('\n');
    expect(shown).not.toContain('0123456789');
    expect(shown).toContain(key.file);
  });

  it('is needed only for the groups of this host', async () => {
    const config = await system.load(
      'group x { host y; key nowhere; } group g { host 127.20.0.1; key k; include /a; }',
    );
    expect(config.otherGroups).toEqual(['x']);
    await expect(system.load('group g { host 127.20.0.1; key nowhere; }')).rejects.toMatchObject({
      code: 'KEY_UNREADABLE',
      range: { line: 1, column: 32 },
    });
  });
});

describe('operator files', () => {
  it('that another user can write keep a configuration and a key from being loaded', async () => {
    const text = 'config part.cfg; group g { host 127.20.0.1; key k; include /a; }';
    const part = system.write('part.cfg', '# nothing');
    await system.load(text);
    chmodSync(part, 0o666);
    const failure = { code: 'FILE_UNSAFE', range: { line: 1, column: 8 } };
    await expect(system.load(text)).rejects.toMatchObject(failure);
    await expect(loadConfig({ systemDirectory: system.path, host: '127.20.0.1', uid: 1000 })).resolves.toBeDefined();
    chmodSync(part, 0o600);
    chownSync(path.join(system.path, 'k'), 1000, 0);
    const { problems } = await checkConfig({ systemDirectory: system.path, host: '127.20.0.1' });
    expect(problems).toMatchObject([{ code: 'FILE_UNSAFE', range: { line: 1, column: 49 } }]);
  });
});
