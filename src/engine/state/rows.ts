/** Reads the small tables: dirty, hint, action, x509_cert, and csx's baselines and runs. */

import type { CheckText } from '../../model/checktxt.js';
import { decodeUrl, fileName, storedName } from '../../model/encoding.js';
import type { Digest, SignatureDigest } from '../../model/entry.js';
import {
  compareBytes,
  toBuffer,
  type Bytes,
  type FileName,
  type PeerName,
  type StoredName,
} from '../../model/names.js';
import type {
  ActionRow,
  Baseline,
  BaselineName,
  CertificateRow,
  DirtyRow,
  HintRow,
  Identity,
  Run,
} from '../../model/store.js';
import { rowsOf, TEXT } from './bulk.js';
import type { Connection } from './connection.js';
import { usableName, type Damage } from './damage.js';
import type { Range } from './ranges.js';
import { bytesIn, bytesOf, encodedParam, numberOf, param, textOf } from './text.js';

export function readIdentity(connection: Connection): Identity {
  if (!connection.has('csx_meta')) return { lineage: undefined, serial: 0 };
  const meta = connection.statement('SELECT value FROM csx_meta WHERE key = ?').pluck();
  return { lineage: textOf(meta.get('lineage')), serial: numberOf(meta.get('serial')) ?? 0 };
}

/** Names looked up in one statement. */
const NAMES = 64;

/** Those of the files that have a row or a mark. */
export function readKnown(connection: Connection, files: readonly FileName[]): Set<FileName> {
  const known = new Set<FileName>();
  const tables = ['file', 'dirty'].filter((table) => connection.has(table));
  if (tables.length === 0) return known;
  const found = tables.map((table) => `EXISTS (SELECT 1 FROM ${table} WHERE filename = +w.name)`).join(' OR ');
  for (let start = 0; start < files.length; start += NAMES) {
    const names = files.slice(start, start + NAMES);
    // Two shapes of a statement are prepared, not one for each length.
    const shape = names.length === NAMES ? NAMES : 1;
    for (let at = 0; at < names.length; at += shape) {
      const rows = connection
        .statement(
          `WITH wanted (at, name) AS (VALUES ${rowsOf(`(?, ${TEXT})`, shape)}) SELECT at FROM wanted w WHERE ${found}`,
        )
        .pluck()
        .all(names.slice(at, at + shape).flatMap((file, index) => [at + index, param(storedName(file))]));
      for (const index of rows) {
        const file = names[numberOf(index) ?? 0];
        if (file !== undefined) known.add(file);
      }
    }
  }
  return known;
}

/** Ordered by peer, then by stored name. */
export function readDirty(
  connection: Connection,
  ranges: readonly Range[],
  peers: ReadonlySet<PeerName> | undefined,
  damage: Damage,
): DirtyRow[] {
  if (!connection.has('dirty')) return [];
  const select = connection.statement(selectDirty(connection)).raw();
  const byPeer = new Map<PeerName, DirtyRow[]>();
  for (const range of ranges) {
    for (const row of select.iterate({
      low: param(range.low),
      high: range.high === undefined ? null : param(range.high),
    })) {
      const [filename, peername, myname, forced, since, refused, foreseen] = row as readonly unknown[];
      const name = usableName(bytesOf(filename), 'dirty', damage);
      if (name === undefined) continue;
      const peer = decodeUrl(bytesOf(peername) ?? '') as PeerName;
      if (peers?.has(peer) === false) continue;
      if (peer === '') {
        damage.row('dirty', bytesOf(filename), 'its peer is missing');
        continue;
      }
      const rows = byPeer.get(peer);
      const dirty: DirtyRow = {
        file: name,
        peer,
        me: decodeUrl(bytesOf(myname) ?? '') as PeerName,
        forced: numberOf(forced) !== 0 && forced !== null,
        since: numberOf(since),
        refused: numberOf(refused),
        foreseen: numberOf(foreseen),
      };
      if (rows === undefined) byPeer.set(peer, [dirty]);
      else rows.push(dirty);
    }
  }
  return [...byPeer].sort(([a], [b]) => compareBytes(a, b)).flatMap(([, rows]) => rows);
}

