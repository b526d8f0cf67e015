/**
 * Comparing by digests: between csx hosts as good as by LIST, over a real connection, for random listings that differ in random rows; with
 * few bytes where they are equal; and DIGEST and ROWS tell nobody more than LIST does.
 */

import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareWithPeer } from '../../../src/engine/compare/compare-peer.js';
import { differences } from '../../../src/engine/compare/differences.js';
import type { Difference } from '../../../src/engine/compare/differences.js';
import type { Opened } from '../../../src/engine/daemon/served.js';
import { connect } from '../../../src/engine/net/connect.js';
import { Connection } from '../../../src/engine/net/connection.js';
import { BlockMaker } from '../../../src/engine/wire/block-maker.js';
import { differingParts, stretchOf } from '../../../src/engine/wire/blocks.js';
import type { ListRow } from '../../../src/engine/wire/response.js';
import type { Arguments, RowsVerb } from '../../../src/engine/wire/verbs.js';
import type { CheckText } from '../../../src/model/checktxt.js';
import { fileName, storedName } from '../../../src/model/encoding.js';
import { CsxError } from '../../../src/model/errors.js';
import { compareBytes } from '../../../src/model/names.js';
import type { FileName, PeerName } from '../../../src/model/names.js';
import type { Block, ListedRow, Shown, Write } from '../../../src/model/store.js';
import { prepareCsx, startCsx } from '../daemon/csx-daemon.js';
import type { CsxHost } from '../daemon/csx-daemon.js';
import { RawClient } from '../daemon/raw-client.js';

const [HERE, THERE, STRANGER] = ['127.35.117.1', '127.35.117.2', '127.35.117.3'];
const [KEY, OTHER_KEY] = ['a'.repeat(64), 'b'.repeat(64)];

let base = '';
let far: CsxHost;
let farStore: Opened['store'];
let near: Opened;

beforeAll(async () => {
  base = fs.mkdtempSync(path.join(fs.realpathSync(tmpdir()), 'csx-digests-'));
  const config = `nossl * *;
    group g { host ${HERE} ${THERE}; key k; include /shared; exclude *.secret; }
    group h { host ${THERE} ${STRANGER}; key h; include /theirs; }`;
  const keys = { k: KEY, h: OTHER_KEY };
  for (const name of [HERE, THERE]) fs.mkdirSync(path.join(base, name));
  far = await startCsx({ address: THERE, directory: path.join(base, THERE), config, keys });
  farStore = (await far.open()).store;
  near = await prepareCsx({ address: HERE, directory: path.join(base, HERE), config, keys }).open();
});
afterAll(async () => {
  await near.store.close();
  await farStore.close();
  await far.stop();
  fs.rmSync(base, { recursive: true, force: true });
});

const EVERYTHING: Shown = { directory: () => true, file: () => true, versioned: false };

type Texts = ReadonlyMap<string, string>;

/** Rows in the order of their stored names. */
function listed(texts: Texts): ListedRow[] {
  return [...texts]
    .map(([file, checktxt]) => ({ stored: storedName(file as FileName), checktxt: checktxt as CheckText }))
    .sort((a, b) => compareBytes(a.stored, b.stored));
}

/** Makes the store hold these rows, and no others. */
async function fill(store: Opened['store'], texts: Texts): Promise<void> {
  const writes: Write[] = [];
  for await (const batch of store.listing()) {
    for (const { stored } of batch) writes.push({ kind: 'remove-file', file: fileName(stored) });
  }
  const nothing = { stamp: undefined, target: undefined, digest: undefined };
  for (const [file, checktxt] of texts)
    writes.push({ kind: 'put-file', file: file as FileName, checktxt: checktxt as CheckText, ...nothing });
  if (writes.length > 0) await store.write(writes);
}

async function collect<T>(from: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const each of from) all.push(each);
  return all;
}

