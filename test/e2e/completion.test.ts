/** The scripts in the shells they are for: bash for real; zsh and fish where they are installed. */

import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SHELLS } from '../../src/setup/completion/scripts.js';
import { runCsx } from '../support/csx.js';

const BIN = fileURLToPath(new URL('../../bin', import.meta.url));
let root: string;
let script: string;

beforeAll(async () => {
  root = mkdtempSync(path.join(tmpdir(), 'csx-completion-'));
  for (const name of ['etc', 'tree/my site', 'other']) mkdirSync(path.join(root, name), { recursive: true });
  writeFileSync(path.join(root, 'tree/my site/a'), '');
  writeFileSync(path.join(root, 'etc/k'), 'k'.repeat(64), { mode: 0o600 });
  writeFileSync(
    path.join(root, 'etc/csync2.cfg'),
    `group web { host me web1 web2; key k; include ${root}/tree; } group mail { host me mx; key k; include /m; }`,
  );
  script = path.join(root, 'csx.bash');
  writeFileSync(script, (await runCsx(['completion', 'bash'])).stdout);
});

afterAll(() => {
  rmSync(root, { recursive: true });
});

/** What bash offers for a line, as it splits it: `=` stands alone. The last word is the one being typed. */
function bash(...words: string[]): Promise<readonly string[]> {
  const run =
    'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _csx "$1"; printf "%s\\n" "${COMPREPLY[@]}"';
  const env = { PATH: `${BIN}:${process.env['PATH'] ?? ''}`, CSYNC2_SYSTEM_DIR: `${root}/etc`, CSX_HOSTNAME: 'me' };
  return new Promise((resolve, reject) => {
    execFile(
      'bash',
      ['--norc', '-c', run, 'bash', script, 'csx', ...words],
      { env, cwd: root },
      (error, stdout, stderr) => {
        if (error !== null) reject(new Error(stderr, { cause: error }));
        else {
          expect(stderr).toBe('');
          resolve(stdout.split('\n').filter((line) => line !== ''));
        }
      },
    );
  });
}

describe('bash', () => {
  it('has registered the function', () => {
    const told = execFileSync('bash', ['--norc', '-c', `source '${script}'; complete -p csx`], { encoding: 'utf8' });
    expect(told).toBe('complete -F _csx csx\n');
  });

  it('completes verbs of one and two words', async () => {
    expect(await bash('pla')).toEqual(['plan']);
    expect(await bash('trust', '')).toEqual(['add', 'list', 'remove', 'verify']);
    expect(await bash('')).toContain('doctor');
    expect(await bash('compl')).toEqual(['completion']);
  });

  it('completes flags', async () => {
    expect(await bash('doctor', '--off')).toEqual(['--offline']);
    expect(await bash('init', '--fr')).toEqual(['--from']);
    expect(await bash('init', '--from', '')).toEqual(['csync2']);
    expect(await bash('completion', '')).toEqual([...SHELLS]);
  });

  it('completes peers and groups', async () => {
    expect(await bash('plan', '--peer', '')).toEqual(['web1', 'web2', 'mx']);
    expect(await bash('plan', '-P', 'we')).toEqual(['web1', 'web2']);
    expect(await bash('plan', '--peer', '=', 'we')).toEqual(['web1', 'web2']);
    expect(await bash('plan', '--peer', '=')).toEqual(['web1', 'web2', 'mx']);
    expect(await bash('plan', '--peer', '=', 'web1,m')).toEqual(['web1,mx']);
    expect(await bash('plan', '--group', 'm')).toEqual(['mail']);
    expect(await bash('trust', 'verify', 'm')).toEqual(['mx']);
    expect(await bash('-N', 'web1', 'plan', '-P', '')).toEqual(['me', 'web2']);
  });

  it('completes files of the configuration, quoted', async () => {
    expect(await bash('plan', `${root}/`)).toEqual([`${root}/tree/`]);
    expect(await bash('plan', `${root}/tree/my`)).toEqual([`${root}/tree/my\\ site/`]);
    expect(await bash('plan', `${root}/tree/my\\ site/`)).toEqual([`${root}/tree/my\\ site/a`]);
    expect(await bash('plan', 'tr')).toEqual(['tree/']);
  });

  it('leaves files of the disk to bash', async () => {
    expect((await bash('plan', '--config', `${root}/e`)).map((file) => path.basename(file))).toEqual(['etc']);
    expect(await bash('plan', '--system-dir', '=', `${root}/o`)).toEqual([`${root}/other`]);
  });

  it('is silent where there is no configuration', async () => {
    expect(await bash('plan', '--system-dir', '/nonexistent', '--peer', '')).toEqual([]);
  });

  it('runs nothing of what is typed', async () => {
    const trap = path.join(root, 'trap');
    writeFileSync(trap, `#!/bin/sh\ntouch ${root}/sprung\n`);
    chmodSync(trap, 0o755);
    await bash('plan', `$(${trap})`);
    await bash('plan', '--peer', `\`${trap}\``);
    expect(spawnSync('test', ['-e', `${root}/sprung`]).status).toBe(1);
  });
});

describe('every shell', () => {
  it.each(SHELLS)('%s takes its script, where it is installed', async (shell) => {
    const file = path.join(root, `script.${shell}`);
    const printed = await runCsx(['completion', shell]);
    expect(printed.status).toBe(0);
    expect(printed.stdout).toMatch(/complete -- .*2>\/dev\/null/);
    writeFileSync(file, printed.stdout);
    const checked = spawnSync(shell, ['-n', file], { encoding: 'utf8' });
    const installed = checked.error === undefined;
    expect(installed ? [checked.status, checked.stderr] : [0, '']).toEqual([0, '']);
    expect(shell === 'bash' ? installed : true).toBe(true);
  });

  it('others have none', async () => {
    const result = await runCsx(['completion', 'tcsh']);
    expect(result.status).toBe(64);
  });
});
