/** Where the database is looked for, what is refused, and that reading changes nothing. */

import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import { databasePath, withoutPassword } from '../../../src/engine/state/location.js';
import { CsxError } from '../../../src/model/errors.js';
import type { PeerName } from '../../../src/model/names.js';
import {
  child,
  contents,
  csync2,
  directory,
  failure,
  file,
  HOST,
  mark,
  open,
  PEER,
  put,
  rows,
  sql,
  afterwards,
} from './support.js';

describe('location', () => {
  const cases: readonly [title: string, database: string | undefined, expected: string][] = [
    ['nothing', undefined, '/var/lib/csync2/h.db3'],
    ['an empty value', '', '/var/lib/csync2/h.db3'],
    ['an empty URL', 'sqlite3://', '/var/lib/csync2/h.db3'],
    ['a directory', 'IN/dir', 'IN/dir/h.db3'],
    ['a directory with a slash', 'IN/dir/', 'IN/dir/h.db3'],
    ['a directory that is missing', 'IN/none', 'IN/none/h.db3'],
    ['a directory by URL', 'sqlite3://IN/dir', 'IN/dir/h.db3'],
    ['a file by URL', 'sqlite3://IN/new', 'IN/new'],
    ['a file by the older URL', 'sqlite://IN/new', 'IN/new'],
    ['a file that exists', 'IN/old', 'IN/old'],
    ['a file by its ending', 'IN/new.db3', 'IN/new.db3'],
    ['a relative file', 'new', path.resolve('new')],
  ];
  test.each(cases)('%s', (_title, database, expected) => {
    const where = directory();
    mkdirSync(path.join(where, 'dir'));
    writeFileSync(path.join(where, 'old'), '');
    expect(databasePath({ database: database?.replace('IN', where), host: 'h' })).toBe(expected.replace('IN', where));
  });

  test('a configuration name is part of the file name', () => {
    expect(databasePath({ host: 'h', configName: 'two' })).toBe('/var/lib/csync2/h_two.db3');
    expect(() => databasePath({ host: 'h', configName: '../two' })).toThrow(CsxError);
  });

  test.each(['pgsql://me:secret@db/csync2', 'mysql://me:secret@db/csync2', 'foo://x'])(
    '%s is not supported',
    (database) => {
      const attempt = (): string => databasePath({ database, host: 'h' });
      expect(attempt).toThrow(
        expect.objectContaining({ code: 'STATE_UNSUPPORTED', hint: expect.stringContaining('-D') as string }),
      );
      expect(attempt).not.toThrow(/secret/);
    },
  );

  test('passwords are blotted out', () => {
    expect(withoutPassword('csync2 -D pgsql://me:se:cr@et@db/x -v')).toBe('csync2 -D pgsql://me:***@db/x -v');
  });
});

