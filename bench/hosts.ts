/**
 * Hosts on loopback addresses, each with a tree, a configuration and a database of its own, and the programs on them: csx, csync2,
 * rsync. Everything lies below one directory; `close` ends what runs and removes it.
 */

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from './measure.ts';
import type { Run } from './measure.ts';
import { discard, scratch, watch } from './scratch.ts';

export type Program = 'csx' | 'csync2';
/** `drop-in` is the csync2 that lies beside csx. */
export type Client = Program | 'drop-in';

/** 127.35.0.0/16 is the benchmarks' own. */
const BLOCK = '127.35';
const PORT = 30865;
/** Where a daemon listens that stands behind a line with delay. */
export const FAR_PORT = 30866;
/** Milliseconds for a daemon to listen. */
const START = 10_000;

const PROGRAMS = { csync2: '/usr/sbin/csync2', rsync: '/usr/bin/rsync' } as const;

export class Lab {
  readonly root: string;
  readonly #csx: string;
  readonly #running = new Set<Service>();
  readonly #closers: (() => Promise<void>)[] = [];

  /** @param parent a directory on the file system to measure on */
  constructor(parent: string, csx: string) {
    this.root = scratch(parent);
    this.#csx = csx;
  }

  /** Lays out `BLOCK.net.1` and so on with one group of them all; nothing runs yet. The first host is the sender. */
  hosts(net: number, count: number): readonly Host[] {
    const names = Array.from({ length: count }, (_, index) => `${BLOCK}.${net}.${index + 1}`);
    const trees = names.map((name) => `on ${name}: ${path.join(this.root, name, 'tree')};`);
    const config = [
      'nossl * *;',
      `prefix t { ${trees.join(' ')} }`,
      `group bench { host ${names.join(' ')}; key k; include %t%; auto none; }`,
      '',
    ].join('\n');
    return names.map((name) => new Host(this, name, config));
  }

