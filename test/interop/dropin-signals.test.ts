/** What ends a run from outside: client and daemon of both programs end as the signal says, and a reader that goes away ends a list. */

import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { readdirSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { PROGRAMS, Twin } from '../dropin/twins.js';
import type { Program } from '../dropin/twins.js';
import { openStore } from '../../src/engine/state/open.js';

const ONE = { block: '127.31.35', hosts: 2, listen: [] };
const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

type End = readonly [status: number | null, signal: NodeJS.Signals | null];

function endOf(child: ChildProcess): Promise<End> {
  return new Promise((resolve) =>
    child.once('exit', (status, signal) => {
      resolve([status, signal]);
    }),
  );
}

/** Both programs, as the same host. */
async function both<T>(measure: (twin: Twin, program: Program) => Promise<T> | T): Promise<readonly T[]> {
  const found: T[] = [];
  for (const program of ['csync2', 'csx'] as const) {
    const twin = await Twin.start(ONE, { client: program, daemon: program }, 31_865);
    try {
      found.push(await measure(twin, program));
    } finally {
      await twin.stop();
    }
  }
  return found;
}

/** Whether a process has opened a file: from then on it hears signals. */
function hasOpen({ pid }: ChildProcess, file: string): boolean {
  const descriptors = `/proc/${String(pid)}/fd`;
  return readdirSync(descriptors).some((each) => {
    try {
      return readlinkSync(`${descriptors}/${each}`) === file;
    } catch {
      // Closed meanwhile.
      return false;
    }
  });
}

describe('signals', () => {
  it.each(SIGNALS)('%s ends a daemon', async (signal) => {
    const ends = await both(async (twin) => {
      const { child } = await twin.listen(1);
      const end = endOf(child);
      child.kill(signal);
      return end;
    });
    expect(ends).toEqual([
      [null, signal],
      [null, signal],
    ]);
  });

  it.each(SIGNALS)('%s ends a client that waits for a peer', async (signal) => {
    const ends = await both(async (twin, program) => {
      twin.put(0, 'file', 'content');
      await twin.quiet(0, '-cr', '/');
      let asked: () => void = () => undefined;
      const waiting = new Promise<void>((resolve) => (asked = resolve));
      // Takes the connection and never answers.
      const mute = createServer((socket) => socket.on('error', () => undefined).once('data', asked));
      await new Promise<void>((resolve) => mute.listen(twin.port, twin.names[1], resolve));
      const child = spawn(PROGRAMS[program], ['-u', ...twin.common(0)], { env: twin.environment(0), stdio: 'ignore' });
      try {
        await waiting;
        const end = endOf(child);
        child.kill(signal);
        return await end;
      } finally {
        child.kill('SIGKILL');
        mute.close();
      }
    });
    expect(ends).toEqual([
      [null, signal],
      [null, signal],
    ]);
  });

  it.each(['-u', '-c'])('SIGINT ends a client that waits for another run of csx (%s)', async (mode) => {
    const twin = await Twin.start(ONE, { client: 'csx', daemon: 'csx' }, 31_865);
    const name = twin.names[0]!;
    const database = path.join(twin.root, name, 'db', `${name}.db3`);
    const store = await openStore({ database, host: name, access: 'write', lockTimeout: 5 });
    try {
      twin.configure(
        0,
        `lock-timeout 600; group g { host ${twin.names.join(' ')}; key k; include ${twin.trees[0]!}; }`,
      );
      const lock = await store.lock('apply', { pid: process.pid, command: 'csx apply', since: Date.now() });
      const file = twin.put(0, 'file', 'content');
      const child = spawn(PROGRAMS.csx, [mode, file, ...twin.common(0)], { env: twin.environment(0), stdio: 'ignore' });
      try {
        const end = endOf(child);
        while (!hasOpen(child, database)) await sleep(20);
        child.kill('SIGINT');
        expect(await end).toEqual([null, 'SIGINT']);
      } finally {
        child.kill('SIGKILL');
        await lock.release();
      }
    } finally {
      await store.close();
      await twin.stop();
    }
  });

  it('a daemon outlives what its actions leave behind, and a client that goes away', async () => {
    const alive = await both(async (twin, program) => {
      const { child } = await twin.listen(1);
      child.kill('SIGCHLD');
      const client = spawn(PROGRAMS[program], ['-T', ...twin.common(0)], { env: twin.environment(0), stdio: 'ignore' });
      client.kill('SIGKILL');
      await endOf(client);
      const { status } = await twin.quiet(0, '-T');
      return [status, child.exitCode, child.signalCode];
    });
    expect(alive[1]).toEqual(alive[0]);
    expect(alive[1]).toEqual([2, null, null]);
  });

  it('a list ends when nobody reads it any more', async () => {
    const statuses = await both(async (twin, program) => {
      for (let index = 0; index < 3000; index++) twin.put(0, `a file with quite a long name ${index}`, '');
      await twin.quiet(0, '-cr', '/');
      const script = `set -o pipefail; "$@" | head -n 1 >/dev/null; echo $?`;
      const args = ['-c', script, 'bash', PROGRAMS[program], '-L', ...twin.common(0)];
      return spawnSync('bash', args, { env: twin.environment(0), encoding: 'utf8' }).stdout;
    });
    expect(statuses).toEqual(['141\n', '141\n']);
  });
});
