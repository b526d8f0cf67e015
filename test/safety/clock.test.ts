/**
 * Promises 5, 7 and 9 under a clock that goes backwards, on both hosts and within each run: changes arrive, what was written with earlier
 * times and the same size too, a second run does nothing, and every wait still ends.
 */

import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { afterEach, expect, it } from 'vitest';
import { put } from '../support/cluster.js';
import { readTree } from '../support/tree.js';
import { PORT, staged, startHosts, stopHosts } from './hosts.js';
import type { Host } from './hosts.js';
import { startProxy } from './proxy.js';
import type { Proxy } from './proxy.js';

function clock(step: number): { readonly NODE_OPTIONS: string } {
  return { NODE_OPTIONS: `--import=${new URL(`moving-clock.mjs?step=${String(step)}`, import.meta.url).href}` };
}

const BACKWARDS = clock(-1000);
/** An hour at every look. */
const FORWARDS = clock(3_600_000);
const ONWARD = 30866;

let hosts: Host[] | undefined;
let proxy: Proxy | undefined;

afterEach(async () => {
  await proxy?.stop();
  proxy = undefined;
  await stopHosts(hosts);
  hosts = undefined;
});

/** Another content of the same length, an hour earlier each round: times of files go back with the clock that made them. */
function edit(tree: string, round: number): void {
  const time = 1_700_000_000 - 3600 * round;
  for (const name of ['a', 'd/b']) {
    put(`${tree}/${name}`, `round ${String(round)} of ${name}`);
    fs.utimesSync(`${tree}/${name}`, time, time);
  }
  put(`${tree}/new-${String(round)}`, 'new');
  fs.rmSync(`${tree}/new-${String(round - 1)}`, { force: true });
}

it('promise 5: what changes arrives, and a second run does nothing', async () => {
  hosts = await startHosts({ block: '127.34.62', kinds: ['csx', 'csx'], silent: [0, 1], tls: true });
  const [sender, receiver] = hosts as [Host, Host];
  await receiver.serve({ env: BACKWARDS });
  for (let round = 0; round < 3; round += 1) {
    edit(sender.tree, round);
    // Here with the true clock, there with the other: the hosts differ by a day as well.
    const applied = await sender.apply(round === 1 ? {} : { env: BACKWARDS });
    expect(applied.status, applied.stdout + applied.stderr).toBe(0);
    expect(readTree(receiver.tree)).toEqual(readTree(sender.tree));
    const plan = await sender.run(['plan', '--detailed-exitcode'], { env: BACKWARDS });
    expect(plan.status, plan.stdout + plan.stderr).toBe(0);
    // What was received is no change of the receiver's own.
    const there = await receiver.run(['plan', '--offline', '--detailed-exitcode'], { env: BACKWARDS });
    expect(there.status, there.stdout + there.stderr).toBe(0);
  }
  expect(staged(sender.tree, receiver.tree)).toEqual([]);
});

/** The database itself, and the lock of another run (of this process, which lives). */
const LOCKS = [
  ['database', 'BEGIN IMMEDIATE', 'ROLLBACK'],
  [
    'run',
    `INSERT INTO csx_lock (name, token, pid, command, since) VALUES ('apply', 'test', ${String(process.pid)}, 'a test', 0)`,
    "DELETE FROM csx_lock WHERE token = 'test'",
  ],
] as const;

it('promise 9: a peer that stalls, and a database that is locked, are waited for as long as they were to be', async () => {
  hosts = await startHosts({ block: '127.34.63', kinds: ['csx', 'csx'], silent: [0, 1] });
  const [sender, receiver] = hosts as [Host, Host];
  await receiver.serve({ port: ONWARD, env: BACKWARDS });
  proxy = await startProxy(receiver.address, PORT, ONWARD);
  edit(sender.tree, 0);
  expect(await sender.apply({ env: BACKWARDS })).toMatchObject({ status: 0 });
  edit(sender.tree, 1);
  proxy.weather = { way: 'to', after: 60, does: 'stall' };
  const stalled = await sender.apply({ env: BACKWARDS, flags: ['--timeout', '1'] });
  expect(stalled.status, stalled.stdout + stalled.stderr).toBe(9);
  proxy.weather = undefined;
  const holder = new Database(sender.database);
  for (const [, hold, release] of LOCKS) {
    holder.exec(hold);
    const locked = await sender.apply({ env: BACKWARDS, flags: ['--lock-timeout', '1'] });
    holder.exec(release);
    expect(locked.status, locked.stdout + locked.stderr).toBe(9);
  }
  holder.close();
  expect(await sender.apply({ env: BACKWARDS })).toMatchObject({ status: 0 });
  expect(readTree(receiver.tree)).toEqual(readTree(sender.tree));
});

it.each(LOCKS)('promise 9: a clock that leaps ahead ends no wait for a lock early: %s', async (_, hold, release) => {
  hosts = await startHosts({ block: '127.34.69', kinds: ['csx', 'csx'], silent: [0] });
  const [sender, receiver] = hosts as [Host, Host];
  edit(sender.tree, 0);
  expect(await sender.apply()).toMatchObject({ status: 0 });
  edit(sender.tree, 1);
  const holder = new Database(sender.database);
  holder.exec(hold);
  const applying = sender.apply({ env: FORWARDS, flags: ['--lock-timeout', '300'] });
  try {
    const early = await Promise.race([applying, sleep(1500)]);
    expect(early, JSON.stringify(early)).toBe(undefined);
  } finally {
    holder.exec(release);
    holder.close();
  }
  expect(await applying).toMatchObject({ status: 0 });
  expect(readTree(receiver.tree)).toEqual(readTree(sender.tree));
});
