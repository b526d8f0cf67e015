/**
 * A small cluster for tests: a csx host that plans and applies, and real csync2 daemons as its peers, each with a tree of its own
 * under the prefix %t%. Hosts are loopback addresses `BLOCK.1`, `BLOCK.2`, ...; the first is csx.
 *
 *   const cluster = await startCluster({ block: '127.30.1', peers: 1 });
 *   try { await cluster.csx('apply', '--auto-approve') ... } finally { await cluster.stop(); }
 */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runCsx } from './csx.js';
import type { CsxOptions, CsxResult } from './csx.js';
import { makePair, startCsync2 } from './csync2-daemon.js';
import type { Csync2Host, Csync2Result } from './csync2-daemon.js';

export interface ClusterOptions {
  /** The first three bytes of the hosts' addresses: one block for each test file, so that files run side by side. */
  readonly block: string;
  /** csync2 peers. */
  readonly peers: number;
  /** Statements for the group besides host, key and `include %t%;`; or all of the configuration. */
  readonly group?: string;
  readonly config?: (hosts: readonly string[], trees: readonly string[]) => string;
  /** Encrypt, with 2,048-bit certificates made for the test. */
  readonly tls?: boolean;
  readonly keys?: Readonly<Record<string, string>>;
  /** -v for the daemons: 3 logs every command. */
  readonly verbose?: number;
  readonly configName?: string;
}

export interface Cluster {
  readonly root: string;
  /** All hosts' names, csx's first. */
  readonly hosts: readonly string[];
  /** All hosts' trees. */
  readonly trees: readonly string[];
  readonly peers: readonly Csync2Host[];
  /** csx's own directories. */
  readonly systemDirectory: string;
  readonly databaseDirectory: string;
  readonly database: string;
  readonly config: string;
  /** Runs csx as the first host. */
  csx(...args: string[]): Promise<CsxResult>;
  csxWith(options: CsxOptions, ...args: string[]): Promise<CsxResult>;
  /** Runs the real csync2 as the first host, on csx's configuration and database. */
  csync2(...args: string[]): Promise<Csync2Result>;
  /** Lets the real csync2 daemon serve the first host's tree and database meanwhile. */
  servingCsync2<T>(work: () => Promise<T>): Promise<T>;
  /** Starts a peer's daemon again after it was killed, for as long as the work takes. */
  restart<T>(peer: number, work: () => Promise<T>): Promise<T>;
  stop(): Promise<void>;
}

export const KEY = 'k'.repeat(32) + 'K'.repeat(32);

/** Lays out the hosts and starts the daemons. */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const root = mkdtempSync(path.join(tmpdir(), 'csx-cluster-'));
  const hosts = Array.from({ length: options.peers + 1 }, (_, index) => `${options.block}.${index + 1}`);
  const trees = hosts.map((host) => path.join(root, host, 'tree'));
  for (const tree of trees) mkdirSync(tree, { recursive: true });
  const config = (options.config ?? defaultConfig(options))(hosts, trees);
  const keys = { k: KEY, ...options.keys };
  const started: Csync2Host[] = [];
  const stop = async (): Promise<void> => {
    for (const host of started) await host.stop();
    rmSync(root, { recursive: true, force: true });
  };
  try {
    for (const [index, address] of hosts.entries()) {
      const tls = options.tls === true ? { tls: makePair(2048) } : {};
      started.push(
        await startCsync2({
          address,
          directory: path.join(root, address),
          config,
          keys,
          listen: index > 0,
          ...tls,
          ...(options.verbose === undefined ? {} : { verbose: options.verbose }),
          ...(options.configName === undefined ? {} : { configName: options.configName }),
        }),
      );
    }
  } catch (error) {
    await stop();
    throw error;
  }
  const [first, ...peers] = started as [Csync2Host, ...Csync2Host[]];
  const named = options.configName === undefined ? [] : ['-C', options.configName];
  const csxWith = (csxOptions: CsxOptions, ...args: string[]): Promise<CsxResult> => {
    const env = { CSYNC2_SYSTEM_DIR: first.systemDirectory, ...csxOptions.env };
    return runCsx([...args, '-N', first.address, '-D', first.databaseDirectory, ...named], { ...csxOptions, env });
  };
  const serving = async <T>(host: Csync2Host, work: () => Promise<T>): Promise<T> => {
    const named = options.configName === undefined ? {} : { configName: options.configName };
    const daemon = await startCsync2({ address: host.address, directory: host.directory, config, keys, ...named });
    try {
      return await work();
    } finally {
      await daemon.stop();
    }
  };
  return {
    root,
    hosts,
    trees,
    peers,
    systemDirectory: first.systemDirectory,
    databaseDirectory: first.databaseDirectory,
    database: first.database,
    config,
    csx: (...args) => csxWith({}, ...args),
    csxWith,
    csync2: (...args) => first.run(args),
    servingCsync2: (work) => serving(first, work),
    restart: (peer, work) => serving(peers[peer] as Csync2Host, work),
    stop,
  };
}

function defaultConfig(options: ClusterOptions): (hosts: readonly string[], trees: readonly string[]) => string {
  return (hosts, trees) => `
    ${options.tls === true ? '' : 'nossl * *;'}
    prefix t { ${hosts.map((host, index) => `on ${host}: ${trees[index] ?? ''};`).join(' ')} }
    group g {
      host ${hosts.join(' ')};
      key k;
      include %t%;
      ${options.group ?? ''}
    }`;
}

/** Writes a file with its directories; content as a byte string. */
export function put(file: string, content: string, mode = 0o644): void {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(Buffer.from(file, 'latin1'), content, { encoding: 'latin1', mode });
}
