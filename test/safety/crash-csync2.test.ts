/**
 * Promise 2 with the real csync2 on the other end, which dies (SIGKILL) right before calls that change something: as the receiver and as
 * the sender. csync2 itself may then have half of what it was writing, and takes what it was just dressing for a change of its own: a
 * conflict that is told, and that force settles. What csx promises holds all the same: its tree is whole, no dirty row is lost, nothing
 * staged is left, and then one run brings both together.
 */

import fs from 'node:fs';
import path from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { put } from '../support/cluster.js';
import { readTree } from '../support/tree.js';
import { LONG, staged, startHosts, stopHosts, tally, times } from './hosts.js';
import type { Host } from './hosts.js';
import { childPointsOf, killChildren, killing, listing, pointsOf, spread } from './strace.js';
import { stateOf, watch } from './watching.js';
import type { Watching } from './watching.js';

let hosts: Host[] | undefined;
let watching: Watching | undefined;

afterEach(async () => {
  await watching?.stop();
  watching = undefined;
  await stopHosts(hosts);
  hosts = undefined;
});

const FILES = ['big', 'small', 'd/inside'];

function edit(tree: string, round: number): void {
  const body = 'line of a file that is long enough for a delta\n'.repeat(2000);
  put(`${tree}/big`, `${body.slice(0, 40_000)}round ${String(round)}${body.slice(40_000)}`);
  put(`${tree}/small`, `round ${String(round)}`);
  put(`${tree}/d/inside`, `inside ${String(round)}`);
  fs.chmodSync(`${tree}/small`, round % 2 === 0 ? 0o640 : 0o604);
  // csync2 does not notice that a link below a prefix was pointed elsewhere, so each has a name of its own.
  fs.rmSync(`${tree}/link-${String(round - 1)}`, { force: true });
  fs.symlinkSync(`target-${String(round)}`, `${tree}/link-${String(round)}`);
  fs.rmSync(`${tree}/comes-${String(round - 1)}`, { recursive: true, force: true });
  put(`${tree}/comes-${String(round)}/goes`, `new ${String(round)}`);
  for (const [index, name] of FILES.entries()) {
    fs.utimesSync(`${tree}/${name}`, 1_000_000, 1_000_000 + round * 10 + index);
  }
}

async function pair(block: string, kinds: readonly ['csx', 'csync2'] | readonly ['csync2', 'csx']): Promise<Host[]> {
  const root = fs.mkdtempSync(path.join(fs.realpathSync('/dev/shm'), 'csx-crash-'));
  hosts = await startHosts({ block, kinds, root, silent: [0] });
  edit(hosts[0]!.tree, 0);
  expect(await hosts[0]!.apply()).toMatchObject({ status: 0 });
  return hosts;
}

/** csync2 leaves temporary files of its own behind: not looked at. */
function expectSame(receiver: Host, sender: Host, told: string): void {
  expect(readTree(receiver.tree), told).toMatchObject(readTree(sender.tree));
}

/** What csync2 was writing when it died (`.NAME.` and six letters): nobody else removes it, and its directory cannot go before it. */
function removeOthers(tree: string, names: ReadonlySet<string>): void {
  for (const name of Object.keys(readTree(tree))) {
    if (names.has(name)) continue;
    expect(path.basename(name)).toMatch(/^\..+\.[A-Za-z0-9]{6}$/);
    fs.unlinkSync(`${tree}/${name}`);
  }
}

