/** What goes wrong around csx: each a clear message, a status of its own, and nothing lost. And what a plan leaves alone. */

import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, rmSync, statSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, describe, expect, it } from 'vitest';
import { put, startCluster } from '../support/cluster.js';
import type { Cluster } from '../support/cluster.js';
import { readTree } from '../support/tree.js';

const BLOCK = '127.30.3';
let cluster: Cluster;

afterEach(async () => {
  await cluster.stop();
});

/** Every file below a directory with its content, mode and nanosecond times. */
function freeze(root: string): Record<string, string> {
  const states: Record<string, string> = {};
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath, entry.name);
    const stats = statSync(file, { bigint: true });
    const content = entry.isFile() ? createHash('sha256').update(readFileSync(file)).digest('hex') : '';
    states[file] = `${stats.mode}:${stats.uid}:${stats.mtimeNs}:${stats.ctimeNs}:${content}`;
  }
  return states;
}

describe('a plan', () => {
  it('leaves trees and databases of both hosts byte-identical', async () => {
    cluster = await startCluster({ block: BLOCK, peers: 1 });
    put(`${cluster.trees[0]!}/a`, 'a');
    put(`${cluster.trees[0]!}/b`, 'b');
    expect((await cluster.csx('apply', '--auto-approve')).status).toBe(0);
    put(`${cluster.trees[0]!}/a`, 'changed');
    put(`${cluster.trees[0]!}/new/file`, 'new');
    unlinkSync(`${cluster.trees[0]!}/b`);
    put(`${cluster.trees[1]!}/a`, 'changed there too');
    const state = (): object => ({
      trees: cluster.trees.map(freeze),
      here: freeze(cluster.databaseDirectory),
      there: freeze(cluster.peers[0]!.databaseDirectory),
    });
    const before = state();
    const plan = await cluster.csx('plan');
    expect(plan.status).toBe(0);
    expect(plan.stdout).toContain('1 to delete, 1 conflict');
    expect(state()).toEqual(before);
    // Nor where contents are fetched, or a plan is kept.
    const saved = path.join(cluster.root, 'saved.plan');
    expect(await cluster.csx('plan', '--diff', '--on-conflict', 'peer', '--out', saved)).toMatchObject({ status: 0 });
    expect(await cluster.csx('plan', '--offline', '--json')).toMatchObject({ status: 0 });
    expect(state()).toEqual(before);
  });

  it('makes no database where there is none', async () => {
    cluster = await startCluster({ block: BLOCK, peers: 1 });
    put(`${cluster.trees[0]!}/a`, 'a');
    expect((await cluster.csx('plan')).status).toBe(0);
    expect(readdirSync(cluster.databaseDirectory)).toEqual([]);
  });

  it('reads the database csync2 made, and csync2 goes on with the one csx wrote', async () => {
    cluster = await startCluster({ block: BLOCK, peers: 1 });
    put(`${cluster.trees[0]!}/a`, 'a');
    expect(await cluster.csync2('-x')).toMatchObject({ status: 0 });
    expect((await cluster.csx('plan', '--detailed-exitcode')).status).toBe(0);
    put(`${cluster.trees[0]!}/b`, 'b');
    expect((await cluster.csx('apply', '--auto-approve')).status).toBe(0);
    put(`${cluster.trees[0]!}/c`, 'c');
    unlinkSync(`${cluster.trees[0]!}/a`);
    expect(await cluster.csync2('-x')).toMatchObject({ status: 0 });
    expect(readTree(cluster.trees[1]!)).toEqual(readTree(cluster.trees[0]!));
    expect((await cluster.csx('plan', '--detailed-exitcode')).status).toBe(0);
    expect((await cluster.csync2('-M')).status).toBe(2);
    // Marks of either are sent by the other.
    put(`${cluster.trees[0]!}/d`, 'd');
    expect((await cluster.csx('scan')).status).toBe(0);
    expect(await cluster.csync2('-u')).toMatchObject({ status: 0 });
    put(`${cluster.trees[0]!}/e`, 'e');
    expect(await cluster.csync2('-cr', '/')).toMatchObject({ status: 0 });
    expect((await cluster.csx('apply', '--auto-approve')).status).toBe(0);
    expect(readTree(cluster.trees[1]!)).toEqual(readTree(cluster.trees[0]!));
  });
});

