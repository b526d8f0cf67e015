/** What a short run of csx does not do again, or not at all: compile what was compiled before, and load what it has no use for. */

import { spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
let root: string;

/** An installation of its own, since the cache of compiled code lies there. */
beforeAll(() => {
  root = mkdtempSync(path.join(realpathSync(tmpdir()), 'csx-start-'));
  for (const part of ['bin', 'dist', 'package.json', 'oclif.manifest.json'])
    cpSync(path.join(ROOT, part), path.join(root, part), { recursive: true });
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(root, 'node_modules'));
  mkdirSync(path.join(root, 'etc'));
  writeFileSync(path.join(root, 'etc/k'), `${'k'.repeat(64)}\n`, { mode: 0o600 });
  writeFileSync(path.join(root, 'etc/csync2.cfg'), `group g { host h1 h2; key k; include ${root}/bin; }`);
  start('csync2', '-cIr', '/', ...LIST.slice(1), root);
});

afterAll(() => {
  rmSync(root, { recursive: true });
});

function start(program: string, ...args: string[]): string {
  const { stdout, stderr } = spawnSync(path.join(root, 'bin', program), args, {
    env: { ...process.env, CSYNC2_SYSTEM_DIR: path.join(root, 'etc'), NODE_DEBUG_NATIVE: 'COMPILE_CACHE,CODE_CACHE' },
    encoding: 'utf8',
  });
  return stdout + stderr;
}

const LIST = ['-L', '-N', 'h1', '-D'];

describe('a start', () => {
  it.each(['csync2', 'csx'])(
    'of bin/%s takes compiled code, Node’s and csx’s own, from where it is kept',
    (program) => {
      const args = program === 'csx' ? ['--version'] : [...LIST, root];
      start(program, ...args);
      const told = start(program, ...args);
      expect(told).toMatch(/^Code cache of \S+ .*is accepted$/m);
      expect(told).toMatch(/V8 code cache for .*dist\/.* was accepted/);
      expect(told).not.toContain('rejected');
      expect(told).not.toContain('writing cache');
    },
  );

  it('of csync2 -L loads a few modules, nothing of encryption or networks among them', () => {
    const told = start('csync2', ...LIST, root);
    const own = Array.from(told.matchAll(/^Compiling (\S+) with/gm), ([, name = '']) => name);
    expect(own).toContain('os');
    expect(own.filter((name) => /^(?:crypto|net|tls|stream|child_process|worker_threads|v8)$/.test(name))).toEqual([]);
    const files = Array.from(told.matchAll(/reading cache from \S+ for \S+ (\S+?)\.\.\./g), ([, file = '']) => file);
    expect(files.map((file) => path.basename(file)).toSorted()).toEqual([
      'binding.js',
      'core.cjs',
      'lists.cjs',
      'main.cjs',
      'rolldown-runtime.cjs',
    ]);
  });

  it.each([
    ['another version than the one it was built with', '13.999.0', 'csx', 'csx/node_modules/better-sqlite3'],
    ['one that npm has put beside it', undefined, 'node_modules/csx', 'node_modules/better-sqlite3'],
  ])('takes of better-sqlite3 %s', (_, version, home, place) => {
    const other = mkdtempSync(path.join(root, 'other-'));
    for (const part of ['bin', 'dist', 'package.json'])
      cpSync(path.join(root, part), path.join(other, home, part), { recursive: true });
    const from = realpathSync(path.join(root, 'node_modules/better-sqlite3'));
    const to = path.join(other, place);
    for (const part of ['lib', 'prebuilds', 'package.json'])
      cpSync(path.join(from, part), path.join(to, part), { recursive: true });
    if (version !== undefined) {
      const about = JSON.stringify({ name: 'better-sqlite3', version, main: 'lib/index.js' });
      writeFileSync(path.join(to, 'package.json'), about);
      // What shows that this one's JavaScript was taken.
      writeFileSync(path.join(to, 'lib/util.js'), "console.log('its own');\n", { flag: 'a' });
    }
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [path.join(other, home, 'bin/csync2.cjs'), ...LIST, root],
      { env: { ...process.env, CSYNC2_SYSTEM_DIR: path.join(root, 'etc') }, encoding: 'utf8' },
    );
    expect([status, stderr, stdout.includes('its own')]).toEqual([0, '', version !== undefined]);
  });

  it('needs neither a place for its cache nor a certain directory, and comes with the licence of what it contains', () => {
    const installed = path.join(root, 'bare');
    for (const part of ['bin', 'dist', 'package.json'])
      cpSync(path.join(root, part), path.join(installed, part), { recursive: true });
    symlinkSync(path.join(ROOT, 'node_modules'), path.join(installed, 'node_modules'));
    // In the way of the cache, for root, too.
    writeFileSync(path.join(installed, '.cache'), '');
    symlinkSync(path.join(installed, 'bin/csync2'), path.join(root, 'link'));
    const { status, stdout, stderr } = spawnSync('../link', [...LIST, root], {
      cwd: path.join(root, 'etc'),
      env: { ...process.env, CSYNC2_SYSTEM_DIR: path.join(root, 'etc') },
      encoding: 'utf8',
    });
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toContain(`${root}/bin/csync2\n`);
    expect(readFileSync(path.join(installed, 'dist/LICENSES.txt'), 'utf8')).toContain('Joshua Wise');
  });
});
