/**
 * A csx daemon in this process, as a host of its own on a loopback address: the same shape as support/csync2-daemon.ts, so that a
 * scenario runs against both.
 */

import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { loadConfig } from '../../../src/config/load.js';
import { Selection } from '../../../src/config/selection.js';
import { startDaemon } from '../../../src/engine/daemon/daemon.js';
import type { Daemon, DaemonOptions } from '../../../src/engine/daemon/daemon.js';
import { createLog } from '../../../src/engine/daemon/log.js';
import type { Opened } from '../../../src/engine/daemon/served.js';
import { certificatePair } from '../../../src/engine/net/certificate.js';
import { openStore } from '../../../src/engine/state/open.js';

export interface CsxOptions {
  readonly address: string;
  /** Where everything lies; made (below the temporary directory, and removed by `stop`) when not given. */
  readonly directory?: string;
  readonly config: string;
  readonly keys?: Readonly<Record<string, string>>;
  readonly tls?: { readonly certificate: string; readonly key: string };
  readonly port?: number;
  readonly limits?: DaemonOptions['limits'];
  readonly connections?: number;
  /** Unix milliseconds; this machine's clock when not given. */
  readonly now?: () => number;
}

export interface CsxHost {
  readonly address: string;
  readonly port: number;
  readonly directory: string;
  readonly systemDirectory: string;
  readonly databaseDirectory: string;
  readonly daemon: Daemon;
  log(): string;
  /** Opens the configuration as the daemon does; close the store. */
  readonly open: (configName?: string) => Promise<Opened>;
  stop(): Promise<void>;
}

const PORT = 30865;

/** Writes a host's files and says how its daemon opens them. */
export function prepareCsx(options: CsxOptions): {
  readonly directory: string;
  readonly systemDirectory: string;
  readonly databaseDirectory: string;
  readonly open: (configName?: string) => Promise<Opened>;
} {
  const directory = options.directory ?? mkdtempSync(path.join(realpathSync(tmpdir()), 'csx-daemon-'));
  const systemDirectory = path.join(directory, 'etc');
  const databaseDirectory = path.join(directory, 'db');
  mkdirSync(systemDirectory);
  mkdirSync(databaseDirectory);
  writeFileSync(path.join(systemDirectory, 'csync2.cfg'), options.config, 'latin1');
  for (const [name, text] of Object.entries(options.keys ?? {})) {
    writeFileSync(path.join(systemDirectory, name), `${text}\n`, { mode: 0o600 });
  }
  const open = async (configName = ''): Promise<Opened> => {
    const config = await loadConfig({
      systemDirectory,
      host: options.address,
      ...(configName === '' ? {} : { configName }),
    });
    const store = await openStore({
      database: databaseDirectory,
      host: config.host,
      access: 'write',
      lockTimeout: config.lockTimeout,
    });
    return { config, selection: new Selection(config), store };
  };
  return { directory, systemDirectory, databaseDirectory, open };
}

export async function startCsx(options: CsxOptions): Promise<CsxHost> {
  const prepared = prepareCsx(options);
  const lines: string[] = [];
  const port = options.port ?? PORT;
  const log = createLog({
    format: 'human',
    level: 'debug',
    write: (line) => {
      lines.push(line);
    },
    now: Date.now,
  });
  const pair =
    options.tls === undefined
      ? undefined
      : certificatePair(options.tls.certificate, options.tls.key, { certificateFile: 'cert', keyFile: 'key' });
  const daemon = await startDaemon({
    open: prepared.open,
    certificate: pair,
    log,
    environment: process.env,
    port,
    bind: options.address,
    ...(options.limits === undefined ? {} : { limits: options.limits }),
    ...(options.now === undefined ? {} : { now: options.now }),
    ...(options.connections === undefined ? {} : { connections: options.connections }),
  });
  return {
    ...prepared,
    address: options.address,
    port,
    daemon,
    log: () => lines.join(''),
    stop: async () => {
      await daemon.stop();
      if (options.directory === undefined) rmSync(prepared.directory, { recursive: true, force: true });
    },
  };
}
