/**
 * The same hosts four times: csync2 and csx's drop-in, each as client and as daemon. A scenario runs on all four, and what can be seen of
 * it (stdout, exit status, trees, database rows) must be the same as with csync2 on both sides.
 *
 *   await compareTwins({ block: '127.31.20', hosts: 2 }, async (twin) => { twin.put(0, 'a', 'x'); await twin.run(0, '-xr', '/'); });
 *
 * All four bear the same addresses; each has a TCP port of its own.
 */

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  realpathSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { expect } from 'vitest';
import { makePair } from '../support/csync2-daemon.js';
import { finish, killGroup } from '../support/finish.js';
import type { Finished } from '../support/finish.js';
import { listens } from '../support/listens.js';
import { readTree } from '../support/tree.js';
import { wordsOf } from './words.js';

export type Program = 'csync2' | 'csx';

export const PROGRAMS: Readonly<Record<Program, string>> = {
  csync2: '/usr/sbin/csync2',
  csx: fileURLToPath(new URL('../../bin/csync2', import.meta.url)),
};
const KEY = 'd'.repeat(64);
/** One for all hosts: what counts is that they pin it. */
let pair: ReturnType<typeof makePair> | undefined;
const PORT = 31_865;
/** Milliseconds. */
const RUN_DEADLINE = 60_000;
const START_DEADLINE = 20_000;

export interface TwinOptions {
  /** The first three bytes of the addresses: one block for each test file. */
  readonly block: string;
  readonly hosts: number;
  /** Statements for the group besides host, key and `include %t%;`; or all of the configuration. */
  readonly group?: string;
  readonly config?: (twin: {
    readonly names: readonly string[];
    readonly trees: readonly string[];
    readonly root: string;
  }) => string;
  readonly tls?: boolean;
  /** Hosts whose daemon runs; default: all but the first. */
  readonly listen?: readonly number[];
  /** -v or -vv: every run is given it, and its words on stderr count too; so does the daemon's log, given it as well. */
  readonly verbose?: '-v' | '-vv';
}

export interface Seen {
  /** What is compared. */
  readonly seen: unknown;
  /** stderr, for messages: its words may differ. */
  readonly said: string;
}

/** The combination whose outcome counts. */
const REFERENCE = { client: 'csync2', daemon: 'csync2' } as const;
const COMBINATIONS: readonly { readonly client: Program; readonly daemon: Program }[] = [
  REFERENCE,
  { client: 'csx', daemon: 'csync2' },
  { client: 'csync2', daemon: 'csx' },
  { client: 'csx', daemon: 'csx' },
];

/** Runs the scenario on all four and holds the records of all to that of csync2 with csync2. */
export async function compareTwins(
  options: TwinOptions,
  scenario: (twin: Twin) => Promise<void> | void,
  combinations = COMBINATIONS,
): Promise<void> {
  const records = await Promise.all(
    combinations.map(async (programs, index) => {
      const twin = await Twin.start(options, programs, PORT + index);
      try {
        await scenario(twin);
        await twin.note();
        return twin.record;
      } finally {
        await twin.stop();
      }
    }),
  );
  const [reference, ...others] = records;
  for (const [index, record] of others.entries()) {
    const { client, daemon } = combinations[index + 1] ?? REFERENCE;
    const who = `${client} to ${daemon}, against csync2 to csync2`;
    for (const [step, { seen, said }] of record.entries())
      expect(seen, `${who}, step ${step}: ${said}`).toEqual(reference?.[step]?.seen);
    expect(record.length, who).toBe(reference?.length);
  }
}

/** One of the four: hosts that the scenario works on. Names of files are relative to a host's tree. */
export class Twin {
  readonly names: readonly string[];
  readonly trees: readonly string[];
  readonly root: string;
  readonly client: Program;
  readonly daemon: Program;
  /** What was seen, in order. */
  readonly record: Seen[] = [];
  readonly port: number;
  readonly #daemons: ChildProcess[] = [];
  readonly #verbose: string | undefined;

