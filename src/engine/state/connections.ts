/**
 * The connections of one store: one for single reads, one for writing, one for each stream, so that nobody reads half a transaction.
 * Each is opened when it is needed first. Waiting, giving way to csync2 and SQLite's errors are dealt with here.
 */

import { existsSync, statSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { CsxError } from '../../model/errors.js';
import { connect, type Connection } from './connection.js';
import type { Copy } from './copy.js';
import { upgrade } from './schema.js';
import { needsCopy, stateError, type Doing } from './trouble.js';
import { isCsync2Within, letCsync2Pass, milliseconds, whenFree } from './waiting.js';

export interface ConnectionOptions {
  /** The database file; need not exist. */
  readonly location: string;
  readonly access: 'read' | 'write';
  /** Seconds. */
  readonly lockTimeout: number;
  /** Unix milliseconds. */
  readonly now: () => number;
}

/** A transaction that took no longer may be undone and repeated again and again, to give way to csync2; any other once. */
const REPEATABLE_MS = 200;
/** A transaction that took longer is one of many rows: there is other work for this thread while csync2 is looked for. */
const LONG_MS = 3;
/** Streams go through the table once and in order: SQLite's 16 MB would only be filled. */
const STREAM_CACHE_KIB = 4096;

export class Connections {
  readonly #options: ConnectionOptions;
  readonly #location: string;
  #reader: Connection | undefined;
  #writer: Connection | undefined;
  #copy: Copy | undefined;
  /** The reader made the files of WAL mode, and should not leave them behind. */
  #tidy = false;
  #closed = false;
  /** The end of the writes queued so far; never rejects. */
  #queue: Promise<unknown> = Promise.resolve();
  #opening: Promise<unknown> = Promise.resolve();
  readonly #streams = new Set<Connection>();
  /** The WAL, kept open to be synced; SQLite holds no locks on it that closing it could drop. */
  #wal: Promise<FileHandle> | undefined;
  readonly #syncs = new Set<Promise<void>>();

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#location = options.location;
  }

  /** A connection of its own in a transaction that has begun to read; undefined where there is no database. The caller closes it. */
  async stream(): Promise<Connection | undefined> {
    if ((await this.reader()) === undefined) return undefined;
    // Without WAL a stream would keep this very store from writing.
    if (this.#options.access === 'write') await this.#enqueue(() => this.#writerReady());
    const file = this.#copy?.file ?? this.#location;
    return this.#waiting('read', () => {
      const connection = connect(file, this.#use(), this.#location);
      try {
        connection.db.pragma(`cache_size = -${String(STREAM_CACHE_KIB)}`);
        connection.db.exec('BEGIN');
        connection.has('file');
        this.#streams.add(connection);
        const close = (): void => {
          this.#streams.delete(connection);
          connection.close();
        };
        return { ...connection, close };
      } catch (error) {
        connection.close();
        throw error;
      }
    });
  }

  #use(): 'look' | 'read' {
    return this.#options.access === 'write' || this.#copy !== undefined ? 'read' : 'look';
  }

  /** Runs one read; undefined where there is no database. */
  async read<T>(body: (connection: Connection) => T): Promise<T | undefined> {
    const connection = await this.reader();
    if (connection === undefined) return undefined;
    return this.#waiting('read', () => body(connection));
  }

  /** Whether any number may read while one writes: there is a database, in WAL mode, and it is read where it lies. */
  async isShared(): Promise<boolean> {
    const connection = await this.reader();
    return connection?.isWal() === true && this.#copy === undefined;
  }

  /** Another number whenever another store has committed: SQLite does not count a connection's own commits. */
  async foreignCommits(): Promise<number> {
    const reader = await this.reader();
    if (reader === undefined) return 0;
    const count = ({ db }: Connection): number => Number(db.pragma('data_version', { simple: true }));
    if (this.#options.access === 'read') return this.#waiting('read', () => count(reader));
    return this.#enqueue(async () => {
      const writer = await this.#writerReady();
      return this.#waiting('read', () => count(writer));
    });
  }

  /** The connection for single reads; undefined where there is no database. Throws what is wrong with it. */
  reader(): Promise<Connection | undefined> {
    const opened = this.#opening.then(async () => {
      this.#refuseClosed();
      this.#reader ??= await this.#openReader();
      return this.#reader;
    });
    this.#opening = opened.catch(() => undefined);
    return opened;
  }

  async #openReader(): Promise<Connection | undefined> {
    if (!existsSync(this.#location)) return undefined;
    const hadWal = existsSync(`${this.#location}-wal`);
    try {
      const connection = await whenFree(this.#options, () => connect(this.#location, this.#use(), this.#location));
      this.#tidy = this.#options.access === 'read' && !hadWal && connection.isWal();
      return connection;
    } catch (error) {
      if (this.#options.access === 'write' || !needsCopy(error)) throw stateError(error, 'open', this.#location);
      return await this.#openCopy(error);
    }
  }

  async #openCopy(cause: unknown): Promise<Connection> {
    try {
      // Rarely needed, and it brings what starts processes along.
      const { copyAside } = await import('./copy.js');
      this.#copy = await copyAside(this.#location);
      const connection = connect(this.#copy.file, 'read', this.#location);
      return connection;
    } catch (error) {
      throw stateError(needsCopy(error) ? cause : error, 'open', this.#location);
    }
  }

  /** Opened for reading, a WAL database gets a `-wal` and a `-shm` file; a writer that closes last removes them. */
  #removeEmptyWal(): void {
    try {
      if (statSync(`${this.#location}-wal`, { throwIfNoEntry: false })?.size === 0)
        connect(this.#location, 'read', this.#location).close();
    } catch {
      // They are as harmless as they were.
    }
  }

  /**
   * One transaction, after those that are queued. Makes database and tables where they are missing. May run `body` again.
   * `hasty`: does not wait for the disk.
   */
  async transaction<T>(body: (connection: Connection) => Promise<T>, hasty?: 'hasty'): Promise<T> {
    const done = await this.#enqueue(async () => {
      const connection = await this.#writerReady();
      const patience = milliseconds() + this.#options.lockTimeout * 1000;
      for (let first = true; ; first = false) {
        const attempt = await this.#attempt(connection, body, patience, first);
        if (attempt !== undefined) return attempt;
      }
    });
    if (hasty === undefined) await this.#makeDurable();
    return done.result;
  }

  /**
   * Syncs the WAL, outside of the transaction: SQLite would do it between checking and committing, and thus keep csync2 waiting, the
   * event loop standing, and the moment long in which a csync2 that begins would be ended by the commit (waiting.ts).
   */
  async #makeDurable(): Promise<void> {
    if (this.#writer?.isWal() !== true) return;
    this.#wal ??= this.#openWal();
    const sync = this.#wal.then((wal) => wal.datasync());
    this.#syncs.add(sync);
    try {
      await sync;
    } catch (error) {
      throw stateError(error, 'write', this.#location);
    } finally {
      this.#syncs.delete(sync);
    }
  }

  /**
   * Undefined when it gave way to csync2 and must be tried again. The first time it only looks for csync2 where it matters, before it
   * commits, for looking takes some milliseconds; then also before it begins, since csync2 is about.
   */
  async #attempt<T>(
    connection: Connection,
    body: (connection: Connection) => Promise<T>,
    patience: number,
    first: boolean,
  ): Promise<{ readonly result: T } | undefined> {
    const { db } = connection;
    const isWal = connection.isWal();
    if (isWal && !first) await letCsync2Pass(this.#location, patience);
    // Without WAL, a transaction that could not commit because of a reader who wants to write would never end.
    await this.#waiting('write', () => db.exec(isWal ? 'BEGIN IMMEDIATE' : 'BEGIN EXCLUSIVE'));
    const begun = milliseconds();
    try {
      upgrade(db, this.#location, () => ({ lineage: crypto.randomUUID(), at: this.#options.now() }));
      const result = await body(connection);
      const now = milliseconds();
      const mayRepeat = now < patience && (first || now - begun < REPEATABLE_MS);
      if (isWal && mayRepeat && (await isCsync2Within(this.#location, now - begun > LONG_MS))) {
        db.exec('ROLLBACK');
        return undefined;
      }
      db.exec('COMMIT');
      return { result };
    } catch (error) {
      if (db.inTransaction) db.exec('ROLLBACK');
      throw stateError(error, 'write', this.#location);
    }
  }

  /** The writing connection, in WAL mode where the filesystem can do it. Call it from the queue. */
  async #writerReady(): Promise<Connection> {
    if (this.#writer !== undefined) return this.#writer;
    const connection = await this.#waiting('write', () => connect(this.#location, 'write', this.#location));
    try {
      await this.#waiting('write', () => {
        const mode: unknown = connection.db.pragma('journal_mode = WAL', { simple: true });
        // An acknowledged update or a dirty row must survive a power failure. In WAL mode #makeDurable sees to it; NORMAL keeps the
        // database whole whatever happens.
        connection.db.pragma(`synchronous = ${mode === 'wal' ? 'NORMAL' : 'FULL'}`);
      });
    } catch (error) {
      connection.close();
      throw error;
    }
    this.#writer = connection;
    return connection;
  }

  /** SQLite syncs the directory only when it made the file itself; a reader may have. */
  async #openWal(): Promise<FileHandle> {
    // Loaded here: who only reads need not wait for it.
    const { open } = await import('node:fs/promises');
    const directory = await open(path.dirname(this.#location), 'r');
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
    return await open(`${this.#location}-wal`, 'r');
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
      throw stateError(error, doing, this.#location);
    }
  }

  /** After what is queued has been written. Streams end. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.all([this.#queue, this.#opening]);
    await Promise.allSettled(this.#syncs);
    await this.#wal?.then((wal) => wal.close()).catch(() => undefined);
    for (const connection of this.#streams) connection.close();
    this.#reader?.close();
    // Last, so that it empties the WAL into the database and removes it.
    this.#writer?.close();
    if (this.#tidy) this.#removeEmptyWal();
    await this.#copy?.remove();
  }

  #refuseClosed(): void {
    if (this.#closed)
      throw new CsxError('INTERNAL', `The database ${this.#location} was used after it had been closed.`);
  }
}
