/** One SQLite connection: opened without creating anything unasked, statements prepared once, tables looked up until they are there. */

import Database from 'better-sqlite3';
import { hasColumn, hasTable, refuseTooNew, schemaVersion } from './schema.js';

export interface Connection {
  readonly db: Database.Database;
  /** Prepares once. */
  statement(sql: string): Database.Statement;
  /** Whether the table, and the column in it, exists now. csync2 and csx make theirs when they first write. */
  has(table: string, column?: string): boolean;
  /** A commit of another connection never waits for this one's reads, nor they for it. */
  isWal(): boolean;
  close(): void;
}

/** `look`: cannot write. `read`: could, but only to tidy up when it closes last. `write`: makes the file when there is none. */
export type Use = 'look' | 'read' | 'write';

/** Opens the file and reads its first pages. Throws SQLite's errors, SQLITE_BUSY among them, and STATE_TOO_NEW. */
export function connect(file: string, use: Use, location: string): Connection {
  const db = new Database(file, { readonly: use === 'look', fileMustExist: use !== 'write', timeout: 0 });
  try {
    db.pragma('trusted_schema = OFF');
    if (use === 'read') db.pragma('query_only = ON');
    if (use === 'write') {
      db.pragma('synchronous = FULL');
      db.pragma('journal_size_limit = 16777216');
    }
    refuseTooNew(schemaVersion(db), location);
  } catch (error) {
    db.close();
    throw error;
  }
  return connection(db);
}

function connection(db: Database.Database): Connection {
  const statements = new Map<string, Database.Statement>();
  const known = new Set<string>();
  return {
    db,
    statement(sql) {
      let statement = statements.get(sql);
      if (statement === undefined) {
        statement = db.prepare(sql);
        statements.set(sql, statement);
      }
      return statement;
    },
    has(table, column) {
      const name = column === undefined ? table : `${table}.${column}`;
      if (known.has(name)) return true;
      if (!(column === undefined ? hasTable(db, table) : hasColumn(db, table, column))) return false;
      known.add(name);
      return true;
    },
    isWal: () => db.pragma('journal_mode', { simple: true }) === 'wal',
    close: () => {
      db.close();
    },
  };
}