  private constructor(options: TwinOptions, programs: { client: Program; daemon: Program }, port: number) {
    this.root = mkdtempSync(path.join(realpathSync(tmpdir()), 'csx-twin-'));
    this.names = Array.from({ length: options.hosts }, (_, index) => `${options.block}.${index + 1}`);
    this.trees = this.names.map((name) => path.join(this.root, name, 'tree'));
    this.client = programs.client;
    this.daemon = programs.daemon;
    this.port = port;
    this.#verbose = options.verbose;
  }

  static async start(
    options: TwinOptions,
    programs: { readonly client: Program; readonly daemon: Program },
    port: number,
  ): Promise<Twin> {
    const twin = new Twin(options, programs, port);
    const config = (options.config ?? defaultConfig(options))(twin);
    for (const [index, name] of twin.names.entries()) {
      const directory = path.join(twin.root, name);
      for (const part of ['tree', 'etc', 'db']) mkdirSync(path.join(directory, part), { recursive: true });
      writeFileSync(path.join(directory, 'etc/k'), `${KEY}\n`, { mode: 0o600 });
      if (options.tls === true) {
        pair ??= makePair(2048);
        writeFileSync(path.join(directory, 'etc/csync2_ssl_cert.pem'), pair.certificate);
        writeFileSync(path.join(directory, 'etc/csync2_ssl_key.pem'), pair.key, { mode: 0o600 });
      }
      twin.configure(index, config);
    }
    try {
      const listening = options.listen ?? twin.names.map((_, index) => index).slice(1);
      for (const host of listening) await twin.listen(host);
    } catch (error) {
      await twin.stop();
      throw error;
    }
    return twin;
  }

