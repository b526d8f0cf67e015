/**
 * Hosts for the safety tests, each a process of its own that can be killed, traced and starved: csx (bin/csx.js as it is run) or the
 * real csync2. All share one group with one tree each under the prefix %t%.
 *
 *   const hosts = await startHosts({ block: '127.34.1', kinds: ['csx', 'csx'] });
 *   try { await hosts[0].apply() ... } finally { await stopHosts(hosts); }
 */

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { makePair } from '../support/csync2-daemon.js';
import { finish, killGroup } from '../support/finish.js';
import type { Finished } from '../support/finish.js';
import { listens } from '../support/listens.js';

export type Kind = 'csx' | 'csync2';

export interface HostsOptions {
  /** The first three bytes of the addresses. */
  readonly block: string;
  readonly kinds: readonly Kind[];
  /** More statements of the group. */
  readonly group?: string;
  /** More statements at the top. */
  readonly top?: string;
  readonly tls?: boolean;
  /** Where everything lies; a new temporary directory when not given. */
  readonly root?: string;
  /** Hosts whose daemons are not started at once. */
  readonly silent?: readonly number[];
}

export type Result = Finished;

export interface RunOptions {
  /** A program and its arguments to run it under: strace, prlimit. */
  readonly under?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly started?: (child: ChildProcess) => void;
  /** Milliseconds until a command is killed. */
  readonly deadline?: number;
}

export const KEY = 'k'.repeat(32) + 'K'.repeat(32);
export const PORT = 30865;
const PROGRAM = fileURLToPath(new URL('../../bin/csx.js', import.meta.url));
const DEADLINE = 120_000;

/** True in `npm run test:safety`: the counts the promises name instead of CI's selection. */
export const LONG = process.env['CSX_SAFETY'] === 'long';

/** How often: in CI, and in the long run. */
export function times(ci: number, long: number): number {
  return LONG ? long : ci;
}

/** Says in the long run how much was really done: what docs/promises.md tells. */
export function tally(text: string): void {
  if (LONG) process.stderr.write(`${text}\n`);
}

export class Host {
  readonly kind: Kind;
  readonly address: string;
  readonly directory: string;
  readonly tree: string;
  readonly systemDirectory: string;
  readonly databaseDirectory: string;
  readonly database: string;
  #daemon: { readonly child: ChildProcess; readonly ended: Promise<void> } | undefined;
  #log = '';
  #port = PORT;

  constructor(kind: Kind, address: string, directory: string) {
    this.kind = kind;
    this.address = address;
    this.directory = directory;
    this.tree = path.join(directory, 'tree');
    this.systemDirectory = path.join(directory, 'etc');
    this.databaseDirectory = path.join(directory, 'db');
    this.database = path.join(this.databaseDirectory, `${address}.db3`);
    for (const each of [this.tree, this.systemDirectory, this.databaseDirectory]) mkdirSync(each, { recursive: true });
  }

  /** What the daemon said. */
  get log(): string {
    return this.#log;
  }

  /** Whether the daemon runs. */
  get serving(): boolean {
    return this.#daemon !== undefined;
  }

  /** The daemon's process. */
  get pid(): number | undefined {
    return this.#daemon?.child.pid;
  }

  /** Starts the daemon; resolves when it listens. */
  async serve(options: RunOptions & { readonly port?: number } = {}): Promise<void> {
    const port = options.port ?? PORT;
    this.#port = port;
    const child =
      this.kind === 'csx'
        ? this.#spawn([process.execPath, PROGRAM, 'daemon', '-v', ...this.#place(), '-p', String(port)], options)
        : this.#spawn(['/usr/sbin/csync2', '-ii', '-v', ...this.#place(), '-p', String(port)], options);
    const ended = new Promise<void>((resolve) => {
      child.once('close', () => {
        this.#daemon = undefined;
        resolve();
      });
      child.once('error', () => {
        resolve();
      });
    });
    this.#daemon = { child, ended };
    const hear = (chunk: Buffer): void => {
      this.#log += chunk.toString('latin1');
    };
    child.stderr?.on('data', hear);
    child.stdout?.on('data', hear);
    for (let round = 0; !listens(this.address, port); round += 1) {
      if (child.exitCode !== null || child.signalCode !== null || round > 6000) {
        throw new Error(`${this.address} does not listen: ${this.#log}`);
      }
      await sleep(5);
    }
  }