describe('refused', () => {
  test('a directory that is missing', async () => {
    const missing = path.join(directory(), 'none');
    for (const access of ['read', 'write'] as const) {
      const error = await failure(open(missing, { access }));
      expect(error).toMatchObject({
        code: 'STATE_UNREADABLE',
        hint: expect.stringContaining(`mkdir -p ${missing}`) as string,
      });
    }
    expect(existsSync(missing)).toBe(false);
  });

  test('a directory in place of the file', async () => {
    const where = directory();
    mkdirSync(path.join(where, `${HOST}.db3`));
    expect(await failure(open(where))).toMatchObject({ code: 'STATE_UNREADABLE' });
  });

  test('what is no database', async () => {
    const database = path.join(directory(), 'x.db3');
    writeFileSync(database, 'Dear diary, '.repeat(1000));
    for (const access of ['read', 'write'] as const) {
      const error = await failure(open(database, { access }));
      expect(error).toMatchObject({ code: 'STATE_CORRUPT', data: { path: database } });
      expect(error.message).toContain(database);
      expect(error.cause).toBeInstanceOf(Database.SqliteError);
    }
  });

  test('tables of a newer csx, for reading too', async () => {
    const where = directory();
    const store = await open(where);
    await store.write([put(file('/a'), 'v1:type=dir')]);
    await store.close();
    sql(store.location, "UPDATE csx_meta SET value = 99 WHERE key = 'schema'");
    for (const access of ['read', 'write'] as const) {
      expect(await failure(open(where, { access }))).toMatchObject({ code: 'STATE_TOO_NEW', data: { version: 99 } });
    }
  });

  test('tables of an older csx are read as they are, and brought up to date by the first write', async () => {
    const where = directory();
    const store = await open(where);
    await store.write([put(file('/a'), 'v1:type=dir'), mark(file('/a'))]);
    await store.close();
    sql(store.location, 'ALTER TABLE csx_dirty DROP COLUMN foreseen');
    sql(store.location, "UPDATE csx_meta SET value = 2 WHERE key = 'schema'");
    const old = await open(where, { access: 'read' });
    expect(await old.dirty()).toMatchObject([{ file: '/a', foreseen: undefined }]);
    await old.close();
    const newer = await open(where);
    await newer.write([{ kind: 'foreseen', file: file('/a'), peer: PEER as PeerName, at: 7 }]);
    expect(await newer.dirty()).toMatchObject([{ file: '/a', foreseen: 7 }]);
  });

  test('tables that a newer csx upgrades while this one runs', async () => {
    const where = directory();
    const store = await open(where);
    await store.write([put(file('/a'), 'v1:type=dir')]);
    sql(store.location, "UPDATE csx_meta SET value = 99 WHERE key = 'schema'");
    expect(await failure(store.write([put(file('/b'), 'v1:type=dir')]))).toMatchObject({ code: 'STATE_TOO_NEW' });
    expect(await failure(rows(store))).toMatchObject({ code: 'STATE_TOO_NEW' });
  });

  test('what lies open to other users, when root asks', async () => {
    const where = directory();
    const database = path.join(where, 'x.db3');
    const culprit = async (): Promise<unknown> => {
      const error = await failure(open(database, { access: 'read' }));
      expect(error).toMatchObject({ code: 'FILE_UNSAFE', hint: expect.stringContaining('with -D') as string });
      return error.data['culprit'];
    };
    const acceptable = async (): Promise<void> => (await open(database, { access: 'read' })).close();
    await acceptable();
    chmodSync(where, 0o1777);
    expect(await culprit()).toBe(where);
    chmodSync(where, 0o755);
    writeFileSync(database, '');
    await acceptable();
    chmodSync(database, 0o666);
    expect(await culprit()).toBe(database);
    chmodSync(database, 0o644);
    chownSync(database, 65534, 65534);
    expect(await culprit()).toBe(database);
    chownSync(database, 0, 0);
    chownSync(where, 65534, 65534);
    expect(await culprit()).toBe(where);
  });

  test('a link into what lies open to other users; a link to a safe place is followed', async () => {
    const [where, elsewhere] = [directory(), directory()];
    const link = path.join(where, 'x.db3');
    const target = path.join(elsewhere, 'y.db3');
    writeFileSync(target, '');
    symlinkSync(target, link);
    await (await open(link, { access: 'read' })).close();
    chmodSync(elsewhere, 0o777);
    expect(await failure(open(link))).toMatchObject({ code: 'FILE_UNSAFE', data: { culprit: elsewhere } });
  });

  test('writing where nobody may', async () => {
    const where = directory();
    const store = await open(where, { access: 'read' });
    await expect(() => store.write([])).rejects.toMatchObject({ code: 'STATE_READ_ONLY' });
  });
});

