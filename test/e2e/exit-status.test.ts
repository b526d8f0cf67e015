/** The table of exit statuses, line by line, by the program as it is run against a real csync2 (cli/exit-status.ts). */

import { readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { put, startCluster } from '../support/cluster.js';
import type { Cluster } from '../support/cluster.js';
import type { CsxOptions } from '../support/csx.js';
import { startTerminal } from '../support/terminal.js';

const CSX = fileURLToPath(new URL('../../bin/csx', import.meta.url));
const APPLY = ['apply', '--auto-approve'] as const;

let cluster: Cluster;
let here: string;
let there: string;
let silent: { readonly server: Server; readonly sockets: Set<Socket> } | undefined;

beforeEach(async () => {
  cluster = await startCluster({ block: '127.36.11', peers: 2 });
  [here, there] = cluster.trees as [string, string];
  for (const name of ['a', 'b', 'c']) put(`${here}/${name}`, name);
  expect(await status(...APPLY)).toBe(0);
});
afterEach(async () => {
  for (const socket of silent?.sockets ?? []) socket.destroy();
  silent?.server.close();
  silent = undefined;
  await cluster.stop();
});

async function status(...args: string[]): Promise<number | null> {
  return statusWith({}, ...args);
}

async function statusWith(options: CsxOptions, ...args: string[]): Promise<number | null> {
  return (await cluster.csxWith(options, ...args)).status;
}

/** Puts something that takes connections and never says a word in the place of the first peer's daemon. */
async function fallSilent(onConnection: () => void = () => undefined): Promise<void> {
  await cluster.peers[0]!.kill();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    onConnection();
  });
  await new Promise<void>((resolve) => server.listen(30865, cluster.hosts[1], resolve));
  silent = { server, sockets };
}

/** A file that both sides changed, as the peer's own database knows. */
async function conflict(): Promise<void> {
  put(`${here}/a`, 'changed here');
  put(`${there}/a`, 'changed there, too');
  await cluster.peers[0]!.run(['-c', '-r', '/']);
}

describe('exit status', { timeout: 120_000 }, () => {
  it('0: done; with --detailed-exitcode: and nothing to change', async () => {
    expect(await status('plan', '--detailed-exitcode')).toBe(0);
    expect(await status(...APPLY, '--detailed-exitcode')).toBe(0);
    put(`${here}/a`, 'changed');
    expect(await status('plan')).toBe(0);
    expect(await status(...APPLY)).toBe(0);
  });

  it('1: error', async () => {
    expect(await status('plan', `${here}/nowhere`)).toBe(1);
    expect(await status('show', `${cluster.root}/nowhere`)).toBe(1);
  });

  it('2: with --detailed-exitcode: changes planned or applied', async () => {
    put(`${here}/a`, 'changed');
    expect(await status('plan', '--detailed-exitcode')).toBe(2);
    expect(await status(...APPLY, '--detailed-exitcode')).toBe(2);
  });

  it('3: conflicts need a decision; of a plan only with --detailed-exitcode or --error-on-conflict', async () => {
    await conflict();
    const saved = path.join(cluster.root, 'plan');
    expect(await status('plan', '--out', saved)).toBe(0);
    expect(await status('plan', '--detailed-exitcode')).toBe(3);
    expect(await status('plan', '--error-on-conflict')).toBe(3);
    expect(await status('apply', saved)).toBe(3);
    expect(await status(...APPLY, '--detailed-exitcode')).toBe(3);
  });

  it('4: a peer was unreachable, something was skipped as stale; it comes before 3 and 2', async () => {
    await conflict();
    put(`${here}/b`, 'changed');
    put(`${here}/c`, 'changed');
    const saved = path.join(cluster.root, 'plan');
    expect(await status('plan', '--out', saved)).toBe(0);
    put(`${here}/b`, 'and again');
    expect(await status('apply', saved, '--detailed-exitcode')).toBe(4);
    await cluster.peers[1]!.kill();
    expect(await status('plan', '--detailed-exitcode')).toBe(4);
    expect(await status(...APPLY, '--detailed-exitcode')).toBe(4);
  });

  it('5: a check failed; it comes before 4', async () => {
    for (const name of ['a', 'b', 'c']) rmSync(`${here}/${name}`);
    put(`${here}/d`, 'd');
    expect(await status('plan')).toBe(5);
    expect(await status(...APPLY)).toBe(5);
    // Nothing was sent, not even what is no deletion.
    expect(readdirSync(there).sort()).toEqual(['a', 'b', 'c']);
    expect(await status('plan', '--max-delete', '100%')).toBe(0);
    await cluster.peers[1]!.kill();
    expect(await status('plan', '--max-delete', '3')).toBe(4);
    expect(await status('plan', '--max-delete', '2')).toBe(5);
  });

  it('6: the saved plan does not match or is stale', async () => {
    put(`${here}/a`, 'changed');
    const saved = path.join(cluster.root, 'plan');
    expect(await status('plan', '--out', saved)).toBe(0);
    put(`${here}/a`, 'and again');
    expect(await status('apply', saved, '--strict')).toBe(6);
    expect(await status('apply', saved)).toBe(4);
    expect(await status('apply', saved)).toBe(6);
  });

  it('7: --expect-no-changes and there are some', async () => {
    expect(await status('plan', '--expect-no-changes')).toBe(0);
    put(`${here}/a`, 'changed');
    expect(await status('plan', '--expect-no-changes')).toBe(7);
  });

  it('8: declined at the prompt', async () => {
    put(`${here}/a`, 'changed');
    const place = ['-N', cluster.hosts[0]!, '-D', cluster.databaseDirectory];
    const env = { CSYNC2_SYSTEM_DIR: cluster.systemDirectory };
    const terminal = startTerminal([CSX, 'apply', ...place], { columns: 100, rows: 30, env });
    try {
      await terminal.until(/accepted:\s*$/);
      terminal.type('no\r');
      expect(await terminal.exit()).toBe(8);
    } finally {
      terminal.kill();
    }
  });

  it('9: a peer is silent for longer than --timeout; work left for other reasons comes first', async () => {
    put(`${here}/a`, 'changed');
    await fallSilent();
    expect(await status('plan', '--detailed-exitcode', '--timeout', '1')).toBe(9);
    expect(await status(...APPLY, '--timeout', '1')).toBe(9);
    // The other peer got it all the same.
    expect(await status('plan', '--expect-no-changes', '--peer', cluster.hosts[2]!)).toBe(0);
    put(`${here}/a`, 'changed again');
    await cluster.peers[1]!.kill();
    expect(await status('plan', '--timeout', '1')).toBe(4);
    expect(await status(...APPLY, '--timeout', '1')).toBe(4);
  });

  it('64: usage', async () => {
    expect(await status('plan', '--no-such-flag')).toBe(64);
    expect(await status('no-such-verb')).toBe(64);
    put(`${here}/a`, 'changed');
    expect(await status('apply', '--no-input')).toBe(64);
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s: %i, after a clean stop', async (signal, expected) => {
    put(`${here}/a`, 'changed');
    let interrupt = (): void => undefined;
    await fallSilent(() => {
      interrupt();
    });
    const started: CsxOptions['started'] = (child) => {
      interrupt = () => void child.kill(signal);
    };
    expect(await statusWith({ started }, 'plan')).toBe(expected);
    expect(await statusWith({ started }, ...APPLY)).toBe(expected);
  });
});
