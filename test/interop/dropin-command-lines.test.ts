/**
 * Command lines of all shapes, one after the other on the same host: stdout, status and what they leave in the database.
 *
 * A failure prints fast-check's seed; CSX_SEED=SEED replays. CSX_SAFETY=long tries some hundred lines more.
 */

import { rmSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, it } from 'vitest';
import { compareTwins } from '../dropin/twins.js';
import type { Twin } from '../dropin/twins.js';
import { LONG } from '../safety/hosts.js';

/** Without prefixes, below which csync2's -u FILE sends nothing (docs/differences.md); nobody listens. */
const OPTIONS = {
  block: '127.31.36',
  hosts: 2,
  listen: [],
  config: ({ names, trees }: { readonly names: readonly string[]; readonly trees: readonly string[] }): string => `
    nossl * *;
    group g { host ${names.join(' ')}; key k; include ${trees[0] ?? ''}; exclude *.bak; }
    group other { host ${names.join(' ')} 127.31.36.9; key k; include ${trees[1] ?? ''}; }`,
};
const CLIENTS = [
  { client: 'csync2', daemon: 'csync2' },
  { client: 'csx', daemon: 'csync2' },
] as const;

function plant(twin: Twin): void {
  for (const name of ['a', 'b.bak', 'sub/x', 'sub/deeper/y']) twin.put(0, name, name);
}

/** Letters joined at will: `-crvv`. A single i serves a connection that has ended; two would wait for one. */
const cluster = fc
  .array(fc.constantFrom(...Array.from('ccuuomfxxhHLMSTTRrrrdBAIXUFtvviZ')), { minLength: 1, maxLength: 4 })
  .map((letters) => `-${letters.join('')}`);
const operand = fc.constantFrom(
  'a',
  'sub',
  './sub/../a',
  'nosuch',
  '/outside',
  '127.31.36.1',
  '127.31.36.2',
  '-',
  '--',
);
const valued = fc.constantFrom(
  ['-P', '127.31.36.2'],
  ['-P127.31.36.9,nobody'],
  ['-G', 'g'],
  ['-Gnosuch'],
  ['-C', 'nosuch'],
  ['-C'],
  ['-D'],
);
/** One mode above all, so that most are understood; options before and after what they are for. */
const line = fc
  .tuple(
    fc.array(operand, { maxLength: 2 }),
    fc.array(cluster, { minLength: 1, maxLength: 2 }),
    fc.array(operand, { maxLength: 1 }),
    fc.option(valued, { freq: 4 }),
  )
  .filter(([, clusters]) => (clusters.join('').match(/i/g) ?? []).length < 2)
  .map(([before, clusters, after, value]) => [...before, ...clusters, ...after, ...(value ?? [])]);
const forces = (args: readonly string[]): boolean => args.some((arg) => /^-[a-zA-Z]*[fF]/.test(arg));

/** A database made anew: csync2 forgets the force when a file is marked again (docs/differences.md). */
function forget(twin: Twin): void {
  const directory = path.join(twin.root, twin.names[0] ?? '', 'db');
  for (const end of ['', '-wal', '-shm'])
    rmSync(path.join(directory, `${twin.names[0] ?? ''}.db3${end}`), { force: true });
}

describe('command lines', () => {
  it('joined and in any order do as with csync2', async () => {
    const lines = ['-crvv', '-cIr', '-xv', '-uvvv', '-TI', '-TIX', '-TIXU', '-TTv', '-ur', '-cur', '-ovr', '-frv'];
    await compareTwins(
      OPTIONS,
      async (twin) => {
        plant(twin);
        // Forced rows come last: csync2 forgets the force when a file is marked again (docs/differences.md).
        for (const [index, flags] of lines.entries()) {
          twin.put(0, 'a', 'x'.repeat(index + 1), 1_700_000_000 + index);
          await twin.run(0, flags);
          await twin.run(0, 'a', flags, 'sub');
          await twin.run(0, '-M');
        }
        await twin.run(0, '-L');
      },
      CLIENTS,
    );
  }, 60_000);

  it('of any shape are understood, refused and answered as by csync2', async () => {
    const seed = Number(process.env['CSX_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
    // The same lines for both programs, in the same order: each works on what those before it left.
    const lines = fc.array(line, { minLength: 50, maxLength: 60, size: 'max' });
    await fc.assert(
      fc.asyncProperty(lines, async (all) => {
        await compareTwins(
          OPTIONS,
          async (twin) => {
            plant(twin);
            for (const args of all) {
              await twin.run(0, ...args);
              if (!forces(args)) continue;
              await twin.run(0, '-M');
              forget(twin);
            }
          },
          CLIENTS,
        );
      }),
      { seed, numRuns: LONG ? 12 : 1, endOnFailure: true },
    );
  }, 300_000);
});
