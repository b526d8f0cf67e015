/** This host's certificate from its making to its renewal, and who says that it ends soon. */

import { readFileSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { put, startCluster } from '../support/cluster.js';
import type { Cluster } from '../support/cluster.js';
import { runCsx } from '../support/csx.js';
import { readTree } from '../support/tree.js';

let cluster: Cluster;

beforeEach(async () => {
  cluster = await startCluster({ block: '127.30.10', peers: 1, tls: true });
});
afterEach(async () => {
  await cluster.stop();
});

async function fingerprint(): Promise<string> {
  const shown = JSON.parse((await cluster.csx('cert', '--json')).stdout) as { fingerprint_sha256: string };
  return shown.fingerprint_sha256;
}

it('is renewed with the same subject, the old one kept; peers accept it when they are told to', async () => {
  put(`${cluster.trees[0]!}/a`, 'a');
  expect((await cluster.csx('apply', '--auto-approve')).status).toBe(0);
  const before = await fingerprint();
  const renewed = await cluster.csx('cert', '--renew', '--bits', '2048');
  expect(renewed, renewed.stderr).toMatchObject({ status: 0 });
  expect(renewed.stderr).toContain('csx trust remove');
  expect(renewed.stdout).toContain('CN=csync2');
  expect(await fingerprint()).not.toBe(before);
  const kept = readdirSync(cluster.systemDirectory).filter((name) => name.includes('.old-'));
  expect(kept).toHaveLength(2);
  expect(statSync(path.join(cluster.systemDirectory, 'csync2_ssl_key.pem')).mode & 0o777).toBe(0o600);
  // The peer pinned the old one.
  put(`${cluster.trees[0]!}/b`, 'b');
  expect((await cluster.csx('apply', '--auto-approve')).status).toBe(4);
  // The csync2 peer's database is csx's too: what csx says is to be done there is done there.
  const peer = cluster.peers[0]!;
  const there = ['--system-dir', peer.systemDirectory, '-D', peer.databaseDirectory, '-N', cluster.hosts[1]!];
  expect(await runCsx(['trust', 'remove', cluster.hosts[0]!, ...there])).toMatchObject({ status: 0 });
  expect((await cluster.csx('apply', '--auto-approve')).status).toBe(0);
  expect(readTree(cluster.trees[1]!)).toEqual(readTree(cluster.trees[0]!));
});

it('that ends soon is announced by cert, status, doctor and plan', async () => {
  expect((await cluster.csx('cert', '--renew', '--days', '5', '--bits', '2048')).status).toBe(0);
  expect((await cluster.csx('cert')).stdout).toMatch(/Warning:/);
  expect((await cluster.csx('status')).stdout).toMatch(/Warning:[^]*certificate/);
  expect((await cluster.csx('doctor', '--quiet')).stdout).toMatch(
    /warning {2}certificate +This host's certificate ends on/,
  );
  put(`${cluster.trees[0]!}/a`, 'a');
  expect((await cluster.csx('plan')).stdout).toMatch(/Warning:[^]*certificate/);
  expect((await cluster.csx('apply', '--auto-approve')).status).toBe(0);
  expect(readTree(cluster.trees[1]!)).toEqual(readTree(cluster.trees[0]!));
});

it('is not made twice, and sizes alone make none', async () => {
  const before = readFileSync(path.join(cluster.systemDirectory, 'csync2_ssl_cert.pem'));
  expect((await cluster.csx('cert', '--create')).status).toBe(1);
  expect((await cluster.csx('cert', '--days', '5')).status).toBe(64);
  expect(readFileSync(path.join(cluster.systemDirectory, 'csync2_ssl_cert.pem')).equals(before)).toBe(true);
});