  configure(host: number, config: string): void {
    writeFileSync(path.join(this.root, this.#name(host), 'etc/csync2.cfg'), config, 'latin1');
  }

  /** Writes a file; times are part of what is compared, so every file has the one given. */
  put(host: number, name: string, content: string, seconds = 1_700_000_000, mode = 0o644): string {
    const file = path.join(this.trees[host] ?? '', name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(Buffer.from(file, 'latin1'), content, { encoding: 'latin1', mode });
    utimesSync(Buffer.from(file, 'latin1'), seconds, seconds);
    return file;
  }

  remove(host: number, name: string): void {
    rmSync(path.join(this.trees[host] ?? '', name), { recursive: true });
  }

  /** Runs the client's program as a host; stdout and status go into the record. */
  async run(host: number, ...args: string[]): Promise<Finished> {
    const ran = await this.quiet(host, ...args);
    const seen = {
      command: this.#anonymous(args.join(' ')),
      // The same in other words.
      stdout: /^Usage: \S*csync2 /m.test(ran.stdout) ? 'HELP' : this.#anonymous(ran.stdout),
      status: ran.status,
      words: this.#verbose === undefined ? [] : wordsOf(this.#anonymous(ran.stderr)),
    };
    this.record.push({ seen, said: ran.stderr });
    return ran;
  }

  /** The same without a record. */
  quiet(host: number, ...args: string[]): Promise<Finished> {
    return this.#program(this.client, host, [...(this.#verbose === undefined ? [] : [this.#verbose]), ...args]);
  }

  /** Puts all trees and databases into the record. */
  async note(): Promise<void> {
    // A daemon may still be at the end of a session.
    await sleep(50);
    for (const [host, tree] of this.trees.entries())
      this.record.push({ seen: { host, tree: readTree(tree), rows: this.rows(host) }, said: '' });
  }

  /** csync2's own tables, decoded as they stand. */
  rows(host: number): Readonly<Record<string, readonly unknown[]>> {
    const file = path.join(this.root, this.#name(host), 'db', `${this.#name(host)}.db3`);
    if (!existsSync(file)) return { file: [], dirty: [], hint: [], action: [] };
    const db = new Database(file, { readonly: true });
    try {
      const all = (sql: string): readonly unknown[] =>
        (db.prepare(sql).raw().all() as (string | number)[][]).map((row) =>
          row.map((value) => this.#anonymous(`${value}`)),
        );
      const has = (table: string): boolean =>
        db.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?").get(table) !== undefined;
      const read = (table: string, columns: string): readonly unknown[] =>
        has(table) ? all(`SELECT ${columns} FROM ${table} ORDER BY ${columns}`) : [];
      return {
        file: read('file', 'filename, checktxt'),
        dirty: read('dirty', 'filename, peername, myname, forced'),
        hint: read('hint', 'filename, recursive'),
        action: read('action', 'filename, command'),
      };
    } finally {
      db.close();
    }
  }

  /** Starts a host's daemon; gives the promise of its exit status. */
  async listen(
    host: number,
    mode = '-ii',
  ): Promise<{ readonly child: ChildProcess; readonly ended: Promise<number | null> }> {
    const name = this.#name(host);
    const log = openSync(this.#logOf(host), 'a');
    const verbose = this.#verbose === undefined ? [] : [this.#verbose];
    const child = spawn(PROGRAMS[this.daemon], [mode, ...verbose, ...this.common(host)], {
      env: this.environment(host),
      stdio: ['ignore', 'ignore', log],
      detached: true,
    });
    closeSync(log);
    this.#daemons.push(child);
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    const deadline = Date.now() + START_DEADLINE;
    while (!listens(name, this.port)) {
      if (Date.now() > deadline || child.exitCode !== null)
        throw new Error(`${this.daemon} does not listen on ${name}.`);
      await sleep(10);
    }
    return { child, ended };
  }

  /** Puts what a host's daemon said into the record, once every connection has ended. */
  async noteLog(host: number): Promise<void> {
    const count = (text: string, word: string): number => text.split(word).length - 1;
    for (let round = 0; ; round++) {
      const said = this.#anonymous(readFileSync(this.#logOf(host), 'latin1'));
      if (count(said, 'New connection') === count(said, 'Finished with') || round > 400) {
        this.record.push({ seen: { host, words: wordsOf(said.replace(/^<\d+> /gm, '')) }, said });
        return;
      }
      await sleep(25);
    }
  }

  #logOf(host: number): string {
    return path.join(this.root, this.#name(host), 'log');
  }

  async stop(): Promise<void> {
    for (const child of this.#daemons) {
      if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) continue;
      const exited = new Promise((resolve) => child.once('exit', resolve));
      killGroup(child, 'SIGKILL');
      await exited;
    }
    rmSync(this.root, { recursive: true, force: true });
  }

  #program(program: Program, host: number, args: readonly string[]): Promise<Finished> {
    const child = spawn(PROGRAMS[program], [...this.common(host), ...args], {
      env: this.environment(host),
      cwd: this.trees[host],
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return finish(child, RUN_DEADLINE);
  }

  /** The options that make the program this host. */
  common(host: number): readonly string[] {
    return ['-N', this.#name(host), '-D', path.join(this.root, this.#name(host), 'db'), '-p', String(this.port)];
  }

  environment(host: number): NodeJS.ProcessEnv {
    return { ...process.env, CSYNC2_SYSTEM_DIR: path.join(this.root, this.#name(host), 'etc') };
  }

  #name(host: number): string {
    return this.names[host] ?? '';
  }

  /** Each of the four lies elsewhere. */
  #anonymous(text: string): string {
    return text.replaceAll(this.root, 'ROOT');
  }
}

function defaultConfig(options: TwinOptions): NonNullable<TwinOptions['config']> {
  return ({ names, trees }) => `
    ${options.tls === true ? '' : 'nossl * *;'}
    prefix t { ${names.map((name, index) => `on ${name}: ${trees[index] ?? ''};`).join(' ')} }
    group g { host ${names.join(' ')}; key k; include %t%; ${options.group ?? ''} }`;
}
