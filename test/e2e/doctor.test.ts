/** `csx doctor` as it is run: lines, JSON, exit status. */

import { rmSync } from 'node:fs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startCluster } from '../support/cluster.js';
import type { Cluster } from '../support/cluster.js';

let cluster: Cluster;

beforeEach(async () => {
  cluster = await startCluster({ block: '127.33.2', peers: 1 });
});

afterEach(async () => {
  await cluster.stop();
});

it('warnings alone are status 0, one line for each finding', async () => {
  const result = await cluster.csx('doctor');
  expect(result.status).toBe(0);
  const lines = result.stdout.trimEnd().split('\n');
  expect(lines.at(-1)).toBe('Nothing is wrong, 1 warning.');
  expect(lines.slice(0, -2).every((line) => /^(?:ok|warning) +[a-z]+ +\S/.test(line))).toBe(true);
  const quiet = await cluster.csx('doctor', '--quiet');
  expect(quiet.stdout).toMatch(/^warning {2}port +Nothing listens .* Cure: Start csx daemon .*\n\nNothing is wrong/);
});

it('something wrong is status 1, and JSON says what', async () => {
  rmSync(cluster.trees[0]!, { recursive: true });
  await cluster.peers[0]!.kill();
  const result = await cluster.csx('doctor', '--json');
  expect(result.status).toBe(1);
  const told = JSON.parse(result.stdout) as { healthy: boolean; findings: { check: string; status: string }[] };
  expect(told.healthy).toBe(false);
  const bad = told.findings.filter((each) => each.status !== 'ok').map((each) => `${each.status} ${each.check}`);
  expect(bad.sort()).toEqual(['error port', 'warning port', 'warning trees']);
  expect((await cluster.csx('doctor', '--offline')).status).toBe(0);
});

it('a group or peer that does not exist is an error that suggests one', async () => {
  const result = await cluster.csx('doctor', '-P', '127.33.2.3');
  expect(result.status).toBe(1);
  expect(result.stderr).toContain('127.33.2.2');
});