describe('reading changes nothing', () => {
  const snapshot = (where: string): unknown => contents(where, (name) => readFileSync(name));

  test('where there is no database', async () => {
    const where = directory();
    const store = await open(where, { access: 'read' });
    expect(await rows(store)).toEqual([]);
    expect([await store.dirty(), await store.hints(), await store.actions(), await store.certificates()]).toEqual([
      [],
      [],
      [],
      [],
    ]);
    expect([await store.countFiles(), await store.runs(5), await store.run('x')]).toEqual([0, [], undefined]);
    expect(await store.identity()).toEqual({ lineage: undefined, serial: 0 });
    await store.close();
    expect(readdirSync(where)).toEqual([]);
  });

  test('opened for writing, nothing is made before the first write', async () => {
    const where = directory();
    const store = await open(where);
    expect(await rows(store)).toEqual([]);
    await store.write([]);
    expect(readdirSync(where)).toEqual([]);
    await store.write([put(file('/a'), 'v1:type=dir')]);
    expect(await rows(store)).toHaveLength(1);
    await store.close();
    expect(readdirSync(where)).toEqual([`${HOST}.db3`]);
  });

  test("a database of csync2's, opened for writing and only read, stays csync2's", async () => {
    const host = csync2();
    await host.run('-cr', '/');
    const before = snapshot(host.databases);
    const store = await open(host.databases);
    expect(await store.dirty()).toHaveLength(1);
    expect(await store.identity()).toEqual({ lineage: undefined, serial: 0 });
    await store.close();
    expect(snapshot(host.databases)).toEqual(before);
  });

  const databases: readonly [title: string, make: () => Promise<string>][] = [
    [
      "a database of csync2's",
      async () => {
        const host = csync2();
        writeFileSync(path.join(host.tree, 'f'), '');
        await host.run('-cr', '/');
        return host.database;
      },
    ],
    [
      'a WAL database',
      async () => {
        const store = await open(directory());
        await store.write([put(file('/a'), 'v1:type=dir', 's'), mark(file('/a')), put(file('/b'), 'v1:type=dir')]);
        await store.close();
        expect(sql(store.location, 'PRAGMA journal_mode')).toEqual([['wal']]);
        return store.location;
      },
    ],
    [
      'an empty file',
      () => {
        const database = path.join(directory(), 'x.db3');
        writeFileSync(database, '');
        return Promise.resolve(database);
      },
    ],
  ];
  test.each(databases)('%s', async (_title, make) => {
    const database = await make();
    const before = snapshot(path.dirname(database));
    const modified = statSync(database).mtimeMs;
    const expected = statSync(database).size === 0 ? 0 : 2;
    const store = await open(database, { access: 'read' });
    expect(await rows(store)).toHaveLength(expected);
    expect(await store.countFiles()).toBe(expected);
    await Promise.all([store.dirty(), store.hints(), store.certificates(), store.runs(1), store.file([file('/a')])]);
    await store.close();
    expect(snapshot(path.dirname(database))).toEqual(before);
    expect(statSync(database).mtimeMs).toBe(modified);
  });

  test('a database with a journal to play back, left by a process that was killed', async () => {
    const host = csync2();
    await host.run('-cr', '/');
    const script = `
import sqlite3, sys, time
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute('PRAGMA cache_size = 5')
db.execute('BEGIN')
db.execute("UPDATE dirty SET peername = 'half'")
for i in range(3000): db.execute('INSERT INTO file VALUES (?, ?)', ('/half/%d' % i, 'v1'))
print('ready', flush=True)
time.sleep(60)`;
    const writer = child('python3', '-c', script, host.database);
    await writer.ready;
    await writer.kill();
    expect(readdirSync(host.databases)).toContain(`${HOST}.db3-journal`);
    const before = snapshot(host.databases);
    const store = await open(host.databases, { access: 'read' });
    expect(await rows(store)).toHaveLength(1);
    expect(await store.dirty()).toMatchObject([{ peer: '127.23.0.3' }]);
    await store.close();
    expect(snapshot(host.databases)).toEqual(before);
  });

  test('a WAL database with changes in its WAL, whose writer was killed', async () => {
    const where = directory();
    const store = await open(where);
    await store.write([put(file('/a'), 'v1:type=dir')]);
    const copy = directory();
    for (const name of readdirSync(where))
      if (!name.endsWith('-shm')) copyFileSync(path.join(where, name), path.join(copy, name));
    const before = readFileSync(path.join(copy, `${HOST}.db3`));
    const reader = await open(copy, { access: 'read' });
    expect(await rows(reader)).toHaveLength(1);
    await reader.close();
    expect(readFileSync(path.join(copy, `${HOST}.db3`)).equals(before)).toBe(true);
  });

  test.each(['delete', 'wal'])('by another user, in a directory that user may not write (%s)', async (mode) => {
    const where = directory();
    const store = await open(where);
    await store.write([put(file('/a'), 'v1:type=dir', 's')]);
    await store.close();
    sql(store.location, `PRAGMA journal_mode = ${mode}`);
    chmodSync(where, 0o755);
    const before = snapshot(where);
    process.seteuid?.(65534);
    afterwards(() => process.seteuid?.(0));
    try {
      const reader = await open(store.location, { access: 'read' });
      expect(await rows(reader)).toMatchObject([{ stored: '/a', stamp: 's' }]);
      await reader.close();
      const writing = open(store.location).then((one) => one.write([put(file('/b'), 'v1:type=dir')]));
      expect(await failure(writing)).toMatchObject({ code: 'STATE_READ_ONLY' });
    } finally {
      process.seteuid?.(0);
    }
    expect(snapshot(where)).toEqual(before);
  });

  test('a database that another process is writing', async () => {
    const store = await open(directory());
    await store.write([put(file('/a'), 'v1:type=dir')]);
    const writer = child('child', 'write', store.location, '0', '200');
    await writer.ready;
    const reader = await open(store.location, { access: 'read' });
    let seen = -1;
    for (let round = 0; round < 50; round++) {
      const hints = (await reader.hints()).length;
      expect(hints).toBeGreaterThanOrEqual(seen);
      seen = hints;
      expect(await rows(reader)).toHaveLength(1);
    }
    await writer.ended;
    expect(await reader.hints()).toHaveLength(200);
  });
});
