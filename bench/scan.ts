/** Checks: csx scan against csync2 -c, on a million empty files (no check reads contents). Nothing but the database is written. */

import { mkdirSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { Lab } from './hosts.ts';
import type { Host, Program } from './hosts.ts';
import { alternate, run, tell } from './measure.ts';
import type { Sample } from './measure.ts';
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
  async measure(options, wanted) {
    const [small, large] = options.quick ? [10_000, 50_000] : [100_000, 1_000_000];
    const before = wanted.has(GROWTH.id) ? await check(small, options, options.rounds) : undefined;
    const firstRounds = wanted.has(FIRST.id) ? options.rounds : 1;
    const now = await check(large, options, firstRounds);
    const peak = peakOf(now);
    const results: Result[] = [
      {
        id: UNCHANGED.id,
        value: now.unchanged.csync2.seconds / now.unchanged.csx.seconds,
        cpu: now.unchanged.csync2.cpu / now.unchanged.csx.cpu,
        note: `${now.note}: ${told(now.unchanged)}, find ${now.unchanged.find.seconds.toFixed(2)} s`,
        samples: now.unchanged,
      },
      {
        id: FIRST.id,
        value: now.first.csync2.seconds / now.first.csx.seconds,
        cpu: now.first.csync2.cpu / now.first.csx.cpu,
        note: `${now.note}: ${told(now.first)}; ${now.database}`,
        samples: now.first,
      },
      { id: PEAK.id, value: peak / MB, note: memoryOf(now), samples: {} },
    ];
    if (before !== undefined) {
      const note = `${before.note}: ${memoryOf(before)}; first ${told(before.first)}; unchanged ${told(before.unchanged)}; ${before.database}`;
      results.push({ id: GROWTH.id, value: peak / peakOf(before), note, samples: {} });
    }
    return results;
  },
};

type Checks = Awaited<ReturnType<typeof check>>;

function peakOf({ first, unchanged }: Checks): number {
  return Math.max(first.csx.peak, unchanged.csx.peak);
}

function memoryOf({ first, unchanged }: Checks): string {
  return `first ${megabytes(first.csx.peak)}, unchanged ${megabytes(unchanged.csx.peak)}, csync2 ${megabytes(unchanged.csync2.peak)}`;
}

function told({ csync2, csx }: { readonly csync2: Sample; readonly csx: Sample }): string {
  return `csync2 ${times(csync2)}, csx ${times(csx)}`;
}

/** First and unchanged checks of a tree of so many files. */
async function check(files: number, options: Options, firstRounds: number) {
  const lab = new Lab(options.tmpfs, options.csx);
  try {
    // A second host, since files that no peer is to have are not checked.
    const [host] = lab.hosts(1, 2) as [Host, Host];
    makeTree(host.tree, { files, size: 0 });
    const note = `${files.toLocaleString('en')} files`;
    // Each on a database of its own program.
    const databases = { csync2: path.join(lab.root, 'db-csync2'), csx: path.join(lab.root, 'db-csx') };
    const fresh = (program: Program): string => {
      const database = databases[program];
      rmSync(database, { recursive: true, force: true });
      mkdirSync(database);
      return database;
    };
    tell(`first check, ${note}`);
    const first = await alternate(firstRounds, {
      csync2: () => host.runOn(fresh('csync2'), 'csync2', '-cIr', '/'),
      csx: () => host.runOn(fresh('csx'), 'csx', 'scan', '--init'),
    });
    const size = (program: Program): string =>
      megabytes(statSync(path.join(databases[program], `${host.name}.db3`)).size, program);
    const database = `database ${size('csync2')}, ${size('csx')}`;
    tell(`unchanged check, ${note}`);
    const unchanged = await alternate(options.rounds, {
      csync2: () => host.runOn(databases.csync2, 'csync2', '-cr', '/'),
      csx: () => host.runOn(databases.csx, 'csx', 'scan'),
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
