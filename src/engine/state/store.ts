/**
 * The Store on SQLite. Reads go over one connection and writes over another, so that a read never sees half a transaction; streams have
 * a connection each. Nothing is opened before it is needed, and nothing is made before the first write.
 */

import { randomUUID } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { storedName } from '../../model/encoding.js';
import { CsxError } from '../../model/errors.js';
import type { FileName, PeerName } from '../../model/names.js';
import type {
  ActionRow,
  Baseline,
  CertificateRow,
  DirtyRow,
  FileRow,
  HintRow,
  Identity,
  Lock,
  LockOwner,
  Run,
  Scope,
  Store,
  Write,
} from '../../model/store.js';
import { connect, type Connection } from './connection.js';
import { copyAside, type Copy } from './copy.js';
import { damageOf, type Damage, type Report } from './damage.js';
import { countFiles, fileBatches, fileRows } from './files.js';
import { takeLock } from './lock.js';
import { rangesOf } from './ranges.js';
import {
  readActions,
  readBaselines,
  readCertificates,
  readDirty,
  readHints,
  readIdentity,
  readRun,
  readRuns,
} from './rows.js';
import { upgrade } from './schema.js';
import { stream } from './stream.js';
import { needsCopy, stateError, type Doing } from './trouble.js';
import { isCsync2Within, letCsync2Pass, whenFree } from './waiting.js';
import { removeOrphans, writer } from './write.js';

export interface SqliteOptions {
  /** The database file; need not exist. */
  readonly location: string;
  readonly access: 'read' | 'write';
  /** Seconds. */
  readonly lockTimeout: number;
  /** Unix milliseconds. */
  readonly now: () => number;
  readonly report: Report;
}

/** Writes, or files looked up, between two turns of the event loop. */
const CHUNK = 4000;
/** A transaction that took no longer may be undone and repeated, to give way to csync2. */
const REPEATABLE_MS = 200;
/** How long a stream may keep csync2 from committing where there is no WAL. */
const STREAM_PATIENCE_MS = 2000;

export class SqliteStore implements Store {
  readonly location: string;
  readonly access: 'read' | 'write';
  readonly #options: SqliteOptions;
  readonly #damage: Damage;
  #reader: Connection | undefined;
  #writer: Connection | undefined;
  #copy: Copy | undefined;
  /** The reader made the files of WAL mode, and should not leave them behind. */
  #tidy = false;
  #closed = false;
  /** The end of the writes queued so far; never rejects. */
  #queue: Promise<unknown> = Promise.resolve();
  #opening: Promise<unknown> = Promise.resolve();
  /** A stream came upon rows of csx whose files csync2 has forgotten: the next write removes them. */
  #orphans = false;
  readonly #streams = new Set<Connection>();

  constructor(options: SqliteOptions) {
    this.#options = options;
    this.location = options.location;
    this.access = options.access;
    this.#damage = damageOf(options.location, options.report);
  }

  /** Opens the database if there is one, so that what is wrong with it shows at once. */
  async open(): Promise<void> {
    await this.#readerIfAny();
  }

  async identity(): Promise<Identity> {
    return (await this.#read(readIdentity)) ?? { lineage: undefined, serial: 0 };
  }

  files(scopes?: readonly Scope[]): AsyncIterable<readonly FileRow[]> {
    return this.#files(scopes);
  }

  async file(files: readonly FileName[]): Promise<ReadonlyMap<FileName, FileRow>> {
    const found = new Map<FileName, FileRow>();
    for (let start = 0; start < files.length; start += CHUNK) {
      if (start > 0) await turn();
      const chunk = files.slice(start, start + CHUNK);
      const rows = await this.#read((connection) =>
        connection.db.transaction(() => fileRows(connection, chunk.map(storedName)))(),
      );
      for (const file of chunk) {
        const row = rows?.get(storedName(file));
        if (row !== undefined) found.set(file, row);
      }
    }
    return found;
  }

