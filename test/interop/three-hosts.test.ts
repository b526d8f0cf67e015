/** Three hosts, csx and two csync2, with versions of their own: decided once, everyone gets it, and nobody finds anything left to do. */

import { existsSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { put, startCluster } from '../support/cluster.js';
import type { Cluster } from '../support/cluster.js';
import { readTree } from '../support/tree.js';

describe('three hosts', () => {
  let cluster: Cluster;
  let here: string;
  let second: string;
  let third: string;

  beforeAll(async () => {
    cluster = await startCluster({ block: '127.32.3', peers: 2 });
    [here, second, third] = cluster.trees as [string, string, string];
  });
  afterAll(async () => {
    await cluster.stop();
  });

  async function agree(name: string): Promise<void> {
    put(`${here}/${name}`, 'common\n');
    await apply();
  }

  async function apply(...args: string[]): Promise<void> {
    const applied = await cluster.csx('apply', '--auto-approve', '--max-delete', '100%', ...args);
    expect(applied, applied.stdout + applied.stderr).toMatchObject({ status: 0 });
  }

  async function settled(): Promise<void> {
    expect(readTree(second)).toEqual(readTree(here));
    expect(readTree(third)).toEqual(readTree(here));
    const plan = await cluster.csx('plan', '--detailed-exitcode');
    expect(plan, plan.stdout + plan.stderr).toMatchObject({ status: 0 });
    expect(await cluster.csync2('-M')).toMatchObject({ stdout: '', status: 2 });
    for (const peer of cluster.peers) expect(await peer.run(['-M'])).toMatchObject({ stdout: '', status: 2 });
    const [first, ...others] = cluster.hosts as [string, string, string];
    for (const other of others)
      expect(await cluster.csync2('-T', first, other)).toMatchObject({ status: 2, stdout: '' });
    for (const peer of cluster.peers) {
      const run = await cluster.servingCsync2(() => peer.run(['-x']));
      expect(run, run.stderr).toMatchObject({ status: 0 });
      expect(await peer.run(['-M'])).toMatchObject({ stdout: '', status: 2 });
    }
  }

  /** Writes decisions: a choice for each peer. */
  async function decide(choices: Readonly<Record<string, string>>): Promise<string> {
    const file = path.join(cluster.root, 'decisions.json');
    expect((await cluster.csx('resolve', '--write', file)).status).toBe(0);
    const document = JSON.parse(readFileSync(file, 'utf8')) as { resolutions: { peer: string; keep: string }[] };
    expect(document.resolutions.map(({ peer }) => peer)).toEqual(Object.keys(choices));
    for (const each of document.resolutions) each.keep = choices[each.peer] ?? 'skip';
    writeFileSync(file, JSON.stringify(document));
    return file;
  }

  it('with three versions: the one that is taken goes to the third', async () => {
    await agree('a');
    for (const [root, text] of [
      [here, 'first\n'],
      [second, 'second, longer\n'],
      [third, 'third, the longest\n'],
    ]) {
      writeFileSync(`${root!}/a`, text!);
    }
    await apply('--resolutions', await decide({ '127.32.3.2': 'peer', '127.32.3.3': 'local' }));
    expect(readFileSync(`${third}/a`, 'utf8')).toBe('second, longer\n');
    await settled();
  });

  it('with three versions, all to be taken: none is by chance, and --from says whose', async () => {
    await agree('b');
    const texts = ['first\n', 'second, longer\n', 'third, the longest\n'];
    for (const [index, text] of texts.entries()) writeFileSync(`${cluster.trees[index]!}/b`, text);
    const first = await cluster.csx('resolve', '--keep', 'peer');
    expect(first, first.stdout + first.stderr).toMatchObject({ status: 3 });
    expect(first.stdout).toContain('csx resolve %t%/b --keep peer --from 127.32.3.2');
    expect(cluster.trees.map((tree) => readFileSync(`${tree}/b`, 'utf8'))).toEqual(texts);
    expect(await cluster.csx('resolve', '--keep', 'peer', '--from', 'nobody')).toMatchObject({ status: 64 });
    const second = await cluster.csx('resolve', '--keep', 'peer', '--from', '127.32.3.3');
    expect(second, second.stdout + second.stderr).toMatchObject({ status: 0 });
    expect(readFileSync(`${here}/b`, 'utf8')).toBe('third, the longest\n');
    await settled();
  });

  it('where the third got its version from the second, and nothing is marked for it', async () => {
    await agree('g');
    // Both send to the third, and not to each other yet.
    writeFileSync(`${here}/g`, 'first\n');
    expect((await cluster.csx('apply', '--auto-approve', '--peer', '127.32.3.3')).status).toBe(0);
    writeFileSync(`${second}/g`, 'second, longer\n');
    await cluster.peers[0]!.run(['-x', '-P', '127.32.3.3']);
    expect(readFileSync(`${third}/g`, 'utf8')).toBe('second, longer\n');
    expect((await cluster.csync2('-M')).stdout).not.toContain('127.32.3.3');
    const resolved = await cluster.csx('resolve', '--keep', 'local');
    expect(resolved, resolved.stdout + resolved.stderr).toMatchObject({ status: 0 });
    expect(readFileSync(`${third}/g`, 'utf8')).toBe('first\n');
    await settled();
  });

  it('keeps all three, and sends the copies with the next run', async () => {
    await agree('h');
    const texts = ['first\n', 'second, longer\n', 'third, the longest\n'];
    for (const [index, text] of texts.entries()) writeFileSync(`${cluster.trees[index]!}/h`, text);
    expect(await cluster.csx('resolve', '--keep', 'both')).toMatchObject({ status: 0 });
    await apply();
    for (const tree of cluster.trees) {
      expect(readFileSync(`${tree}/h`, 'utf8')).toBe('first\n');
      expect(readFileSync(`${tree}/h.from-127.32.3.2`, 'utf8')).toBe('second, longer\n');
      expect(readFileSync(`${tree}/h.from-127.32.3.3`, 'utf8')).toBe('third, the longest\n');
    }
    await settled();
  });

  it('merges all three, one after the other', async () => {
    await agree('i');
    const texts = ['one\ntwo\n', 'one\nsecond\n', 'one\nthird\n'];
    for (const [index, text] of texts.entries()) writeFileSync(`${cluster.trees[index]!}/i`, text);
    const tool = path.join(cluster.root, 'tool');
    writeFileSync(tool, '#!/bin/sh\ngrep -v "^[<=>]" "$3" > "$3.new"; mv "$3.new" "$3"\n', { mode: 0o755 });
    const merged = await cluster.csx('resolve', '--merge-tool', tool);
    expect(merged, merged.stdout + merged.stderr).toMatchObject({ status: 0 });
    for (const tree of cluster.trees) expect(readFileSync(`${tree}/i`, 'utf8')).toBe('one\ntwo\nsecond\nthird\n');
    await settled();
  });

  it('where the third has no version of its own: it gets the one that is taken in the same run', async () => {
    await agree('c');
    writeFileSync(`${here}/c`, 'first\n');
    writeFileSync(`${second}/c`, 'second, longer\n');
    await apply('--on-conflict', 'peer');
    expect(readFileSync(`${third}/c`, 'utf8')).toBe('second, longer\n');
    await settled();
  });

  it('where both others hold the same version already', async () => {
    await agree('d');
    writeFileSync(`${here}/d`, 'first\n');
    writeFileSync(`${second}/d`, 'second, longer\n');
    // The first host serves meanwhile, and refuses: its own change is not sent yet.
    await cluster.servingCsync2(() => cluster.peers[0]!.run(['-x']));
    expect(readFileSync(`${third}/d`, 'utf8')).toBe('second, longer\n');
    await apply('--on-conflict', 'peer');
    await settled();
  });

  it('where the second removed what the third changed', async () => {
    await agree('e');
    writeFileSync(`${here}/e`, 'first\n');
    unlinkSync(`${second}/e`);
    writeFileSync(`${third}/e`, 'third, the longest\n');
    await apply('--resolutions', await decide({ '127.32.3.2': 'peer', '127.32.3.3': 'local' }));
    expect(existsSync(`${third}/e`)).toBe(false);
    await settled();
  });

  it('fails, skips, or follows the method, as --on-conflict says', async () => {
    await agree('f');
    writeFileSync(`${here}/f`, 'first\n');
    writeFileSync(`${second}/f`, 'second, longer\n');
    const before = readTree(second);
    for (const [rule, status] of [
      ['fail', 3],
      ['skip', 0],
      ['auto', 3],
    ] as const) {
      const applied = await cluster.csx('apply', '--auto-approve', '--on-conflict', rule);
      expect(applied, applied.stdout + applied.stderr).toMatchObject({ status });
      expect(readTree(second)).toEqual(before);
    }
    await apply('--on-conflict', 'local');
    await settled();
  });
});
