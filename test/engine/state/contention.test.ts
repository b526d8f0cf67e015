/** Several processes on one database: none is lost, none waits for ever, and who is in the way is named. */

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import type { LockOwner } from '../../../src/model/store.js';
import { afterwards, child, directory, failure, file, mark, open, put, rows, sql } from './support.js';

const HOLD = `
import sqlite3, sys, time
db = sqlite3.connect(sys.argv[1], isolation_level=None)
for statement in sys.argv[2:]:
    db.execute(statement).fetchall()
print('ready', flush=True)
time.sleep(60)`;

describe('writing', () => {
  test('many processes at once: every transaction is there, and counted', async () => {
    const store = await open(directory());
    await store.write([put(file('/a'), 'v1:type=dir')]);
    const others = [0, 1, 2].map((index) => child('child', 'write', store.location, String(index * 100), '100'));
    for (let index = 300; index < 400; index++) {
      await store.write([{ kind: 'put-hint', file: file(`/h/${String(index)}`), recursive: false }]);
    }
    await Promise.all(others.map((other) => other.ended));
    expect(await store.hints()).toHaveLength(400);
    expect((await store.identity()).serial).toBe(401);
  });

  test('a process killed at any moment leaves whole transactions, all that it had reported among them', async () => {
    const where = directory();
    const store = await open(where);
    await store.write([put(file('/a'), 'v1:type=dir')]);
    for (let round = 0; round < 4; round++) {
      const writer = child('child', 'die', store.location, String(round * 10_000), '10000');
      await writer.ready;
      await sleep(20 + 35 * round);
      const reported = (await writer.kill()).trim().split('\n').slice(1, -1).map(Number);
      const hints = await store.hints();
      const dirty = await store.dirty();
      const numbers = new Set(hints.map((row) => row.file.split('/')[2]));
      expect(hints).toHaveLength(numbers.size * 10);
      expect(dirty).toHaveLength(numbers.size * 10);
      for (const number of reported) expect(numbers).toContain(String(number));
    }
    await store.write([mark(file('/after'))]);
    await store.close();
    expect(sql(store.location, 'PRAGMA integrity_check')).toEqual([['ok']]);
  });

  test('what is acknowledged has been synced, and the directory that holds it', async () => {
    const where = directory();
    const trace = path.join(where, 'trace');
    const calls = ['-f', '-y', '-o', trace, '-e', 'trace=pwrite64,write,fsync,fdatasync'];
    const script = path.join(import.meta.dirname, 'child.mjs');
    const traced = child('strace', ...calls, process.execPath, script, 'die', path.join(where, 'x.db3'), '0', '5');
    expect((await traced.ended).trim().split('\n')).toEqual(['ready', '0', '1', '2', '3', '4']);
    let [unsynced, acknowledged, directorySynced] = [false, 0, false];
    for (const line of readFileSync(trace, 'latin1').split('\n')) {
      if (/ f(?:data)?sync\(.*x\.db3-wal>/.test(line)) unsynced = false;
      else if (/ pwrite64\(.*x\.db3-wal>/.test(line)) unsynced = true;
      else if (/ fsync\(\d+<[^>]*csx-state-test-\w+>/.test(line)) directorySynced = true;
      else if (/ write\(1<.*"\d\\n"/.test(line)) {
        acknowledged += 1;
        expect([unsynced, directorySynced]).toEqual([false, true]);
      }
    }
    expect(acknowledged).toBe(5);
  });

  test('all or none: a list that fails in the middle leaves nothing', async () => {
    const store = await open(directory());
    await store.write([put(file('/a'), 'v1:type=dir')]);
    const bad = { kind: 'put-run', run: { id: null } } as never;
    await expect(store.write([put(file('/b'), 'v1:type=dir'), mark(file('/b')), bad])).rejects.toThrow();
    expect(await rows(store)).toHaveLength(1);
    expect(await store.dirty()).toEqual([]);
    expect((await store.identity()).serial).toBe(1);
    await store.write([put(file('/b'), 'v1:type=dir')]);
    expect(await rows(store)).toHaveLength(2);
  });

  test('writes wait for one another, and the event loop turns meanwhile', async () => {
    const store = await open(directory());
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    afterwards(() => {
      clearInterval(timer);
    });
    const many = Array.from({ length: 40_000 }, (_, index) => put(file(`/f${String(index)}`), 'v1:type=dir', 's'));
    await Promise.all([
      store.write(many),
      store.write([put(file('/f1'), 'v1:type=fifo')]),
      store.write([{ kind: 'remove-file', file: file('/f2') }]),
    ]);
    expect(turns).toBeGreaterThan(2);
    expect(await store.countFiles()).toBe(39_999);
    expect((await store.file([file('/f1')])).get(file('/f1'))?.checktxt).toBe('v1:type=fifo');
  });

  test('a stream shows one moment, though files are written and removed meanwhile', async () => {
    const store = await open(directory());
    const names = Array.from({ length: 10_000 }, (_, index) => file(`/f${String(index).padStart(6, '0')}`));
    await store.write(names.map((name) => put(name, 'v1:type=dir', 's')));
    let seen = 0;
    for await (const batch of store.files()) {
      seen += batch.length;
      await store.write([
        ...names.slice(seen, seen + 3000).map((name) => ({ kind: 'remove-file', file: name }) as const),
        put(file(`/g${String(seen)}`), 'v1:type=dir'),
      ]);
    }
    expect(seen).toBe(10_000);
    expect(await store.countFiles()).toBeLessThan(10_000);
  });
});

describe('a database that another program holds', () => {
  test.each([
    ['within a transaction that writes, WAL', 'wal', ['BEGIN IMMEDIATE', "INSERT INTO hint VALUES ('/x', 0)"]],
    ['exclusively', 'delete', ['BEGIN EXCLUSIVE']],
    ['within a transaction that writes', 'delete', ['BEGIN', "INSERT INTO hint VALUES ('/x', 0)"]],
    ['within a transaction that reads', 'delete', ['BEGIN', 'SELECT * FROM file']],
  ])('%s', async (_title, mode, statements) => {
    const where = directory();
    const made = await open(where);
    await made.write([put(file('/a'), 'v1:type=dir')]);
    await made.close();
    sql(made.location, `PRAGMA journal_mode = ${mode}`);
    const holder = child('python3', '-c', HOLD, made.location, ...statements);
    await holder.ready;
    const store = await open(where, { lockTimeout: 0.4 }).catch((error: unknown) => error as Error);
    const error = store instanceof Error ? store : await failure(store.write([mark(file('/a'))]));
    expect(error).toMatchObject({ code: 'STATE_LOCKED', data: { pid: holder.pid, path: made.location } });
    expect(error.message).toContain('python3');
    expect(error.message).toContain(`(pid ${String(holder.pid)})`);

    const patient = open(where, { lockTimeout: 10 }).then((one) => one.write([mark(file('/a'))]));
    await sleep(100);
    await holder.kill();
    await patient;
  });

  test('a WAL database is read while another writes to it', async () => {
    const store = await open(directory(), { lockTimeout: 0.2 });
    await store.write([put(file('/a'), 'v1:type=dir')]);
    const holder = child('python3', '-c', HOLD, store.location, 'BEGIN IMMEDIATE', 'DELETE FROM file');
    await holder.ready;
    expect(await rows(store)).toHaveLength(1);
  });
});

describe('locks', () => {
  const me = (): LockOwner => ({ pid: process.pid, command: 'csx test', since: 1_600_000_000_000 });

  test('keep others out until they are released, tell who has them, and leave the serial alone', async () => {
    const store = await open(directory(), { lockTimeout: 0.3 });
    const lock = await store.lock('apply', me());
    const waited: LockOwner[] = [];
    const error = await failure(store.lock('apply', { ...me(), command: 'second' }, (owner) => waited.push(owner)));
    expect(error).toMatchObject({
      code: 'STATE_LOCKED',
      data: { pid: process.pid, command: 'csx test', lock: 'apply' },
    });
    expect(error.message).toContain('csx test');
    expect(waited).toEqual([me()]);
    await (await store.lock('scan', me())).release();
    await lock.release();
    await lock.release();
    await (await store.lock('apply', me())).release();
    expect((await store.identity()).serial).toBe(0);
  });

  test('are handed on to who waits', async () => {
    const where = directory();
    const [first, second] = [await open(where), await open(where)];
    const lock = await first.lock('apply', me());
    const order: string[] = [];
    const waiting = second
      .lock('apply', me(), () => order.push('waits'))
      .then((next) => {
        order.push('has it');
        return next.release();
      });
    await sleep(150);
    order.push('released');
    await lock.release();
    await waiting;
    expect(order).toEqual(['waits', 'released', 'has it']);
  });

  test('of a process that was killed are void', async () => {
    const store = await open(directory(), { lockTimeout: 0.3 });
    const holder = child('child', 'lock', store.location, 'apply');
    await holder.ready;
    const error = await failure(store.lock('apply', me()));
    expect(error).toMatchObject({ code: 'STATE_LOCKED', data: { pid: holder.pid, command: 'child holding a lock' } });
    await holder.kill();
    await (await store.lock('apply', me())).release();
  });

  test.each([
    ['a process with the same pid that started later', "start = '1'"],
    ['another boot', "boot = '00000000-0000-0000-0000-000000000000'"],
    ['no process at all', 'pid = -1'],
  ])('of %s are void', async (_title, change) => {
    const store = await open(directory(), { lockTimeout: 0.2 });
    await store.lock('apply', me());
    const other = new Database(store.location);
    other.exec(`UPDATE csx_lock SET ${change}`);
    other.close();
    await (await store.lock('apply', me())).release();
  });

  test('of another pid namespace are not', async () => {
    const store = await open(directory(), { lockTimeout: 0.2 });
    await store.lock('apply', me());
    const other = new Database(store.location);
    other.exec("UPDATE csx_lock SET namespace = 'pid:[1]', pid = 4194300");
    other.close();
    expect(await failure(store.lock('apply', me()))).toMatchObject({ code: 'STATE_LOCKED' });
  });
});
