/**
 * Promises 2 and 3 with the real csync2 as the client: csx's daemon is killed (SIGKILL) under it at moments chosen by chance. What csync2
 * has no dirty row for any more stands here as it was sent; what it has one for stands here as it was or as it was sent; the next run
 * brings both together, without a conflict, and nothing staged is left.
 *
 * CSX_SEED=SEED replays the moments (as far as clocks do).
 */

import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { put } from '../support/cluster.js';
import { readTree } from '../support/tree.js';
import { LONG, staged, startHosts, stopHosts, tally, times } from './hosts.js';
import type { Host } from './hosts.js';
import { stateOf } from './watching.js';

let hosts: Host[] | undefined;

afterEach(async () => {
  await stopHosts(hosts);
  hosts = undefined;
});

/** Written in every round; those of one round are made in it, and removed in the next. */
const ALWAYS = ['a', 'b', 'c', 'd/e', 'd/f'];

function passing(round: number): string[] {
  return [`new-${String(round)}`, `made-${String(round)}/inside`];
}

/** Names that may be dirty then. */
function edit(tree: string, round: number): string[] {
  for (const [index, name] of [...ALWAYS, ...passing(round)].entries()) {
    put(`${tree}/${name}`, `round ${String(round)} of ${name}\n`.repeat(index === 0 ? 4000 : 20));
    fs.chmodSync(`${tree}/${name}`, round % 2 === 0 ? 0o640 : 0o604);
    fs.utimesSync(`${tree}/${name}`, 1_000_000, 1_000_000 + round);
  }
  for (const name of [`new-${String(round - 1)}`, `made-${String(round - 1)}`])
    fs.rmSync(`${tree}/${name}`, { recursive: true, force: true });
  return [...ALWAYS, ...passing(round), ...(round > 0 ? passing(round - 1) : [])];
}

/** The files csync2 still has to send. */
async function marked(sender: Host): Promise<ReadonlySet<string>> {
  const { stdout } = await sender.run(['-M']);
  return new Set([...stdout.matchAll(/%t%\/(\S+)/g)].map(([, name]) => name ?? ''));
}

/** A small generator (mulberry32): the same seed, the same moments. */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

it(
  'promise 3: what csync2 was told is done is done, whenever the daemon is killed',
  async () => {
    const root = fs.mkdtempSync(path.join(fs.realpathSync('/dev/shm'), 'csx-kill-'));
    hosts = await startHosts({ block: '127.34.68', kinds: ['csync2', 'csx'], silent: [0], root });
    const [sender, receiver] = hosts as [Host, Host];
    edit(sender.tree, 0);
    expect(await sender.apply()).toMatchObject({ status: 0 });
    edit(sender.tree, 1);
    const started = performance.now();
    expect(await sender.apply()).toMatchObject({ status: 0 });
    let usual = performance.now() - started;
    const seed = Number(process.env['CSX_SEED'] ?? (LONG ? Date.now() & 0x7fffffff : 20261122));
    const next = chance(seed);
    const seen = { broken: 0, some: 0, acknowledged: 0 };
    const rounds = times(6, 300);
    for (let round = 2; round < rounds + 2; round += 1) {
      const told = `seed ${String(seed)}, round ${String(round)}`;
      const before = new Map(
        [...ALWAYS, ...passing(round - 1)].map((name) => [name, stateOf(`${receiver.tree}/${name}`)]),
      );
      const names = edit(sender.tree, round);
      // Recorded for good before anything is sent: a csync2 that ends with its connection takes back what it has found in that run.
      expect(await sender.run(['-cr', sender.tree]), told).toMatchObject({ status: 0 });
      const begun = performance.now();
      const sending = sender.run(['-u']);
      await sleep(next() * usual);
      await receiver.kill();
      const broken = await sending;
      // As busy as the machine is: a run that was not cut off tells how long one takes.
      if (broken.status === 0) usual = (usual + performance.now() - begun) / 2;
      else seen.broken += 1;
      const dirty = await marked(sender);
      for (const name of names) {
        const [here, sent] = [stateOf(`${receiver.tree}/${name}`), stateOf(`${sender.tree}/${name}`)];
        if (dirty.has(name)) expect([before.get(name) ?? 'absent', sent], `${name}, ${told}`).toContain(here);
        else expect(here, `${name} was acknowledged, ${told}\n${broken.stdout}${broken.stderr}`).toBe(sent);
      }
      const done = names.filter((name) => !dirty.has(name)).length;
      seen.acknowledged += done;
      if (done > 0 && done < names.length) seen.some += 1;
      await receiver.serve();
      const again = await sender.apply();
      expect(again.status, `${told}\n${again.stdout}${again.stderr}${receiver.log.slice(-2000)}`).toBe(0);
      expect(readTree(receiver.tree), told).toEqual(readTree(sender.tree));
      expect(staged(receiver.tree), told).toEqual([]);
    }
    tally(
      `seed ${String(seed)}: the daemon was killed ${String(rounds)} times; ${String(seen.broken)} runs were broken, ` +
        `${String(seen.some)} of them with some files done; ${String(seen.acknowledged)} files were acknowledged`,
    );
    expect(seen.broken, 'some runs were broken').toBeGreaterThan(0);
  },
  LONG ? 3_600_000 : 120_000,
);
