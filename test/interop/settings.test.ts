/** csx against the csync2 daemon under other settings: TLS, several groups, slaves, other names, ignored attributes, -G, -C, -P. */

import { chmodSync, chownSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { KEY, put, startCluster } from '../support/cluster.js';
import type { Cluster, ClusterOptions } from '../support/cluster.js';
import { makePair } from '../support/csync2-daemon.js';
import { readTree } from '../support/tree.js';

const BLOCK = '127.30.2';
let cluster: Cluster;

async function start(options: Omit<ClusterOptions, 'block'>): Promise<void> {
  cluster = await startCluster({ block: BLOCK, ...options });
}

afterEach(async () => {
  await cluster.stop();
});

/** Applies with these arguments; the status must be 0. */
async function apply(...args: string[]): Promise<void> {
  const applied = await cluster.csx('apply', '--auto-approve', ...args);
  expect(applied, applied.stdout + applied.stderr).toMatchObject({ status: 0 });
}

interface StatusJson {
  readonly last_success: string | null;
  readonly peers: readonly { readonly asked: string | null; readonly since: string | null }[];
}

async function statusOf(): Promise<StatusJson> {
  return JSON.parse((await cluster.csx('status', '--json')).stdout) as StatusJson;
}

describe('encrypted', () => {
  it('pins the certificate at the first apply, not at a plan, and refuses another one later', async () => {
    await start({ peers: 1, tls: true });
    put(`${cluster.trees[0]!}/a`, 'a');
    const planned = await cluster.csx('plan', '--json');
    expect(JSON.parse(planned.stdout)).toMatchObject({ peers: [{ tls: true, reachable: true }] });
    expect(JSON.parse((await cluster.csx('trust', 'list', '--json')).stdout)).toMatchObject({ pins: [] });
    await apply();
    expect(JSON.parse((await cluster.csx('trust', 'list', '--json')).stdout)).toMatchObject({
      pins: [{ peer: `${BLOCK}.2` }],
    });
    expect(readTree(cluster.trees[1]!)).toEqual(readTree(cluster.trees[0]!));
    expect((await cluster.csx('trust', 'verify')).status).toBe(0);

    const other = makePair(2048, '/CN=somebody else');
    writeFileSync(path.join(cluster.peers[0]!.systemDirectory, 'csync2_ssl_cert.pem'), other.certificate);
    writeFileSync(path.join(cluster.peers[0]!.systemDirectory, 'csync2_ssl_key.pem'), other.key);
    put(`${cluster.trees[0]!}/b`, 'secret');
    const refused = await cluster.csx('apply', '--auto-approve');
    expect(refused.status).toBe(4);
    expect(refused.stdout.replaceAll(/\s+/g, ' ')).toContain(`csx trust remove ${BLOCK}.2`);
    expect(existsSync(`${cluster.trees[1]!}/b`)).toBe(false);
    expect((await cluster.csx('trust', 'verify')).status).toBe(1);

    expect((await cluster.csx('trust', 'remove', `${BLOCK}.2`)).status).toBe(0);
    await apply();
    expect(readTree(cluster.trees[1]!)).toEqual(readTree(cluster.trees[0]!));
  });

  it('is accepted by csync2 afterwards: both pinned the same certificates', async () => {
    await start({ peers: 1, tls: true });
    put(`${cluster.trees[0]!}/a`, 'a');
    await apply();
    put(`${cluster.trees[0]!}/b`, 'b');
    const updated = await cluster.csync2('-xv');
    expect(updated, updated.stderr).toMatchObject({ status: 0 });
    expect(readTree(cluster.trees[1]!)).toEqual(readTree(cluster.trees[0]!));
    expect((await cluster.csx('plan', '--detailed-exitcode')).status).toBe(0);
  });
});

describe('several peers and groups', () => {
  const twoGroups = (hosts: readonly string[], trees: readonly string[]): string => `
    nossl * *;
    prefix t { ${hosts.map((host, index) => `on ${host}: ${trees[index]!};`).join(' ')} }
    group both { host ${hosts.join(' ')}; key k; include %t%/common; include %t%/shared; }
    group pair { host ${hosts[0]!} ${hosts[1]!}; key k2; include %t%/pair; include %t%/shared; }
    group others { host ${hosts[1]!} ${hosts[2]!}; key key-that-is-not-here; include %t%/foreign; }`;

  it('sends each file to the peers of its groups, with the key of the group that counts', async () => {
    await start({ peers: 2, config: twoGroups, keys: { k2: 'z'.repeat(64), 'key-that-is-not-here': 'y'.repeat(64) } });
    for (const name of ['common/a', 'pair/b', 'shared/c', 'foreign/d']) put(`${cluster.trees[0]!}/${name}`, name);
    // csync2 needs the keys of all groups, csx those of its own.
    writeFileSync(path.join(cluster.systemDirectory, 'key-that-is-not-here'), 'bad');
    await apply();
    const has = (host: number, name: string): boolean => existsSync(`${cluster.trees[host]!}/${name}`);
    expect(['common/a', 'pair/b', 'shared/c', 'foreign/d'].map((name) => [has(1, name), has(2, name)])).toEqual([
      [true, true],
      [true, false],
      [true, true],
      [false, false],
    ]);
  });

  it('-G and -P limit what is sent, not what is marked', async () => {
    await start({ peers: 2, config: twoGroups, keys: { k2: 'z'.repeat(64), 'key-that-is-not-here': 'y'.repeat(64) } });
    for (const name of ['common/a', 'pair/b']) put(`${cluster.trees[0]!}/${name}`, name);
    await apply('-G', 'pair');
    expect(existsSync(`${cluster.trees[1]!}/pair/b`)).toBe(true);
    expect(existsSync(`${cluster.trees[1]!}/common/a`)).toBe(false);
    await apply('-P', cluster.hosts[2]!);
    expect(existsSync(`${cluster.trees[2]!}/common/a`)).toBe(true);
    expect(existsSync(`${cluster.trees[1]!}/common/a`)).toBe(false);
    await apply();
    expect(existsSync(`${cluster.trees[1]!}/common/a`)).toBe(true);
    expect((await cluster.csx('plan', '--detailed-exitcode')).status).toBe(0);
  });

  it('a dead peer delays only itself, keeps its marks, and is served when it is back', async () => {
    await start({ peers: 2 });
    put(`${cluster.trees[0]!}/a`, 'a');
    await cluster.peers[1]!.kill();
    const applied = await cluster.csx('apply', '--auto-approve');
    expect(applied.status).toBe(4);
    expect(applied.stdout).toContain('not attempted');
    expect(readTree(cluster.trees[1]!)).toEqual(readTree(cluster.trees[0]!));
    const dirty = JSON.parse((await cluster.csx('db', 'list', 'dirty', '--json')).stdout) as {
      rows: { peer: string }[];
    };
    expect(new Set(dirty.rows.map((row) => row.peer))).toEqual(new Set([cluster.hosts[2]!]));
    const status = await cluster.csx('status', '--detailed-exitcode');
    expect(status.status).toBe(2);
    const [, alive, dead] = cluster.hosts;
    expect(status.stdout).toMatch(new RegExp(`^${alive!} +nothing +yes  `, 'm'));
    expect(status.stdout).toMatch(new RegExp(`^${dead!} +\\d+ changes? +just now +NO, just now`, 'm'));
    const first = await statusOf();
    expect(first).toMatchObject({ last_run: { exit_status: 4 }, last_success: null });
    expect(first.peers[1]).toMatchObject({ name: dead, reachable: false, error: { code: 'PEER_UNREACHABLE' } });
    // Nor is it reached by the next run: the time since when it is so stays, and the time it was asked moves.
    expect((await cluster.csx('apply', '--auto-approve')).status).toBe(4);
    const second = await statusOf();
    expect(second.peers[1]!.since).toBe(first.peers[1]!.since);
    expect(second.peers[1]!.asked! > first.peers[1]!.asked!).toBe(true);
    // A run that has nothing to do with it leaves what is known of it.
    await apply('-P', alive!);
    const third = await statusOf();
    expect(third.peers[1]).toEqual(second.peers[1]);
    expect(third.last_success).not.toBeNull();
    await cluster.restart(1, () => apply());
    const fourth = await statusOf();
    expect(fourth.peers[1]).toMatchObject({ reachable: true, waiting: 0, error: null });
    expect(fourth.peers[1]!.since! > third.peers[1]!.since!).toBe(true);
    expect(fourth.peers[0]!.since).toBe(first.peers[0]!.since);
    expect((await cluster.csx('status', '--detailed-exitcode')).status).toBe(0);
  });
});

describe('other settings', () => {
  it('slaves receive, and always', async () => {
    await start({
      peers: 1,
      config: (hosts, trees) => `
        nossl * *;
        prefix t { on ${hosts[0]!}: ${trees[0]!}; on ${hosts[1]!}: ${trees[1]!}; }
        group g { host ${hosts[0]!} (${hosts[1]!}); key k; include %t%; }`,
    });
    put(`${cluster.trees[0]!}/a`, 'master');
    await apply();
    writeFileSync(`${cluster.trees[1]!}/a`, 'changed on the slave, and longer');
    writeFileSync(`${cluster.trees[0]!}/a`, 'changed on the master');
    await apply();
    expect(readFileSync(`${cluster.trees[1]!}/a`, 'utf8')).toBe('changed on the master');
  });

  it('a slave sends nothing, says so, and asks nothing that would change the master', async () => {
    await start({
      peers: 1,
      config: (hosts, trees) => `
        nossl * *;
        prefix t { on ${hosts[0]!}: ${trees[0]!}; on ${hosts[1]!}: ${trees[1]!}; }
        group g { host (${hosts[0]!}) ${hosts[1]!}; key k; include %t%; }`,
    });
    put(`${cluster.trees[0]!}/a`, 'slave');
    const before = existsSync(cluster.peers[0]!.database) ? readFileSync(cluster.peers[0]!.database) : undefined;
    const plan = await cluster.csx('plan');
    expect(plan.stdout).toMatch(/slave/);
    expect(existsSync(`${cluster.trees[1]!}/a`)).toBe(false);
    const after = existsSync(cluster.peers[0]!.database) ? readFileSync(cluster.peers[0]!.database) : undefined;
    expect(after).toEqual(before);
  });

  it('ignores owner and mode where the configuration says so', async () => {
    await start({
      peers: 1,
      config: (hosts, trees) => `
        nossl * *; ignore uid mod;
        prefix t { on ${hosts[0]!}: ${trees[0]!}; on ${hosts[1]!}: ${trees[1]!}; }
        group g { host ${hosts.join(' ')}; key k; include %t%; }`,
    });
    put(`${cluster.trees[0]!}/a`, 'a', 0o644);
    await apply();
    chownSync(`${cluster.trees[0]!}/a`, 7, 0);
    chmodSync(`${cluster.trees[0]!}/a`, 0o600);
    expect((await cluster.csx('plan', '--detailed-exitcode')).status).toBe(0);
    chownSync(`${cluster.trees[0]!}/a`, 7, 9);
    expect((await cluster.csx('plan', '--detailed-exitcode')).status).toBe(2);
    await apply();
    expect(readTree(cluster.trees[1]!)['a']).toMatchObject({ owner: '0:9' });
    expect((await cluster.csx('plan', '--detailed-exitcode')).status).toBe(0);
  });

  it('uses the names after @ and another configuration (-C)', async () => {
    await start({
      peers: 1,
      configName: 'other',
      config: (hosts, trees) => `
        nossl * *;
        prefix t { on ${hosts[0]!}: ${trees[0]!}; on ${hosts[1]!}: ${trees[1]!}; }
        group g { host ${hosts[0]!}@${hosts[0]!} ${hosts[1]!}@${hosts[1]!}; key k; include %t%; }`,
    });
    put(`${cluster.trees[0]!}/a`, 'a');
    await apply();
    expect(readTree(cluster.trees[1]!)).toEqual(readTree(cluster.trees[0]!));
    expect(existsSync(path.join(cluster.databaseDirectory, `${cluster.hosts[0]!}_other.db3`))).toBe(true);
  });

  it('a wrong key is refused by the peer, named in the plan, and nothing is lost', async () => {
    await start({ peers: 1 });
    writeFileSync(path.join(cluster.systemDirectory, 'k'), KEY.toLowerCase());
    put(`${cluster.trees[0]!}/a`, 'a');
    const plan = await cluster.csx('plan');
    expect(plan.status).toBe(4);
    expect(plan.stdout).toContain('Permission denied!');
    const applied = await cluster.csx('apply', '--auto-approve');
    expect(applied.status).toBe(4);
    expect(existsSync(`${cluster.trees[1]!}/a`)).toBe(false);
    writeFileSync(path.join(cluster.systemDirectory, 'k'), KEY);
    await apply();
    expect(readTree(cluster.trees[1]!)).toEqual(readTree(cluster.trees[0]!));
  });

  it('a name the peer does not believe is an error that says so', async () => {
    await start({
      peers: 1,
      config: (hosts, trees) => `
        nossl * *;
        prefix t { on *: ${trees[0]!}; }
        group g { host ${hosts[0]!}@127.30.2.99 ${hosts[1]!}; key k; include %t%; }`,
    });
    put(`${cluster.trees[0]!}/a`, 'a');
    const applied = await cluster.csx('apply', '--auto-approve');
    expect(applied.status).toBe(4);
    expect(applied.stdout + applied.stderr).toMatch(/Identification failed|does not believe|identif/i);
  });
});