  /** Waits until the daemon has ended by itself. */
  async ended(): Promise<void> {
    await this.#daemon?.ended;
  }

  /** SIGKILL to the daemon and all it has started. */
  async kill(): Promise<void> {
    const daemon = this.#daemon;
    if (daemon === undefined) return;
    killGroup(daemon.child, 'SIGKILL');
    await daemon.ended;
    while (listens(this.address, this.#port)) await sleep(5);
  }

  /** Runs a command as this host: `csx ARGS`, or `csync2 ARGS`. */
  run(args: readonly string[], options: RunOptions = {}): Promise<Result> {
    const program = this.kind === 'csx' ? [process.execPath, PROGRAM] : ['/usr/sbin/csync2'];
    const child = this.#spawn([...program, ...args, ...this.#place()], options);
    const finished = finish(child, options.deadline ?? DEADLINE);
    options.started?.(child);
    return finished;
  }

  /** Brings what changed here to all peers: `csx apply`, or `csync2 -x`. */
  apply(options: RunOptions & { readonly flags?: readonly string[] } = {}): Promise<Result> {
    const args = this.kind === 'csx' ? ['apply', '--auto-approve'] : ['-x'];
    return this.run([...args, ...(options.flags ?? [])], options);
  }

  #place(): readonly string[] {
    return ['-N', this.address, '-D', this.databaseDirectory];
  }

  #spawn(command: readonly string[], options: RunOptions): ChildProcess {
    const env: NodeJS.ProcessEnv = { ...process.env, CSYNC2_SYSTEM_DIR: this.systemDirectory, ...options.env };
    for (const name of ['NO_COLOR', 'FORCE_COLOR', 'CSX_INPUT', 'CSX_HOSTNAME', 'CSYNC2_DATABASE']) {
      if (options.env?.[name] === undefined) Reflect.deleteProperty(env, name);
    }
    const [program = '', ...args] = [...(options.under ?? []), ...command];
    const child = spawn(program, args, { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    running.add(child);
    child.once('close', () => running.delete(child));
    return child;
  }
}

/** All that was started here and has not ended: ended with the test process at the latest. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) killGroup(child, 'SIGKILL');
});

/** The hosts with their configuration, and their daemons running. */
export async function startHosts(options: HostsOptions): Promise<Host[]> {
  const root = options.root ?? mkdtempSync(path.join(realpathSync(tmpdir()), 'csx-safety-'));
  const hosts = options.kinds.map((kind, index) => {
    const address = `${options.block}.${String(index + 1)}`;
    return new Host(kind, address, path.join(root, address));
  });
  const config = `
    ${options.tls === true ? '' : 'nossl * *;'}
    ${options.top ?? ''}
    prefix t { ${hosts.map((host) => `on ${host.address}: ${host.tree};`).join(' ')} }
    group g {
      host ${hosts.map((host) => host.address).join(' ')};
      key k;
      include %t%;
      ${options.group ?? ''}
    }\n`;
  try {
    for (const [index, host] of hosts.entries()) {
      writeFileSync(path.join(host.systemDirectory, 'csync2.cfg'), config, 'latin1');
      writeFileSync(path.join(host.systemDirectory, 'k'), `${KEY}\n`, { mode: 0o600 });
      if (options.tls === true) {
        const pair = makePair(2048);
        writeFileSync(path.join(host.systemDirectory, 'csync2_ssl_cert.pem'), pair.certificate);
        writeFileSync(path.join(host.systemDirectory, 'csync2_ssl_key.pem'), pair.key, { mode: 0o600 });
      }
      if (options.silent?.includes(index) !== true) await host.serve();
    }
    return hosts;
  } catch (error) {
    await stopHosts(hosts);
    throw error;
  }
}

/** Kills the daemons and removes everything. */
export async function stopHosts(hosts: readonly Host[] | undefined): Promise<void> {
  for (const host of hosts ?? []) await host.kill();
  const [first] = hosts ?? [];
  if (first !== undefined) rmSync(path.dirname(first.directory), { recursive: true, force: true });
}

/** Names below a directory that csx staged and nobody cleared away. */
export function staged(...directories: readonly string[]): string[] {
  return directories
    .flatMap((directory) => readdirSync(directory, { recursive: true, encoding: 'latin1' }))
    .filter((name) => path.basename(name).startsWith('.csx-stage-'));
}
