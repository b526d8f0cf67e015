/** A file may be sent when it is marked durably, though the rest is still being recorded, and never where its mark could not be written. */

import { describe, expect, it } from 'vitest';
import type { Selection } from '../../../src/config/selection.js';
import { Recording } from '../../../src/engine/update/record.js';
import { CsxError } from '../../../src/model/errors.js';
import type { DiskPath, FileName } from '../../../src/model/names.js';
import type { Plan } from '../../../src/model/plan.js';
import type { Store, Write } from '../../../src/model/store.js';
import { change, directory, makePlan, peer } from '../../support/sample-plan.js';

const FILES = 3000;
const NOWHERE = '/dev/null/nothing-lies-here';
const nameOf = (number: number): FileName => `/t/${String(number).padStart(5, '0')}` as FileName;
const numbers = Array.from({ length: FILES }, (_, number) => number);

/** Removals, found in one order and sent in the other, as plans have it. */
const plan: Plan = makePlan({
  drift: numbers.map((number) => ({
    file: nameOf(number),
    groups: ['g'],
    disk: `${NOWHERE}/${String(number)}` as DiskPath,
    reason: 'removed',
    before: undefined,
    after: undefined,
  })),
  changes: numbers.toReversed().map((number) => change('web2', nameOf(number), 'delete', directory(), undefined)),
  conflicts: [],
});

const selection = {
  peersOf: () => [{ peer: peer('web2'), me: peer('web1') }],
  groupsOf: () => [],
} as unknown as Selection;

/** A store on which each transaction is let through by hand. */
function gated(): { store: Store; written: Write[]; next: (fail?: CsxError) => Promise<void> } {
  const written: Write[] = [];
  let waiting: ((fail?: CsxError) => void) | undefined;
  const store = {
    foreignWrites: () => Promise.resolve(7),
    intents: () => Promise.resolve([]),
    write: (writes: readonly Write[]) =>
      new Promise<void>((resolve, reject) => {
        waiting = (fail) => {
          if (fail !== undefined) reject(fail);
          else {
            written.push(...writes);
            resolve();
          }
        };
      }),
  } as unknown as Store;
  const next = async (fail?: CsxError): Promise<void> => {
    while (waiting === undefined) await new Promise((resolve) => setTimeout(resolve, 1));
    const go = waiting;
    waiting = undefined;
    go(fail);
  };
  return { store, written, next };
}

function record(store: Store): Recording {
  const ignore = { uid: false, gid: false, mod: false };
  return new Recording(plan, { store, selection, ignore, everybody: false, seen: 7, now: () => 5 }, [
    { kind: 'remove-file', file: '/first' as FileName },
  ]);
}

const isMarked = (written: readonly Write[], file: FileName): boolean =>
  written.some((write) => write.kind === 'mark' && write.file === file);

describe('Recording', () => {
  it('lets go what is sent first as soon as its mark is written, and the rest later', async () => {
    const { store, written, next } = gated();
    const recording = record(store);
    const [first, last] = [nameOf(FILES - 1), nameOf(0)];
    expect([recording.has(first), recording.has(last)]).toEqual([false, false]);

    await next();
    expect(await recording.until(first)).toBe(true);
    expect(isMarked(written, first)).toBe(true);
    expect(written[0]).toEqual({ kind: 'remove-file', file: '/first' });
    expect([recording.has(first), recording.has(last)]).toEqual([true, false]);
    for (const { path } of plan.changes) expect(recording.has(path)).toBe(isMarked(written, path));

    const later = recording.until(last);
    await next();
    await next();
    expect(await later).toBe(true);
    expect(await recording.finished).toEqual([]);
    expect(new Set(written.flatMap((write) => (write.kind === 'mark' ? [write.file] : []))).size).toBe(FILES);
  });

  it('lets go nothing more when a mark could not be written', async () => {
    const { store, next } = gated();
    const recording = record(store);
    await next();
    const first = await recording.until(nameOf(FILES - 1));
    const last = recording.until(nameOf(0));
    await next(new CsxError('NO_SPACE', 'The disk is full.'));
    expect([first, await last]).toEqual([true, false]);
    expect(recording.failed).toBe(true);
    expect(recording.has(nameOf(0))).toBe(false);
    await expect(recording.finished).rejects.toMatchObject({ code: 'NO_SPACE' });
  });
});
