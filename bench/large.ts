/** One large file: new, and with a megabyte changed in its middle. */

import path from 'node:path';
import { Lab } from './hosts.ts';
import type { Host, Program } from './hosts.ts';
import { alternate, tell } from './measure.ts';
import { times } from './row.ts';
import type { Group, Result, Row } from './row.ts';
import { changeMegabyte, makeLarge } from './trees.ts';

const ratio = { figure: 'csync2 to csync2 / csx to csx', unit: '', better: 'more' } as const;
const NEW: Row = { id: 'large', work: 'one file of 256 MB, new', ...ratio, first: 1, end: 3 };
const CHANGED: Row = { id: 'large-changed', work: '1 MB changed in it', ...ratio, first: 1, end: 2 };

export const large: Group = {
  rows: [NEW, CHANGED],
  async measure(options) {
    const megabytes = options.quick ? 32 : 256;
    const lab = new Lab(options.tmpfs, options.csx);
    try {
      // Hosts of their own for each program: the second transfer builds on the first one's databases.
      const pairs = { csync2: lab.hosts(7, 2) as [Host, Host], csx: lab.hosts(8, 2) as [Host, Host] };
      const file = (host: Host): string => path.join(host.tree, 'large');
      const send = ([from]: [Host, Host], program: Program) =>
        program === 'csx' ? from.run('csx', 'apply', '--auto-approve') : from.run('csync2', '-xr', '/');
      for (const program of ['csync2', 'csx'] as const) makeLarge(file(pairs[program][0]), megabytes, 1);
      tell(`one file of ${megabytes} MB`);
      const fresh = (program: Program) => async () => {
        const [from, to] = pairs[program];
        from.forget();
        to.clear();
        const service = await to.serve(program);
        try {
          return await send(pairs[program], program);
        } finally {
          await service.stop();
        }
      };
      const created = await alternate(options.rounds, { csync2: fresh('csync2'), csx: fresh('csx') });
      let seed = 1;
      const changed = (program: Program) => async () => {
        const [from, to] = pairs[program];
        changeMegabyte(file(from), megabytes, ++seed);
        const service = await to.serve(program);
        try {
          return await send(pairs[program], program);
        } finally {
          await service.stop();
        }
      };
      const patched = await alternate(options.rounds, { csync2: changed('csync2'), csx: changed('csx') });
      return [result(NEW.id, megabytes, created), result(CHANGED.id, megabytes, patched)];
    } finally {
      await lab.close();
    }
  },
};

function result(
  id: string,
  megabytes: number,
  samples: Awaited<ReturnType<typeof alternate<'csync2' | 'csx'>>>,
): Result {
  const { csync2, csx } = samples;
  const note = `${megabytes} MB: csync2 ${times(csync2)}, csx ${times(csx)}`;
  return { id, value: csync2.seconds / csx.seconds, cpu: csync2.cpu / csx.cpu, note, samples };
}
