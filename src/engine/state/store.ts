/** The Store on SQLite: each call of the interface, carried out on the right connection. Nothing is made before the first write. */

import { setImmediate as turn } from 'node:timers/promises';
import { storedName } from '../../model/encoding.js';
import { CsxError } from '../../model/errors.js';
import type { FileName, PeerName } from '../../model/names.js';
import type {
  ActionRow,
  ActionRun,
  Baseline,
  BaselineName,
  Block,
  CertificateRow,
  DirtyRow,
  FileRow,
  HeldLock,
  HintRow,
  ListedRow,
  Identity,
  IntentBatch,
  Lock,
  LockOwner,
  Run,
  Scope,
  Shown,
  Store,
  Stretch,
  Write,
} from '../../model/store.js';
import { Connections, type ConnectionOptions } from './connections.js';
import type { Connection } from './connection.js';
import { damageOf, type Damage, type Report } from './damage.js';
import { countFiles, fileBatches, fileRows } from './files.js';
import { heldLocks, takeLock } from './lock.js';
import { clip, rangesOf, type Range } from './ranges.js';
import { readActionRuns } from './action-runs.js';
import { readIntents } from './intents.js';
import {
  readActions,
  readBaselineNames,
  readBaselines,
  readCertificates,
  readDirty,
  readHints,
  readIdentity,
  readKnown,
  readRun,
  readRuns,
} from './rows.js';
import { stream } from './stream.js';
import { stateError } from './trouble.js';
import { removeOrphans, writer } from './write.js';

export interface SqliteOptions extends ConnectionOptions {
  readonly report: Report;
  /** Told when a stream comes upon rows of csx whose files csync2 has forgotten: see `removeOrphans`. */
  readonly onOrphan?: (() => void) | undefined;
}

/** Writes, or files looked up, between two turns of the event loop. */
const CHUNK = 4000;
/** How long a stream may keep csync2 from committing where there is no WAL. */
const STREAM_PATIENCE_MS = 2000;

export class SqliteStore implements Store {
  readonly location: string;
  readonly access: 'read' | 'write';
  readonly #lockTimeout: number;
  readonly #damage: Damage;
  readonly #connections: Connections;
  readonly #onOrphan: () => void;
  /** A stream came upon rows of csx whose files csync2 has forgotten: the next write removes them. */
  #orphans = false;

