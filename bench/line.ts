/** Sending over a line with 5 ms of delay each way, to one csync2 daemon and to four. */

import { delayedLine } from './delay.ts';
import { FAR_PORT, Lab } from './hosts.ts';
import type { Host, Program, Service } from './hosts.ts';
import { alternate, tell } from './measure.ts';
import type { Run } from './measure.ts';
import { times } from './row.ts';
import type { Group, Result, Row } from './row.ts';
import { makeTree } from './trees.ts';

const DELAY = 5;
const PORT = 30865;

const ONE: Row = {
  id: 'delay',
  work: `the same with ${DELAY} ms of delay each way, 1,000 files`,
  figure: 'csync2 client / csx client, same csync2 daemon',
  unit: '',
  better: 'more',
  first: 4,
  end: 5.5,
};
const FOUR: Row = {
  id: 'peers',
  work: 'sending to 4 peers',
  figure: 'time to 4 / time to 1, with that delay',
  unit: '',
  better: 'less',
  first: 1.5,
  end: 1.1,
};

export const line: Group = {
  rows: [ONE, FOUR],
  async measure(options, wanted) {
    const files = options.quick ? 100 : 1000;
    const results: Result[] = [];
    const lab = new Lab(options.tmpfs, options.csx);
    try {
      const single = await farHosts(lab, 5, 1, files);
      tell(`${files} files of 4 KB, ${DELAY} ms of delay`);
      if (wanted.has(ONE.id)) {
        const samples = await alternate(options.rounds, {
          csync2: () => send(single, 'csync2'),
          csx: () => send(single, 'csx'),
        });
        const { csync2, csx } = samples;
        const each = `${((csx.seconds / files) * 1000).toFixed(1)} ms a file`;
        const note = `${files} files: csync2 ${times(csync2)}, csx ${times(csx)}, ${each}`;
        results.push({ id: ONE.id, value: csync2.seconds / csx.seconds, note, samples });
      }
      if (wanted.has(FOUR.id)) {
        const several = await farHosts(lab, 6, 4, files);
        const samples = await alternate(options.rounds, {
          one: () => send(single, 'csx'),
          four: () => send(several, 'csx'),
        });
        const { one, four } = samples;
        const note = `${files} files: to one ${times(one)}, to four ${times(four)}`;
        results.push({ id: FOUR.id, value: four.seconds / one.seconds, note, samples });
      }
      return results;
    } finally {
      await lab.close();
    }
  },
};

interface Far {
  readonly from: Host;
  readonly peers: readonly Host[];
}

/** A sender with a tree, and peers behind lines with delay. */
async function farHosts(lab: Lab, net: number, count: number, files: number): Promise<Far> {
  const [from, ...peers] = lab.hosts(net, count + 1) as [Host, ...Host[]];
  makeTree(from.tree, { files, size: 4096 });
  for (const { name } of peers) {
    const near = { host: name, port: PORT };
    lab.onClose(await delayedLine({ from: near, to: { host: name, port: FAR_PORT }, milliseconds: DELAY }));
  }
  return { from, peers };
}

async function send({ from, peers }: Far, program: Program): Promise<Run> {
  from.forget();
  const services: Service[] = [];
  try {
    for (const peer of peers) {
      peer.clear();
      services.push(await peer.serve('csync2', FAR_PORT));
    }
    return await (program === 'csx' ? from.run('csx', 'apply', '--auto-approve') : from.run('csync2', '-xr', '/'));
  } finally {
    for (const service of services) await service.stop();
  }
}
