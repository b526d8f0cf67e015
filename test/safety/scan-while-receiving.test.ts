/**
 * Promise 5 while this host's own daemon is at work: a scan that comes between a change on the disk and its row in the database does not
 * take it for a local one. The daemon's syncs are slowed (strace), and it is stopped while they last.
 */

import fs from 'node:fs';
import { afterEach, expect, it } from 'vitest';
import { put } from '../support/cluster.js';
import { readTree } from '../support/tree.js';
import { startHosts, stopHosts, times } from './hosts.js';
import type { Host } from './hosts.js';

let hosts: Host[] | undefined;

afterEach(async () => {
  await stopHosts(hosts);
  hosts = undefined;
});

const SLOW_SYNCS = [
  'strace',
  '-f',
  '-qq',
  '-o',
  '/dev/null',
  '-e',
  'trace=fsync',
  '-e',
  'inject=fsync:delay_enter=150ms',
];

/** One kind of change each: a session brings it in a group of its own. CI takes the first three. */
const EDITS: readonly (readonly [string, (tree: string) => void])[] = Object.entries<(tree: string) => void>({
  'a new file': (tree) => {
    put(`${tree}/new`, 'new');
  },
  'a changed file': (tree) => {
    put(`${tree}/file`, 'changed');
  },
  'a removal': (tree) => {
    fs.unlinkSync(`${tree}/new`);
  },
  'another mode': (tree) => {
    fs.chmodSync(`${tree}/file`, 0o604);
  },
  'a new directory': (tree) => {
    fs.mkdirSync(`${tree}/directory`);
  },
  'a link': (tree) => {
    fs.symlinkSync('file', `${tree}/link`);
  },
}).slice(0, times(3, 6));

/** The program that strace runs, in which no thread is left that goes on once it is stopped. */
async function stop(host: Host): Promise<number> {
  const tracer = String(host.pid);
  const pid = Number(fs.readFileSync(`/proc/${tracer}/task/${tracer}/children`, 'latin1').trim().split(' ')[0]);
  process.kill(pid, 'SIGSTOP');
  const states = (): string[] =>
    fs.readdirSync(`/proc/${String(pid)}/task`).map((task) => {
      const stat = fs.readFileSync(`/proc/${String(pid)}/task/${task}/stat`, 'latin1');
      return stat.slice(stat.lastIndexOf(')') + 2)[0] ?? '';
    });
  while (states().some((state) => state === 'R')) await new Promise((resolve) => setTimeout(resolve, 5));
  return pid;
}

it('promise 5: what the daemon is just bringing here is no change of this host', async () => {
  hosts = await startHosts({ block: '127.34.67', kinds: ['csx', 'csx'], silent: [0, 1] });
  const [sender, receiver] = hosts as [Host, Host];
  await receiver.serve({ under: SLOW_SYNCS });
  put(`${sender.tree}/file`, 'first');
  expect(await sender.apply()).toMatchObject({ status: 0 });
  for (const [what, edit] of EDITS) {
    const before = JSON.stringify(readTree(receiver.tree));
    edit(sender.tree);
    const applying = sender.apply();
    while (JSON.stringify(readTree(receiver.tree)) === before) await new Promise((resolve) => setTimeout(resolve, 2));
    const pid = await stop(receiver);
    try {
      const planned = await receiver.run(['plan', '--offline', '--json']);
      expect(JSON.parse(planned.stdout), `${what}\n${planned.stdout}`).toMatchObject({
        resource_drift: [],
        resource_changes: [],
      });
      const scanned = await receiver.run(['scan', '--json']);
      expect(JSON.parse(scanned.stdout), `${what}\n${scanned.stdout}`).toMatchObject({
        new: 0,
        changed: 0,
        removed: 0,
      });
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    const applied = await applying;
    expect(applied.status, `${what}\n${applied.stdout}${applied.stderr}`).toBe(0);
    expect(readTree(receiver.tree), what).toEqual(readTree(sender.tree));
    const after = await receiver.run(['plan', '--offline', '--detailed-exitcode']);
    expect(after.status, `${what}\n${after.stdout}`).toBe(0);
  }
});