  constructor(options: SqliteOptions) {
    this.#lockTimeout = options.lockTimeout;
    this.location = options.location;
    this.access = options.access;
    this.#connections = new Connections(options);
    this.#onOrphan = () => {
      this.#orphans = true;
      options.onOrphan?.();
    };
    this.#damage = damageOf(options.location, options.report);
  }

  /** Opens the database if there is one, so that what is wrong with it shows at once. */
  async open(): Promise<void> {
    await this.#connections.reader();
  }

  /** What another thread needs to read beside this store; undefined where readers would keep this one from writing. */
  async shared(): Promise<{ readonly location: string; readonly lockTimeout: number } | undefined> {
    if (!(await this.#connections.isShared())) return undefined;
    return { location: this.location, lockTimeout: this.#lockTimeout };
  }

  /** Somebody who reads beside this store came upon orphans: the next write removes them. */
  removeOrphans(): void {
    this.#orphans = true;
  }

  async identity(): Promise<Identity> {
    return (await this.#connections.read(readIdentity)) ?? { lineage: undefined, serial: 0 };
  }

  foreignWrites(): Promise<number> {
    return this.#connections.foreignCommits();
  }

  files(scopes?: readonly Scope[], stretch?: Stretch): AsyncIterable<readonly FileRow[]> {
    const ranges = rangesOf(scopes);
    return this.#files(stretch === undefined ? ranges : clip(ranges, stretch));
  }

  listing(scopes?: readonly Scope[], stretch?: Stretch): AsyncIterable<readonly ListedRow[]> {
    const ranges = rangesOf(scopes);
    return this.#files(stretch === undefined ? ranges : clip(ranges, stretch), false);
  }

  async *blocks(shown: Shown): AsyncIterable<readonly Block[]> {
    // What hashes loads all of node:crypto, for which a list has no use.
    const { digestBatches } = await import('./digests.js');
    yield* this.#stream((connection) => digestBatches(connection, shown, this.#damage));
  }

  async file(files: readonly FileName[]): Promise<ReadonlyMap<FileName, FileRow>> {
    const found = new Map<FileName, FileRow>();
    for (let start = 0; start < files.length; start += CHUNK) {
      if (start > 0) await turn();
      const chunk = files.slice(start, start + CHUNK);
      const rows = await this.#connections.read((connection) =>
        connection.db.transaction(() => fileRows(connection, chunk.map(storedName)))(),
      );
      for (const file of chunk) {
        const row = rows?.get(storedName(file));
        if (row !== undefined) found.set(file, row);
      }
    }
    return found;
  }

  async known(files: readonly FileName[]): Promise<ReadonlySet<FileName>> {
    return (await this.#connections.read((connection) => readKnown(connection, files))) ?? new Set();
  }

  async countFiles(scopes?: readonly Scope[]): Promise<number> {
    return (await this.#connections.read((connection) => countFiles(connection, rangesOf(scopes)))) ?? 0;
  }

  async dirty(
    filter: { readonly peers?: readonly PeerName[]; readonly scopes?: readonly Scope[] } = {},
  ): Promise<readonly DirtyRow[]> {
    const peers = filter.peers === undefined ? undefined : new Set(filter.peers);
    const ranges = rangesOf(filter.scopes);
    return (await this.#connections.read((connection) => readDirty(connection, ranges, peers, this.#damage))) ?? [];
  }

  async hints(): Promise<readonly HintRow[]> {
    return (await this.#connections.read((connection) => readHints(connection, this.#damage))) ?? [];
  }

  async actions(): Promise<readonly ActionRow[]> {
    return (await this.#connections.read((connection) => readActions(connection, this.#damage))) ?? [];
  }

  async certificates(): Promise<readonly CertificateRow[]> {
    return (await this.#connections.read((connection) => readCertificates(connection, this.#damage))) ?? [];
  }

  async baselines(peer: PeerName, files: readonly FileName[]): Promise<ReadonlyMap<FileName, Baseline>> {
    const found = new Map<FileName, Baseline>();
    for (let start = 0; start < files.length; start += CHUNK) {
      if (start > 0) await turn();
      const chunk = files.slice(start, start + CHUNK);
      const rows = await this.#connections.read((connection) =>
        connection.db.transaction(() => readBaselines(connection, peer, chunk))(),
      );
      for (const [file, baseline] of rows ?? []) found.set(file, baseline);
    }
    return found;
  }

  async *baselineNames(): AsyncGenerator<readonly BaselineName[]> {
    for (let last: BaselineName | undefined; ;) {
      const after = last;
      const names = await this.#connections.read((connection) => readBaselineNames(connection, after, CHUNK));
      last = names?.at(-1);
      if (names === undefined || last === undefined) return;
      yield names;
      await turn();
    }
  }

  async runs(limit: number): Promise<readonly Run[]> {
    return (await this.#connections.read((connection) => readRuns(connection, limit))) ?? [];
  }

  run(planHash: string): Promise<Run | undefined> {
    return this.#connections.read((connection) => readRun(connection, planHash));
  }

  async intents(): Promise<readonly IntentBatch[]> {
    return (await this.#connections.read(readIntents)) ?? [];
  }

  async actionRuns(): Promise<readonly ActionRun[]> {
    return (await this.#connections.read(readActionRuns)) ?? [];
  }

  async write(writes: readonly Write[], hasty?: 'hasty'): Promise<void> {
    this.#refuseReadOnly();
    if (writes.length === 0) return;
    await this.#connections.transaction(async (connection) => {
      const to = writer(connection);
      for (const [index, write] of writes.entries()) {
        if (index > 0 && index % CHUNK === 0) await turn();
        to.add(write);
      }
      to.finish();
      if (this.#orphans) removeOrphans(connection);
      connection.statement("UPDATE csx_meta SET value = value + 1 WHERE key = 'serial'").run();
    }, hasty);
    this.#orphans = false;
  }

  async lock(name: string, owner: LockOwner, onWait?: (owner: LockOwner) => void, stop?: AbortSignal): Promise<Lock> {
    this.#refuseReadOnly();
    return await takeLock({
      location: this.location,
      name,
      owner,
      onWait,
      stop,
      lockTimeout: this.#lockTimeout,
      transaction: (body) => this.#connections.transaction((connection) => Promise.resolve(body(connection))),
      read: (body) => this.#connections.read(body),
    });
  }

  async locks(): Promise<readonly HeldLock[]> {
    return (await this.#connections.read(heldLocks)) ?? [];
  }

  async close(): Promise<void> {
    await this.#connections.close();
  }

  #files(ranges: readonly Range[], beside = true): AsyncGenerator<readonly FileRow[]> {
    return this.#stream((connection) => fileBatches(connection, ranges, this.#damage, beside && this.#onOrphan));
  }

  async *#stream<T>(batches: (connection: Connection) => Iterator<T>): AsyncGenerator<T> {
    const connection = await this.#connections.stream();
    if (connection === undefined) return;
    try {
      const slow = this.access === 'write' ? 0 : STREAM_PATIENCE_MS;
      yield* stream({ connection, batches: batches(connection), patience: connection.isWal() ? undefined : slow });
    } catch (error) {
      throw stateError(error, 'read', this.location);
    } finally {
      connection.close();
    }
  }

  #refuseReadOnly(): void {
    if (this.access === 'write') return;
    throw new CsxError('STATE_READ_ONLY', `The database ${this.location} was opened for reading only.`, {
      hint: 'This is a mistake in csx: please report it.',
      data: { path: this.location },
    });
  }
}
