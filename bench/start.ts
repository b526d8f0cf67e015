/** How soon the drop-in csync2 has done a small thing: a whole process, against a Node.js that does nothing. */

import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { Lab } from './hosts.ts';
import type { Host } from './hosts.ts';
import { alternate, run, tell } from './measure.ts';
import type { Run } from './measure.ts';
import type { Group, Row } from './row.ts';
import { makeTree } from './trees.ts';

const START: Row = {
  id: 'start',
  work: 'csync2 -M on a database of 100 files, as a whole process',
  figure: 'bin/csync2 -M / node on an empty file',
  unit: '',
  better: 'less',
  first: 2,
  end: 1.5,
};
/** Single runs last some 30 ms. */
const ROUNDS = 25;

export const starting: Group = {
  rows: [START],
  async measure(options) {
    const lab = new Lab(options.tmpfs, options.csx);
    try {
      const [host] = lab.hosts(11, 2) as [Host, Host];
      makeTree(host.tree, { files: 100, size: 16 });
      await host.run('csync2', '-cr', '/');
      const empty = path.join(lab.root, 'empty.cjs');
      writeFileSync(empty, '');
      // The runtime that runs this is the one the drop-in is started on.
      const bare = (): Promise<Run> => run({ program: process.execPath, args: [empty] });
      const dropin = (): Promise<Run> => host.run('drop-in', '-M');
      tell('csync2 -M, and a bare start of Node.js');
      // The first run makes the cache of compiled code.
      await dropin();
      const samples = await alternate(ROUNDS, { bare, dropin });
      const { bare: none, dropin: some } = samples;
      const figure = ({ seconds, cpu }: Run): string =>
        `${(seconds * 1000).toFixed(0)} ms (cpu ${(cpu * 1000).toFixed(0)})`;
      const note = `csync2 -M ${figure(some)}, node ${figure(none)}`;
      return [{ id: START.id, value: some.seconds / none.seconds, cpu: some.cpu / none.cpu, note, samples }];
    } finally {
      await lab.close();
    }
  },
};