describe('conflicts', () => {
  it('are predicted, agree with what the peer does, and are decided by force', async () => {
    cluster = await startCluster({ block: BLOCK, peers: 1 });
    put(`${cluster.trees[0]!}/a`, 'a');
    expect((await cluster.csx('apply', '--auto-approve')).status).toBe(0);
    put(`${cluster.trees[0]!}/a`, 'here');
    put(`${cluster.trees[1]!}/a`, 'there, longer');
    expect((await cluster.csx('plan', '--error-on-conflict')).status).toBe(3);
    const applied = await cluster.csx('apply', '--auto-approve');
    expect(applied.status).toBe(3);
    expect(readFileSync(`${cluster.trees[1]!}/a`, 'utf8')).toBe('there, longer');
    expect((await cluster.csync2('-u')).status).toBe(1);
    expect((await cluster.csx('force', `${cluster.trees[0]!}/a`)).status).toBe(0);
    expect((await cluster.csx('apply', '--auto-approve')).status).toBe(0);
    expect(readFileSync(`${cluster.trees[1]!}/a`, 'utf8')).toBe('here');
  });

  it('of a file that is removed here are settled by force too', async () => {
    cluster = await startCluster({ block: BLOCK, peers: 1 });
    put(`${cluster.trees[0]!}/a`, 'a');
    put(`${cluster.trees[0]!}/b`, 'b');
    expect((await cluster.csx('apply', '--auto-approve')).status).toBe(0);
    unlinkSync(`${cluster.trees[0]!}/a`);
    put(`${cluster.trees[1]!}/a`, 'changed there');
    expect((await cluster.csx('apply', '--auto-approve')).status).toBe(3);
    const forced = await cluster.csx('force', `${cluster.trees[0]!}/a`);
    expect(forced, forced.stderr).toMatchObject({ status: 0 });
    expect((await cluster.csx('apply', '--auto-approve')).status).toBe(0);
    expect(readdirSync(cluster.trees[1]!)).toEqual(['b']);
  });

  it('that only the peer knows of are found at apply, remembered, and then decided by the auto method', async () => {
    cluster = await startCluster({ block: BLOCK, peers: 1, group: 'auto younger;' });
    put(`${cluster.trees[0]!}/a`, 'a');
    expect(await cluster.csync2('-x')).toMatchObject({ status: 0 });
    // The peer's change is recorded there, so its row agrees with its disk, and csx has no baseline: it cannot know.
    put(`${cluster.trees[1]!}/a`, 'there');
    expect(await cluster.peers[0]!.run(['-cr', '/'])).toMatchObject({ status: 0 });
    put(`${cluster.trees[0]!}/a`, 'here!');
    const later = Date.now() / 1000 + 10;
    utimesSync(`${cluster.trees[0]!}/a`, later, later);
    expect(await cluster.csync2('-cr', '/')).toMatchObject({ status: 0 });
    let applied = await cluster.csx('apply', '--auto-approve');
    if (applied.status === 3) applied = await cluster.csx('apply', '--auto-approve');
    expect([applied.status, readFileSync(`${cluster.trees[1]!}/a`, 'utf8')]).toEqual([0, 'here!']);
  });

  it('with the same content on both sides are none', async () => {
    cluster = await startCluster({ block: BLOCK, peers: 1 });
    put(`${cluster.trees[0]!}/a`, 'same');
    put(`${cluster.trees[1]!}/a`, 'same');
    expect((await cluster.csx('apply', '--auto-approve')).status).toBe(0);
    expect((await cluster.csx('plan', '--detailed-exitcode')).status).toBe(0);
  });
});

