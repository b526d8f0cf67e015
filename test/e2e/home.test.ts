/** csx takes nothing from below HOME: root runs it, and HOME may be another user's (sudo -E), or not readable. */

import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';

const CSX = fileURLToPath(new URL('../../bin/csx', import.meta.url));
let home: string;

beforeEach(() => {
  home = mkdtempSync(path.join(tmpdir(), 'csx-home-'));
  mkdirSync(path.join(home, '.local/share/csx'), { recursive: true });
});

afterEach(() => {
  rmSync(home, { recursive: true });
});

function version(): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  const { XDG_DATA_HOME: _elsewhere, ...rest } = process.env;
  const { status, stdout, stderr } = spawnSync(CSX, ['--version'], { env: { ...rest, HOME: home }, encoding: 'utf8' });
  return { status, stdout, stderr };
}

it('says nothing of what it cannot read there', () => {
  // A directory in the place of oclif's file fails for root, too.
  mkdirSync(path.join(home, '.local/share/csx/package.json'));
  expect(version()).toEqual({ status: 0, stdout: expect.stringMatching(/^csx\/\d/) as string, stderr: '' });
});

it('runs no plugin that is linked there', () => {
  const plugin = path.join(home, 'plugin');
  const mark = path.join(home, 'was-run');
  mkdirSync(plugin);
  const oclif = { hooks: { init: './hook.js' } };
  writeFileSync(
    path.join(plugin, 'package.json'),
    JSON.stringify({ name: 'planted', version: '1.0.0', type: 'commonjs', files: ['.'], oclif }),
  );
  const write = `require('node:fs').writeFileSync(${JSON.stringify(mark)}, '')`;
  writeFileSync(path.join(plugin, 'hook.js'), `exports.default = async () => { ${write}; };\n`);
  const plugins = [{ name: 'planted', root: plugin, type: 'link' }];
  writeFileSync(path.join(home, '.local/share/csx/package.json'), JSON.stringify({ oclif: { schema: 1, plugins } }));

  expect(version()).toMatchObject({ status: 0, stderr: '' });
  spawnSync(CSX, ['keygen', path.join(home, 'key')], { env: { ...process.env, HOME: home } });
  expect(existsSync(path.join(home, 'key'))).toBe(true);
  expect(existsSync(mark)).toBe(false);
});