/** A connection to a peer that knows csync2's verbs alone. */
class Csync2Connection extends Connection {
  override rows<V extends RowsVerb>(verb: V, args: Arguments<V>): AsyncIterable<readonly ListRow[]> {
    if (verb === 'LIST') return super.rows(verb, args);
    const refused: AsyncIterable<readonly ListRow[]> = {
      [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new CsxError('PEER_REFUSED', 'Unknown command!')) }),
    };
    return refused;
  }
}

/** Compares through the daemon; the bytes are those that it sent after the opening. */
async function compared(way: 'digests' | 'list'): Promise<{ differences: Difference[]; bytes: number }> {
  let bytes = 0;
  const peer = THERE as PeerName;
  const me = HERE as PeerName;
  const { connection } = await connect({
    peer,
    me,
    bind: HERE,
    make: (socket, options) => {
      socket.on('data', (chunk: Buffer) => (bytes += chunk.length));
      return new (way === 'list' ? Csync2Connection : Connection)(socket, options);
    },
  });
  try {
    const opened = bytes;
    const { selection, store } = near;
    const found = await collect(compareWithPeer({ connection, selection, store, me, peer, file: undefined }));
    return { differences: found, bytes: bytes - opened };
  } finally {
    await connection.bye();
  }
}

/** Two listings: what both have, and what is changed, missing or added on either side. */
const listings = fc
  .record({
    size: fc.nat(3000),
    edits: fc.array(
      fc.record({ at: fc.nat(3000), side: fc.boolean(), edit: fc.constantFrom('change', 'drop', 'add') }),
      { maxLength: 12 },
    ),
  })
  .map(({ size, edits }): readonly [Texts, Texts] => {
    const sides = [new Map<string, string>(), new Map<string, string>()] as const;
    const name = (index: number): string => `/shared/d ${String(index % 7)}/f${String(index)}`;
    for (const side of sides)
      for (let index = 0; index < size; index++) side.set(name(index), `v1:mtime=${String(index)}:type=reg:size=1`);
    for (const { at, side, edit } of edits) {
      const changed = sides[side ? 1 : 0];
      if (edit === 'drop') changed.delete(name(at));
      else changed.set(edit === 'add' ? `${name(at)} added` : name(at), 'v1:mtime=5:type=reg:size=99');
    }
    return sides;
  });

describe('comparing by digests', () => {
  it('finds in the parts that differ everything that differs, and little else', async () => {
    await fc.assert(
      fc.asyncProperty(listings, async (sides) => {
        const [left, right] = sides.map(listed) as [ListedRow[], ListedRow[]];
        const blocks = (rows: readonly ListedRow[], batch: number): Block[] => {
          const all = new BlockMaker(EVERYTHING);
          const list: Block[] = [];
          for (let at = 0; at < rows.length; at += batch) list.push(...all.add(rows.slice(at, at + batch)));
          return [...list, ...all.end()];
        };
        // However the rows come, the blocks are the same.
        expect(blocks(left, 7)).toEqual(blocks(left, 500));
        const parts = differingParts(blocks(left, 500), blocks(right, 333));
        const whole = await collect(differences(batches(left), batches(right)));
        const inParts: Difference[] = [];
        for (const part of parts) {
          const { from, before } = stretchOf(part);
          const within = ({ stored }: ListedRow): boolean =>
            stored >= from && (before === undefined || stored < before);
          inParts.push(...(await collect(differences(batches(left.filter(within)), batches(right.filter(within))))));
        }
        expect(inParts).toEqual(whole);
        expect(parts.length).toBeLessThanOrEqual(whole.length);
      }),
      { numRuns: 50 },
    );
  });

  it('says through a daemon what LIST says', async () => {
    let fewer = 0;
    await fc.assert(
      fc.asyncProperty(listings, async ([here, there]) => {
        await fill(near.store, new Map([...here, ['/shared/x.secret', 'v1:type=dir'], ['/elsewhere', 'v1:type=dir']]));
        await fill(farStore, new Map([...there, ['/shared/y.secret', 'v1:type=dir'], ['/theirs/z', 'v1:type=dir']]));
        const digests = await compared('digests');
        const list = await compared('list');
        expect(digests.differences).toEqual(list.differences);
        expect(list.differences).toEqual(await collect(differences(batches(listed(here)), batches(listed(there)))));
        if (digests.bytes < list.bytes) fewer++;
      }),
      { numRuns: 12 },
    );
    expect(fewer).toBeGreaterThan(4);
  });

  it('costs a fiftieth of the bytes where nothing differs', async () => {
    const rows = new Map(
      Array.from({ length: 10_000 }, (_, index) => [
        `/shared/file-${String(index)}`,
        `v1:mtime=${String(index)}:type=dir`,
      ]),
    );
    await fill(near.store, rows);
    await fill(farStore, rows);
    const digests = await compared('digests');
    const list = await compared('list');
    expect([digests.differences, list.differences]).toEqual([[], []]);
    expect(digests.bytes).toBeLessThan(list.bytes / 50);
  });
});

