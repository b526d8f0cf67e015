/** `csx daemon` as a process: listening, --once, --inetd, sockets from systemd, signals. Nothing but the protocol goes to the client. */

import { spawn } from 'node:child_process';
import type { ChildProcess, StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { literalDelta, RawClient } from '../engine/daemon/raw-client.js';
import { runCsx } from '../support/csx.js';

const PROGRAM = fileURLToPath(new URL('../../bin/csx', import.meta.url));
const KEY = 'a'.repeat(64);
const SERVER = '127.25.9.1';
const CLIENT = '127.25.9.2';

let base = '';
const children: ChildProcess[] = [];
const servers: Server[] = [];

afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  for (const server of servers.splice(0)) server.close();
  fs.rmSync(base, { recursive: true, force: true });
});

interface Running {
  readonly child: ChildProcess;
  readonly exited: Promise<number | null>;
  stderr(): string;
}

/** `named`: as whom it serves; null: as the machine, on all addresses. */
function start(
  args: readonly string[],
  stdio: StdioOptions,
  env: Readonly<Record<string, string>> = {},
  named: string | null = SERVER,
  peers = CLIENT,
): Running {
  base = fs.mkdtempSync(path.join(fs.realpathSync(tmpdir()), 'csx-process-'));
  fs.mkdirSync(`${base}/t`);
  fs.mkdirSync(`${base}/db`);
  fs.writeFileSync(`${base}/k`, `${KEY}\n`, { mode: 0o600 });
  fs.writeFileSync(
    `${base}/csync2.cfg`,
    `nossl * *; group g { host "${named ?? hostname()}" ${peers}; key k; include ${base}/t; action { exec "echo noise; echo noise >&2"; } }`,
  );
  const line = ['daemon', '--system-dir', base, ...(named === null ? [] : ['-N', named]), '-D', `${base}/db`, ...args];
  // systemd tells the pid of the process it starts; the shell keeps it for what it becomes.
  const child = spawn('/bin/sh', ['-c', 'LISTEN_PID=$$ exec "$0" "$@"', PROGRAM, ...line], {
    stdio,
    env: { ...process.env, ...env },
  });
  children.push(child);
  let stderr = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const exited = once(child, 'exit').then(([status]) => status as number | null);
  return { child, exited, stderr: () => stderr };
}

async function untilListening(running: Running): Promise<void> {
  while (!running.stderr().includes('Listening on')) {
    if (running.child.exitCode !== null) throw new Error(running.stderr());
    await once(running.child.stderr!, 'data');
  }
}

/** A session that makes a directory; what the daemon said, all of it. */
async function session(client: RawClient, name: string, me = CLIENT): Promise<string> {
  client.write(`CONFIG \nHELLO ${me}\nMKDIR ${KEY} ${base}/t/${name}\nBYE\n`);
  const said = await client.until(() => false);
  client.close();
  expect(fs.statSync(`${base}/t/${name}`).isDirectory()).toBe(true);
  return said;
}

const SAID = `${'OK (cmd_finished).\n'.repeat(3)}OK (cu_later).\n<closed>`;

