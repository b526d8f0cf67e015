/** What a plan is limited to, and what it says of its peers: csx and real csync2 hosts in one cluster. */

import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { startHosts, stopHosts } from '../safety/hosts.js';
import type { Host } from '../safety/hosts.js';
import { put, startCluster } from '../support/cluster.js';
import type { Cluster } from '../support/cluster.js';

interface PlanJson {
  readonly peers: readonly { readonly name: string; readonly implementation: string; readonly reachable: boolean }[];
  readonly resource_changes: readonly {
    readonly peer: string;
    readonly path: string;
    readonly groups: readonly string[];
  }[];
  readonly options: Readonly<Record<string, unknown>>;
  readonly summary: { readonly create: number };
}

let cluster: Cluster | undefined;
let hosts: readonly Host[] = [];
afterEach(async () => {
  await cluster?.stop();
  cluster = undefined;
  await stopHosts(hosts);
  hosts = [];
});

/** Two groups, with one peer each besides one that is in both. */
async function twoGroups(): Promise<Cluster> {
  return startCluster({
    block: '127.36.12',
    peers: 2,
    config: ([me = '', one = '', two = ''], trees) => `
      nossl * *;
      prefix t { on ${me}: ${trees[0] ?? ''}; on ${one}: ${trees[1] ?? ''}; on ${two}: ${trees[2] ?? ''}; }
      group web { host ${me} ${one} ${two}; key k; include %t%/web; }
      group db { host ${me} ${two}; key k; include %t%/db; }`,
  });
}

describe('a plan limited', () => {
  it('to files and peers and groups, named on the command line, repeatedly, or in a file', async () => {
    cluster = await twoGroups();
    const [tree = ''] = cluster.trees;
    const [, one = '', two = ''] = cluster.hosts;
    for (const name of ['web/a', 'web/b.tmp', 'web/c', 'db/d', 'db/e.bak']) put(`${tree}/${name}`, name);
    const targets = path.join(cluster.root, 'targets');
    const excludes = path.join(cluster.root, 'excludes');
    writeFileSync(targets, `# what is wanted\n${tree}/web/a\n\n${tree}/db/d\n`);
    writeFileSync(excludes, '# what is not\n*.tmp\n*.bak\n');

    const created = async (...args: string[]): Promise<readonly string[]> => {
      const plan = await cluster!.csx('plan', '--json', ...args);
      expect(plan, plan.stderr).toMatchObject({ status: 0 });
      const { resource_changes: changes } = JSON.parse(plan.stdout) as PlanJson;
      const name = (peer: string): string => (peer === one ? 'one' : peer === two ? 'two' : peer);
      return changes
        .filter((change) => /\.|\/[acd]$/.test(change.path.replace('%t%', '')))
        .map((change) => `${name(change.peer)} ${change.path.replace('%t%/', '')}`)
        .sort();
    };
    const web = ['web/a', 'web/b.tmp', 'web/c'];
    const db = ['db/d', 'db/e.bak'];
    const all = [...web.map((file) => `one ${file}`), ...[...db, ...web].map((file) => `two ${file}`)];
    expect(await created()).toEqual(all);
    expect(await created('--target', `${tree}/web/a`, '--target', `${tree}/db`)).toEqual(
      all.filter((each) => /web\/a|db/.test(each)),
    );
    expect(await created('--target-from', targets)).toEqual(all.filter((each) => /web\/a|db\/d/.test(each)));
    expect(await created('--exclude', '*.tmp', '--exclude', '*.bak')).toEqual(
      all.filter((each) => !each.includes('.')),
    );
    expect(await created('--exclude-from', excludes)).toEqual(all.filter((each) => !each.includes('.')));
    expect(await created('--peer', one)).toEqual(all.filter((each) => each.startsWith('one')));
    expect(await created('--peer', `${one},${two}`, '--parallelism', '1')).toEqual(all);
    expect(await created('--group', 'db')).toEqual(all.filter((each) => each.includes('db/')));
    expect(await created('--group', 'db', '--group', 'web', '--exclude', '%t%/db/*')).toEqual(
      all.filter((each) => !each.includes('db/')),
    );
    // What a plan was limited to stands in it, and all of it is left for another time.
    const { options } = JSON.parse(
      (await cluster.csx('plan', '--json', '--group', 'db', '--exclude', '*.bak')).stdout,
    ) as PlanJson;
    expect(options).toMatchObject({ groups: ['db'], excludes: ['*.bak'], targets: [], peers: [] });
    expect((await cluster.csx('apply', '--auto-approve', '--peer', one, '--exclude-from', excludes)).status).toBe(0);
    expect(await created('--exclude-from', excludes)).toEqual(['two db/d', 'two web/a', 'two web/c']);
  });

  it('to one line: the summary, whose words do not change', async () => {
    cluster = await twoGroups();
    put(`${cluster.trees[0]!}/db/d`, 'd');
    expect((await cluster.csx('plan', '--summary')).stdout).toBe(
      'Plan: 2 to create, 0 to update, 0 to delete, 0 conflicts, 0 actions, 1 B to send.\n',
    );
    expect((await cluster.csx('plan', '--summary', '--offline')).stdout).toBe(
      'No peer was asked. 2 changes wait for 1 peer.\n',
    );
  });
});