// NULL file names sort first and would be skipped by a range that starts with '': `low` '' takes them in, to be told.
const DIRTY_WHERE = `WHERE (d.filename >= CAST(@low AS TEXT) OR (CAST(@low AS TEXT) = '' AND (d.filename IS NULL OR d.filename < '')))
  AND (@high IS NULL OR d.filename < CAST(@high AS TEXT)) ORDER BY d.filename`;
const DIRTY_COLUMNS = `${bytesIn('d.filename')}, ${bytesIn('d.peername')}, ${bytesIn('d.myname')}, CAST(d.forced AS INTEGER)`;
const DIRTY = `SELECT ${DIRTY_COLUMNS}, NULL, NULL, NULL FROM dirty d ${DIRTY_WHERE}`;
const DIRTY_BESIDE = (
  foreseen: string,
): string => `SELECT ${DIRTY_COLUMNS}, s.since, s.refused, ${foreseen} FROM dirty d
  LEFT JOIN csx_dirty s ON s.filename = d.filename AND s.peername = d.peername AND s.number = d.rowid
    AND s.checktxt IS (SELECT checktxt FROM file WHERE filename = d.filename) ${DIRTY_WHERE}`;

/** A database that an older csx wrote last does not tell what was foreseen. */
function selectDirty(connection: Connection): string {
  if (!connection.has('csx_dirty') || !connection.has('file')) return DIRTY;
  return DIRTY_BESIDE(connection.has('csx_dirty', 'foreseen') ? 's.foreseen' : 'NULL');
}

export function readHints(connection: Connection, damage: Damage): HintRow[] {
  if (!connection.has('hint')) return [];
  const select = connection.statement(
    `SELECT ${bytesIn('filename')}, CAST(recursive AS INTEGER) FROM hint ORDER BY filename, recursive`,
  );
  return (select.raw().all() as unknown[][]).flatMap(([filename, recursive]) => {
    const file = usableName(bytesOf(filename), 'hint', damage);
    return file === undefined ? [] : [{ file, recursive: (numberOf(recursive) ?? 0) !== 0 }];
  });
}

export function readActions(connection: Connection, damage: Damage): ActionRow[] {
  if (!connection.has('action')) return [];
  const select = connection.statement(
    `SELECT ${bytesIn('filename')}, ${bytesIn('command')}, ${bytesIn('logfile')} FROM action ORDER BY filename, command`,
  );
  return (select.raw().all() as unknown[][]).flatMap(([filename, command, logfile]) => {
    const file = usableName(bytesOf(filename), 'action', damage);
    if (file === undefined) return [];
    const line = bytesOf(command) ?? '';
    if (line === '') {
      damage.row('action', bytesOf(filename), 'it has no command');
      return [];
    }
    return [{ file, command: decodeUrl(line) as Bytes, logfile: decodeUrl(bytesOf(logfile) ?? '') as Bytes }];
  });
}

/**
 * A pin that is no hexadecimal is returned as the bytes it holds: no certificate equals it, so the peer is refused until someone
 * looks, as it should be. Skipping it would let in whoever comes first.
 */
export function readCertificates(connection: Connection, damage: Damage): CertificateRow[] {
  if (!connection.has('x509_cert')) return [];
  const since = connection.has('csx_certificate')
    ? 's.since FROM x509_cert c LEFT JOIN csx_certificate s ON s.peername = c.peername AND s.certdata = c.certdata'
    : 'NULL FROM x509_cert c';
  const select = connection.statement(
    `SELECT ${bytesIn('c.peername')}, ${bytesIn('c.certdata')}, ${since} ORDER BY c.peername`,
  );
  return (select.raw().all() as unknown[][]).flatMap(([peername, certdata, pinned]) => {
    const peer = bytesOf(peername);
    if (peer === undefined || peer === '') {
      damage.row('x509_cert', undefined, 'its peer is missing');
      return [];
    }
    const hex = bytesOf(certdata) ?? '';
    const valid = hex !== '' && /^(?:[0-9A-Fa-f]{2})*$/.test(hex);
    if (!valid) damage.row('x509_cert', peer, 'its certificate is not hexadecimal, so no certificate will match it');
    const certificate = valid ? Buffer.from(hex, 'hex') : toBuffer(hex);
    return [{ peer: decodeUrl(peer) as PeerName, certificate, since: numberOf(pinned) }];
  });
}