  program(program: Client): string {
    if (program === 'drop-in') return path.join(path.dirname(this.#csx), 'csync2');
    return program === 'csx' ? this.#csx : PROGRAMS.csync2;
  }

  /** Starts a server and resolves when it listens. */
  async start(command: readonly string[], env: NodeJS.ProcessEnv, address: string, port: number): Promise<Service> {
    if (listens(address, port)) throw new Error(`Something listens on ${address}:${port} already.`);
    const [program = '', ...args] = command;
    // A group of its own, since csync2 forks for each connection.
    const child = spawn(program, args, { env: { ...process.env, ...env }, detached: true, stdio: 'ignore' });
    watch(child);
    const service = new Service(child, address, port, () => {
      this.#running.delete(service);
    });
    this.#running.add(service);
    const deadline = Date.now() + START;
    while (!listens(address, port)) {
      await sleep(5);
      if (child.exitCode !== null || Date.now() > deadline) throw new Error(`${command.join(' ')} does not listen.`);
    }
    return service;
  }

  /** To be called by `close`. */
  onClose(close: () => Promise<void>): void {
    this.#closers.push(close);
  }

  async close(): Promise<void> {
    for (const close of this.#closers) await close();
    for (const service of [...this.#running]) await service.stop();
    discard(this.root);
  }
}

export class Host {
  readonly name: string;
  readonly directory: string;
  readonly tree: string;
  readonly database: string;
  readonly #lab: Lab;
  readonly #env: NodeJS.ProcessEnv;
  #before = 0;

  constructor(lab: Lab, name: string, config: string) {
    this.#lab = lab;
    this.name = name;
    this.directory = path.join(lab.root, name);
    this.tree = path.join(this.directory, 'tree');
    this.database = path.join(this.directory, 'db');
    const system = path.join(this.directory, 'etc');
    for (const each of [this.tree, this.database, system]) mkdirSync(each, { recursive: true });
    writeFileSync(path.join(system, 'csync2.cfg'), config);
    writeFileSync(path.join(system, 'k'), `${'k'.repeat(64)}\n`, { mode: 0o600 });
    this.#env = { CSYNC2_SYSTEM_DIR: system, NO_COLOR: '1' };
  }

  /** Forgets the database. */
  forget(): void {
    rmSync(this.database, { recursive: true, force: true });
    mkdirSync(this.database);
  }

  /** Forgets the database and empties the tree. */
  clear(): void {
    this.forget();
    rmSync(this.tree, { recursive: true, force: true });
    mkdirSync(this.tree);
  }

  /**
   * Forgets the database and begins an empty tree beside the old one, which goes with the laboratory: an ext4 without a journal looks through all
   * inodes that were removed within the last minutes for each file it makes.
   */
  setAside(): void {
    this.forget();
    this.#before += 1;
    renameSync(this.tree, path.join(this.directory, `before-${this.#before}`));
    mkdirSync(this.tree);
  }

  /** Runs a program as this host. */
  run(program: Client, ...args: string[]): Promise<Run> {
    return this.runOn(this.database, program, ...args);
  }

  /** The same on another database. */
  runOn(database: string, program: Client, ...args: string[]): Promise<Run> {
    return run({
      program: this.#lab.program(program),
      args: [...args, '-N', this.name, '-D', database],
      env: this.#env,
      // csync2 -T says 2 where all is equal.
      statuses: args[0] === '-T' ? [2] : [],
    });
  }

  /** Starts a daemon as this host. */
  serve(program: Program, port = PORT): Promise<Service> {
    const common = ['-N', this.name, '-D', this.database, '-p', String(port)];
    const command = program === 'csx' ? ['daemon', '--quiet', ...common] : ['-ii', ...common];
    return this.#lab.start([this.#lab.program(program), ...command], this.#env, this.name, port);
  }

  /** Starts an rsync daemon that takes what it is sent into this host's tree; the service and the place to send to. */
  async serveRsync(): Promise<{ readonly service: Service; readonly place: string }> {
    const [port, file] = [8730, path.join(this.directory, 'rsyncd.conf')];
    const module = `[tree]\npath = ${this.tree}\nread only = false\nuid = root\ngid = root\n`;
    writeFileSync(file, `use chroot = false\nreverse lookup = false\n${module}`);
    const args = ['--daemon', '--no-detach', `--address=${this.name}`, `--port=${port}`, `--config=${file}`];
    const service = await this.#lab.start([PROGRAMS.rsync, ...args], {}, this.name, port);
    return { service, place: `rsync://${this.name}:${port}/tree/` };
  }
}

/** A server that runs. */
export class Service {
  readonly #child: ChildProcess;
  readonly #address: string;
  readonly #port: number;
  readonly #onStop: () => void;

  constructor(child: ChildProcess, address: string, port: number, onStop: () => void) {
    this.#child = child;
    this.#address = address;
    this.#port = port;
    this.#onStop = onStop;
  }

  /** Processor seconds so far, with those of finished children. */
  cpu(): number {
    const fields = readFileSync(`/proc/${String(this.#child.pid)}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / 100;
  }

  async stop(): Promise<void> {
    this.#onStop();
    if (this.#child.pid === undefined) return;
    try {
      process.kill(-this.#child.pid, 'SIGKILL');
    } catch {
      // It has ended already.
    }
    while (listens(this.#address, this.#port)) await sleep(5);
  }
}

/** Looks into the kernel's table: connecting would make the server serve. */
function listens(address: string, port: number): boolean {
  const bytes = address
    .split('.')
    .reverse()
    .map((part) => Number(part).toString(16).padStart(2, '0'));
  const local = `${bytes.join('')}:${port.toString(16).padStart(4, '0')}`.toUpperCase();
  return readFileSync('/proc/net/tcp', 'latin1')
    .split('\n')
    .some((line) => {
      const [, here, , state] = line.trim().split(/\s+/);
      return here === local && state === '0A';
    });
}

/** What has to be installed. */
export function missingPrograms(): readonly string[] {
  return [...Object.values(PROGRAMS), '/usr/bin/rdiff', '/usr/bin/find'].filter((program) => !existsSync(program));
}
