/** Hosts that are reached, and name themselves, by another name than their own: `host alpha@localhost`. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { put } from '../support/cluster.js';
import { readTree } from '../support/tree.js';

const CSX = fileURLToPath(new URL('../../bin/csx', import.meta.url));
/** Not csync2's own: the daemon listens on all addresses here. */
const PORT = '30961';

it('the configured name selects groups and prefixes, the name after @ is used on the network', async () => {
  const root = mkdtempSync(path.join(tmpdir(), 'csx-names-'));
  const trees = ['alpha', 'beta'].map((name) => path.join(root, name, 'tree')) as [string, string];
  for (const name of ['alpha', 'beta']) {
    for (const part of ['tree', 'etc', 'db']) mkdirSync(path.join(root, name, part), { recursive: true });
    writeFileSync(path.join(root, name, 'etc', 'k'), `${'n'.repeat(64)}\n`, { mode: 0o600 });
    writeFileSync(
      path.join(root, name, 'etc', 'csync2.cfg'),
      `nossl * *; prefix t { on alpha: ${trees[0]}; on beta: ${trees[1]}; }
       group g { host alpha@localhost beta@127.30.11.2; key k; include %t%; }`,
    );
  }
  /** Runs a program on a machine of that name. */
  const on = (name: string, program: string, args: readonly string[]): ReturnType<typeof spawn> =>
    spawn(
      'unshare',
      [
        '--uts',
        'sh',
        '-c',
        'hostname "$0" && exec "$@"',
        name,
        program,
        ...args,
        '-p',
        PORT,
        '-D',
        path.join(root, name, 'db'),
      ],
      {
        env: { ...process.env, CSYNC2_SYSTEM_DIR: path.join(root, name, 'etc') },
        stdio: 'ignore',
        detached: true,
      },
    );
  const run = async (name: string, program: string, ...args: string[]): Promise<number> => {
    const [status] = (await once(on(name, program, args), 'exit')) as [number];
    return status;
  };
  put(`${trees[0]}/file`, 'content');
  const daemon = on('beta', '/usr/sbin/csync2', ['-ii']);
  try {
    let status = 4;
    // Until the daemon listens.
    for (let round = 0; round < 40 && status === 4; round++) {
      status = await run('alpha', CSX, 'apply', '--auto-approve');
      if (status === 4) await sleep(100);
    }
    expect(status).toBe(0);
    expect(readTree(trees[1])).toEqual(readTree(trees[0]));
    // 2: csync2 finds both databases equal.
    expect(await run('alpha', '/usr/sbin/csync2', '-T', 'localhost', '127.30.11.2')).toBe(2);
  } finally {
    if (daemon.pid !== undefined) process.kill(-daemon.pid, 'SIGKILL');
    rmSync(root, { recursive: true, force: true });
  }
});
