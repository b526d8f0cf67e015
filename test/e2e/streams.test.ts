/** Readers that go away: of the result, of the log. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { put, startCluster } from '../support/cluster.js';
import type { Cluster } from '../support/cluster.js';
import { readTree } from '../support/tree.js';

const CSX = fileURLToPath(new URL('../../bin/csx', import.meta.url));
let cluster: Cluster;

beforeAll(async () => {
  cluster = await startCluster({ block: '127.30.5', peers: 1 });
  for (let index = 0; index < 500; index++) put(`${cluster.trees[0]!}/file-with-a-long-name-${index}`, 'x');
});
afterAll(async () => {
  await cluster.stop();
});

it('csx plan | head ends quietly', async () => {
  const child = spawn(
    '/bin/sh',
    ['-c', `"$0" plan --full -N ${cluster.hosts[0]!} -D "$1" 2>&3 | head -n 1`, CSX, cluster.databaseDirectory],
    {
      env: { ...process.env, CSYNC2_SYSTEM_DIR: cluster.systemDirectory },
      stdio: ['ignore', 'pipe', 'ignore', 'pipe'],
    },
  );
  let stderr = '';
  child.stdio[3]?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  let stdout = '';
  child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  expect(await once(child, 'close')).toEqual([0, null]);
  expect(stdout).toMatch(/^Plan of host/);
  expect(stderr).toBe('');
});

it('a daemon whose log nobody reads any more goes on serving', async () => {
  await cluster.peers[0]!.kill();
  const peer = cluster.peers[0]!;
  const child = spawn(CSX, ['daemon', '-N', peer.address, '-D', peer.databaseDirectory, '-v'], {
    env: { ...process.env, CSYNC2_SYSTEM_DIR: peer.systemDirectory },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  try {
    await once(child.stderr, 'data');
    child.stderr.destroy();
    const applied = await cluster.csx('apply', '--auto-approve');
    expect(applied, applied.stdout + applied.stderr).toMatchObject({ status: 0 });
    expect(readTree(cluster.trees[1]!)).toEqual(readTree(cluster.trees[0]!));
  } finally {
    child.kill('SIGTERM');
  }
  expect(await once(child, 'exit')).toEqual([0, null]);
});
