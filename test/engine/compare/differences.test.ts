/** The merge of two hosts' rows, against a comparison by maps. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { differences } from '../../../src/engine/compare/differences.js';
import type { ComparedRow, Difference, Rows } from '../../../src/engine/compare/differences.js';
import type { CheckText } from '../../../src/model/checktxt.js';
import type { StoredName } from '../../../src/model/names.js';

type Table = Readonly<Record<string, string>>;

function rowsOf(table: Table): readonly ComparedRow[] {
  return Object.keys(table)
    .sort()
    .map((name) => ({ stored: name as StoredName, checktxt: (table[name] ?? '') as CheckText }));
}

/** Hands rows out in batches of the sizes given, empty ones among them, and counts how often it was ended. */
async function* inBatches(rows: readonly ComparedRow[], sizes: readonly number[], ended: { times: number }): Rows {
  try {
    let at = 0;
    for (let turn = 0; at < rows.length; turn++) {
      await Promise.resolve();
      const size = sizes[turn % sizes.length] ?? 1;
      yield rows.slice(at, at + size);
      at += size;
    }
  } finally {
    ended.times += 1;
  }
}

async function collect(here: Table, there: Table, sizes: readonly number[]): Promise<readonly Difference[]> {
  const found: Difference[] = [];
  const ended = { times: 0 };
  const [ours, theirs] = [inBatches(rowsOf(here), sizes, ended), inBatches(rowsOf(there), sizes, ended)];
  for await (const each of differences(ours, theirs)) found.push(each);
  return found;
}

const name = fc.string({ unit: fc.constantFrom('/', 'a', 'b', '%', '-', '\xff'), minLength: 1, maxLength: 4 });
const table = fc.dictionary(name, fc.constantFrom('v1:type=dir', 'v1:type=fifo', 'v1:type=sock'));
const sizes = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 4 }).map((all) => [...all, 1]);

describe('differences', () => {
  it('are what a comparison by names finds, in their order, however the rows come', async () => {
    await fc.assert(
      fc.asyncProperty(table, table, sizes, async (here, there, batches) => {
        const expected = [...new Set([...Object.keys(here), ...Object.keys(there)])]
          .sort()
          .filter((each) => here[each] !== there[each])
          .map((each) => ({
            kind: here[each] === undefined ? 'only-there' : there[each] === undefined ? 'only-here' : 'different',
            stored: each,
            here: here[each],
            there: there[each],
          }));
        expect(await collect(here, there, batches)).toEqual(expected);
      }),
    );
  });

  it('are mirrored when the sides change places', async () => {
    const mirror = { 'only-here': 'only-there', 'only-there': 'only-here', different: 'different' } as const;
    await fc.assert(
      fc.asyncProperty(table, table, async (here, there) => {
        const turned = (await collect(there, here, [2])).map((each) => ({
          kind: mirror[each.kind],
          stored: each.stored,
          here: each.there,
          there: each.here,
        }));
        expect(turned).toEqual(await collect(here, there, [2]));
      }),
    );
  });

  it('end both sides when they are left early', async () => {
    const ended = { times: 0 };
    const rows = rowsOf({ a: '1', b: '2', c: '3' });
    for await (const first of differences(inBatches(rows, [1], ended), inBatches([], [1], ended))) {
      expect(first.stored).toBe('a');
      break;
    }
    expect(ended.times).toBe(2);
  });
});
