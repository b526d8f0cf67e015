/** bin/csx and bin/csync2 where the pinned runtime is not installed: on the system's Node.js if that is recent enough, otherwise a line that says so. */

import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const BIN = fileURLToPath(new URL('../../bin', import.meta.url));
let root: string;

/** A copy of the launchers beside which no runtime lies, and a PATH that holds what they call and no node. */
beforeEach(() => {
  root = mkdtempSync(path.join(realpathSync(tmpdir()), 'csx-launcher-'));
  mkdirSync(path.join(root, 'csx/bin'), { recursive: true });
  mkdirSync(path.join(root, 'path'));
  for (const name of ['csx', 'csync2']) cpSync(path.join(BIN, name), path.join(root, 'csx/bin', name));
  for (const program of ['sh', 'dirname', 'readlink', 'uname']) {
    symlinkSync(
      execFileSync('sh', ['-c', `command -v ${program}`], { encoding: 'utf8' }).trim(),
      path.join(root, 'path', program),
    );
  }
});

afterEach(() => {
  rmSync(root, { recursive: true });
});

/** A node of that version, which says what it is asked to run. */
function installNode(version: string): void {
  const node = path.join(root, 'path/node');
  writeFileSync(node, `#!/bin/sh\nif [ "$1" = --version ]; then echo ${version}; else echo "runs $*"; fi\n`);
  chmodSync(node, 0o755);
}

function launch(program: string): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  const { status, stdout, stderr } = spawnSync(path.join(root, 'csx/bin', program), ['one', 'two words'], {
    env: { PATH: path.join(root, 'path') },
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

describe.each([
  ['csx', 'csx'],
  ['csync2', 'csync2 (csx)'],
])('bin/%s', (program, name) => {
  it('says which Node.js it needs, in one line, where that is older', () => {
    installNode('v20.19.2');
    expect(launch(program)).toEqual({
      status: 1,
      stdout: '',
      stderr: `${name} needs Node.js 22 or newer (found: v20.19.2). Run 'npm install' in ${root}/csx to get the runtime it is pinned to.\n`,
    });
  });

  it('says so where there is none', () => {
    expect(launch(program)).toMatchObject({ status: 1, stderr: expect.stringContaining('(found: none)') as string });
  });

  it('runs on one that is recent enough', () => {
    installNode('v22.12.0');
    const { status, stdout, stderr } = launch(program);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^runs (?:--\S+ )*\S+ one two words\n$/);
    expect(stdout).toContain(` ${root}/csx/bin/${program}.`);
  });
});
