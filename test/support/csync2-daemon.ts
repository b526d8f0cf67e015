/**
 * The real csync2 2.0 (Debian's package) as the other end of a test: a host of its own on a loopback address, with its own
 * system directory, database directory and, when wanted, its own certificate.
 *
 *   const peer = await startCsync2({
 *     address: '127.22.0.2',
 *     config: `nossl * *; group g { host 127.22.0.1 127.22.0.2; key k; include ${tree}; }`,
 *     keys: { k: 'a'.repeat(64) },
 *   });
 *   try { ... } finally { await peer.stop(); }
 *
 * Hosts are named by their loopback address, so that nothing needs /etc/hosts. What was started is stopped by `stop()`, or
 * at the latest when the test process ends. A machine without csync2 fails the test: nothing is ever skipped.
 */

import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { finish, killGroup } from './finish.js';
import { listens } from './listens.js';

export interface Csync2Options {
  /** Loopback address: name, listening address and source address of this host. */
  readonly address: string;
  /** Where everything lies; made (below the temporary directory, and removed by `stop`) when not given. */
  readonly directory?: string;
  /** Text of csync2.cfg, or csync2_NAME.cfg with `configName`. Key names are relative to the system directory. */
  readonly config: string;
  /** Key file name to key text. */
  readonly keys?: Readonly<Record<string, string>>;
  /** PEM texts, or the size of an RSA key to make a pair with. Without it the host has no certificate (needs nossl). */
  readonly tls?: { readonly certificate: string; readonly key: string } | { readonly bits: number };
  readonly configName?: string;
  /** TCP port; csync2's own when not given. */
  readonly port?: number;
  /** How many -v; default 1. With 3 the log shows every command. */
  readonly verbose?: number;
  /** More arguments for daemon and `run` alike, such as `-B`. */
  readonly args?: readonly string[];
  /** More environment variables, for daemon and `run` alike. */
  readonly env?: Readonly<Record<string, string>>;
  /** False: no daemon, only directories and `run` (csync2 as client). */
  readonly listen?: boolean;
}

export interface Csync2Result {
  /** Byte strings (latin1), as csx names are. */
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number;
}

export interface Csync2Host {
  readonly address: string;
  readonly port: number;
  readonly directory: string;
  readonly systemDirectory: string;
  readonly databaseDirectory: string;
  /** The database file (made by csync2 when it is first needed). */
  readonly database: string;
  /** Process id of the listening daemon; undefined with `listen: false`. */
  readonly pid: number | undefined;
  /** What the daemon wrote to its standard error so far. */
  log(): string;
  /** Runs `csync2 ARGS` as this host, with its configuration and database, and waits for it. Killed after `deadline` milliseconds. */
  run(args: readonly string[], deadline?: number): Promise<Csync2Result>;
  /** Writes another configuration; it counts from the next connection or run on. */
  configure(config: string): void;
  /** Kills the daemon and all its children at once, as a power failure would; directories stay. */
  kill(): Promise<void>;
  /** Ends the daemon and removes the directory when it was made here. */
  stop(): Promise<void>;
}

const PROGRAM = '/usr/sbin/csync2';
const DEFAULT_PORT = 30865;
/** Milliseconds for a daemon to listen, and for a run to end. */
const START_DEADLINE = 10_000;
const RUN_DEADLINE = 60_000;