describe('peers', () => {
  it('are named with what they run, and that they could not be reached', async () => {
    hosts = await startHosts({ block: '127.36.13', kinds: ['csx', 'csx', 'csync2'], silent: [0] });
    const [me, csx, csync2] = hosts as [Host, Host, Host];
    put(`${me.tree}/a`, 'a');
    const peers = async (): Promise<PlanJson['peers']> =>
      (JSON.parse((await me.run(['plan', '--json'])).stdout) as PlanJson).peers;
    expect(await peers()).toMatchObject([
      { name: csx.address, implementation: 'csx', reachable: true },
      { name: csync2.address, implementation: 'csync2', reachable: true },
    ]);
    expect((await me.run(['plan'])).stdout).toMatch(/csx over plain text[^]*csync2 over plain text/);
    await csx.kill();
    expect(await peers()).toMatchObject([
      { implementation: 'unknown', reachable: false },
      { implementation: 'csync2', reachable: true },
    ]);
  });
});

describe('csx db clean', () => {
  it('forgets what was agreed on about files that are gone on both sides, and keeps the rest', async () => {
    cluster = await startCluster({ block: '127.36.14', peers: 1 });
    const [here = '', there = ''] = cluster.trees;
    for (const name of ['a', 'b', 'c']) put(`${here}/${name}`, name);
    expect((await cluster.csx('apply', '--auto-approve')).status).toBe(0);
    rmSync(`${here}/a`);
    expect((await cluster.csx('apply', '--auto-approve')).status).toBe(0);
    // Made anew and not sent yet: that it was gone on both sides still counts.
    rmSync(`${here}/b`);
    expect((await cluster.csx('apply', '--auto-approve')).status).toBe(0);
    put(`${here}/b`, 'b, anew');
    expect((await cluster.csx('scan')).status).toBe(0);
    expect((await cluster.csx('db', 'clean', '--dry-run')).stdout).toContain(
      'Would be removed: 0 files, 0 marks and 1 baseline.',
    );
    const cleaned = JSON.parse((await cluster.csx('db', 'clean', '--json')).stdout) as object;
    expect(cleaned).toMatchObject({ files: [], dirty: [], baselines: [{ path: '%t%/a', peer: cluster.hosts[1] }] });
    expect((await cluster.csx('db', 'clean')).stdout).toContain('Removed: 0 files, 0 marks and 0 baselines.');
    // Judged as before: what both make anew is a conflict, what only this host makes is none.
    put(`${there}/a`, 'made there');
    put(`${here}/a`, 'made here, too');
    const plan = JSON.parse((await cluster.csx('plan', '--json')).stdout) as {
      readonly conflicts: readonly { readonly path: string; readonly kind: string }[];
      readonly summary: object;
    };
    expect(plan.conflicts).toMatchObject([{ path: '%t%/a', kind: 'both-created' }]);
    expect(plan.summary).toMatchObject({ create: 1 });
  });
});