it(
  'promise 2: a csync2 receiver that dies loses nothing of what csx sends',
  async () => {
    const [sender, receiver] = (await pair('127.34.65', ['csx', 'csync2'])) as [Host, Host];
    const trace = path.join(sender.directory, 'trace');
    await receiver.kill();
    await receiver.serve({ under: listing(trace) });
    edit(sender.tree, 1);
    expect(await sender.apply()).toMatchObject({ status: 0 });
    await receiver.kill();
    const points = spread(childPointsOf(trace), times(6, 150));
    expect(points.length).toBeGreaterThan(5);
    let broken = 0;
    for (const [index, point] of points.entries()) {
      const told = `killed before ${point.call} number ${String(point.count)}`;
      edit(sender.tree, index + 2);
      const mine = readTree(sender.tree);
      const names = new Set([...Object.keys(mine), ...Object.keys(readTree(receiver.tree))]);
      await receiver.serve();
      await killChildren(receiver.pid!, point);
      const applied = await sender.apply({ flags: ['--timeout', '20'] });
      expect([0, 3, 4, 9], `${told}\n${applied.stdout}${applied.stderr}`).toContain(applied.status);
      if (applied.status === 4 || applied.status === 9) broken += 1;
      await receiver.kill();
      removeOthers(receiver.tree, names);
      await receiver.serve();
      const again = await sender.apply();
      const said = `${told}\n${again.stdout}${again.stderr}${receiver.log.slice(-1000)}`;
      expect([0, 3, 4], said).toContain(again.status);
      if (again.status !== 0) {
        // 4: a directory cannot go before what csync2 takes for a change of its own in it.
        expect(again.stdout, said).toMatch(/[1-9]\d* conflicts?/);
        expect(await sender.run(['force', '-r', '%t%'])).toMatchObject({ status: 0 });
        expect(await sender.apply(), told).toMatchObject({ status: 0 });
      }
      expectSame(receiver, sender, told);
      expect(readTree(sender.tree), told).toEqual(mine);
      await receiver.kill();
    }
    tally(`a csync2 receiver was killed at ${String(points.length)} points; ${String(broken)} runs were broken`);
    expect(broken, 'most runs were broken').toBeGreaterThanOrEqual(points.length / 2);
  },
  LONG ? 3_600_000 : 120_000,
);

it(
  'promises 1 and 2: a csync2 sender that dies leaves whole files on csx, and nothing staged',
  async () => {
    const [sender, receiver] = (await pair('127.34.66', ['csync2', 'csx'])) as [Host, Host];
    const trace = path.join(sender.directory, 'trace');
    edit(sender.tree, 1);
    expect(await sender.apply({ under: listing(trace) })).toMatchObject({ status: 0 });
    const points = spread(pointsOf(trace, false), times(6, 150));
    expect(points.length).toBeGreaterThan(5);
    const watched = FILES.map((name) => `${receiver.tree}/${name}`);
    // The content alone: csync2 sends owner, mode and time afterwards, and may die in between.
    const hashOf = (state: string): string => state.split(' ').at(-1) ?? '';
    const allowed = new Set(watched.map((file) => hashOf(stateOf(file))));
    watching = await watch(watched);
    let killed = 0;
    for (const [index, point] of points.entries()) {
      const told = `killed before ${point.call} number ${String(point.count)}`;
      edit(sender.tree, index + 2);
      for (const name of FILES) allowed.add(hashOf(stateOf(`${sender.tree}/${name}`)));
      const broken = await sender.apply({ under: killing(point) });
      if (broken.signal === 'SIGKILL') killed += 1;
      // A csync2 that dies may have recorded a file without marking it: that is its own promise to keep.
      expect(await sender.run(['-mr', sender.tree])).toMatchObject({ status: 0 });
      const again = await sender.apply();
      expect(again.status, `${told}\n${again.stdout}${again.stderr}${receiver.log.slice(-1000)}`).toBe(0);
      expectSame(receiver, sender, told);
      expect(staged(receiver.tree), told).toEqual([]);
    }
    tally(`a csync2 sender was killed at ${String(killed)} of ${String(points.length)} points`);
    expect(killed).toBeGreaterThanOrEqual(points.length / 2);
    for (const [file, states] of await watching.stop()) {
      expect(states.length, `${file} was watched`).toBeGreaterThan(1);
      expect(
        states.filter((state) => !allowed.has(hashOf(state))),
        file,
      ).toEqual([]);
    }
    watching = undefined;
  },
  LONG ? 3_600_000 : 120_000,
);
