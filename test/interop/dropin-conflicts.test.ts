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

  it('are decided by every method, for changes on both sides and removals on either', async () => {
    const methods = ['none', 'first', 'younger', 'older', 'bigger', 'smaller', 'left', 'right'];
    const config = ({ names, trees }: { names: readonly string[]; trees: readonly string[] }): string => `
      nossl * *; prefix t { ${names.map((name, index) => `on ${name}: ${trees[index] ?? ''};`).join(' ')} }
      ${methods.map((method) => `group ${method} { host ${names.join(' ')}; key k; include %t%/${method}; auto ${method}; }`).join('\n')}`;
    await compareTwins({ ...TWO, config }, async (twin) => {
      for (const method of methods) {
        for (const name of ['grown there', 'grown here', 'removed there', 'removed here'])
          twin.put(0, `${method}/${name}`, 'content');
      }
      await twin.run(0, '-x');
      for (const method of methods) {
        twin.put(0, `${method}/grown there`, 'mine', 1_700_000_200);
        twin.put(1, `${method}/grown there`, 'theirs, longer', 1_700_000_300);
        twin.put(0, `${method}/grown here`, 'mine is longer', 1_700_000_400);
        twin.put(1, `${method}/grown here`, 'theirs', 1_700_000_300);
        twin.put(0, `${method}/removed there`, 'changed here', 1_700_000_200);
        twin.remove(1, `${method}/removed there`);
        twin.remove(0, `${method}/removed here`);
        twin.put(1, `${method}/removed here`, 'changed there', 1_700_000_300);
      }
      await twin.run(1, '-cr', '/');
      await twin.run(0, '-x');
      await twin.run(0, '-M');
      await twin.run(1, '-M');
    });
  });
});
