/**
 * Carries out a list of Writes on a connection that is in a transaction, in order; what comes by the thousand is gathered for bulk.ts
 * as far as nobody can tell.
 */

import { storedName } from '../../model/encoding.js';
import type { FileName } from '../../model/names.js';
import type { Write } from '../../model/store.js';
import { CHECKTXT_OF_D, putBaselines, putFiles, putMarks, STILL_TIED, TEXT } from './bulk.js';
import type { Mark, PutBaseline, PutFile } from './bulk.js';
import { clearDirty, settle } from './clearing.js';
import type { Clear, Settle } from './clearing.js';
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

export function writer(connection: Connection): Writer {
  const gathered = {
    // The last one of a file says it all.
    files: new Map<FileName, PutFile>(),
    marks: [] as Mark[],
    cleared: [] as Clear[],
    settled: [] as Settle[],
    baselines: new Map<string, PutBaseline>(),
  };
  const flush: Readonly<Record<keyof typeof gathered, () => void>> = {
    files() {
      inRows([...gathered.files.values()], (rows) => {
        putFiles(connection, rows);
      });
      gathered.files.clear();
    },
    // A mark is tied to the check text that the file has by then.
    marks() {
      flush.files();
      inRows(gathered.marks.splice(0), (rows) => {
        putMarks(connection, rows);
      });
    },
    cleared() {
      inRows(gathered.cleared.splice(0), (rows) => {
        clearDirty(connection, rows);
      });
    },
    settled() {
      // Else every file would be flushed alone: each asks for this first.
      if (gathered.settled.length === 0) return;
      flush.files();
      inRows(gathered.settled.splice(0), (rows) => {
        settle(connection, rows);
      });
    },
    baselines() {
      inRows([...gathered.baselines.values()], (rows) => {
        putBaselines(connection, rows);
      });
      gathered.baselines.clear();
    },
  };
  const before = (...kinds: readonly (keyof typeof gathered)[]): void => {
    for (const kind of kinds) flush[kind]();
  };
  return {
    add(write) {
      switch (write.kind) {
        case 'put-file':
          // What was settled before looked at the row before.
          before('settled');
          gathered.files.set(write.file, write);
          if (gathered.files.size >= ROWS) flush.files();
          return;
        case 'mark':
          before('cleared', 'settled');
          if (gathered.marks.push(write) >= ROWS) flush.marks();
          return;
        case 'settle':
          before('marks', 'cleared');
          if (gathered.settled.push(write) >= ROWS) flush.settled();
          return;
        case 'put-baseline':
          gathered.baselines.set(`${write.baseline.peer}\0${write.baseline.file}`, write);
          if (gathered.baselines.size >= ROWS) flush.baselines();
          return;
        case 'clear-dirty':
          if (write.peer !== undefined) {
            before('marks', 'settled');
            if (gathered.cleared.push({ file: write.file, peer: write.peer }) >= ROWS) flush.cleared();
            return;
          }
          break;
        case 'remove-baseline':
          before('baselines');
          break;
        default:
          break;
      }
      if (TOUCHES_FILES.has(write.kind)) before('marks', 'cleared', 'settled');
      writeOne(connection, write);
    },
    finish() {
      before('marks', 'cleared', 'settled', 'baselines');
    },
  };
}

/** What must come after the files and marks gathered before it. */
const TOUCHES_FILES: ReadonlySet<Write['kind']> = new Set([
  'remove-file',
  'force',
  'clear-dirty',
  'refused',
  'foreseen',
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

function writeOne(connection: Connection, write: Exclude<Write, PutFile | Mark | Settle | PutBaseline>): void {
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
    case 'clear-dirty': {
      // Of all peers; of one they are gathered.
      const name = param(storedName(write.file));
      run(`DELETE FROM dirty WHERE filename = ${TEXT}`, name);
      run(`DELETE FROM csx_dirty WHERE filename = ${TEXT}`, name);
      return;
    }
    case 'refused':
      run(
        `INSERT INTO csx_dirty (filename, peername, number, checktxt, refused)
         SELECT d.filename, d.peername, d.rowid, ${CHECKTXT_OF_D}, ? FROM dirty d
           WHERE d.filename = ${TEXT} AND d.peername = ${TEXT}
         ON CONFLICT (filename, peername) DO UPDATE SET number = excluded.number, checktxt = excluded.checktxt,
           since = iif(${STILL_TIED}, since, NULL), refused = excluded.refused,
           foreseen = iif(${STILL_TIED}, foreseen, NULL)`,
        integer(write.at),
        param(storedName(write.file)),
        encodedParam(write.peer),
      );
      return;
    case 'foreseen':
      run(
        `INSERT INTO csx_dirty (filename, peername, number, checktxt, foreseen)
         SELECT d.filename, d.peername, d.rowid, ${CHECKTXT_OF_D}, ? FROM dirty d
           WHERE d.filename = ${TEXT} AND d.peername = ${TEXT}
         ON CONFLICT (filename, peername) DO UPDATE SET number = excluded.number, checktxt = excluded.checktxt,
           since = iif(${STILL_TIED}, since, NULL), refused = iif(${STILL_TIED}, refused, NULL),
           foreseen = excluded.foreseen`,
        write.at === undefined ? null : integer(write.at),
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
