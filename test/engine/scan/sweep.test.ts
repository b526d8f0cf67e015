/** A scan in parts, with helpers, says what a scan in one piece says: random trees, random changes, random cuts. */

import fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseCuts } from '../../../src/engine/scan/crew.js';
import type { Crew, Hears } from '../../../src/engine/scan/crew.js';
import { flatten, transferable, unflatten } from '../../../src/engine/scan/flat-findings.js';
import { Merge } from '../../../src/engine/scan/merge.js';
import type { Found } from '../../../src/engine/scan/merge.js';
import { Walk } from '../../../src/engine/scan/walk.js';
import { CsxError } from '../../../src/model/errors.js';
import type { FileName, StoredName } from '../../../src/model/names.js';
import type { Stretch } from '../../../src/model/store.js';
import { IGNORE, record, scanAll, selecting, Table, temporary } from './support.js';
import type { TestSelection } from './support.js';

const letter = fc.constantFrom('a', 'b', ' ', '%', '-', '.', '0', '~', '\xff', '$');
const name = fc
  .array(letter, { minLength: 1, maxLength: 2 })
  .map((letters) => letters.join(''))
  .filter((word) => word !== '.' && word !== '..');
const paths = fc.array(fc.array(name, { minLength: 1, maxLength: 4 }), { maxLength: 30 });

/** Makes what can be made of the paths: the last name a file. */
function plant(root: string, list: readonly (readonly string[])[], content = ''): void {
  for (const names of list) {
    const at = Buffer.from(path.posix.join(root, ...names), 'latin1');
    try {
      fs.mkdirSync(Buffer.from(path.posix.join(root, ...names.slice(0, -1)), 'latin1'), { recursive: true });
      if (!fs.existsSync(at)) fs.writeFileSync(at, content);
    } catch {
      // A file stands where a directory would have to be.
    }
  }
}

/** Helpers that take turns with the scan in one thread; each cuts its part whenever it may. */
class Helpers implements Crew {
  taken = 0;
  readonly #free: boolean[];
  readonly #selection: TestSelection;
  readonly #table: Table;
  readonly #running = new Set<Promise<void>>();

  constructor(count: number, selection: TestSelection, table: Table) {
    this.#free = new Array<boolean>(count).fill(true);
    this.#selection = selection;
    this.#table = table;
  }

  take(stretch: Stretch, hears: Hears): { askToCut: () => void } | undefined {
    const index = this.#free.indexOf(true);
    if (index < 0) return undefined;
    this.#free[index] = false;
    this.taken++;
    const wish = { cut: true };
    const run = this.#merge(stretch, hears, wish, index);
    this.#running.add(run);
    return {
      askToCut: () => {
        wish.cut = true;
      },
    };
  }

  async #merge(stretch: Stretch, hears: Hears, wish: { cut: boolean }, index: number): Promise<void> {
    await Promise.resolve();
    const onSlice = (running: Merge): void => {
      hears.reached(running.entries);
      if (!wish.cut) return;
      wish.cut = false;
      const names = chooseCuts(running.cuts());
      if (names[0] !== undefined) running.endBefore(names[0]);
      hears.cut(names);
    };
    const merge = new Merge({
      selection: this.#selection,
      files: this.#table.files,
      ignore: IGNORE,
      stretch,
      onSlice,
      slice: 3,
    });
    for await (const found of merge.run()) hears.found(() => handedOver(found));
    this.#free[index] = true;
    hears.done(merge.totals());
  }

  async close(): Promise<void> {
    await Promise.all(this.#running);
  }
}

