/** What the tests of the store share: directories that go away, the real csync2, other processes, and short ways to write rows. */

import { execFile, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Database from 'better-sqlite3';
import { afterEach } from 'vitest';
import { openStore, type StoreOptions } from '../../../src/engine/state/open.js';
import type { CheckText } from '../../../src/model/checktxt.js';
import { CsxError } from '../../../src/model/errors.js';
import type { Stamp } from '../../../src/model/entry.js';
import { fromBuffer, fromText, type FileName, type PeerName } from '../../../src/model/names.js';
import type { FileRow, Scope, Store, Write } from '../../../src/model/store.js';

export const HOST = '127.23.0.2';
export const PEER = '127.23.0.3';

const undo: (() => unknown)[] = [];

afterEach(async () => {
  for (const each of undo.splice(0).reverse()) await each();
});

/** Runs after the test, whatever becomes of it. */
export function afterwards(step: () => unknown): void {
  undo.push(step);
}

export function directory(): string {
  const made = mkdtempSync(path.join(tmpdir(), 'csx-state-test-'));
  afterwards(() => {
    rmSync(made, { recursive: true, force: true });
  });
  return made;
}

/** A store that the end of the test closes. */
export async function open(database: string, options: Partial<StoreOptions> = {}): Promise<Store> {
  const store = await openStore({ database, host: HOST, access: 'write', lockTimeout: 5, ...options });
  afterwards(() => store.close());
  return store;
}

/** The CsxError that the promise fails with. */
export async function failure(promise: Promise<unknown>): Promise<CsxError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof CsxError) return error;
    throw error;
  }
  throw new Error('It should have failed.');
}

export const file = (text: string): FileName => fromText(text) as string as FileName;
export const peer = (text: string): PeerName => text as PeerName;
export const checktxt = (text: string): CheckText => text as CheckText;
export const stamp = (text: string): Stamp => text as Stamp;

export function put(name: FileName, text: string, mark?: string): Write {
  return {
    kind: 'put-file',
    file: name,
    checktxt: checktxt(text),
    stamp: mark === undefined ? undefined : stamp(mark),
    target: undefined,
    digest: undefined,
  };
}

export function mark(name: FileName, forced = false, to: string = PEER, since = 1_700_000_000_000): Write {
  return { kind: 'mark', file: name, peer: peer(to), me: peer(HOST), forced, since };
}

export async function rows(store: Store, scopes?: readonly Scope[]): Promise<FileRow[]> {
  const all: FileRow[] = [];
  for await (const batch of store.files(scopes)) all.push(...batch);
  return all;
}

/** Runs SQL on a database that no store has open in this process. */
export function sql(database: string, ...statements: readonly string[]): unknown[] {
  const db = new Database(database);
  try {
    let result: unknown[] = [];
    for (const statement of statements) {
      const prepared = db.prepare(statement);
      if (prepared.reader) result = prepared.raw().all();
      else prepared.run();
    }
    return result;
  } finally {
    db.close();
  }
}

export interface Csync2 {
  /** The directory of files it keeps. */
  readonly tree: string;
  readonly databases: string;
  readonly database: string;
  run(...args: readonly string[]): Promise<Csync2Result>;
  /** With a delay (in microseconds) before each look at a file. */
  slow(delay: number, ...args: readonly string[]): Promise<Csync2Result>;
}

export interface Csync2Result {
  readonly status: number;
  /** A byte string. */
  readonly stdout: string;
  readonly stderr: string;
}

/** A csync2 with a configuration, a tree and a database of its own. */
export function csync2(extra = ''): Csync2 {
  const home = directory();
  const [etc, tree, databases] = ['etc', 'tree', 'db'].map((name) => path.join(home, name)) as [string, string, string];
  for (const each of [etc, tree, databases]) mkdirSync(each);
  writeFileSync(path.join(etc, 'key'), 'k'.repeat(64), { mode: 0o600 });
  const group = `group g { host ${HOST} ${PEER}; key ${etc}/key; include ${tree}; ${extra} }`;
  writeFileSync(path.join(etc, 'csync2.cfg'), `nossl * *;\n${group}\n`);
  const env = { ...process.env, CSYNC2_SYSTEM_DIR: etc };
  const words = (args: readonly string[]): string[] => ['-N', HOST, '-D', databases, ...args];
  return {
    tree,
    databases,
    database: path.join(databases, `${HOST}.db3`),
    run: (...args) => finished('csync2', words(args), env),
    slow: (delay, ...args) => {
      const inject = [
        '-o',
        '/dev/null',
        '-e',
        'trace=newfstatat',
        '-e',
        `inject=newfstatat:delay_enter=${String(delay)}`,
      ];
      return finished('strace', [...inject, 'csync2', ...words(args)], env);
    },
  };
}

function finished(command: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<Csync2Result> {
  return new Promise((resolve) => {
    const options = { env, encoding: 'buffer', maxBuffer: 1 << 28 } as const;
    const started = execFile(command, args, options, (error, stdout, stderr) => {
      const status = error === null ? 0 : Number(error.code ?? 255);
      resolve({ status, stdout: fromBuffer(stdout), stderr: fromBuffer(stderr) });
    });
    afterwards(() => started.kill('SIGKILL'));
  });
}

export interface Child {
  readonly pid: number;
  /** Its first line has come. */
  readonly ready: Promise<void>;
  /** All it printed, when it has ended. */
  readonly ended: Promise<string>;
  kill(): Promise<string>;
}

/** Another process: `node child.mjs`, or any command that prints a line when it is ready. */
export function child(command: string, ...args: readonly string[]): Child {
  const isJob = command === 'child';
  const script = path.join(import.meta.dirname, 'child.mjs');
  const started = spawn(isJob ? process.execPath : command, isJob ? [script, ...args] : args, {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  afterwards(() => started.kill('SIGKILL'));
  let output = '';
  const ended = new Promise<string>((resolve) => {
    started.on('close', () => {
      resolve(output);
    });
  });
  const ready = new Promise<void>((resolve, reject) => {
    started.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString('latin1');
      if (output.includes('\n')) resolve();
    });
    started.on('close', () => {
      reject(new Error(`It ended before it was ready: ${output}`));
    });
  });
  return {
    pid: started.pid ?? 0,
    ready,
    ended,
    kill() {
      started.kill('SIGKILL');
      return ended;
    },
  };
}

/** The bytes of every file of a directory. */
export function contents(where: string, read: (name: string) => Buffer): Map<string, string> {
  return new Map(readdirSync(where).map((name) => [name, fromBuffer(read(path.join(where, name)))]));
}
