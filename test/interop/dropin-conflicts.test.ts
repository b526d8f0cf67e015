/** Files that both sides changed: the drop-in beside csync2's own, as client and as daemon. */

import { describe, expect, it } from 'vitest';
import { compareTwins } from '../dropin/twins.js';
import type { Twin } from '../dropin/twins.js';

const TWO = { block: '127.31.22', hosts: 2 };

function plant(twin: Twin): void {
  twin.put(0, 'file', 'content');
  twin.put(0, 'empty', '');
}

describe('conflicts', () => {
  it('leaves conflicts to people, and force decides them', async () => {
    await compareTwins(TWO, async (twin) => {
      plant(twin);
      await twin.run(0, '-x');
      twin.put(0, 'file', 'mine', 1_700_000_200);
      twin.put(1, 'file', 'theirs, longer', 1_700_000_300);
      await twin.run(1, '-cr', '/');
      expect((await twin.run(0, '-x')).status).toBe(1);
      await twin.run(0, '-M');
      await twin.run(1, '-M');
      await twin.run(0, '-f', 'file');
      await twin.run(0, '-M');
      await twin.run(0, '-ud');
      await twin.run(0, '-u');
      await twin.run(1, '-M');
    });
  });

  it.each(['first', 'younger', 'older', 'bigger', 'smaller', 'left', 'right'])('decides by %s', async (method) => {
    await compareTwins({ ...TWO, group: `auto ${method};` }, async (twin) => {
      plant(twin);
      await twin.run(0, '-x');
      twin.put(0, 'file', 'mine', 1_700_000_200);
      twin.put(1, 'file', 'theirs, longer', 1_700_000_300);
      twin.put(0, 'empty', 'mine is longer', 1_700_000_400);
      twin.put(1, 'empty', 'theirs', 1_700_000_300);
      await twin.run(1, '-cr', '/');
      await twin.run(0, '-x');
      await twin.run(0, '-M');
      await twin.run(1, '-M');
    });
  });
});
