/** Sending many small files: csx and csync2 as senders and receivers, and rsync; on tmpfs, and on a real disk. */

import { Lab } from './hosts.ts';
import type { Host, Program, Service } from './hosts.ts';
import { alternate, run, tell } from './measure.ts';
import type { Run } from './measure.ts';
import { times } from './row.ts';
import type { Group, Options, Result, Row } from './row.ts';
import { makeTree } from './trees.ts';

const work = 'sending 32,000 new files of 4 KB';
const ratio = { unit: '', better: 'more', figure: 'csync2 to csync2 / csx to csx' } as const;
const CSX: Row = { id: 'send', work: `${work}, csx to csx`, ...ratio, first: 6, end: 20 };
const RSYNC: Row = {
  id: 'send-rsync',
  work: 'the same against rsync',
  figure: 'csx to csx / rsync -a to an rsync daemon',
  unit: '',
  better: 'less',
  first: 4,
  end: 1.2,
};
const MIXED: Row = {
  id: 'send-csync2',
  work: 'the same, csx to a csync2 daemon',
  ...ratio,
  figure: 'csync2 client / csx client',
  first: 1.2,
  end: 1.5,
};
const DISK: Row = {
  id: 'send-ext4',
  work: 'the same files on ext4, csx durable as always',
  ...ratio,
  first: 4,
  end: 8,
};

export const sending: Group = {
  rows: [CSX, RSYNC, MIXED, DISK],
  async measure(options, wanted) {
    const results: Result[] = [];
    const files = options.quick ? 3_000 : 32_000;
    if ([CSX, RSYNC, MIXED].some((row) => wanted.has(row.id))) {
      const lab = new Lab(options.tmpfs, options.csx);
      try {
        results.push(...(await onTmpfs(lab, files, options, wanted)));
      } finally {
        await lab.close();
      }
    }
    if (wanted.has(DISK.id)) {
      const lab = new Lab(options.disk, options.csx);
      try {
        results.push(await onDisk(lab, options.quick ? 1_000 : files, options));
      } finally {
        await lab.close();
      }
    }
    return results;
  },
};

async function onTmpfs(lab: Lab, files: number, options: Options, wanted: ReadonlySet<string>): Promise<Result[]> {
  const [from, to] = lab.hosts(3, 2) as [Host, Host];
  makeTree(from.tree, { files, size: 4096 });
  tell(`${files} files of 4 KB on tmpfs`);
  const servers: Record<string, number[]> = {};
  const pair = (client: Program, server: Program) => () => send(from, to, client, server, servers);
  const all = {
    'csync2 to csync2': pair('csync2', 'csync2'),
    'csx to csync2': pair('csx', 'csync2'),
    'csx to csx': pair('csx', 'csx'),
    rsync: () => sendRsync(from, to),
  };
  const needed: Readonly<Record<string, readonly (keyof typeof all)[]>> = {
    [CSX.id]: ['csync2 to csync2', 'csx to csx'],
    [MIXED.id]: ['csync2 to csync2', 'csx to csync2'],
    [RSYNC.id]: ['csx to csx', 'rsync'],
  };
  const names = new Set([...wanted].flatMap((id) => needed[id] ?? []));
  const sides = Object.fromEntries(Object.entries(all).filter(([name]) => names.has(name as keyof typeof all)));
  const samples = await alternate(options.rounds, sides);
  const rows: readonly [Row, string, string][] = [
    [CSX, 'csync2 to csync2', 'csx to csx'],
    [MIXED, 'csync2 to csync2', 'csx to csync2'],
    [RSYNC, 'csx to csx', 'rsync'],
  ];
  return rows.flatMap(([row, over, under]) => {
    const [a, b] = [samples[over], samples[under]];
    if (!wanted.has(row.id) || a === undefined || b === undefined) return [];
    const cpu = (name: string): string =>
      servers[name] === undefined ? '' : `, its server ${middle(servers[name]).toFixed(2)}`;
    const note = `${over} ${times(a)}${cpu(over)}; ${under} ${times(b)}${cpu(under)}`;
    return [{ id: row.id, value: a.seconds / b.seconds, cpu: a.cpu / b.cpu, note, samples: { [over]: a, [under]: b } }];
  });
}

async function onDisk(lab: Lab, files: number, options: Options): Promise<Result> {
  const [from, to] = lab.hosts(4, 2) as [Host, Host];
  makeTree(from.tree, { files, size: 4096 });
  tell(`${files} files of 4 KB on ${options.disk}`);
  const servers: Record<string, number[]> = {};
  const samples = await alternate(options.rounds, {
    csync2: () => send(from, to, 'csync2', 'csync2', servers, 'aside'),
    csx: () => send(from, to, 'csx', 'csx', servers, 'aside'),
  });
  const { csync2, csx } = samples;
  const note = `${options.disk}: csync2 ${times(csync2)}, csx ${times(csx)}`;
  return { id: DISK.id, value: csync2.seconds / csx.seconds, cpu: csync2.cpu / csx.cpu, note, samples };
}

/** From no database on either side to everything there: check and transfer in one command. */
async function send(
  from: Host,
  to: Host,
  client: Program,
  server: Program,
  servers: Record<string, number[]>,
  before?: 'aside',
): Promise<Run> {
  from.forget();
  const service = await fresh(to, () => to.serve(server), before);
  try {
    const done = await (client === 'csx' ? from.run('csx', 'apply', '--auto-approve') : from.run('csync2', '-xr', '/'));
    // csync2's daemon leaves its children to the system: their time is told nowhere.
    if (server === 'csx') (servers[`${client} to ${server}`] ??= []).push(service.cpu());
    return done;
  } finally {
    await service.stop();
  }
}

async function sendRsync(from: Host, to: Host): Promise<Run> {
  const { service, place } = await fresh(to, () => to.serveRsync());
  try {
    return await run({ program: 'rsync', args: ['-a', `${from.tree}/`, place] });
  } finally {
    await service.stop();
  }
}

/** What earlier rounds left to be written, or removed, would be paid by this one. */
async function fresh<T extends Service | { readonly service: Service }>(
  to: Host,
  serve: () => Promise<T>,
  before?: 'aside',
): Promise<T> {
  if (before === 'aside') to.setAside();
  else to.clear();
  await run({ program: 'sync', args: ['-f', to.tree] });
  return serve();
}

function middle(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;
}
