/** Taking a csync2 peer's version where more stands around it: encryption, groups of others, backups, actions, what cannot be taken. */

import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { put, startCluster } from '../support/cluster.js';
import type { Cluster, ClusterOptions } from '../support/cluster.js';
import { readTree } from '../support/tree.js';

describe("a peer's version", () => {
  let cluster: Cluster | undefined;
  let kept: string | undefined;
  afterEach(async () => {
    await cluster?.stop();
    if (kept !== undefined) rmSync(kept, { recursive: true, force: true });
  });

  /** A cluster in which both hosts have agreed on a file `a`. */
  async function start(options: Omit<ClusterOptions, 'block'>): Promise<Cluster> {
    cluster = await startCluster({ block: '127.32.8', ...options });
    put(`${cluster.trees[0]!}/a`, 'common\n');
    const applied = await cluster.csx('apply', '--auto-approve');
    expect(applied, applied.stdout + applied.stderr).toMatchObject({ status: 0 });
    return cluster;
  }

  it('comes encrypted, also when it is large, into the backup directory of the group', async () => {
    kept = mkdtempSync(path.join(tmpdir(), 'csx-kept-'));
    const world = await start({
      peers: 1,
      tls: true,
      group: `backup-directory ${kept}; backup-generations 2; action { exec "echo ran >> ${kept}/ran"; do-local; }`,
    });
    const [here, there] = world.trees as [string, string];
    const large = Buffer.alloc(20_000_000);
    for (let offset = 0; offset < large.length; offset += 64) large.write(String(offset), offset);
    writeFileSync(`${here}/a`, 'here\n');
    writeFileSync(`${there}/a`, large);
    const planned = await world.csx('plan', '--on-conflict', 'peer', '--json');
    expect((JSON.parse(planned.stdout) as { action_invocations: object[] }).action_invocations).toMatchObject([
      { host: '127.32.8.1', when: 'local', triggered_by: ['%t%/a'] },
    ]);
    const resolved = await world.csx('resolve', '--keep', 'peer');
    expect(resolved, resolved.stdout + resolved.stderr).toMatchObject({ status: 0 });
    const digest = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex');
    expect(digest(`${here}/a`)).toBe(digest(`${there}/a`));
    expect(readFileSync(path.join(kept, here, 'a'), 'utf8')).toBe('here\n');
    expect(readFileSync(path.join(kept, 'ran'), 'utf8')).toMatch(/^(?:ran\n)+$/);
    expect(await world.peers[0]!.run(['-M'])).toMatchObject({ stdout: '' });
    expect((await world.csx('plan', '--detailed-exitcode')).status).toBe(0);
  });

  it('leaves the peer its marks for hosts that this one does not know', async () => {
    const world = await start({
      peers: 2,
      config: ([first, second, third], all) => `
        nossl * *;
        prefix t { on ${first!}: ${all[0]!}; on ${second!}: ${all[1]!}; on ${third!}: ${all[2]!}; }
        group shared { host ${first!} ${second!}; key k; include %t%; }
        group others { host ${second!} ${third!}; key k; include %t%; }`,
    });
    const [here, there, third] = world.trees as [string, string, string];
    writeFileSync(`${here}/a`, 'here\n');
    writeFileSync(`${there}/a`, 'there, longer\n');
    expect((await world.csx('resolve', '--keep', 'peer')).status).toBe(0);
    // The second still owes the third its version, and pays by itself; toward the first it finds nothing to do.
    const run = await world.servingCsync2(() => world.peers[0]!.run(['-x']));
    expect(run, run.stderr).toMatchObject({ status: 0 });
    expect(readFileSync(`${third}/a`, 'utf8')).toBe('there, longer\n');
    expect(readFileSync(`${here}/a`, 'utf8')).toBe('there, longer\n');
    expect(await world.peers[0]!.run(['-M'])).toMatchObject({ stdout: '' });
    expect((await world.csx('plan', '--detailed-exitcode')).status).toBe(0);
  });

  it('takes the place of a directory with all it holds, but never of what no group holds', async () => {
    const world = await start({ peers: 1, group: 'exclude *~;' });
    const [here, there] = world.trees as [string, string];
    unlinkSync(`${here}/a`);
    put(`${here}/a/unknown~`, 'in no group\n');
    writeFileSync(`${there}/a`, 'a file there\n');
    const before = [readTree(here), readTree(there)];
    const resolved = await world.csx('resolve', '--keep', 'peer');
    expect(resolved.status).toBe(4);
    expect((resolved.stdout + resolved.stderr).replaceAll(/\s+/g, ' ')).toContain('directory not empty');
    expect([readTree(here), readTree(there)]).toEqual(before);
    expect((await world.csx('conflicts')).status).toBe(3);
    unlinkSync(`${here}/a/unknown~`);
    put(`${here}/a/child`, 'of a directory here\n');
    expect((await world.csx('conflicts')).stdout).toContain('%t%/a/child');
    expect(await world.csx('resolve', '--keep', 'peer')).toMatchObject({ status: 0 });
    expect(readFileSync(`${here}/a`, 'utf8')).toBe('a file there\n');
    const copy = path.join(world.databaseDirectory, 'csx-replaced', here, 'a', 'child');
    expect(readFileSync(copy, 'utf8')).toBe('of a directory here\n');
    expect((await world.csx('plan', '--detailed-exitcode')).status).toBe(0);
  });

  it('is not taken where the peer changes it while the person thinks', async () => {
    const world = await start({ peers: 1 });
    const [here, there] = world.trees as [string, string];
    writeFileSync(`${here}/a`, 'here\n');
    writeFileSync(`${there}/a`, 'there, longer\n');
    // The editor is where the person thinks: meanwhile both change.
    const editor = path.join(world.root, 'editor');
    writeFileSync(editor, `#!/bin/sh\necho merged > "$1"\necho 'changed again, there' > ${there}/a\n`, { mode: 0o755 });
    const merged = await world.csxWith({ env: { VISUAL: editor } }, 'resolve', '--merge');
    expect(merged.status).toBe(3);
    expect(readFileSync(`${there}/a`, 'utf8')).toBe('changed again, there\n');
    expect(readFileSync(`${here}/a`, 'utf8')).toBe('merged\n');
    const copy = path.join(world.databaseDirectory, 'csx-replaced', here, 'a');
    expect(readFileSync(copy, 'utf8')).toBe('here\n');
    writeFileSync(editor, `#!/bin/sh\necho again > "$1"\necho 'changed here' > ${here}/a\n`, { mode: 0o755 });
    const again = await world.csxWith({ env: { VISUAL: editor } }, 'resolve', '--merge');
    expect(again.status).toBe(6);
    expect(readFileSync(`${here}/a`, 'utf8')).toBe('changed here\n');
    expect(readdirSync(here).filter((name) => name.startsWith('.csx-stage-'))).toEqual([]);
    expect((await world.csx('resolve', '--keep', 'local')).status).toBe(0);
    expect(existsSync(`${there}/a`) && readFileSync(`${there}/a`, 'utf8')).toBe('changed here\n');
  });

  it('is taken by a saved plan as well, if both sides are still what they were', async () => {
    const world = await start({ peers: 1 });
    const [here, there] = world.trees as [string, string];
    const plan = path.join(world.root, 'saved.plan');
    writeFileSync(`${here}/a`, 'here\n');
    writeFileSync(`${there}/a`, 'there, longer\n');
    put(`${here}/b`, 'here\n');
    put(`${there}/b`, 'there, longer\n');
    expect((await world.csx('plan', '--on-conflict', 'peer', '--out', plan)).status).toBe(0);
    writeFileSync(`${there}/b`, 'there, moved on\n');
    const before = [readTree(here), readTree(there)];
    const strict = await world.csx('apply', plan, '--strict');
    expect(strict, strict.stdout + strict.stderr).toMatchObject({ status: 6 });
    expect(strict.stderr.replaceAll(/\s+/g, ' ')).toContain('it was changed on 127.32.8.2 since it was decided');
    expect([readTree(here), readTree(there)]).toEqual(before);
    const applied = await world.csx('apply', plan);
    expect(applied, applied.stdout + applied.stderr).toMatchObject({ status: 4 });
    expect(readFileSync(`${here}/a`, 'utf8')).toBe('there, longer\n');
    expect(readFileSync(`${here}/b`, 'utf8')).toBe('here\n');
    expect((await world.csx('apply', '--auto-approve', '--on-conflict', 'peer')).status).toBe(0);
    expect(readTree(here)).toEqual(readTree(there));
    expect(await world.peers[0]!.run(['-M'])).toMatchObject({ stdout: '' });
  });
});