/** Starts a csync2 host; resolves when its daemon listens. */
export async function startCsync2(options: Csync2Options): Promise<Csync2Host> {
  if (!existsSync(PROGRAM)) {
    throw new Error(
      `THE REAL CSYNC2 IS MISSING: ${PROGRAM} does not exist, and tests against it must not be skipped. Install it: apt-get install csync2`,
    );
  }
  const directory = options.directory ?? mkdtempSync(path.join(tmpdir(), 'csx-csync2-'));
  const systemDirectory = path.join(directory, 'etc');
  const databaseDirectory = path.join(directory, 'db');
  const logFile = path.join(directory, 'csync2.log');
  mkdirSync(systemDirectory, { recursive: true });
  mkdirSync(databaseDirectory, { recursive: true });
  const suffix = options.configName === undefined ? '' : `_${options.configName}`;
  const configFile = path.join(systemDirectory, `csync2${suffix}.cfg`);
  writeFileSync(configFile, options.config, 'latin1');
  for (const [name, text] of Object.entries(options.keys ?? {})) {
    writeFileSync(path.join(systemDirectory, name), `${text}\n`, { mode: 0o600 });
  }
  if (options.tls !== undefined) writePair(systemDirectory, options.tls);

  const port = options.port ?? DEFAULT_PORT;
  const environment = { ...process.env, ...options.env, CSYNC2_SYSTEM_DIR: systemDirectory };
  const common = ['-N', options.address, '-D', databaseDirectory, '-p', String(port), ...(options.args ?? [])];
  const verbose = Array<string>(options.verbose ?? 1).fill('-v');

  writeFileSync(logFile, '');
  let daemon: Daemon | undefined;
  if (options.listen !== false) {
    if (listens(options.address, port)) throw new Error(`Another process listens on ${options.address}:${port}.`);
    daemon = startDaemon(['-ii', ...verbose, ...common], environment, logFile);
    try {
      await untilListening(daemon, options.address, port, logFile);
    } catch (error) {
      await daemon.kill();
      throw error;
    }
  }

  const kill = async (): Promise<void> => {
    await daemon?.kill();
    // The children for single connections hold the listening socket too, and die a moment later.
    while (daemon !== undefined && listens(options.address, port)) await sleep(5);
    daemon = undefined;
  };
  const pid = daemon?.process.pid;

  return {
    address: options.address,
    port,
    directory,
    systemDirectory,
    databaseDirectory,
    database: path.join(databaseDirectory, `${options.address}${suffix}.db3`),
    pid,
    log: () => readFileSync(logFile, 'latin1'),
    run: (args, deadline) => {
      const config = options.configName === undefined ? [] : ['-C', options.configName];
      return runCsync2([...common, ...config, ...args], environment, deadline);
    },
    configure: (config) => {
      writeFileSync(configFile, config, 'latin1');
    },
    kill,
    stop: async () => {
      await kill();
      if (options.directory === undefined) rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Makes a self-signed pair with openssl, as csync2's documentation tells people to. */
export function makePair(bits: number, subject = '/CN=csync2'): { readonly certificate: string; readonly key: string } {
  const directory = mkdtempSync(path.join(tmpdir(), 'csx-pair-'));
  try {
    const [key, certificate] = [path.join(directory, 'key.pem'), path.join(directory, 'cert.pem')];
    const made = spawnSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        `rsa:${bits}`,
        '-nodes',
        '-days',
        '600',
        '-subj',
        subject,
        '-keyout',
        key,
        '-out',
        certificate,
      ],
      { encoding: 'latin1' },
    );
    if (made.status !== 0) throw new Error(`openssl could not make a pair: ${made.stderr}`);
    return { certificate: readFileSync(certificate, 'latin1'), key: readFileSync(key, 'latin1') };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function writePair(systemDirectory: string, tls: NonNullable<Csync2Options['tls']>): void {
  const pair = 'bits' in tls ? makePair(tls.bits) : tls;
  writeFileSync(path.join(systemDirectory, 'csync2_ssl_cert.pem'), pair.certificate);
  writeFileSync(path.join(systemDirectory, 'csync2_ssl_key.pem'), pair.key, { mode: 0o600 });
}

interface Daemon {
  readonly process: ChildProcess;
  kill(): Promise<void>;
}

/** csync2 forks one child for each connection: the daemon leads a process group of its own, which is killed as a whole. */
function startDaemon(args: readonly string[], env: NodeJS.ProcessEnv, logFile: string): Daemon {
  const log = openSync(logFile, 'a');
  const child = spawn(PROGRAM, args, { env, detached: true, stdio: ['ignore', log, log] });
  closeSync(log);
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => {
      resolve();
    });
    child.once('error', () => {
      resolve();
    });
  });
  const killAll = (): void => {
    killGroup(child, 'SIGKILL');
  };
  process.once('exit', killAll);
  return {
    process: child,
    kill: async () => {
      killAll();
      await exited;
      process.removeListener('exit', killAll);
    },
  };
}

async function untilListening(daemon: Daemon, address: string, port: number, logFile: string): Promise<void> {
  const deadline = Date.now() + START_DEADLINE;
  while (!listens(address, port)) {
    if (daemon.process.exitCode !== null || daemon.process.pid === undefined || Date.now() > deadline) {
      throw new Error(`csync2 does not listen on ${address}:${port}: ${readFileSync(logFile, 'latin1')}`);
    }
    await sleep(5);
  }
}

async function runCsync2(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  deadline = RUN_DEADLINE,
): Promise<Csync2Result> {
  const child = spawn(PROGRAM, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const { stdout, stderr, status: code, signal } = await finish(child, deadline);
  // csync2 dies of SIGPIPE where a peer closes on it: a failure like another, told as a shell would.
  const status = signal === 'SIGPIPE' ? 141 : code;
  if (status === null) throw new Error(`csync2 ${args.join(' ')} ended by ${String(signal)}.`);
  return { stdout, stderr, status };
}
