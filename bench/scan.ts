/** Checks: csx scan against csync2 -c, on a million empty files (no check reads contents). Nothing but the database is written. */

import { statSync } from 'node:fs';
import path from 'node:path';
import { Lab } from './hosts.ts';
import type { Host } from './hosts.ts';
import { alternate, run, tell } from './measure.ts';
import { times } from './row.ts';
import type { Group, Options, Result, Row } from './row.ts';
import { makeTree } from './trees.ts';

const ratio = { figure: 'csync2 / csx', unit: '', better: 'more' } as const;
const UNCHANGED: Row = { id: 'scan', work: 'check of a million unchanged entries', ...ratio, first: 2.5, end: 5 };
const FIRST: Row = { id: 'scan-first', work: 'first check of a million', ...ratio, first: 3, end: 6 };
const memory = { work: 'memory of that check', better: 'less' } as const;
const PEAK: Row = { id: 'scan-memory', ...memory, figure: 'peak RSS', unit: 'MB', first: 250, end: 150 };
const GROWTH: Row = { id: 'scan-growth', ...memory, figure: '1,000,000 / 100,000', unit: '', first: 1.5, end: 1.1 };

const MB = 2 ** 20;

export const scanning: Group = {
  rows: [UNCHANGED, FIRST, PEAK, GROWTH],
  async measure(options) {
    const [small, large] = options.quick ? [10_000, 100_000] : [100_000, 1_000_000];
    const before = await check(small, { ...options, longRounds: 3 });
    const { first, unchanged, note, database } = await check(large, options);
    const peak = Math.max(first.csx.peak, unchanged.csx.peak);
    const peakBefore = Math.max(before.first.csx.peak, before.unchanged.csx.peak);
    const results: readonly Result[] = [
      {
        id: UNCHANGED.id,
        value: unchanged.csync2.seconds / unchanged.csx.seconds,
        cpu: unchanged.csync2.cpu / unchanged.csx.cpu,
        note: `${note}: csync2 ${times(unchanged.csync2)}, csx ${times(unchanged.csx)}, find ${times(unchanged.find)}`,
        samples: unchanged,
      },
      {
        id: FIRST.id,
        value: first.csync2.seconds / first.csx.seconds,
        cpu: first.csync2.cpu / first.csx.cpu,
        note: `${note}: csync2 ${times(first.csync2)}, csx ${times(first.csx)}; ${database}`,
        samples: first,
      },
      {
        id: PEAK.id,
        value: peak / MB,
        note: `first ${megabytes(first.csx.peak)}, unchanged ${megabytes(unchanged.csx.peak)}, csync2 ${megabytes(unchanged.csync2.peak)}`,
        samples: {},
      },
      {
        id: GROWTH.id,
        value: peak / peakBefore,
        note: `${before.note}: ${megabytes(peakBefore)}; first csync2 ${times(before.first.csync2)}, csx ${times(before.first.csx)}; unchanged csync2 ${times(before.unchanged.csync2)}, csx ${times(before.unchanged.csx)}; ${before.database}`,
        samples: {},
      },
    ];
    return results;
  },
};

/** First and unchanged checks of a tree of so many files. */
async function check(files: number, options: Options) {
  const lab = new Lab(options.tmpfs, options.csx);
  try {
    // A second host, since files that no peer is to have are not checked.
    const [host] = lab.hosts(1, 2) as [Host, Host];
    makeTree(host.tree, { files, size: 0 });
    const note = `${files.toLocaleString('en')} files`;
    tell(`first check, ${note}`);
    const first = await alternate(options.longRounds, {
      csync2: () => {
        host.forget();
        return host.run('csync2', '-cIr', '/');
      },
      csx: () => {
        host.forget();
        return host.run('csx', 'scan', '--init');
      },
    });
    // Each on a database of its own program.
    const size = (program: string): string =>
      megabytes(statSync(path.join(host.database, `${host.name}.db3`)).size, program);
    host.forget();
    await host.run('csync2', '-cIr', '/');
    const theirs = size('csync2');
    const databases = { csync2: path.join(lab.root, 'db-csync2'), csx: host.database };
    await run({ program: 'mv', args: [host.database, databases.csync2] });
    host.forget();
    await host.run('csx', 'scan', '--init');
    const database = `database ${theirs}, ${size('csx')}`;
    tell(`unchanged check, ${note}`);
    const unchanged = await alternate(options.longRounds, {
      csync2: () => host.runOn(databases.csync2, 'csync2', '-cr', '/'),
      csx: () => host.run('csx', 'scan'),
      find: () => run({ program: 'find', args: [host.tree, '-printf', '%p %m %U %G %T@ %s\\n'] }),
    });
    return { first, unchanged, note, database };
  } finally {
    await lab.close();
  }
}

function megabytes(bytes: number, label?: string): string {
  return `${label === undefined ? '' : `${label} `}${(bytes / MB).toFixed(0)} MB`;
}
