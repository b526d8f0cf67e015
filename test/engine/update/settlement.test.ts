/** Acknowledged changes reach the state in groups, in order, soon, and never silently not. */

import { describe, expect, it } from 'vitest';
import { settle, Settlement } from '../../../src/engine/update/settlement.js';
import { side } from '../../../src/engine/update/side.js';
import type { CheckText } from '../../../src/model/checktxt.js';
import { CsxError } from '../../../src/model/errors.js';
import type { FileName, PeerName } from '../../../src/model/names.js';
import type { Change } from '../../../src/model/plan.js';
import type { Store, Write } from '../../../src/model/store.js';

function removal(index: number): Write {
  return { kind: 'remove-file', file: `/f${index}` as FileName };
}

/** A store that only keeps what it is told to write. */
function keeping(fail?: CsxError): { store: Store; batches: (readonly Write[])[] } {
  const batches: (readonly Write[])[] = [];
  const store = {
    write: (writes: readonly Write[]) => {
      if (fail !== undefined) return Promise.reject(fail);
      batches.push(writes);
      return Promise.resolve();
    },
  } as Store;
  return { store, batches };
}

describe('Settlement', () => {
  it('writes all of it, in order, in few transactions', async () => {
    const { store, batches } = keeping();
    const settlement = new Settlement(store);
    for (let index = 0; index < 2345; index++) settlement.add([removal(index)]);
    await settlement.flush();
    expect(batches.flat()).toEqual(Array.from({ length: 2345 }, (_, index) => removal(index)));
    expect(batches.length).toBeLessThan(10);
  });

  it('writes without being asked', async () => {
    const { store, batches } = keeping();
    const settlement = new Settlement(store);
    settlement.add([removal(1)]);
    while (batches.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(batches).toEqual([[removal(1)]]);
    await settlement.flush();
  });

  it('a failure stops it and is thrown at the end, not lost', async () => {
    const { store } = keeping(new CsxError('NO_SPACE', 'The disk is full.'));
    const settlement = new Settlement(store);
    settlement.add([removal(1)]);
    await expect(settlement.flush()).rejects.toMatchObject({ code: 'NO_SPACE' });
    expect(settlement.failed).toBe(true);
  });
});

describe('settle', () => {
  it.each([
    ['directory', undefined],
    ['file', 'seen'],
  ] as const)('ties a %s to the stamp %j: one of a directory tells only which it is', (type, stamp) => {
    const checktxt = 'v1:text' as CheckText;
    const change = {
      path: '/a' as FileName,
      peer: 'b' as PeerName,
      action: 'no-op',
      aspects: [],
      before: undefined,
      after: { entry: { type } },
      precondition: { local: { checktxt, stamp: 'seen' } },
    } as unknown as Change;
    const [settled] = settle({ change, status: 'done', problem: undefined, bytes: 0 }, undefined, 1, false);
    expect(settled).toEqual({ kind: 'settle', file: '/a', peer: 'b', checktxt, stamp });
  });
});

describe('side', () => {
  it('keeps the order of the results and the limit', async () => {
    let running = 0;
    let most = 0;
    const results = await side([5, 1, 3, 2, 4], 2, async (item) => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, item));
      running -= 1;
      return item * 10;
    });
    expect(results).toEqual([50, 10, 30, 20, 40]);
    expect(most).toBe(2);
  });

  it('throws the first failure after what runs has ended', async () => {
    const ended: number[] = [];
    const work = side([1, 2, 3], 2, async (item) => {
      await new Promise((resolve) => setTimeout(resolve, item * 5));
      ended.push(item);
      if (item === 1) throw new Error('one');
    });
    await expect(work).rejects.toThrow('one');
    expect(ended).toEqual([1, 2]);
  });
});
