/**
 * Carries out a list of Writes on a connection that is in a transaction, in order; runs of put-file and of mark are gathered for
 * bulk.ts as far as nobody can tell.
 */

import { storedName } from '../../model/encoding.js';
import { toBuffer, type FileName } from '../../model/names.js';
import type { Write } from '../../model/store.js';
import { CHECKTXT_OF_D, putFiles, putMarks, STILL_TIED, TEXT, type Mark, type PutFile } from './bulk.js';
import type { Connection } from './connection.js';
import { encodedParam, integer, param } from './text.js';
import { putActionRun } from './action-runs.js';
import { deleteIntents, putIntents } from './intents.js';

export interface Writer {
  /** The order of calls is kept wherever it matters. */
  add(write: Write): void;
  /** Writes what is still gathered. */
  finish(): void;
}

/** Rows in one statement. */
const ROWS = 64;

type Settle = Extract<Write, { kind: 'settle' }>;

export function writer(connection: Connection): Writer {
  // The last one of a file says it all.
  const files = new Map<FileName, PutFile>();
  const marks: Mark[] = [];
  const flushFiles = (): void => {
    inRows([...files.values()], (rows) => {
      putFiles(connection, rows);
    });
    files.clear();
  };
  // A mark is tied to the check text that the file has by then.
  const flushMarks = (): void => {
    flushFiles();
    inRows(marks.splice(0), (rows) => {
      putMarks(connection, rows);
    });
  };
  return {
    add(write) {
      if (write.kind === 'put-file') {
        files.set(write.file, write);
        if (files.size >= ROWS) flushFiles();
      } else if (write.kind === 'mark') {
        marks.push(write);
        if (marks.length >= ROWS) flushMarks();
      } else {
        if (TOUCHES_FILES.has(write.kind)) flushMarks();
        writeOne(connection, write);
      }
    },
    finish: flushMarks,
  };
}

/** What must come after the files and marks gathered before it. */
const TOUCHES_FILES: ReadonlySet<Write['kind']> = new Set([
  'remove-file',
  'force',
  'clear-dirty',
  'settle',
  'refused',
] as const);

/** Deletes what csx kept of rows that csync2 has deleted since. */
export function removeOrphans(connection: Connection): void {
  connection.db.exec(`
    DELETE FROM csx_file WHERE NOT EXISTS (SELECT 1 FROM file f WHERE f.filename = csx_file.filename);
    DELETE FROM csx_dirty WHERE NOT EXISTS
      (SELECT 1 FROM dirty d WHERE d.filename = csx_dirty.filename AND d.peername = csx_dirty.peername)`);
}

/** Full statements first, the rest one by one, so that only two shapes of a statement are prepared. */
function inRows<T>(list: readonly T[], put: (rows: readonly T[]) => void): void {
  const full = list.length - (list.length % ROWS);
  for (let start = 0; start < full; start += ROWS) put(list.slice(start, start + ROWS));
  for (const row of list.slice(full)) put([row]);
}

