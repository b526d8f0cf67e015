/** Comparing two hosts' databases, all equal: csx compare with a csx daemon against csync2 -T with a csync2 daemon. */

import { cpSync } from 'node:fs';
import { delayedLine } from './delay.ts';
import { FAR_PORT, Lab } from './hosts.ts';
import type { Host, Program } from './hosts.ts';
import { alternate, tell } from './measure.ts';
import { times } from './row.ts';
import type { Group, Row } from './row.ts';
import { makeTree } from './trees.ts';

const COMPARE: Row = {
  id: 'compare',
  work: 'compare of 100,000 equal files, csx to csx',
  figure: 'csx compare / csync2 -T; bytes on the wire',
  unit: '',
  better: 'less',
  first: 1,
  end: 0.3,
};

export const comparing: Group = {
  rows: [COMPARE],
  async measure(options) {
    const files = options.quick ? 10_000 : 100_000;
    const lab = new Lab(options.tmpfs, options.csx);
    try {
      const [from, to] = lab.hosts(11, 2) as [Host, Host];
      makeTree(from.tree, { files, size: 0 });
      cpSync(from.tree, to.tree, { recursive: true, preserveTimestamps: true });
      for (const host of [from, to]) await host.run('csx', 'scan', '--init');
      const wire = { csync2: 0, csx: 0 };
      const compare = (program: Program) => async () => {
        let bytes = 0;
        const near = { host: to.name, port: 30865 };
        const far = { host: to.name, port: FAR_PORT };
        const count = (length: number): void => {
          bytes += length;
        };
        const close = await delayedLine({ from: near, to: far, milliseconds: 0, count });
        const service = await to.serve(program, FAR_PORT);
        try {
          const args = program === 'csx' ? ['compare'] : ['-T', from.name, to.name];
          return await from.run(program, ...args);
        } finally {
          wire[program] = bytes;
          await service.stop();
          await close();
        }
      };
      tell(`compare of ${files} equal files`);
      const samples = await alternate(options.rounds, { csync2: compare('csync2'), csx: compare('csx') });
      const { csync2, csx } = samples;
      const size = (bytes: number): string => `${(bytes / 1024).toFixed(0)} KB`;
      const note = `${files.toLocaleString('en')} files: csync2 ${times(csync2)}, ${size(wire.csync2)}; csx ${times(csx)}, ${size(wire.csx)}`;
      return [{ id: COMPARE.id, value: csx.seconds / csync2.seconds, cpu: csx.cpu / csync2.cpu, note, samples }];
    } finally {
      await lab.close();
    }
  },
};