  async countFiles(scopes?: readonly Scope[]): Promise<number> {
    return (await this.#read((connection) => countFiles(connection, rangesOf(scopes)))) ?? 0;
  }

  async dirty(
    filter: { readonly peers?: readonly PeerName[]; readonly scopes?: readonly Scope[] } = {},
  ): Promise<readonly DirtyRow[]> {
    const peers = filter.peers === undefined ? undefined : new Set(filter.peers);
    const ranges = rangesOf(filter.scopes);
    return (await this.#read((connection) => readDirty(connection, ranges, peers, this.#damage))) ?? [];
  }

  async hints(): Promise<readonly HintRow[]> {
    return (await this.#read((connection) => readHints(connection, this.#damage))) ?? [];
  }

  async actions(): Promise<readonly ActionRow[]> {
    return (await this.#read((connection) => readActions(connection, this.#damage))) ?? [];
  }

  async certificates(): Promise<readonly CertificateRow[]> {
    return (await this.#read((connection) => readCertificates(connection, this.#damage))) ?? [];
  }

  async baselines(peer: PeerName, files: readonly FileName[]): Promise<ReadonlyMap<FileName, Baseline>> {
    const found = new Map<FileName, Baseline>();
    for (let start = 0; start < files.length; start += CHUNK) {
      if (start > 0) await turn();
      const chunk = files.slice(start, start + CHUNK);
      const rows = await this.#read((connection) =>
        connection.db.transaction(() => readBaselines(connection, peer, chunk))(),
      );
      for (const [file, baseline] of rows ?? []) found.set(file, baseline);
    }
    return found;
  }

  async runs(limit: number): Promise<readonly Run[]> {
    return (await this.#read((connection) => readRuns(connection, limit))) ?? [];
  }

  run(planHash: string): Promise<Run | undefined> {
    return this.#read((connection) => readRun(connection, planHash));
  }

  async write(writes: readonly Write[]): Promise<void> {
    this.#refuseReadOnly();
    if (writes.length === 0) return;
    await this.#transaction(async (connection) => {
      const to = writer(connection);
      for (const [index, write] of writes.entries()) {
        if (index > 0 && index % CHUNK === 0) await turn();
        to.add(write);
      }
      to.finish();
      if (this.#orphans) removeOrphans(connection);
      connection.statement("UPDATE csx_meta SET value = value + 1 WHERE key = 'serial'").run();
    });
    this.#orphans = false;
  }

  async lock(name: string, owner: LockOwner, onWait?: (owner: LockOwner) => void): Promise<Lock> {
    this.#refuseReadOnly();
    const { location, lockTimeout } = this.#options;
    return await takeLock({
      location,
      name,
      owner,
      onWait,
      lockTimeout,
      transaction: (body) => this.#transaction((connection) => Promise.resolve(body(connection))),
      read: (body) => this.#read(body),
    });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.all([this.#queue, this.#opening]);
    for (const connection of this.#streams) connection.close();
    this.#reader?.close();
    // Last, so that it empties the WAL into the database and removes it.
    this.#writer?.close();
    if (this.#tidy) this.#removeEmptyWal();
    await this.#copy?.remove();
  }

  async *#files(scopes: readonly Scope[] | undefined): AsyncGenerator<readonly FileRow[]> {
    const connection = await this.#streamConnection();
    if (connection === undefined) return;
    this.#streams.add(connection);
    try {
      const batches = fileBatches(connection, rangesOf(scopes), this.#damage, () => (this.#orphans = true));
      const slow = this.access === 'write' ? 0 : STREAM_PATIENCE_MS;
      yield* stream({ connection, batches, patience: connection.isWal() ? undefined : slow });
    } catch (error) {
      throw stateError(error, 'read', this.location);
    } finally {
      this.#streams.delete(connection);
      connection.close();
    }
  }

  /** A connection in a transaction that has begun to read. */
  async #streamConnection(): Promise<Connection | undefined> {
    if ((await this.#readerIfAny()) === undefined) return undefined;
    // Without WAL a stream would keep this very store from writing.
    if (this.access === 'write') await this.#enqueue(() => this.#writerReady());
    const file = this.#copy?.file ?? this.location;
    return this.#waiting('read', () => {
      const connection = connect(file, this.#use(), this.location);
      try {
        connection.db.exec('BEGIN');
        connection.has('file');
        return connection;
      } catch (error) {
        connection.close();
        throw error;
      }
    });
  }

  #use(): 'look' | 'read' {
    return this.access === 'write' || this.#copy !== undefined ? 'read' : 'look';
  }

  /** Runs one read; undefined where there is no database. */
  async #read<T>(body: (connection: Connection) => T): Promise<T | undefined> {
    const connection = await this.#readerIfAny();
    if (connection === undefined) return undefined;
    return this.#waiting('read', () => body(connection));
  }

  #readerIfAny(): Promise<Connection | undefined> {
    const opened = this.#opening.then(async () => {
      this.#refuseClosed();
      this.#reader ??= await this.#openReader();
      return this.#reader;
    });
    this.#opening = opened.catch(() => undefined);
    return opened;
  }

  async #openReader(): Promise<Connection | undefined> {
    if (!existsSync(this.location)) return undefined;
    const hadWal = existsSync(`${this.location}-wal`);
    try {
      const connection = await whenFree(this.#options, () => connect(this.location, this.#use(), this.location));
      this.#tidy = this.access === 'read' && !hadWal && connection.isWal();
      return connection;
    } catch (error) {
      if (this.access === 'write' || !needsCopy(error)) throw stateError(error, 'open', this.location);
      return await this.#openCopy(error);
    }
  }

  async #openCopy(cause: unknown): Promise<Connection> {
    try {
      this.#copy = await copyAside(this.location);
      const connection = connect(this.#copy.file, 'read', this.location);
      return connection;
    } catch (error) {
      throw stateError(needsCopy(error) ? cause : error, 'open', this.location);
    }
  }

  /** Opened for reading, a WAL database gets a `-wal` and a `-shm` file; a writer that closes last removes them. */
  #removeEmptyWal(): void {
    try {
      if (statSync(`${this.location}-wal`, { throwIfNoEntry: false })?.size === 0)
        connect(this.location, 'read', this.location).close();
    } catch {
      // They are as harmless as they were.
    }
  }

  /** One transaction, after those that are queued. Makes database and tables where they are missing. May run `body` again. */
  #transaction<T>(body: (connection: Connection) => Promise<T>): Promise<T> {
    return this.#enqueue(async () => {
      const connection = await this.#writerReady();
      const patience = performance.now() + this.#options.lockTimeout * 1000;
      for (;;) {
        const done = await this.#attempt(connection, body, patience);
        if (done !== undefined) return done.result;
      }
    });
  }

  /** Undefined when it gave way to csync2 and must be tried again. */
  async #attempt<T>(
    connection: Connection,
    body: (connection: Connection) => Promise<T>,
    patience: number,
  ): Promise<{ readonly result: T } | undefined> {
    const { db } = connection;
    const isWal = connection.isWal();
    if (isWal) await letCsync2Pass(this.location, patience);
    // Without WAL, a transaction that could not commit because of a reader who wants to write would never end.
    await this.#waiting('write', () => db.exec(isWal ? 'BEGIN IMMEDIATE' : 'BEGIN EXCLUSIVE'));
    const begun = performance.now();
    try {
      upgrade(db, this.location, () => ({ lineage: randomUUID(), at: this.#options.now() }));
      const result = await body(connection);
      const now = performance.now();
      if (isWal && now < patience && now - begun < REPEATABLE_MS && isCsync2Within(this.location)) {
        db.exec('ROLLBACK');
        return undefined;
      }
      db.exec('COMMIT');
      return { result };
    } catch (error) {
      if (db.inTransaction) db.exec('ROLLBACK');
      throw stateError(error, 'write', this.location);
    }
  }

  /** The writing connection, in WAL mode where the filesystem can do it. Call it from the queue. */
  async #writerReady(): Promise<Connection> {
    if (this.#writer !== undefined) return this.#writer;
    const connection = await this.#waiting('write', () => connect(this.location, 'write', this.location));
    try {
      await this.#waiting('write', () => {
        connection.db.pragma('journal_mode = WAL');
      });
    } catch (error) {
      connection.close();
      throw error;
    }
    this.#writer = connection;
    return connection;
  }

  #enqueue<T>(task: () => Promise<T>): Promise<T> {
    this.#refuseClosed();
    const done = this.#queue.then(task);
    this.#queue = done.catch(() => undefined);
    return done;
  }

  async #waiting<T>(doing: Doing, attempt: () => T): Promise<T> {
    try {
      return await whenFree(this.#options, attempt);
    } catch (error) {
      throw stateError(error, doing, this.location);
    }
  }

  #refuseReadOnly(): void {
    if (this.access === 'write') return;
    throw new CsxError('STATE_READ_ONLY', `The database ${this.location} was opened for reading only.`, {
      hint: 'This is a mistake in csx: please report it.',
      data: { path: this.location },
    });
  }

  #refuseClosed(): void {
    if (this.#closed)
      throw new CsxError('INTERNAL', `The database ${this.location} was used after it had been closed.`);
  }
}