describe('trouble', () => {
  it('a configuration error names file, line and column', async () => {
    cluster = await startCluster({ block: BLOCK, peers: 1 });
    writeFileSync(path.join(cluster.systemDirectory, 'csync2.cfg'), 'group g {\n  hots a b;\n}\n');
    const plan = await cluster.csx('plan');
    expect(plan.status).toBe(1);
    expect(plan.stderr).toContain('csync2.cfg:2:3');
    expect(plan.stderr).toContain('host');
  });

  it('an unreadable key names the file', async () => {
    cluster = await startCluster({ block: BLOCK, peers: 1 });
    rmSync(path.join(cluster.systemDirectory, 'k'));
    const plan = await cluster.csx('plan');
    expect(plan.status).toBe(1);
    expect(plan.stderr).toContain(path.join(cluster.systemDirectory, 'k'));
  });

  it('a locked database names who holds it, with the status for waiting in vain', async () => {
    cluster = await startCluster({ block: BLOCK, peers: 1 });
    put(`${cluster.trees[0]!}/a`, 'a');
    expect((await cluster.csx('apply', '--auto-approve')).status).toBe(0);
    put(`${cluster.trees[0]!}/a`, 'b');
    const holder = new Database(cluster.database);
    holder.exec('BEGIN IMMEDIATE');
    try {
      const applied = await cluster.csx('apply', '--auto-approve', '--lock-timeout', '1');
      expect(applied.status).toBe(9);
      expect(applied.stderr).toContain(String(process.pid));
    } finally {
      holder.exec('ROLLBACK');
      holder.close();
    }
    expect((await cluster.csx('apply', '--auto-approve')).status).toBe(0);
    expect(readFileSync(`${cluster.trees[1]!}/a`, 'utf8')).toBe('b');
  });

  it('a database that is none is named, not overwritten', async () => {
    cluster = await startCluster({ block: BLOCK, peers: 1 });
    writeFileSync(cluster.database, 'this is no database, but somebody may want it');
    const applied = await cluster.csx('apply', '--auto-approve');
    expect(applied.status).toBe(1);
    expect(applied.stderr).toContain(cluster.database);
    expect(readFileSync(cluster.database, 'utf8')).toContain('somebody may want it');
  });

  it('garbage from the peer and a peer that closes at once are told, and nothing is lost', async () => {
    cluster = await startCluster({ block: BLOCK, peers: 1 });
    put(`${cluster.trees[0]!}/a`, 'a');
    await cluster.peers[0]!.kill();
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.write('\x00\xffHTTP/1.1 400 Bad Request\r\n\r\n');
    });
    await new Promise<void>((resolve) => server.listen(30865, cluster.hosts[1], resolve));
    try {
      const plan = await cluster.csx('plan');
      expect(plan.status).toBe(4);
      const applied = await cluster.csx('apply', '--auto-approve');
      expect(applied.status).toBe(4);
    } finally {
      server.close();
    }
    expect((await cluster.csync2('-M')).stdout).toContain('%t%/a');
  });

  it('a daemon that dies in mid-transfer costs nothing but time', async () => {
    cluster = await startCluster({ block: BLOCK, peers: 1 });
    for (let index = 0; index < 3000; index++) put(`${cluster.trees[0]!}/d${index % 20}/f${index}`, `file ${index}\n`);
    const running = cluster.csx('apply', '--auto-approve', '--timeout', '10');
    const started = Date.now();
    while (readdirSync(cluster.trees[1]!).length < 15 && Date.now() - started < 20_000) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await cluster.peers[0]!.kill();
    const broken = await running;
    expect(broken.status).toBe(4);
    expect(broken.stdout).toContain('not attempted');
    // Nothing is taken for done that is not. csync2 itself takes the one file it was just dressing for a change made there.
    await cluster.restart(0, async () => {
      const again = await cluster.csx('apply', '--auto-approve', '--json');
      const records = again.stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as { summary?: { conflicts: number; failed: number } });
      expect(records.at(-1)!.summary, again.stdout + again.stderr).toMatchObject({ failed: 0 });
      expect(records.at(-1)!.summary!.conflicts).toBeLessThanOrEqual(1);
      if (again.status === 3) {
        expect((await cluster.csx('force', '-r', cluster.trees[0]!)).status).toBe(0);
        expect((await cluster.csx('apply', '--auto-approve')).status).toBe(0);
      } else expect(again.status).toBe(0);
    });
    // csync2 leaves its temporary file of the file it was writing behind.
    expect(readTree(cluster.trees[1]!)).toMatchObject(readTree(cluster.trees[0]!));
  });

  it('a tree that vanished is a failed check, not a list of deletions', async () => {
    cluster = await startCluster({ block: BLOCK, peers: 1 });
    put(`${cluster.trees[0]!}/a`, 'a');
    put(`${cluster.trees[0]!}/b`, 'b');
    expect((await cluster.csx('apply', '--auto-approve')).status).toBe(0);
    rmSync(cluster.trees[0]!, { recursive: true });
    expect((await cluster.csx('plan')).status).toBe(5);
    expect((await cluster.csx('apply', '--auto-approve')).status).toBe(5);
    expect((await cluster.csx('scan')).status).toBe(5);
    expect(readdirSync(cluster.trees[1]!).sort()).toEqual(['a', 'b']);
  });

  it('asks nobody where nobody is: the plan has to be approved by a flag', async () => {
    cluster = await startCluster({ block: BLOCK, peers: 1 });
    put(`${cluster.trees[0]!}/a`, 'a');
    const applied = await cluster.csx('apply');
    expect(applied.status).toBe(64);
    expect(applied.stderr).toContain('--auto-approve');
    expect(readdirSync(cluster.trees[1]!)).toEqual([]);
    const json = await cluster.csx('apply', '--json');
    const records = json.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string; diagnostic?: { code: string } });
    expect(records.at(-1)).toMatchObject({ type: 'result', exit_code: 64 });
    expect(records.map((record) => record.diagnostic?.code)).toContain('NEEDS_INPUT');
  });
});
