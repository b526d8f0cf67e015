/** Saved plans against the real csync2: exactly what was planned, once, and nothing that is no longer as it was. */

import {
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { put, startCluster } from '../support/cluster.js';
import type { Cluster } from '../support/cluster.js';
import { readTree } from '../support/tree.js';

let cluster: Cluster;
let here: string;
let there: string;
let file: string;

beforeEach(async () => {
  cluster = await startCluster({ block: '127.30.4', peers: 1 });
  [here, there] = cluster.trees as [string, string];
  file = path.join(cluster.root, 'saved.plan');
  for (const name of ['a', 'b', 'c']) put(`${here}/${name}`, name);
  expect((await cluster.csx('apply', '--auto-approve')).status).toBe(0);
  put(`${here}/a`, 'a, changed');
  put(`${here}/new`, 'new');
  unlinkSync(`${here}/c`);
  expect((await cluster.csx('plan', '--out', file)).status).toBe(0);
});
afterEach(async () => {
  await cluster.stop();
});

describe('a saved plan', () => {
  it('is private, shown in every format, and applied without a question', async () => {
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect((await cluster.csx('show', file)).stdout).toContain('Plan: 1 to create, 1 to update, 1 to delete');
    const json = JSON.parse((await cluster.csx('show', file, '--json')).stdout) as { resource_changes: unknown[] };
    expect(json.resource_changes).toHaveLength(3);
    expect(
      (await cluster.csx('show', file, '--format', 'markdown', '--max-chars', '2000')).stdout.length,
    ).toBeLessThanOrEqual(2000);
    expect((await cluster.csx('show', file, '--format', 'html')).stdout).toMatch(/^<!doctype html>/);
    expect((await cluster.csx('show', file, '--summary')).stdout).toBe(
      'Plan: 1 to create, 1 to update, 1 to delete, 0 conflicts, 0 actions, 13 B to send.\n',
    );
    const applied = await cluster.csx('apply', file);
    expect(applied, applied.stdout + applied.stderr).toMatchObject({ status: 0 });
    expect(readTree(there)).toEqual(readTree(here));
  });

  it('is applied once', async () => {
    expect((await cluster.csx('apply', file)).status).toBe(0);
    const again = await cluster.csx('apply', file);
    expect(again.status).toBe(6);
    expect(again.stderr).toContain('can be applied once');
  });

  it('takes the marks from what was made anew as it was, and is equal', async () => {
    mkdirSync(`${here}/d`);
    mkdirSync(`${here}/other`);
    symlinkSync('a', `${here}/l`);
    expect((await cluster.csx('apply', '--auto-approve')).status).toBe(0);
    for (const name of ['d', 'l']) rmSync(`${here}/${name}`, { recursive: true });
    symlinkSync('a', `${here}/l`);
    // Two that stand at once have two inodes.
    mkdirSync(`${here}/new d`);
    rmSync(`${here}/other`, { recursive: true });
    renameSync(`${here}/new d`, `${here}/d`);
    expect((await cluster.csx('mark', `${here}/d`, `${here}/l`)).status).toBe(0);
    expect((await cluster.csx('plan', '--out', file)).status).toBe(0);
    const applied = await cluster.csx('apply', file);
    expect(applied, applied.stdout + applied.stderr).toMatchObject({ status: 0 });
    expect((await cluster.csx('db', 'list', 'dirty')).stdout).not.toContain('%t%');
  });

  it('leaves out what was edited here since, and sends the rest', async () => {
    put(`${here}/a`, 'a, changed again');
    const applied = await cluster.csx('apply', file);
    expect(applied.status).toBe(4);
    expect(applied.stdout).toMatch(/a .*was changed/s);
    expect(readFileSync(`${there}/a`, 'utf8')).toBe('a');
    expect(readFileSync(`${there}/new`, 'utf8')).toBe('new');
    expect((await cluster.csx('apply', '--auto-approve')).status).toBe(0);
    expect(readTree(there)).toEqual(readTree(here));
  });

  it('notices an edit within the same second that keeps the size', async () => {
    const { atimeNs, mtimeNs } = statSync(`${here}/a`, { bigint: true });
    writeFileSync(`${here}/a`, 'A, CHANGED');
    utimesSync(`${here}/a`, Number(atimeNs) / 1e9, Number(mtimeNs) / 1e9);
    const applied = await cluster.csx('apply', file);
    expect(applied.status).toBe(4);
    expect(readFileSync(`${there}/a`, 'utf8')).toBe('a');
  });

  it('overwrites nothing that was edited or made on the peer since', async () => {
    put(`${there}/a`, 'edited there');
    put(`${there}/new`, 'made there');
    put(`${there}/c`, 'edited before removal');
    const applied = await cluster.csx('apply', file);
    expect(applied.status).toBe(4);
    expect([
      readFileSync(`${there}/a`, 'utf8'),
      readFileSync(`${there}/new`, 'utf8'),
      readFileSync(`${there}/c`, 'utf8'),
    ]).toEqual(['edited there', 'made there', 'edited before removal']);
  });

  it('with --strict does all or nothing', async () => {
    put(`${there}/a`, 'edited there');
    const applied = await cluster.csx('apply', file, '--strict');
    expect(applied.status).toBe(6);
    expect(readTree(there)).not.toHaveProperty('new');
    expect(readTree(there)).toHaveProperty('c');
  });

  it('belongs to its host, configuration and database', async () => {
    const config = readFileSync(path.join(cluster.systemDirectory, 'csync2.cfg'), 'utf8');
    writeFileSync(
      path.join(cluster.systemDirectory, 'csync2.cfg'),
      config.replace('include %t%;', 'include %t%; exclude *~;'),
    );
    const changed = await cluster.csx('apply', file);
    expect(changed.status).toBe(6);
    expect(changed.stderr).toContain('Saved plan does not match');
    writeFileSync(path.join(cluster.systemDirectory, 'csync2.cfg'), config);
    // Another database in its place: csync2's, or one put back from a backup.
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${cluster.database}${suffix}`, { force: true });
    expect(await cluster.csx('apply', file)).toMatchObject({ status: 6 });
    expect(readTree(there)).not.toHaveProperty('new');
  });

  it('takes no planning flags, and is none when it is damaged', async () => {
    expect((await cluster.csx('apply', file, '--target', here)).status).toBe(64);
    writeFileSync(file, gzipSync('{"format_version":"9.0"}'));
    expect(await cluster.csx('apply', file)).toMatchObject({ status: 1 });
    writeFileSync(file, 'no gzip');
    const shown = await cluster.csx('show', file);
    expect(shown.status).toBe(1);
    expect(shown.stderr).toContain('is no saved plan');
  });

  it('records what happens as JSON Lines, the result last, whatever happens', async () => {
    const records = path.join(cluster.root, 'records');
    expect((await cluster.csx('apply', file, '--json-into', records)).status).toBe(0);
    const lines = readFileSync(records, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string; exit_code?: number });
    expect(lines[0]!.type).toBe('version');
    expect(lines.map((line) => line.type)).toContain('apply_complete');
    expect(lines.at(-1)).toMatchObject({ type: 'result', exit_code: 0, summary: { create: 1, update: 1, delete: 1 } });
    const failing = await cluster.csx('apply', file, '--json');
    const last = JSON.parse(failing.stdout.trimEnd().split('\n').at(-1)!) as object;
    expect(last).toMatchObject({ type: 'result', exit_code: 6 });
  });
});

describe('a saved plan with a conflict that nobody has decided', () => {
  const statusNow = async (): Promise<StatusJson> =>
    JSON.parse((await cluster.csx('status', '--json')).stdout) as StatusJson;

  let agreed: Date;

  beforeEach(async () => {
    agreed = statSync(`${there}/b`).mtime;
    put(`${here}/b`, 'b here');
    put(`${there}/b`, 'b there, longer');
    expect((await cluster.csx('plan', '--out', file)).status).toBe(0);
  });

  it('applies the rest, and status remembers it until it is settled or gone', async () => {
    expect(await cluster.csx('apply', file)).toMatchObject({ status: 3 });
    expect(readFileSync(`${there}/new`, 'utf8')).toBe('new');
    expect(readFileSync(`${there}/b`, 'utf8')).toBe('b there, longer');
    expect(await statusNow()).toMatchObject({ peers: [{ waiting: 1 }], conflicts: [{ path: '%t%/b' }] });
    expect((await cluster.csx('status')).stdout).toMatch(/1 conflict,[^]*Next: csx resolve\n/);
    expect((await cluster.csx('explain', `${here}/b`)).stdout).toMatch(/going\s+to\s+refuse it/);
    expect(await cluster.csx('db', 'list', 'dirty')).toMatchObject({ stdout: expect.stringContaining('Conflict') });

    // The peer's change is taken back, and what comes in between now is no conflict.
    writeFileSync(`${there}/b`, 'b');
    utimesSync(`${there}/b`, agreed, agreed);
    expect(await cluster.csx('plan', '--out', file)).toMatchObject({ status: 0 });
    put(`${here}/b`, 'b here, again');
    expect(await cluster.csx('apply', file)).toMatchObject({ status: 4 });
    expect(await statusNow()).toMatchObject({ peers: [{ waiting: 1 }], conflicts: [] });

    put(`${there}/b`, 'b there once more');
    expect(await cluster.csx('apply', '--auto-approve')).toMatchObject({ status: 3 });
    expect(await statusNow()).toMatchObject({ conflicts: [{ path: '%t%/b' }] });
    expect(await cluster.csx('resolve', '--keep', 'local')).toMatchObject({ status: 0 });
    expect(await statusNow()).toMatchObject({ peers: [{ waiting: 0 }], conflicts: [] });
    expect(readTree(there)).toEqual(readTree(here));
  });

  it.each(['local', 'peer'])('says nothing of it when it was settled since (%s)', async (keep) => {
    expect(await cluster.csx('resolve', '--keep', keep)).toMatchObject({ status: 0 });
    const applied = await cluster.csx('apply', file, '--json');
    expect(applied, applied.stdout + applied.stderr).toMatchObject({ status: keep === 'local' ? 0 : 4 });
    expect(JSON.parse(applied.stdout.trimEnd().split('\n').at(-1)!)).toMatchObject({ summary: { conflicts: 0 } });
    expect(await statusNow()).toMatchObject({ peers: [{ waiting: 0 }], conflicts: [] });
    expect(await cluster.csync2('-M')).toMatchObject({ stdout: '' });
    expect(readTree(there)).toEqual(readTree(here));
  });
});

interface StatusJson {
  readonly peers: readonly { readonly waiting: number }[];
  readonly conflicts: readonly { readonly path: string }[];
}

describe('limits', () => {
  it('--target and --exclude leave the rest for another time', async () => {
    expect((await cluster.csx('apply', '--auto-approve', '--target', `${here}/new`)).status).toBe(0);
    expect(Object.keys(readTree(there))).toEqual(['.', 'a', 'b', 'c', 'new']);
    expect((await cluster.csx('apply', '--auto-approve', '--exclude', 'c')).status).toBe(0);
    expect(readFileSync(`${there}/a`, 'utf8')).toBe('a, changed');
    expect(Object.keys(readTree(there))).toEqual(['.', 'a', 'b', 'c', 'new']);
    expect((await cluster.csx('plan', '--expect-no-changes')).status).toBe(7);
    expect((await cluster.csx('apply', '--auto-approve')).status).toBe(0);
    expect(readTree(there)).toEqual(readTree(here));
    expect((await cluster.csx('plan', '--expect-no-changes')).status).toBe(0);
  });

  it('--max-delete stops before anything is sent', async () => {
    const applied = await cluster.csx('apply', '--auto-approve', '--max-delete', '0');
    expect(applied.status).toBe(5);
    expect(readTree(there)).not.toHaveProperty('new');
    // Nor does a plan that is saved all the same, and shown, propose what would be refused.
    expect((await cluster.csx('plan', '--out', file, '--max-delete', '0')).status).toBe(5);
    const shown = await cluster.csx('show', file);
    expect(shown.stdout).toContain('Next: settle the failed check above; this plan cannot be applied');
    expect(shown.stdout).not.toContain('csx apply');
  });

  it('a path that is nowhere is an error that suggests the nearest', async () => {
    const plan = await cluster.csx('plan', `${here}/nwe`);
    expect(plan.status).toBe(1);
    expect(plan.stderr).toContain(`${here}/new`);
  });
});
