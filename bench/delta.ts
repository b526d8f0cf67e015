/** Signature, delta and patch of a large file: csx against rdiff, both as whole processes. */

import { copyFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { alternate, run, tell } from './measure.ts';
import { times } from './row.ts';
import type { Group, Result, Row } from './row.ts';
import { discard, scratch } from './scratch.ts';
import { changeMegabyte, makeLarge } from './trees.ts';

const WORKER = path.join(import.meta.dirname, 'delta-worker.js');
/** What csync2 asks librsync for. */
const KIND = ['-f', '-H', 'md4', '-R', 'rollsum', '-b', '2048', '-S', '16'];

const common = { figure: 'csx / rdiff', unit: '', better: 'less', first: 1.5, end: 1 } as const;
const SIGNATURE: Row = { id: 'signature', work: 'signature of 256 MB', ...common };
const DELTA: Row = { id: 'delta', work: 'delta, 1 MB changed', ...common };
const PATCH: Row = { id: 'patch', work: 'patch, 1 MB changed', ...common };

export const delta: Group = {
  rows: [SIGNATURE, DELTA, PATCH],
  async measure(options, wanted) {
    const megabytes = options.quick ? 64 : 256;
    const directory = scratch(options.tmpfs);
    const results: Result[] = [];
    try {
      const file = (name: string): string => path.join(directory, name);
      makeLarge(file('old'), megabytes, 1);
      copyFileSync(file('old'), file('new'));
      changeMegabyte(file('new'), megabytes, 2);
      const works: readonly [Row, readonly string[], readonly string[]][] = [
        [SIGNATURE, KIND, ['old', 'sums']],
        [DELTA, ['-f'], ['sums', 'new', 'changes']],
        [PATCH, ['-f'], ['old', 'changes', 'result']],
      ];
      for (const [row, flags, names] of works) {
        // Each takes what the ones before it made.
        if (!wanted.has(row.id)) {
          await run({ program: 'rdiff', args: [...flags, row.id, ...names.map(file)] });
          continue;
        }
        const files = names.map(file);
        const output = files.at(-1) ?? '';
        const clean = (): void => {
          rmSync(output, { force: true });
        };
        tell(`${row.id} of ${megabytes} MB`);
        const samples = await alternate(options.rounds, {
          rdiff: () => {
            clean();
            return run({ program: 'rdiff', args: [...flags, row.id, ...files] });
          },
          csx: () => {
            clean();
            return run({ program: process.execPath, args: [WORKER, row.id, ...files] });
          },
        });
        const { rdiff, csx } = samples;
        const note = `${megabytes} MB: rdiff ${times(rdiff)}, csx ${times(csx)}`;
        results.push({ id: row.id, value: csx.seconds / rdiff.seconds, cpu: csx.cpu / rdiff.cpu, note, samples });
      }
      return results;
    } finally {
      discard(directory);
    }
  },
};
