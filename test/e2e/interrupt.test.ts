/** Real signals to the real program: the first lets it finish what is under way and tell, the second ends it at once; nothing is lost. */

import { readFileSync, readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ChildProcess } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { put, startCluster } from '../support/cluster.js';
import type { Cluster } from '../support/cluster.js';
import { readTree } from '../support/tree.js';

const FILES = 1500;
const DIRECTORIES = 15;
let cluster: Cluster;
let here: string;
let there: string;
let records: string;

beforeEach(async () => {
  cluster = await startCluster({ block: '127.36.3', peers: 1 });
  [here, there] = cluster.trees as [string, string];
  records = path.join(cluster.root, 'records');
  for (let index = 0; index < FILES; index++) put(`${here}/d${index % DIRECTORIES}/f${index}`, `file ${index}\n`);
});
afterEach(async () => {
  await cluster.stop();
});

interface Line {
  readonly type: string;
  readonly exit_code?: number;
  readonly signal?: string;
  readonly hook?: { readonly path: string };
  readonly summary?: Readonly<Record<string, number>> | null;
}

function lines(): readonly Line[] {
  const text = readFileSync(records, 'utf8');
  expect(text.endsWith('\n')).toBe(true);
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
}

/** Waits until the peer has some files, then calls back. */
async function inMidTransfer(act: () => void): Promise<void> {
  const until = Date.now() + 20_000;
  while (Date.now() < until && (readdirSync(there).length < 3 || readdirSync(`${there}/d0`).length < 5)) await sleep(5);
  act();
}

/** What the records call done is on the peer as it is here. */
function expectDone(done: readonly Line[]): void {
  const [ours, theirs] = [readTree(here), readTree(there)];
  for (const { hook } of done) {
    const name = hook?.path.replace('%t%/', '') ?? '';
    if (name !== '%t%') expect([name, theirs[name]?.content]).toEqual([name, ours[name]?.content]);
  }
}

describe('an interrupt in mid-transfer', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)(
    'by %s finishes what is under way, says what was done and what not, and the next run goes on',
    async (signal, status) => {
      let child: ChildProcess | undefined;
      const running = cluster.csxWith(
        { started: (process) => (child = process) },
        'apply',
        '--auto-approve',
        '--json-into',
        records,
      );
      await inMidTransfer(() => child?.kill(signal));
      const run = await running;
      expect([run.status, run.signal], run.stderr).toEqual([status, null]);
      expect(run.stderr).toContain('once more stops at once');
      expect(run.stdout).toMatch(/not attempted/);
      const all = lines();
      const done = all.filter((line) => line.type === 'apply_complete');
      expect(all.map((line) => line.type)).toContain('interrupt');
      const last = all.at(-1);
      expect(last).toMatchObject({
        type: 'result',
        exit_code: status,
        summary: { failed: 0, skipped: 0, create: done.length },
      });
      expect(last?.summary?.['not_attempted']).toBe(
        FILES + DIRECTORIES + 1 - done.length - Number(last?.summary?.['no_op']),
      );
      expectDone(done);
      const again = await cluster.csx('apply', '--auto-approve', '--json-into', records);
      expect(again, again.stderr).toMatchObject({ status: 0 });
      // What was acknowledged is not sent again.
      expect(lines().filter((line) => line.type === 'apply_complete').length).toBeLessThanOrEqual(
        FILES + DIRECTORIES + 1 - done.length,
      );
      expect(readTree(there)).toEqual(readTree(here));
    },
  );

  it('and a second one at once: the records still end with a result, and nothing acknowledged is lost', async () => {
    let child: ChildProcess | undefined;
    const running = cluster.csxWith(
      { started: (process) => (child = process) },
      'apply',
      '--auto-approve',
      '--json-into',
      records,
    );
    await inMidTransfer(() => {
      process.kill(cluster.peers[0]!.pid!, 'SIGSTOP');
      stopChildren(cluster.peers[0]!.pid!, 'SIGSTOP');
      child?.kill('SIGINT');
    });
    await sleep(300);
    child?.kill('SIGINT');
    const run = await running;
    stopChildren(cluster.peers[0]!.pid!, 'SIGCONT');
    process.kill(cluster.peers[0]!.pid!, 'SIGCONT');
    expect([run.status, run.signal]).toEqual([130, null]);
    const all = lines();
    expect(all.at(-1)).toMatchObject({ type: 'result', exit_code: 130, summary: null });
    expectDone(all.filter((line) => line.type === 'apply_complete'));
    expect((await cluster.csx('apply', '--auto-approve')).status).toBe(0);
    expect(readTree(there)).toEqual(readTree(here));
  });
});

describe('an interrupt while peers are asked', () => {
  it('ends the plan without a result and without a trace', async () => {
    await cluster.peers[0]!.kill();
    const sockets = new Set<Socket>();
    const silent = createServer((socket) => {
      sockets.add(socket.on('error', () => undefined));
    });
    await new Promise<void>((resolve) => silent.listen(30865, cluster.hosts[1], resolve));
    try {
      let child: ChildProcess | undefined;
      const running = cluster.csxWith({ started: (process) => (child = process) }, 'plan', '--json');
      while (sockets.size === 0) await sleep(10);
      child?.kill('SIGTERM');
      const run = await running;
      expect(run.status).toBe(143);
      expect(JSON.parse(run.stdout)).toMatchObject({ error: { code: 'INTERRUPTED', data: { signal: 'SIGTERM' } } });
      expect(readdirSync(cluster.databaseDirectory)).toEqual([]);
    } finally {
      for (const socket of sockets) socket.destroy();
      silent.close();
    }
  });
});

/** The daemon serves each connection in a process of its own. */
function stopChildren(pid: number, signal: NodeJS.Signals): void {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .trim()
    .split(' ')
    .filter((each) => each !== '');
  for (const child of children) process.kill(Number(child), signal);
}