describe('csx daemon', () => {
  it('listens, reads its configuration anew on SIGHUP, and ends on SIGTERM', async () => {
    const running = start([], ['ignore', 'pipe', 'pipe']);
    await untilListening(running);
    expect(await session(await RawClient.open(SERVER, CLIENT), 'one')).toBe(SAID);
    running.child.kill('SIGHUP');
    while (!running.stderr().includes('read anew')) await once(running.child.stderr!, 'data');
    expect(await session(await RawClient.open(SERVER, CLIENT), 'two')).toBe(SAID);
    running.child.kill('SIGTERM');
    expect(await running.exited).toBe(0);
    expect(running.stderr()).not.toContain(KEY);
  });

  it('--once serves one connection and ends', async () => {
    const running = start(['--once'], ['ignore', 'pipe', 'pipe']);
    await untilListening(running);
    expect(await session(await RawClient.open(SERVER, CLIENT), 'one')).toBe(SAID);
    expect(await running.exited).toBe(0);
  });

  it('--json writes its log as JSON lines', async () => {
    const running = start(['--once', '--json'], ['ignore', 'pipe', 'pipe']);
    await untilListening(running);
    await session(await RawClient.open(SERVER, CLIENT), 'one');
    expect(await running.exited).toBe(0);
    const lines = running.stderr().trimEnd().split('\n');
    const entries = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(entries).toContainEqual(
      expect.objectContaining({ level: 'info', event: 'change', peer: CLIENT, verb: 'MKDIR', file: `${base}/t/one` }),
    );
  });

  it('--inetd serves the socket on stdin and stdout, and writes nothing else there', async () => {
    const server = createServer({ pauseOnConnect: true, allowHalfOpen: true }).listen(30865, SERVER);
    servers.push(server);
    await once(server, 'listening');
    const connecting = RawClient.open(SERVER, CLIENT);
    const [socket] = (await once(server, 'connection')) as [Socket];
    const running = start(['--inetd'], [socket, socket, 'pipe']);
    socket.destroy();
    expect(await session(await connecting, 'one')).toBe(SAID);
    expect(await running.exited).toBe(0);
  });

  it('takes a listening socket from systemd', async () => {
    const server = createServer().listen(30865, SERVER);
    servers.push(server);
    await once(server, 'listening');
    const running = start([], ['ignore', 'pipe', 'pipe', descriptorOf(server)], { LISTEN_FDS: '1' });
    server.close();
    await untilListening(running);
    expect(await session(await RawClient.open(SERVER, CLIENT), 'one')).toBe(SAID);
    expect(await session(await RawClient.open(SERVER, CLIENT), 'two')).toBe(SAID);
    running.child.kill('SIGTERM');
    expect(await running.exited).toBe(0);
  });

  it('takes a connection from systemd (Accept=yes)', async () => {
    const server = createServer({ pauseOnConnect: true, allowHalfOpen: true }).listen(30865, SERVER);
    servers.push(server);
    await once(server, 'listening');
    const connecting = RawClient.open(SERVER, CLIENT);
    const [socket] = (await once(server, 'connection')) as [Socket];
    const running = start([], ['ignore', 'pipe', 'pipe', descriptorOf(socket)], {
      LISTEN_FDS: '1',
      REMOTE_ADDR: CLIENT,
      REMOTE_PORT: '1',
    });
    socket.destroy();
    expect(await session(await connecting, 'one')).toBe(SAID);
    expect(await running.exited).toBe(0);
  });

  it('finishes what is in flight on SIGTERM, and takes nothing new', async () => {
    const running = start([], ['ignore', 'pipe', 'pipe']);
    await untilListening(running);
    const client = await RawClient.open(SERVER, CLIENT);
    client.write(`CONFIG \nHELLO ${CLIENT}\nPATCH ${KEY} ${base}/t/f\n`);
    await client.until((said) => said.includes('send_data'));
    const delta = literalDelta('whole');
    client.write(`octet-stream ${String(delta.length)}\n`);
    client.write(delta.subarray(0, 4).toString('latin1'));
    running.child.kill('SIGTERM');
    while (!running.stderr().includes('Stopping')) await once(running.child.stderr!, 'data');
    await expect(RawClient.open(SERVER, CLIENT)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    client.write(delta.subarray(4).toString('latin1'));
    client.write(`SETOWN ${KEY} ${base}/t/f 1 2\nSETMOD ${KEY} ${base}/t/f 33188\nSETIME ${KEY} ${base}/t/f 1000\n`);
    const said = await client.until(() => false);
    client.close();
    expect(said.split('OK (cmd_finished).')).toHaveLength(5);
    expect(await running.exited).toBe(0);
    expect(fs.readFileSync(`${base}/t/f`, 'utf8')).toBe('whole');
    expect(fs.statSync(`${base}/t/f`)).toMatchObject({ uid: 1, gid: 2, mtimeMs: 1_000_000 });
  });

  it('-N binds to an IPv6 address, and knows a client by its', async () => {
    // Another spelling of the only IPv6 address every machine has.
    const client = '0:0:0:0:0:0:0:1';
    const running = start([], ['ignore', 'pipe', 'pipe'], {}, '::1', `"${client}" ${CLIENT}`);
    await untilListening(running);
    expect(running.stderr()).toContain('Listening on [::1]:30865.');
    expect(await session(await RawClient.open('::1', '::1'), 'six', client)).toBe(SAID);
    const stranger = await RawClient.open('::1', '::1');
    expect(await stranger.say(`CONFIG \nHELLO ${CLIENT}`)).toContain('Identification failed!');
    stranger.close();
    await expect(RawClient.open(SERVER, CLIENT)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it("csx's client dials an IPv6 address, from an IPv6 address", async () => {
    const client = '0:0:0:0:0:0:0:1';
    const running = start([], ['ignore', 'pipe', 'pipe'], {}, '::1', `"${client}"`);
    await untilListening(running);
    fs.writeFileSync(`${base}/t/f`, 'content');
    fs.mkdirSync(`${base}/db-of-client`);
    const place = ['--system-dir', base, '-N', client, '-D', `${base}/db-of-client`];
    // Both share the one tree, so that everything is equal; to find that out it has to ask.
    const planned = await runCsx(['plan', '--json', ...place]);
    expect(planned.status, planned.stderr).toBe(0);
    expect(JSON.parse(planned.stdout)).toMatchObject({
      peers: [{ name: '::1', reachable: true, address: '[::1]:30865' }],
      summary: { create: 0, update: 0 },
    });
    const applied = await runCsx(['apply', '--auto-approve', ...place]);
    expect(applied.status, applied.stdout + applied.stderr).toBe(0);
  });

  it('without -N listens on all addresses, IPv4 and IPv6, and takes mapped addresses for what they are', async () => {
    const running = start([], ['ignore', 'pipe', 'pipe'], {}, null, `"0:0:0:0:0:0:0:1" ${CLIENT}`);
    await untilListening(running);
    expect(await session(await RawClient.open(SERVER, CLIENT), 'four')).toBe(SAID);
    expect(await session(await RawClient.open('::1', '::1'), 'six', '0:0:0:0:0:0:0:1')).toBe(SAID);
  });

  it('says in one line that the address is taken', async () => {
    const server = createServer().listen(30865, SERVER);
    servers.push(server);
    await once(server, 'listening');
    const running = start([], ['ignore', 'pipe', 'pipe']);
    expect(await running.exited).not.toBe(0);
    expect(running.stderr()).toContain(`Cannot listen on ${SERVER}:30865: EADDRINUSE.`);
  });
});

function descriptorOf(thing: Server | Socket): number {
  const { _handle: handle } = thing as unknown as { readonly _handle: { readonly fd: number } };
  return handle.fd;
}