describe('DIGEST and ROWS', () => {
  it('tell the rows that LIST tells, to whom it tells them', async () => {
    const rows = new Map([
      ['/shared/a', 'v1:type=dir'],
      ['/shared/b', 'v1:type=fifo'],
      ['/shared/c', 'v1:type=sock'],
      ['/shared/hidden.secret', 'v1:type=dir'],
      ['/theirs/x', 'v1:type=dir'],
      ['/etc/shadow', 'v1:type=dir'],
    ]);
    await fill(farStore, rows);
    const client = await RawClient.introduced(THERE, HERE);
    try {
      const all = await client.say(`LIST ${THERE} - ${KEY}`);
      expect(all.split('\n').map((line) => line.split('\t')[1])).toEqual([
        '/shared/a',
        '/shared/b',
        '/shared/c',
        undefined,
        undefined,
      ]);
      expect(await client.say(`ROWS ${THERE} - - ${KEY}`)).toBe(all);
      expect(await client.say(`ROWS ${THERE} /shared/a /shared/b ${KEY}`)).toBe(
        `v1%3Atype=fifo\t/shared/b\nOK (cmd_finished).\n`,
      );
      expect(await client.say(`ROWS ${THERE} /etc /etc0 ${KEY}`)).toBe('OK (cmd_finished).\n');
      const digest = await client.say(`DIGEST ${THERE} ${KEY}`);
      expect(digest).toMatch(/^v[0-9a-f]{32}\t\/shared\/c\nOK \(cmd_finished\)\.\n$/);
      // What the client must not see does not change it.
      rows.delete('/etc/shadow');
      rows.set('/theirs/x', 'v1:type=fifo');
      rows.set('/shared/hidden.secret', 'v1:type=fifo');
      await fill(farStore, rows);
      expect(await client.say(`DIGEST ${THERE} ${KEY}`)).toBe(digest);
      // Another group's key, a wrong key, another name of the host: nothing, as with LIST.
      for (const command of [
        `DIGEST ${THERE} ${OTHER_KEY}`,
        `ROWS ${THERE} - - ${OTHER_KEY}`,
        `DIGEST ${THERE} wrong`,
        `DIGEST ${HERE} ${KEY}`,
      ])
        expect(await client.say(command)).toBe('OK (cmd_finished).\n');
    } finally {
      client.close();
    }
    const unknown = await RawClient.open(THERE, HERE);
    try {
      await unknown.say('CONFIG ');
      for (const command of [`DIGEST ${THERE} ${KEY}`, `ROWS ${THERE} - - ${KEY}`])
        expect(await unknown.say(command)).toMatch(/identify/i);
    } finally {
      unknown.close();
    }
  });
});

async function* batches(rows: readonly ListedRow[]): AsyncGenerator<readonly ListedRow[]> {
  yield Promise.resolve(rows);
}
