/**
 * The configurations in service, by the name clients give with CONFIG. csync2 reads its configuration anew for every connection, and
 * people count on it: so each time a session asks, the files are looked at, and when one has changed the configuration is
 * opened again. Sessions that run keep the one they began with; it is closed when the last of them ends.
 */

import { statSync } from 'node:fs';
import path from 'node:path';
import type { Config } from '../../model/config.js';
import { ActionRunner } from './action-runner.js';
import { FileLocks } from './file-locks.js';
import { Journal } from './journal.js';
import { ToldSignatures } from './told-signatures.js';
import type { Log } from './log.js';
import type { Opened, Served } from './served.js';

export interface ConfigurationsOptions {
  /** Opens a configuration and its state; '' is the default one. Rejects with CsxError. */
  readonly open: (configName: string) => Promise<Opened>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  /** Unix milliseconds. */
  readonly now: () => number;
}

interface Entry {
  readonly served: Served;
  readonly stamp: string;
  users: number;
  retired: boolean;
}

export class Configurations {
  readonly #options: ConfigurationsOptions;
  readonly #current = new Map<string, Promise<Entry>>();
  readonly #entries = new Map<Served, Entry>();
  /** Shared by all configurations with the same database, also across reloads. */
  readonly #locks = new Map<string, FileLocks>();
  readonly #signatures = new ToldSignatures();

  constructor(options: ConfigurationsOptions) {
    this.#options = options;
  }

  /** The configuration as its files are now. Call `release` when the session ends. */
  async acquire(name: string): Promise<Served> {
    let entry = await this.#entry(name);
    if (entry.stamp !== stampOf(entry.served.config)) {
      await this.#retire(name);
      entry = await this.#entry(name);
    }
    entry.users += 1;
    return entry.served;
  }

  async release(served: Served): Promise<void> {
    const entry = this.#entries.get(served);
    if (entry === undefined) return;
    entry.users -= 1;
    await this.#closeIfUnused(entry);
  }

  /** Opens every configuration again when it is next asked for. */
  async reload(): Promise<void> {
    for (const name of [...this.#current.keys()]) await this.#retire(name);
  }

  /** Ends actions that run; they run again next time. */
  stopActions(): void {
    for (const { served } of this.#entries.values()) served.actions.stop();
  }

  async #entry(name: string): Promise<Entry> {
    const known = this.#current.get(name);
    if (known !== undefined) return known;
    const opening = this.#open(name);
    this.#current.set(name, opening);
    try {
      return await opening;
    } catch (error) {
      if (this.#current.get(name) === opening) this.#current.delete(name);
      throw error;
    }
  }

  async #open(name: string): Promise<Entry> {
    const { open, environment, log, now } = this.#options;
    const opened = await open(name);
    const { config, store } = opened;
    const timeouts = new Map(
      config.groups.flatMap(({ actions }) =>
        actions.flatMap((rule) => rule.commands.map((one) => [one, rule.timeout])),
      ),
    );
    const locks = this.#locks.get(store.location) ?? new FileLocks();
    this.#locks.set(store.location, locks);
    const actions = new ActionRunner({ store, environment, log, now, timeoutOf: (command) => timeouts.get(command) });
    const journal = new Journal(opened, now);
    const served: Served = { ...opened, locks, actions, journal, signatures: this.#signatures };
    const entry: Entry = { served, stamp: stampOf(config), users: 0, retired: false };
    this.#entries.set(served, entry);
    return entry;
  }

  async #retire(name: string): Promise<void> {
    const current = this.#current.get(name);
    if (current === undefined) return;
    this.#current.delete(name);
    const entry = await current.catch(() => undefined);
    if (entry === undefined) return;
    entry.retired = true;
    await this.#closeIfUnused(entry);
  }

  async #closeIfUnused(entry: Entry): Promise<void> {
    if (!entry.retired || entry.users > 0 || !this.#entries.delete(entry.served)) return;
    await entry.served.store.close();
  }
}

/** What the files that make the configuration are now: includes and keys too, and csync2's lock file, which stops everything. */
function stampOf(config: Config): string {
  const keys = config.groups.map((group) => group.key.file);
  const files = [...config.files, ...keys, path.join(config.systemDirectory, 'csync2.lock')];
  return files.map(stampOfFile).join('\n');
}

function stampOfFile(file: string): string {
  const stats = statSync(file, { bigint: true, throwIfNoEntry: false });
  return stats === undefined ? '-' : `${stats.ino} ${stats.size} ${stats.mtimeNs} ${stats.ctimeNs}`;
}
