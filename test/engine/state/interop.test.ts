/** csync2 2.0 and csx on one database, in turn and at once. */

import { readdirSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { fileName } from '../../../src/model/encoding.js';
import { fromText, type Bytes, type FileName } from '../../../src/model/names.js';
import { CSYNC2_TABLES } from '../../../src/engine/state/schema.js';
import { csync2, directory, file, HOST, mark, open, PEER, peer, put, rows, sql } from './support.js';

const everyByte = Array.from({ length: 255 }, (_, index) => index + 1).filter((byte) => byte !== 0x2f);

function nameWith(parent: string, byte: number): FileName {
  return `${fromText(parent)}/x${String.fromCharCode(byte)}y` as FileName;
}

describe('names of every byte', () => {
  test('recorded by csync2, read by csx', async () => {
    const host = csync2();
    for (const byte of everyByte) writeFileSync(Buffer.from(nameWith(host.tree, byte), 'latin1'), '');
    symlinkSync(Buffer.from('tar get:%\xff|', 'latin1'), path.join(host.tree, 'link'));
    expect((await host.run('-cr', '/')).status).toBe(0);
    const store = await open(host.databases, { access: 'read' });
    const found = await rows(store);
    const expected = [host.tree, `${host.tree}/link`, ...everyByte.map((byte) => nameWith(host.tree, byte))];
    expect(found.map((row) => fileName(row.stored)).sort()).toEqual(expected.sort());
    expect(found.map((row) => row.stored)).toEqual(found.map((row) => row.stored).sort());
    const link = found.find((row) => row.stored.endsWith('/link'));
    expect(link?.checktxt).toMatch(/:type=lnk:target=tar%20get%3A%25\xff%7C$/);
    expect(link?.stamp).toBeUndefined();
    expect((await store.dirty()).map((row) => row.file).sort()).toEqual(expected.sort());
    expect((await store.dirty())[0]).toMatchObject({
      peer: PEER,
      me: HOST,
      forced: false,
      since: undefined,
      refused: undefined,
    });
  });

  test('recorded by csx, listed by csync2 -L, -M and -H', async () => {
    const host = csync2();
    const names = everyByte.map((byte) => nameWith(host.tree, byte));
    const store = await open(host.databases);
    await store.write(
      names.flatMap((name, index) => [
        put(name, `v1:mtime=${String(index)}:type=reg:size=0`),
        mark(name, index % 2 === 0),
        { kind: 'put-hint', file: name, recursive: index % 2 === 0 } as const,
      ]),
    );
    await store.close();
    const split = (text: string): string[] =>
      text.split(/\n(?=v1:|force\t|chary\t|[01]\t\/)/).map((line) => line.replace(/\n$/, ''));
    const files = split((await host.run('-L')).stdout);
    expect(files.sort()).toEqual(
      names.map((name, index) => `v1:mtime=${String(index)}:type=reg:size=0\t${name}`).sort(),
    );
    const dirty = split((await host.run('-M')).stdout);
    const force = (index: number): string => (index % 2 === 0 ? 'force' : 'chary');
    expect(dirty.sort()).toEqual(names.map((name, index) => `${force(index)}\t${HOST}\t${PEER}\t${name}`).sort());
    const hints = split((await host.run('-H')).stdout);
    expect(hints.sort()).toEqual(names.map((name, index) => `${index % 2 === 0 ? '1' : '0'}\t${name}`).sort());
  });
});

describe('one database in turn', () => {
  test('csx makes the tables exactly as csync2 does', async () => {
    const host = csync2();
    await host.run('-L');
    const theirs = sql(host.database, "SELECT name, sql FROM sqlite_schema WHERE type = 'table' ORDER BY name");
    const mine = directory();
    await (await open(mine)).write([put(file('/a'), 'v1:type=dir')]);
    const ours = sql(
      path.join(mine, `${HOST}.db3`),
      "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'csx%' ORDER BY name",
    );
    expect(ours).toEqual(theirs);
    expect(CSYNC2_TABLES).toHaveLength(theirs.length);
  });

  test('csync2 rewrites rows: what csx kept of them is void, what it kept of others is not', async () => {
    const host = csync2();
    const [a, b, c] = ['a', 'b', 'c'].map((name) => file(path.join(host.tree, name))) as [FileName, FileName, FileName];
    for (const name of [a, b, c]) writeFileSync(name, 'one');
    await host.run('-cIr', '/');
    const store = await open(host.databases);
    for (const row of await rows(store)) {
      await store.write([
        { ...put(fileName(row.stored), row.checktxt, 'seen'), target: '%t' as Bytes },
        mark(fileName(row.stored)),
      ] as never);
    }
    expect((await rows(store)).map((row) => [row.stamp, row.target])).toEqual(Array(4).fill(['seen', '%t']));
    expect((await store.dirty()).map((row) => row.since)).toEqual(Array(4).fill(1_700_000_000_000));

    writeFileSync(a, 'longer');
    unlinkSync(b);
    expect((await host.run('-cr', '/')).status).toBe(0);
    const after = await rows(store);
    expect(after.map((row) => [path.basename(row.stored), row.stamp])).toEqual([
      ['tree', 'seen'],
      ['a', undefined],
      ['c', 'seen'],
    ]);
    const since = new Map((await store.dirty()).map((row) => [path.basename(row.file), row.since]));
    expect(since).toEqual(
      new Map([
        ['tree', 1_700_000_000_000],
        ['a', undefined],
        ['b', undefined],
        ['c', 1_700_000_000_000],
      ]),
    );

    expect(sql(store.location, 'SELECT filename FROM csx_file').flat()).toEqual(expect.arrayContaining([a, b, c]));
    await store.write([put(a, 'v1:type=fifo', 'again'), { kind: 'remove-file', file: c }]);
    expect((await host.run('-L')).stdout).toContain(`v1:type=fifo\t${a}\n`);
    expect((await host.run('-L')).stdout).not.toContain(c);
    // What csx kept of the file that csync2 has forgotten is gone too.
    expect(sql(store.location, 'SELECT filename FROM csx_file').flat().sort()).toEqual([host.tree, a]);
  });

  test('csync2 runs the actions that csx scheduled, and csx reads those of csync2', async () => {
    const host = csync2(
      `action { pattern %t%; exec "true 'a|b' \\"%%\\" $x 100%"; logfile "/tmp/l o%g"; }`.replace('%t%', '/none'),
    );
    const store = await open(host.databases);
    const marker = path.join(directory(), 'it ran: "50%"');
    const action = {
      file: file('/a b'),
      command: fromText(`printf '%s' %% > '${marker}'`),
      logfile: fromText('/dev/null'),
    };
    await store.write([{ kind: 'put-action', action }]);
    expect(await store.actions()).toEqual([action]);
    expect(sql(host.database, 'SELECT * FROM action')).toEqual([
      [
        '/a%20b',
        `printf%20%27%25s%27%20%25%25%20>%20%27${marker.replaceAll(/[ :"%]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)}%27`,
        '/dev/null',
      ],
    ]);
    await host.run('-c', host.tree);
    expect(readdirSync(path.dirname(marker))).toEqual(['it ran: "50%"']);
    expect(await store.actions()).toEqual([]);
  });

  test('host names are encoded as csync2 encodes them', async () => {
    const store = await open(directory());
    const name = peer('fe80::1');
    await store.write([
      mark(file('/f'), false, name),
      { kind: 'pin', peer: name, certificate: Buffer.from([0xab, 0x01]), since: 5 },
    ]);
    expect(await store.dirty({ peers: [name] })).toMatchObject([{ peer: name }]);
    expect(await store.certificates()).toEqual([{ peer: name, certificate: Buffer.from([0xab, 0x01]), since: 5 }]);
    await store.close();
    expect(sql(store.location, 'SELECT peername FROM dirty')).toEqual([['fe80%3A%3A1']]);
    expect(sql(store.location, 'SELECT * FROM x509_cert')).toEqual([['fe80%3A%3A1', 'AB01']]);
  });
});

describe('one database at once', () => {
  test('csync2 checks while csx writes and streams; neither fails, nothing is lost', { timeout: 60_000 }, async () => {
    const host = csync2();
    const count = 800;
    for (let index = 0; index < count; index++) writeFileSync(path.join(host.tree, `f${String(index)}`), 'one');
    await host.run('-cr', '/');
    const store = await open(host.databases, { lockTimeout: 20 });
    let written = 0;
    for (let round = 0; round < 2; round++) {
      for (let index = 0; index < count; index++)
        writeFileSync(path.join(host.tree, `f${String(index)}`), 'x'.repeat(round + 6));
      const run = { over: false };
      const check = host.run('-cr', '/').finally(() => (run.over = true));
      while (!run.over) {
        await store.write([{ kind: 'put-hint', file: file(`/h${String(written++)}`), recursive: false }]);
        // csync2 deletes a row and inserts it anew, at times in two transactions: one may be missing for a moment.
        expect((await rows(store)).length).toBeGreaterThanOrEqual(count);
        await sleep(5);
      }
      const result = await check;
      expect(result.stderr).not.toContain('exceedingly busy');
      expect(result.status).toBe(0);
    }
    const sizes = (await rows(store)).map((row) => /size=(\d+)$/.exec(row.checktxt)?.[1]);
    expect(sizes.filter((size) => size === '7')).toHaveLength(count);
    expect(await store.dirty()).toHaveLength(count + 1);
    expect(await store.hints()).toHaveLength(written);
    expect(sql(host.database, 'PRAGMA integrity_check')).toEqual([['ok']]);
  });

  test(
    'csx commits between the transactions of a slow csync2, which its commit would end',
    { timeout: 60_000 },
    async () => {
      const host = csync2();
      const count = 400;
      const write = (text: string): void => {
        for (let index = 0; index < count; index++) writeFileSync(path.join(host.tree, `f${String(index)}`), text);
      };
      write('one');
      await host.run('-cr', '/');
      const store = await open(host.databases, { lockTimeout: 20 });
      await store.write([{ kind: 'put-hint', file: file('/h'), recursive: false }]);
      // Only the last file it looks at has changed: until then it reads, and its transaction grows old.
      writeFileSync(path.join(host.tree, 'f0'), 'changed');
      const run = { over: false };
      const check = host.slow(4000, '-cr', host.tree).finally(() => (run.over = true));
      let written = 0;
      while (!run.over) {
        await store.write([{ kind: 'put-hint', file: file(`/h${String(written++)}`), recursive: false }]);
        await sleep(1);
      }
      const result = await check;
      expect(result.stderr).not.toContain('sleeping');
      expect(result.status).toBe(0);
      expect(await store.hints()).toHaveLength(written + 1);
      expect((await store.file([file(path.join(host.tree, 'f0'))])).size).toBe(1);
    },
  );
});
