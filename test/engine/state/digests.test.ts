/**
 * The listing's blocks as SQLite and one pass over its bytes make them, against what docs/extensions.md says they are: for random
 * names in random directories under patterns of all kinds, across batches, with damaged rows among them, and right behind a writer.
 */

import { createHash } from 'node:crypto';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { Selection } from '../../../src/config/selection.js';
import { shownIn } from '../../../src/config/shown.js';
import { encodeUrl } from '../../../src/model/encoding.js';
import type { FileName } from '../../../src/model/names.js';
import type { Block, Shown, Store } from '../../../src/model/store.js';
import { SystemDirectory } from '../../config/configure.js';
import { directory, open, put } from './support.js';

const system = new SystemDirectory();
afterAll(() => {
  system.remove();
});

/** Group `wide` goes by directories; `narrow` by names as well. */
const selection = new Selection(
  await system.load(`prefix p { on *: /srv; }
    group wide { host 127.20.0.1 127.20.0.2; key k; include /a %p%; exclude /a/b/no; }
    group narrow { host 127.20.0.1 127.20.0.2; key k; include /n; exclude *.o /n/x*; }`),
);

function shown(group: 'wide' | 'narrow', versioned = false): Shown {
  return shownIn(selection, new Set(selection.groups.filter(({ name }) => name === group)), versioned);
}

async function made(store: Store, which: Shown): Promise<Block[]> {
  const all: Block[] = [];
  for await (const blocks of store.blocks(which)) all.push(...blocks);
  return all;
}

/** As docs/extensions.md has it, row by row. */
async function expected(store: Store, which: Shown): Promise<Block[]> {
  const blocks: Block[] = [];
  let lines = '';
  let last: Block['last'] | undefined;
  const cut = (): void => {
    const digest = createHash('sha256').update(lines, 'latin1').digest('hex').slice(0, 32);
    if (last !== undefined && lines !== '') blocks.push({ last, digest });
    lines = '';
  };
  for await (const rows of store.listing()) {
    for (const { stored, checktxt } of rows) {
      if (!which.file(stored) || (which.versioned && !checktxt.startsWith('v'))) continue;
      lines += `${encodeUrl(checktxt)}\t${stored}\n`;
      last = stored;
      let hash = 0x811c9dc5;
      for (const byte of Buffer.from(stored, 'latin1')) hash = Math.imul(hash ^ byte, 0x01000193);
      if (((hash ^ (hash >>> 16)) & 511) === 0) cut();
    }
  }
  cut();
  return blocks;
}

const names = fc
  .tuple(
    fc.constantFrom('/a', '/a/b', '/a/b/no', '/a/c d', '/a/.csx-stage-1', '/n', '/n/x', '/n/y', '/else', '%p%', '/é%'),
    fc.constantFrom('f', '.hidden', '.csx-stage-2', 'x', 'b o:', 'm.o', 'ü\xff', ''),
    fc.nat(2000),
  )
  .map(([parent, base, number]) => `${parent}/${base}${String(number)}` as FileName);
const texts = fc.constantFrom('v1:type=dir', 'v1:mtime=5:type=reg:size=7', 'v1:type=lnk:target=%2Fx', '---', '');

/** As SQL, what no program writes. */
const DAMAGE = [
  `(NULL, 'v1%3Atype=dir')`,
  `('/a/b c', 'v1%3Atype=dir')`,
  `('/a/' || char(9) || 'x', 'v1%3Atype=dir')`,
  `('/a/b' || char(10) || '/n', 'v1%3Atype=dir')`,
  `('/a/tab', 'v1' || char(9) || '/a/other')`,
  `('/a/line', 'v1' || char(10) || 'v1' || char(9) || '/a/other')`,
  `('/a/null', NULL)`,
  `('/a/%2f', 'v1%3Atype=dir')`,
  `('/a/zero' || char(0), 'v1%3Atype=dir')`,
  `(x'2f61', 'v1%3Atype=dir')`,
  `('', 'v1%3Atype=dir')`,
];

describe('blocks of a listing', () => {
  test('are what docs/extensions.md says, whichever rows are shown and damaged', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.tuple(names, texts), { selector: ([name]) => name, maxLength: 300 }),
        fc.subarray(DAMAGE, { maxLength: 2 }),
        async (files, damage) => {
          const store = await open(directory());
          await store.write([put('/a' as FileName, 'v1:type=dir'), ...files.map(([name, text]) => put(name, text))]);
          const db = new Database(store.location);
          for (const row of damage) db.prepare(`INSERT INTO file VALUES ${row}`).run();
          db.close();
          for (const which of [shown('wide'), shown('narrow'), shown('wide', true)])
            expect(await made(store, which)).toEqual(await expected(store, which));
          await store.close();
        },
      ),
      { numRuns: 25 },
    );
  });

  test('across many batches, and with what another program wrote right before', async () => {
    const store = await open(directory());
    await store.write(
      Array.from({ length: 9000 }, (_, index) =>
        put(`/${index % 3 === 0 ? 'n' : 'a'}/d${String(index % 50)}/f${String(index)}` as FileName, 'v1:type=dir'),
      ),
    );
    const before = await made(store, shown('wide'));
    expect(before.length).toBeGreaterThan(5);
    expect(before).toEqual(await expected(store, shown('wide')));
    const other = new Database(store.location);
    other.prepare(`UPDATE file SET checktxt = 'v1%3Atype=fifo' WHERE filename = '/a/d7/f4007'`).run();
    other.close();
    const after = await made(store, shown('wide'));
    expect(after).toEqual(await expected(store, shown('wide')));
    expect(after.filter(({ digest }, index) => digest !== before[index]?.digest)).toHaveLength(1);
  });
});
