import fs from 'node:fs';
import { describe, expect, it } from 'vitest';
import { recordScan } from '../../../src/engine/scan/record-scan.js';
import type { RecordOptions, Recorded } from '../../../src/engine/scan/record-scan.js';
import type { Membership } from '../../../src/engine/scan/record.js';
import { scan } from '../../../src/engine/scan/scan.js';
import type { PeerName } from '../../../src/model/names.js';
import type { Write } from '../../../src/model/store.js';
import { IGNORE, selecting, Table, temporary } from './support.js';
import type { TestSelection } from './support.js';

const membership: Membership = {
  peersOf: () => [{ peer: 'b' as PeerName, me: 'a' as PeerName }],
  groupsOf: () => [],
  actionRules: () => [],
};

async function run(
  selection: TestSelection,
  table: Table,
  options: Partial<RecordOptions> = {},
): Promise<Recorded & { readonly groups: readonly (readonly Write[])[] }> {
  const groups: (readonly Write[])[] = [];
  const recorded = await recordScan(
    scan({ selection, files: table.files, ignore: IGNORE }),
    membership,
    (writes) => {
      groups.push(writes);
      table.write(writes);
      return Promise.resolve();
    },
    { mark: true, now: 1, ...options },
  );
  return { ...recorded, groups };
}

describe('recording a scan', () => {
  it('writes what is found in groups, each with its marks', async () => {
    const root = temporary('/dev/shm');
    for (let index = 0; index < 15_000; index++) fs.mkdirSync(`${root}/${index}`);
    const table = new Table();
    const { groups, totals } = await run(selecting({ roots: [root] }), table);
    expect(totals.entries).toBe(15_001);
    expect(groups.length).toBeGreaterThan(1);
    expect(table.rows.size).toBe(15_001);
    for (const group of groups) {
      expect(group.filter((write) => write.kind === 'mark')).toHaveLength(group.length / 2);
    }
    expect((await run(selecting({ roots: [root] }), table)).groups).toEqual([]);
  });

  it('keeps removals back where a root has vanished, and only there', async () => {
    const root = temporary();
    for (const name of ['x', 'y']) {
      fs.mkdirSync(`${root}/${name}`);
      for (const file of ['a', 'b']) fs.writeFileSync(`${root}/${name}/${file}`, '');
    }
    const selection = selecting({ roots: [`${root}/x`, `${root}/y`] });
    const table = new Table();
    await run(selection, table);
    fs.rmSync(`${root}/x`, { recursive: true });
    fs.rmSync(`${root}/y/a`);
    fs.writeFileSync(`${root}/y/c`, '');
    const second = await run(selection, table);
    expect(second).toMatchObject({ withheld: 3, roots: [{ file: `${root}/x`, state: 'missing', known: 3 }] });
    expect(table.names().map((name) => name.slice(root.length))).toEqual(['/x', '/x/a', '/x/b', '/y', '/y/b', '/y/c']);
    expect(await run(selection, table, { guard: false })).toMatchObject({ withheld: 0 });
    expect(table.names().map((name) => name.slice(root.length))).toEqual(['/y', '/y/b', '/y/c']);
  });

  it('hands on what could not be read', async () => {
    const root = temporary();
    const table = new Table();
    table.put('not/a/name', 'v1:type=fifo');
    const { problems } = await run(selecting({ roots: [root] }), table);
    expect(problems).toMatchObject([{ code: 'STATE_CORRUPT' }]);
  });

  it('ends the scan when it cannot write', async () => {
    const root = temporary('/dev/shm');
    for (let index = 0; index < 12_000; index++) fs.mkdirSync(`${root}/${index}`);
    let ended = false;
    const table = new Table();
    const watched = async function* (): ReturnType<Table['files']> {
      try {
        yield* table.files();
      } finally {
        ended = true;
      }
    };
    const failing = recordScan(
      scan({ selection: selecting({ roots: [root] }), files: watched, ignore: IGNORE }),
      membership,
      () => Promise.reject(new Error('disk full')),
      { mark: true, now: 1 },
    );
    await expect(failing).rejects.toThrow('disk full');
    expect(ended).toBe(true);
  });
});
