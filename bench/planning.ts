/** csx plan as a whole process: nothing to do on a small tree, and a few changes in a large one. */

import { cpSync, rmSync } from 'node:fs';
import path from 'node:path';
import { Lab } from './hosts.ts';
import type { Host } from './hosts.ts';
import { alternate, tell } from './measure.ts';
import { times } from './row.ts';
import type { Group, Options, Result, Row } from './row.ts';
import { changeFiles, makeTree } from './trees.ts';

const START: Row = {
  id: 'plan',
  work: 'plan, 100 files, nothing changed, one peer',
  figure: 'csx plan as a whole process',
  unit: 'ms',
  better: 'less',
  first: 350,
  end: 150,
};
const OVER: Row = {
  id: 'plan-scan',
  work: 'plan, 100,000 files, 100 changed',
  figure: 'over scan of the same tree',
  unit: '',
  better: 'less',
  first: 1.3,
  end: 1.1,
};

export const planning: Group = {
  rows: [START, OVER],
  async measure(options, wanted) {
    const results: Result[] = [];
    if (wanted.has(START.id)) results.push(await inLab(options, small));
    if (wanted.has(OVER.id)) results.push(await inLab(options, overScan));
    return results;
  },
};

async function inLab(options: Options, work: (lab: Lab, options: Options) => Promise<Result>): Promise<Result> {
  const lab = new Lab(options.tmpfs, options.csx);
  try {
    return await work(lab, options);
  } finally {
    await lab.close();
  }
}

async function small(lab: Lab, options: Options): Promise<Result> {
  const [from, to] = lab.hosts(9, 2) as [Host, Host];
  makeTree(from.tree, { files: 100, size: 4096 });
  await to.serve('csync2');
  await from.run('csx', 'apply', '--auto-approve');
  tell('plan of 100 files, nothing changed');
  const samples = await alternate(Math.max(options.rounds, 9), { csx: () => from.run('csx', 'plan') });
  const note = `processor time ${(samples.csx.cpu * 1000).toFixed(0)} ms`;
  return { id: START.id, value: samples.csx.seconds * 1000, note, samples };
}

async function overScan(lab: Lab, options: Options): Promise<Result> {
  const tree = { files: options.quick ? 20_000 : 100_000, size: 16 };
  const [from, to] = lab.hosts(10, 2) as [Host, Host];
  makeTree(from.tree, tree);
  // The peer has the same files, as after a first transfer.
  cpSync(from.tree, to.tree, { recursive: true, preserveTimestamps: true });
  await to.run('csx', 'scan', '--init');
  await to.serve('csync2');
  await from.run('csx', 'scan', '--init');
  changeFiles(from.tree, tree, tree.files / 100);
  // A scan records what it finds: each starts from a copy.
  const copy = path.join(lab.root, 'db-copy');
  const scan = () => {
    rmSync(copy, { recursive: true, force: true });
    cpSync(from.database, copy, { recursive: true });
    return from.runOn(copy, 'csx', 'scan');
  };
  tell(`plan of ${tree.files} files, 100 changed`);
  const samples = await alternate(options.rounds, { plan: () => from.run('csx', 'plan'), scan });
  const { plan, scan: scanned } = samples;
  const note = `${tree.files.toLocaleString('en')} files: plan ${times(plan)}, scan ${times(scanned)}`;
  return { id: OVER.id, value: plan.seconds / scanned.seconds, cpu: plan.cpu / scanned.cpu, note, samples };
}