function writeOne(connection: Connection, write: Exclude<Write, PutFile | Mark>): void {
  const run = (sql: string, ...parameters: readonly unknown[]): void => {
    connection.statement(sql).run(...parameters);
  };
  switch (write.kind) {
    case 'remove-file': {
      const name = param(storedName(write.file));
      run(
        `UPDATE csx_dirty SET checktxt = NULL WHERE filename = ${TEXT}
           AND checktxt IS (SELECT checktxt FROM file WHERE filename = ${TEXT})`,
        name,
        name,
      );
      run(`DELETE FROM file WHERE filename = ${TEXT}`, name);
      run(`DELETE FROM csx_file WHERE filename = ${TEXT}`, name);
      return;
    }
    case 'force':
      run(
        `UPDATE dirty SET forced = CAST(? AS INTEGER) WHERE filename = ${TEXT}`,
        write.forced ? '1' : '0',
        param(storedName(write.file)),
      );
      return;
    case 'settle':
      settle(connection, write);
      return;
    case 'clear-dirty': {
      const name = param(storedName(write.file));
      if (write.peer === undefined) {
        run(`DELETE FROM dirty WHERE filename = ${TEXT}`, name);
        run(`DELETE FROM csx_dirty WHERE filename = ${TEXT}`, name);
      } else clearDirty(connection, name, encodedParam(write.peer));
      return;
    }
    case 'refused':
      run(
        `INSERT INTO csx_dirty (filename, peername, number, checktxt, refused)
         SELECT d.filename, d.peername, d.rowid, ${CHECKTXT_OF_D}, ? FROM dirty d
           WHERE d.filename = ${TEXT} AND d.peername = ${TEXT}
         ON CONFLICT (filename, peername) DO UPDATE SET number = excluded.number, checktxt = excluded.checktxt,
           since = iif(${STILL_TIED}, since, NULL), refused = excluded.refused`,
        integer(write.at),
        param(storedName(write.file)),
        encodedParam(write.peer),
      );
      return;
    case 'put-hint':
      run(`INSERT INTO hint (filename, recursive) VALUES (${TEXT}, CAST(? AS INTEGER))`, ...hint(write));
      return;
    case 'remove-hint':
      run(`DELETE FROM hint WHERE filename = ${TEXT} AND recursive = CAST(? AS INTEGER)`, ...hint(write));
      return;
    case 'put-action': {
      const { file, command, logfile } = write.action;
      run(
        `INSERT INTO action (filename, command, logfile) VALUES (${TEXT}, ${TEXT}, ${TEXT})
         ON CONFLICT (filename, command) DO UPDATE SET logfile = excluded.logfile`,
        param(storedName(file)),
        encodedParam(command),
        encodedParam(logfile),
      );
      return;
    }
    case 'remove-action': {
      const { file, command, logfile } = write.action;
      run(
        `DELETE FROM action WHERE filename = ${TEXT} AND command = ${TEXT} AND logfile = ${TEXT}`,
        param(storedName(file)),
        encodedParam(command),
        encodedParam(logfile),
      );
      return;
    }
    case 'pin': {
      const peer = encodedParam(write.peer);
      const certificate = write.certificate.toString('hex').toUpperCase();
      run(
        `INSERT INTO x509_cert (peername, certdata) VALUES (${TEXT}, ?)
         ON CONFLICT (peername) DO UPDATE SET certdata = excluded.certdata`,
        peer,
        certificate,
      );
      run(
        `INSERT OR REPLACE INTO csx_certificate (peername, certdata, since) VALUES (${TEXT}, ?, ?)`,
        peer,
        certificate,
        integer(write.since),
      );
      return;
    }
    case 'unpin': {
      const peer = encodedParam(write.peer);
      run(`DELETE FROM x509_cert WHERE peername = ${TEXT}`, peer);
      run(`DELETE FROM csx_certificate WHERE peername = ${TEXT}`, peer);
      return;
    }
    case 'put-baseline': {
      const { file, peer, checktxt, target, digest, signature, at } = write.baseline;
      run(
        `INSERT OR REPLACE INTO csx_baseline (peername, filename, checktxt, target, digest, signature, at)
         VALUES (${TEXT}, ${TEXT}, ${TEXT}, ${TEXT}, ?, ?, ?)`,
        encodedParam(peer),
        param(storedName(file)),
        checktxt === undefined ? null : encodedParam(checktxt),
        target === undefined ? null : encodedParam(target),
        digest ?? null,
        signature ?? null,
        integer(at),
      );
      return;
    }
    case 'remove-baseline':
      run(
        `DELETE FROM csx_baseline WHERE peername = ${TEXT} AND filename = ${TEXT}`,
        encodedParam(write.peer),
        param(storedName(write.file)),
      );
      return;
    case 'put-run': {
      const { id, planHash, startedAt, finishedAt, exitStatus, summary } = write.run;
      run(
        `INSERT OR REPLACE INTO csx_run (id, plan_hash, started_at, finished_at, exit_status, summary) VALUES (?, ?, ?, ?, ?, ?)`,
        id,
        planHash,
        integer(startedAt),
        finishedAt === undefined ? null : integer(finishedAt),
        exitStatus === undefined ? null : integer(exitStatus),
        summary,
      );
      return;
    }
    case 'intend':
      putIntents(connection, write);
      return;
    case 'fulfil':
      deleteIntents(connection, write.batch);
      return;
    case 'put-action-run':
      putActionRun(connection, write.run);
      return;
  }
}

function hint({ file, recursive }: Extract<Write, { kind: 'put-hint' | 'remove-hint' }>): readonly (string | Buffer)[] {
  return [param(storedName(file)), recursive ? '1' : '0'];
}

/**
 * A file recorded anew while the old state was on its way keeps its dirty row. With a stamp on both sides that shows even where the
 * check text is the same; without one (csync2 wrote the row, or nobody ever recorded a stamp) the check text decides.
 */
function settle(connection: Connection, { file, peer, checktxt, stamp }: Settle): void {
  const name = param(storedName(file));
  const sent = checktxt === undefined ? null : encodedParam(checktxt);
  const same = connection
    .statement(
      `SELECT CASE WHEN @sent IS NULL THEN NOT EXISTS (SELECT 1 FROM file WHERE filename = CAST(@name AS TEXT))
         ELSE EXISTS (SELECT 1 FROM file WHERE filename = CAST(@name AS TEXT) AND checktxt = CAST(@sent AS TEXT))
           AND NOT EXISTS (SELECT 1 FROM csx_file
             WHERE filename = CAST(@name AS TEXT) AND checktxt = CAST(@sent AS TEXT) AND stamp <> CAST(@stamp AS TEXT)) END`,
    )
    .pluck()
    .get({ name, sent, stamp: stamp === undefined ? null : toBuffer(stamp) });
  if (same === 1) clearDirty(connection, name, encodedParam(peer));
}

function clearDirty(connection: Connection, name: string | Buffer, peer: string | Buffer): void {
  connection.statement(`DELETE FROM dirty WHERE filename = ${TEXT} AND peername = ${TEXT}`).run(name, peer);
  connection.statement(`DELETE FROM csx_dirty WHERE filename = ${TEXT} AND peername = ${TEXT}`).run(name, peer);
}
