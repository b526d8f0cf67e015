/**
 * The tables. csync2's five exactly as csync2 2.0 creates them, so that either program may have made the database; csx's own beside
 * them, named csx_*, in versions. csx_meta holds `schema` (the version), `lineage`, `serial` and `created` (Unix milliseconds).
 *
 * Names, texts and targets are URL-encoded bytes in all of them, as in csync2's. Rows of csx that describe a row of csync2 carry
 * what ties them to it, and mean nothing once it differs: csx_file the check text, csx_dirty the row's number and the file's check
 * text (NULL: no row; it follows csx's own changes), csx_certificate the certificate. csync2 knows nothing of them, and leaves them behind when it changes or deletes its own.
 */

import type { Database } from 'better-sqlite3';
import { CsxError } from '../../model/errors.js';

/** The whitespace is csync2's: the texts end up in sqlite_schema. */
export const CSYNC2_TABLES: readonly string[] = [
  'file (\tfilename, checktxt,\tUNIQUE ( filename ) ON CONFLICT REPLACE)',
  'dirty (\tfilename, forced, myname, peername,\tUNIQUE ( filename, peername ) ON CONFLICT IGNORE)',
  'hint (\tfilename, recursive,\tUNIQUE ( filename, recursive ) ON CONFLICT IGNORE)',
  'action (\tfilename, command, logfile,\tUNIQUE ( filename, command ) ON CONFLICT IGNORE)',
  'x509_cert (\tpeername, certdata,\tUNIQUE ( peername ) ON CONFLICT IGNORE)',
];

/** A step from one version to the next: the statements that change the tables. The first makes version 1. */
export type Migration = readonly string[];

export const MIGRATIONS: readonly Migration[] = [
  [
    `CREATE TABLE csx_file (filename TEXT PRIMARY KEY NOT NULL, checktxt TEXT NOT NULL, stamp TEXT, target TEXT, digest TEXT)
       WITHOUT ROWID`,
    `CREATE TABLE csx_dirty (filename TEXT NOT NULL, peername TEXT NOT NULL, number INTEGER NOT NULL, checktxt TEXT,
       since INTEGER, refused INTEGER,       PRIMARY KEY (filename, peername)) WITHOUT ROWID`,
    `CREATE TABLE csx_baseline (peername TEXT NOT NULL, filename TEXT NOT NULL, checktxt TEXT, target TEXT, digest TEXT,
       signature TEXT, at INTEGER NOT NULL, PRIMARY KEY (peername, filename)) WITHOUT ROWID`,
    'CREATE TABLE csx_certificate (peername TEXT PRIMARY KEY NOT NULL, certdata TEXT NOT NULL, since INTEGER NOT NULL) WITHOUT ROWID',
    `CREATE TABLE csx_run (id TEXT PRIMARY KEY NOT NULL, plan_hash TEXT NOT NULL, started_at INTEGER NOT NULL, finished_at INTEGER,
       exit_status INTEGER, summary TEXT NOT NULL) WITHOUT ROWID`,
    'CREATE INDEX csx_run_started ON csx_run (started_at)',
    'CREATE INDEX csx_run_plan ON csx_run (plan_hash, started_at)',
    `CREATE TABLE csx_lock (name TEXT PRIMARY KEY NOT NULL, token TEXT NOT NULL, pid INTEGER NOT NULL, start TEXT, boot TEXT,
       namespace TEXT, command TEXT NOT NULL, since INTEGER NOT NULL) WITHOUT ROWID`,
  ],
  [
    `CREATE TABLE csx_intent (number INTEGER PRIMARY KEY, batch TEXT NOT NULL, pid INTEGER NOT NULL, start TEXT, boot TEXT,
       namespace TEXT, peername TEXT NOT NULL, intents TEXT NOT NULL)`,
    `CREATE TABLE csx_action_run (command TEXT PRIMARY KEY NOT NULL, started_at INTEGER NOT NULL, milliseconds INTEGER NOT NULL,
       status INTEGER, signal TEXT, timed_out INTEGER NOT NULL, files INTEGER NOT NULL) WITHOUT ROWID`,
  ],
  ['ALTER TABLE csx_dirty ADD COLUMN foreseen INTEGER'],
];

const META = 'CREATE TABLE csx_meta (key TEXT PRIMARY KEY NOT NULL, value) WITHOUT ROWID';

/** What a new lineage needs. */
export interface Birth {
  readonly lineage: string;
  /** Unix milliseconds. */
  readonly at: number;
}

/**
 * Makes the tables that are missing and brings csx's to the newest version. Call it within a transaction. True when it changed
 * something. Throws STATE_TOO_NEW.
 */
export function upgrade(
  db: Database,
  location: string,
  birth: () => Birth,
  migrations: readonly Migration[] = MIGRATIONS,
): boolean {
  const version = schemaVersion(db);
  refuseTooNew(version, location, migrations.length);
  const missing = missingTables(db);
  for (const table of missing) db.exec(`CREATE TABLE ${table}`);
  if (version === 0) {
    db.exec(META);
    const { lineage, at } = birth();
    const put = db.prepare('INSERT INTO csx_meta (key, value) VALUES (?, ?)');
    put.run('lineage', lineage);
    put.run('serial', 0n);
    put.run('created', BigInt(at));
    put.run('schema', 0n);
  }
  if (version === migrations.length) return missing.length > 0;
  for (const statement of migrations.slice(version).flat()) db.exec(statement);
  db.prepare("UPDATE csx_meta SET value = ? WHERE key = 'schema'").run(BigInt(migrations.length));
  return true;
}

/** The version of csx's tables; 0 where there are none. */
export function schemaVersion(db: Database): number {
  if (!hasTable(db, 'csx_meta')) return 0;
  const version: unknown = db.prepare("SELECT value FROM csx_meta WHERE key = 'schema'").pluck().get();
  return typeof version === 'number' && Number.isInteger(version) && version >= 0 ? version : Infinity;
}

/** Throws STATE_TOO_NEW when the tables are of a later version than `known`. */
export function refuseTooNew(version: number, location: string, known = MIGRATIONS.length): void {
  if (version <= known) return;
  const which = Number.isFinite(version) ? `version ${String(version)}` : 'an unknown version';
  throw new CsxError(
    'STATE_TOO_NEW',
    `The database ${location} has csx tables of ${which}; this csx knows versions up to ${String(known)}.`,
    {
      hint: 'Use the newer csx that wrote it. csync2 is not affected and can use the database.',
      data: { path: location, version: Number.isFinite(version) ? version : undefined, known },
    },
  );
}

export function hasTable(db: Database, name: string): boolean {
  return db.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?").get(name) !== undefined;
}

export function hasColumn(db: Database, table: string, column: string): boolean {
  return db.prepare('SELECT 1 FROM pragma_table_info(?) WHERE name = ?').get(table, column) !== undefined;
}

function missingTables(db: Database): readonly string[] {
  const there = new Set(db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").pluck().all());
  return CSYNC2_TABLES.filter((table) => !there.has(table.slice(0, table.indexOf(' '))));
}
