/** Files that both sides changed: the drop-in beside csync2's own, as client and as daemon. */

import { chmodSync, lutimesSync, mkdirSync, symlinkSync, utimesSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compareTwins } from '../dropin/twins.js';
import type { Twin } from '../dropin/twins.js';

const TWO = { block: '127.31.22', hosts: 2 };

function plant(twin: Twin): void {
  twin.put(0, 'file', 'content');
  twin.put(0, 'empty', '');
}

const WEIGHING: readonly string[] = ['younger', 'older', 'bigger', 'smaller', 'first'];

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

  // The client at the left of the host list, at its right, and with a slave.
  const groups = [
    ...['none', 'first', 'younger', 'older', 'bigger', 'smaller', 'left', 'right'].map((auto) => [auto, auto, 'A B']),
    ['at-right-left', 'left', 'B A'],
    ['at-right-right', 'right', 'B A'],
    ['slave-none', 'none', 'A (B)'],
    ['slave-younger', 'younger', 'A (B)'],
  ] as const;
  const config =
    (tls: boolean) =>
    ({ names, trees }: { names: readonly string[]; trees: readonly string[] }): string => `
      ${tls ? '' : 'nossl * *;'}
      prefix t { ${names.map((name, index) => `on ${name}: ${trees[index] ?? ''};`).join(' ')} }
      ${groups
        .map(([name, auto, hosts]) => {
          const list = hosts.replace('A', names[0] ?? '').replace('B', names[1] ?? '');
          return `group ${name} { host ${list}; key k; include %t%/${name}; auto ${auto}; }`;
        })
        .join('\n')}`;

  it.each([
    ['plain', false],
    ['over TLS', true],
  ])('are decided by every method, whatever was changed on either side, %s', async (_, tls) => {
    await compareTwins({ ...TWO, config: config(tls), tls }, async (twin) => {
      const disk = (host: number, name: string): string => `${twin.trees[host] ?? ''}/${name}`;
      const make = {
        file: (host: number, name: string, time: number) => void twin.put(host, name, 'x', time),
        directory: (host: number, name: string, time: number) => {
          mkdirSync(disk(host, name), { mode: host === 0 ? 0o750 : 0o705 });
          utimesSync(disk(host, name), time, time);
        },
        link: (host: number, name: string, time: number) => {
          symlinkSync('target', disk(host, name));
          lutimesSync(disk(host, name), time, time);
        },
      };
      const types = Object.keys(make) as (keyof typeof make)[];
      const pairs = types.flatMap((mine) => types.map((theirs) => [mine, theirs] as const));
      for (const [group] of groups) {
        for (const name of ['grown there', 'grown here', 'removed there', 'removed here', 'same size', 'mode'])
          twin.put(0, `${group}/${name}`, 'content');
      }
      await twin.run(0, '-x');
      for (const [group] of groups) {
        twin.put(0, `${group}/grown there`, 'mine', 1_700_000_200);
        twin.put(1, `${group}/grown there`, 'theirs, longer', 1_700_000_300);
        twin.put(0, `${group}/grown here`, 'mine is longer', 1_700_000_400);
        twin.put(1, `${group}/grown here`, 'theirs', 1_700_000_300);
        twin.put(0, `${group}/removed there`, 'changed here', 1_700_000_200);
        twin.remove(1, `${group}/removed there`);
        twin.remove(0, `${group}/removed here`);
        twin.put(1, `${group}/removed here`, 'changed there', 1_700_000_300);
        twin.put(0, `${group}/same size`, 'mine..', 1_700_000_400);
        twin.put(1, `${group}/same size`, 'theirs', 1_700_000_300);
        // The same time: neither is larger.
        chmodSync(disk(0, `${group}/mode`), 0o600);
        chmodSync(disk(1, `${group}/mode`), 0o640);
        // Types are weighed alike over TLS, and by methods that look at the hosts alone.
        if (tls || !WEIGHING.includes(group)) continue;
        for (const [mine, theirs] of pairs) {
          // Two links below a prefix are the same to csync2, wherever they point.
          if (mine === theirs && mine !== 'directory') continue;
          make[mine](0, `${group}/younger ${mine} for ${theirs}`, 1_700_000_300);
          make[theirs](1, `${group}/younger ${mine} for ${theirs}`, 1_700_000_200);
          make[mine](0, `${group}/older ${mine} for ${theirs}`, 1_700_000_100);
          make[theirs](1, `${group}/older ${mine} for ${theirs}`, 1_700_000_200);
        }
      }
      await twin.run(1, '-cr', '/');
      await twin.run(0, '-x');
      await twin.run(0, '-M');
      await twin.run(1, '-M');
    });
  });
});
