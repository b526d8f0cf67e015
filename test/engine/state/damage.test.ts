/** Damaged rows and damaged files: told, never a crash, never a wrong answer that looks right. */

import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MIGRATIONS, schemaVersion, upgrade, type Migration } from '../../../src/engine/state/schema.js';
import { CsxError, type Problem } from '../../../src/model/errors.js';
import type { Store } from '../../../src/model/store.js';
import { checktxt, directory, file, HOST, mark, open, put, rows, sql, stamp } from './support.js';

async function damagedBy(...statements: readonly string[]): Promise<{ store: Store; problems: Problem[] }> {
  const where = directory();
  const made = await open(where);
  await made.write([put(file('/good'), 'v1:type=dir', 's'), mark(file('/good'))]);
  await made.close();
  sql(made.location, ...statements);
  const problems: Problem[] = [];
  const store = await open(where, { onProblem: (problem) => problems.push(problem) });
  return { store, problems };
}

describe('rows of file', () => {
  const values = [
    'NULL',
    '42',
    '-1.5',
    "x'2f61'",
    "''",
    "'relative'",
    "'/a b'",
    "'/a' || char(10) || 'b'",
    "'/a%2f'",
    "'/a%'",
    "'/a' || char(0)",
  ];
  test.each(values)('a file name that is %s is told or returned, and the others are read', async (value) => {
    const { store, problems } = await damagedBy(`INSERT INTO file VALUES (${value}, 'v1%3Atype=dir')`);
    const found = await rows(store);
    expect(found).toContainEqual({
      stored: '/good',
      checktxt: 'v1:type=dir',
      stamp: 's',
      target: undefined,
      digest: undefined,
    });
    expect(found.length + problems.length).toBe(2);
    for (const problem of problems) {
      expect(problem).toMatchObject({ severity: 'warning', code: 'STATE_CORRUPT' });
      expect(problem.summary).toContain(store.location);
    }
    await rows(store);
    expect(found.length + problems.length).toBe(2);
  });

  const texts: readonly [value: string, read: string][] = [
    ['NULL', ''],
    ['7', '7'],
    ["x'ff0a'", '\xff\n'],
    ["'v1%3' || char(10)", 'v1%3\n'],
    ["'v1:plain %3a'", 'v1:plain :'],
    ["'a' || char(10) || 'b'", 'a\nb'],
    ["'---'", '---'],
  ];
  test.each(texts)('a check text that is %s', async (value, read) => {
    const { store } = await damagedBy(`INSERT INTO file VALUES ('/bad', ${value}), ('/later', 'v1%3Atype=fifo')`);
    expect((await rows(store)).map((row) => [row.stored, row.checktxt, row.stamp])).toEqual([
      ['/bad', read, undefined],
      ['/good', 'v1:type=dir', 's'],
      ['/later', 'v1:type=fifo', undefined],
    ]);
    expect((await store.file([file('/bad')])).get(file('/bad'))?.checktxt).toBe(read);
    await store.write([put(file('/bad'), 'v1:type=dir', 'new')]);
    expect((await store.file([file('/bad')])).get(file('/bad'))).toMatchObject({
      checktxt: 'v1:type=dir',
      stamp: 'new',
    });
  });

  test('damage in many batches, and what csync2 left behind in csx_file', async () => {
    const count = 9000;
    const { store, problems } = await damagedBy(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${String(count)})
       INSERT INTO file SELECT printf('/f%06d', i) || iif(i % 1000 = 0, ' ', ''), 'v1%3Atype=dir' FROM n`,
      "INSERT INTO csx_file SELECT filename, checktxt, 'seen', NULL, NULL FROM file WHERE filename LIKE '%5'",
      "INSERT INTO csx_file SELECT filename || '/gone', checktxt, 'gone', NULL, NULL FROM file",
    );
    const found = await rows(store);
    expect(found).toHaveLength(count - 9 + 1);
    expect(problems).toHaveLength(9);
    expect(found.map((row) => row.stored)).toEqual(found.map((row) => row.stored).sort());
    expect(found.filter((row) => row.stamp === 'seen')).toHaveLength(900);
    expect(found.every((row) => (row.stamp === 'seen') === row.stored.endsWith('5') || row.stored === '/good')).toBe(
      true,
    );
  });
});

describe('rows of the small tables', () => {
  test('dirty, hint, action', async () => {
    const { store, problems } = await damagedBy(
      "INSERT INTO dirty VALUES (NULL, 0, 'm', 'p'), ('/../x', 0, 'm', 'p'), ('/nobody', 0, 'm', NULL), ('/odd', 'yes', NULL, 'p'), ('/null', NULL, 7, 'q')",
      "INSERT INTO hint VALUES (NULL, 0), ('//', 1), ('/h', 'x'), ('/h', 2)",
      "INSERT INTO action VALUES ('/a', NULL, NULL), (NULL, 'true', ''), ('/a', 'true', NULL)",
    );
    expect((await store.dirty()).map((row) => [row.file, row.peer, row.me, row.forced])).toEqual([
      ['/good', '127.23.0.3', HOST, false],
      ['/odd', 'p', '', false],
      ['/null', 'q', '7', false],
    ]);
    expect(await store.hints()).toEqual([
      { file: '/h', recursive: true },
      { file: '/h', recursive: false },
    ]);
    expect(await store.actions()).toEqual([{ file: '/a', command: 'true', logfile: '' }]);
    expect(problems).toHaveLength(7);
    await store.write([mark(file('/null'), false, 'q'), { kind: 'force', file: file('/odd'), forced: true }]);
    expect((await store.dirty()).map((row) => [row.file, row.forced])).toContainEqual(['/odd', true]);
  });

  test('a pin that is no certificate matches none, instead of being no pin', async () => {
    const { store, problems } = await damagedBy(
      "INSERT INTO x509_cert VALUES ('p', 'nonsense'), ('q', NULL), ('r', '3082'), (NULL, '30')",
    );
    expect(await store.certificates()).toEqual([
      { peer: 'p', certificate: Buffer.from('nonsense'), since: undefined },
      { peer: 'q', certificate: Buffer.alloc(0), since: undefined },
      { peer: 'r', certificate: Buffer.from([0x30, 0x82]), since: undefined },
    ]);
    expect(problems).toHaveLength(3);
  });

  test('a table without its columns is damage, not a mistake of csx', async () => {
    const { store } = await damagedBy('DROP TABLE dirty', 'CREATE TABLE dirty (something)');
    await expect(store.dirty()).rejects.toMatchObject({ code: 'STATE_CORRUPT' });
    await expect(store.write([mark(file('/x'))])).rejects.toMatchObject({ code: 'STATE_CORRUPT' });
    expect((await store.identity()).serial).toBe(1);
  });
});

describe('damaged files', () => {
  async function everything(database: string): Promise<void> {
    const store = await open(database, { access: 'write', lockTimeout: 1 });
    await rows(store);
    await Promise.all([
      store.dirty(),
      store.hints(),
      store.actions(),
      store.certificates(),
      store.runs(9),
      store.identity(),
    ]);
    await store.write([
      put(file('/new'), 'v1:type=dir', 's'),
      mark(file('/new')),
      { kind: 'remove-file', file: file('/f5') },
    ]);
    await store.close();
  }

  async function whole(): Promise<Buffer> {
    const store = await open(directory());
    await store.write(
      Array.from({ length: 800 }, (_, index) => [
        put(file(`/f${String(index)}`), 'v1:type=dir', 's'),
        mark(file(`/f${String(index)}`)),
      ]).flat(),
    );
    await store.close();
    return readFileSync(store.location);
  }

  async function outcome(database: string): Promise<string> {
    try {
      await everything(database);
      return 'fine';
    } catch (error) {
      if (!(error instanceof CsxError)) throw error;
      expect(error.message).toContain(database);
      expect(error.hint).toBeDefined();
      return error.code;
    }
  }

  test('cut short at any length', async () => {
    const bytes = await whole();
    const database = path.join(directory(), 'x.db3');
    const outcomes = new Set<string>();
    for (let length = 1; length < bytes.length; length += Math.floor(bytes.length / 40)) {
      writeFileSync(database, bytes);
      truncateSync(database, length);
      outcomes.add(await outcome(database));
    }
    expect([...outcomes]).toEqual(['STATE_CORRUPT']);
  });

  test('random bytes anywhere', async () => {
    const bytes = await whole();
    const database = path.join(directory(), 'x.db3');
    const outcomes = new Set<string>();
    const spot = fc.record({ at: fc.nat(bytes.length - 200), noise: fc.uint8Array({ minLength: 1, maxLength: 200 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(spot, { minLength: 1, maxLength: 5 }), async (spots) => {
        const copy = Buffer.from(bytes);
        for (const { at, noise } of spots) copy.set(noise, at);
        writeFileSync(database, copy);
        outcomes.add(await outcome(database));
      }),
      { numRuns: 60 },
    );
    expect(
      [...outcomes].filter((code) => !['fine', 'STATE_CORRUPT', 'STATE_TOO_NEW', 'STATE_UNREADABLE'].includes(code)),
    ).toEqual([]);
    expect(outcomes).toContain('STATE_CORRUPT');
  });
});

describe('migrations', () => {
  const next: readonly Migration[] = [
    ...MIGRATIONS,
    ['ALTER TABLE csx_file ADD COLUMN extra'],
    ['CREATE TABLE csx_later (x)'],
  ];
  const birth = (): { lineage: string; at: number } => ({ lineage: 'L', at: 5 });

  function within(db: Database.Database, migrations: readonly Migration[]): boolean {
    return db.transaction(() => upgrade(db, 'here', birth, migrations))();
  }

  test('bring every version to the newest, keep what is there, and are idle then', () => {
    for (let from = 0; from <= next.length; from++) {
      const db = new Database(':memory:');
      if (from > 0) {
        within(db, next.slice(0, from));
        db.exec("INSERT INTO csx_file (filename, checktxt) VALUES ('/a', 'v1')");
      }
      expect(within(db, next)).toBe(from < next.length);
      expect(schemaVersion(db)).toBe(next.length);
      expect(db.prepare('SELECT extra, (SELECT count(*) FROM csx_later) AS n FROM csx_file').all()).toEqual(
        from > 0 ? [{ extra: null, n: 0 }] : [],
      );
      expect(db.prepare("SELECT value FROM csx_meta WHERE key = 'lineage'").pluck().get()).toBe('L');
      expect(within(db, next)).toBe(false);
      db.close();
    }
  });

  test('that fail change nothing', () => {
    const db = new Database(':memory:');
    within(db, MIGRATIONS);
    const before = db.prepare('SELECT name, sql FROM sqlite_schema').all();
    expect(() => within(db, [...next, ['CREATE TABLE csx_later (x)']])).toThrow(/already exists/);
    expect(db.prepare('SELECT name, sql FROM sqlite_schema').all()).toEqual(before);
    expect(schemaVersion(db)).toBe(MIGRATIONS.length);
    db.close();
  });
});

describe('settle', () => {
  test.each([
    ['what was sent is what is recorded', 'v1:type=dir', 'now', true],
    ['no stamp was taken when it was sent', 'v1:type=dir', undefined, true],
    ['rewritten within the second', 'v1:type=dir', 'before', false],
    ['another check text', 'v1:type=fifo', 'now', false],
    ['a removal was sent, but it is there again', undefined, undefined, false],
  ] as const)('%s', async (_title, sent, seen, settled) => {
    const store = await open(directory());
    await store.write([put(file('/f'), 'v1:type=dir', 'now'), mark(file('/f')), mark(file('/f'), false, 'other')]);
    const mine = mark(file('/f'));
    if (mine.kind !== 'mark') throw new Error('not a mark');
    await store.write([
      {
        kind: 'settle',
        file: mine.file,
        peer: mine.peer,
        checktxt: sent === undefined ? undefined : checktxt(sent),
        stamp: seen === undefined ? undefined : stamp(seen),
      },
    ]);
    expect((await store.dirty()).map((row) => row.peer)).toEqual(settled ? ['other'] : [mine.peer, 'other']);
  });
});