export function readBaselines(
  connection: Connection,
  peer: PeerName,
  files: readonly FileName[],
): Map<FileName, Baseline> {
  const found = new Map<FileName, Baseline>();
  if (!connection.has('csx_baseline')) return found;
  const select = connection.statement(
    `SELECT ${bytesIn('checktxt')}, ${bytesIn('target')}, digest, signature, at FROM csx_baseline
      WHERE peername = CAST(? AS TEXT) AND filename = CAST(? AS TEXT)`,
  );
  const stored = encodedParam(peer);
  // A peer that gets all for the first time has none.
  const any = connection
    .statement('SELECT EXISTS (SELECT 1 FROM csx_baseline WHERE peername = CAST(? AS TEXT))')
    .pluck();
  if (any.get(stored) !== 1) return found;
  for (const file of files) {
    const row = select.raw().get(stored, param(storedName(file))) as readonly unknown[] | undefined;
    if (row === undefined) continue;
    const [checktxt, target, digest, signature, at] = row;
    found.set(file, {
      file,
      peer,
      checktxt: decoded(checktxt) as CheckText | undefined,
      target: decoded(target) as Bytes | undefined,
      digest: textOf(digest) as Digest | undefined,
      signature: textOf(signature) as SignatureDigest | undefined,
      at: numberOf(at) ?? 0,
    });
  }
  return found;
}

/** The next baselines after one; undefined: the first. */
export function readBaselineNames(
  connection: Connection,
  after: BaselineName | undefined,
  limit: number,
): readonly BaselineName[] {
  if (!connection.has('csx_baseline')) return [];
  const select = connection.statement(
    `SELECT ${bytesIn('peername')}, ${bytesIn('filename')}, checktxt IS NULL FROM csx_baseline
      WHERE (peername, filename) > (CAST(? AS TEXT), CAST(? AS TEXT)) ORDER BY peername, filename LIMIT ?`,
  );
  const from = after === undefined ? ['', ''] : [encodedParam(after.peer), param(storedName(after.file))];
  return (select.raw().all(...from, limit) as unknown[][]).map(([peer, file, absent]) => ({
    peer: decodeUrl(bytesOf(peer) ?? '') as PeerName,
    file: fileName((bytesOf(file) ?? '') as StoredName),
    absent: absent === 1,
  }));
}

function decoded(value: unknown): string | undefined {
  const bytes = bytesOf(value);
  return bytes === undefined ? undefined : decodeUrl(bytes);
}

const RUN = 'SELECT id, plan_hash, started_at, finished_at, exit_status, summary FROM csx_run';

/** The latest first. */
export function readRuns(connection: Connection, limit: number): Run[] {
  if (!connection.has('csx_run')) return [];
  const select = connection.statement(`${RUN} ORDER BY started_at DESC, id DESC LIMIT ?`);
  return (select.raw().all(Math.max(0, Math.trunc(limit))) as unknown[][]).map(runOf);
}

/** The latest run of the plan. */
export function readRun(connection: Connection, planHash: string): Run | undefined {
  if (!connection.has('csx_run')) return undefined;
  const select = connection.statement(`${RUN} WHERE plan_hash = ? ORDER BY started_at DESC, id DESC LIMIT 1`);
  const row = select.raw().get(planHash) as readonly unknown[] | undefined;
  return row === undefined ? undefined : runOf(row);
}

function runOf([id, planHash, startedAt, finishedAt, exitStatus, summary]: readonly unknown[]): Run {
  return {
    id: textOf(id) ?? '',
    planHash: textOf(planHash) ?? '',
    startedAt: numberOf(startedAt) ?? 0,
    finishedAt: numberOf(finishedAt),
    exitStatus: numberOf(exitStatus),
    summary: textOf(summary) ?? '',
  };
}