describe('a scan in parts', () => {
  it('finds what a scan in one piece finds, in the same order', async () => {
    let helped = 0;
    await fc.assert(
      fc.asyncProperty(paths, paths, fc.integer({ min: 1, max: 3 }), async (before, after, count) => {
        const root = temporary('/dev/shm');
        const selection = selecting({ roots: [root], exclude: [`${root}/b`] });
        const table = new Table();
        plant(root, before);
        record(table, await scanAll(selection, table));
        table.put(`${root}/../strange`, 'v1:type=dir');
        for (const names of before.slice(0, 5)) {
          fs.rmSync(Buffer.from(path.posix.join(root, names[0] ?? ''), 'latin1'), { recursive: true, force: true });
        }
        plant(root, after, 'other');
        const whole = await scanAll(selection, table);
        const helpers = new Helpers(count, selection, table);
        const parts = await scanAll(selection, table, { crew: () => helpers, patience: 1, slice: 3 });
        expect(parts).toEqual(whole);
        helped += helpers.taken;
      }),
      { numRuns: 150 },
    );
    expect(helped).toBeGreaterThan(100);
  });

  it('tells trouble once that several parts meet', async () => {
    const root = temporary();
    plant(
      root,
      Array.from({ length: 40 }, (_, index) => [`d${String(index)}`, 'file']),
    );
    const selection = selecting({ roots: [root] });
    const table = new Table();
    record(table, await scanAll(selection, table));
    // A prefix that is gone: every part with such a row meets it.
    for (let index = 0; index < 40; index++) table.put(`%gone%/f${String(index)}`, 'v1:type=dir');
    const including = {
      ...selection,
      includes: (file: FileName) => selection.includes(file) || file.startsWith('%gone%'),
    };
    const helpers = new Helpers(2, including, table);
    const found = await scanAll(including, table, { crew: () => helpers, patience: 1, slice: 3 });
    expect(found.problems).toHaveLength(1);
    expect(found.totals.problems).toBe(1);
    expect(helpers.taken).toBeGreaterThan(0);
  });

  it('does itself what a helper could not begin, and fails with what a helper met later', async () => {
    const root = temporary();
    plant(
      root,
      Array.from({ length: 40 }, (_, index) => [`d${String(index)}`, 'file']),
    );
    const selection = selecting({ roots: [root] });
    const table = new Table();
    const whole = await scanAll(selection, table);
    const failing = (early: boolean): Crew => {
      let free = true;
      return {
        take: (_, hears) => {
          if (!free) return undefined;
          free = false;
          setImmediate(() => {
            if (!early) hears.found(() => []);
            hears.failed(new CsxError('STATE_CORRUPT', 'It broke.'));
          });
          return { askToCut: () => undefined };
        },
        close: () => Promise.resolve(),
      };
    };
    const options = { patience: 1, slice: 3 };
    expect(await scanAll(selection, table, { ...options, crew: () => failing(true) })).toEqual(whole);
    await expect(scanAll(selection, table, { ...options, crew: () => failing(false) })).rejects.toThrow('It broke.');
  });
});

describe('a walk', () => {
  it('that begins at a cut gives what one from the start gives from there on', () => {
    fc.assert(
      fc.property(paths, fc.nat(40), fc.nat(40), (list, stop, choice) => {
        const root = temporary('/dev/shm');
        plant(root, list);
        const selection = selecting({ roots: [root] });
        const starts = selection.roots().map((each) => ({ ...each, recursive: true }));
        const all = namesOf(new Walk(selection, starts));
        const first = new Walk(selection, starts);
        for (let step = 0; step <= stop % all.length; step++) first.next();
        const cuts = first.cuts();
        expect(cuts.every((cut) => cut > first.stored)).toBe(true);
        // Any name will do to begin at, a cut or not, of a file or not.
        for (const from of [cuts[choice % cuts.length], `${root}/${'ab'.slice(choice % 2)}`, all[choice]]) {
          if (from === undefined) continue;
          expect(namesOf(new Walk(selection, starts, { from: from as StoredName }))).toEqual(
            all.filter((stored) => stored >= from),
          );
        }
      }),
      { numRuns: 150 },
    );
  });
});

function namesOf(walk: Walk): string[] {
  const names: string[] = [];
  while (walk.next()) names.push(walk.stored);
  return names;
}

/** As a batch comes out of another thread. */
function handedOver(found: readonly Found[]): readonly Found[] {
  const flat = flatten(found);
  return unflatten(structuredClone(flat, { transfer: transferable(flat) }));
}
