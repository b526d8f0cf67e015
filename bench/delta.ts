/**
 * Signature, delta and patch of a large file: csx against rdiff, both as whole processes, alternating, medians.
 *
 *   npm run build && node bench/delta.ts [DIRECTORY] [MEGABYTES] [ROUNDS]
 *
 * DIRECTORY is /dev/shm unless told, 256 MB, 7 rounds. Prints a table; ratios below 1 mean that csx is faster.
 */

import { spawnSync } from 'node:child_process';
import { createCipheriv } from 'node:crypto';
import { closeSync, copyFileSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import path from 'node:path';

const WORKER = path.join(import.meta.dirname, 'delta-worker.js');

const [parent = '/dev/shm', megabytes = '256', rounds = '7'] = process.argv.slice(2);
compare(parent, Number(megabytes), Number(rounds));

function compare(parent: string, megabytes: number, rounds: number): void {
  const directory = mkdtempSync(path.join(parent, 'csx-bench-delta-'));
  const file = (name: string): string => path.join(directory, name);
  try {
    noise(file('old'), megabytes, 1);
    noise(file('other'), megabytes, 2);
    copyFileSync(file('old'), file('new'));
    const middle = openSync(file('new'), 'r+');
    writeSync(middle, Buffer.alloc(2 ** 20, 'changed'), 0, 2 ** 20, Math.floor(megabytes / 2) * 2 ** 20);
    closeSync(middle);

    const kind = ['-f', '-H', 'md4', '-R', 'rollsum', '-b', '2048', '-S', '16'];
    const works: readonly (readonly [string, string, readonly string[], readonly string[]])[] = [
      ['signature', 'signature', kind, ['old', 'sums']],
      ['delta, 1 MB changed', 'delta', ['-f'], ['sums', 'new', 'changes']],
      ['patch, 1 MB changed', 'patch', ['-f'], ['old', 'changes', 'result']],
      ['delta, all changed', 'delta', ['-f'], ['sums', 'other', 'all']],
      ['patch, all changed', 'patch', ['-f'], ['old', 'all', 'result']],
    ];
    console.log(`${megabytes} MB in ${parent}, median of ${rounds}`);
    for (const [label, verb, options, names] of works) {
      const files = names.map(file);
      const output = files.at(-1) ?? '';
      const times: { csx: number[]; rdiff: number[] } = { csx: [], rdiff: [] };
      const sizes = { csx: 0, rdiff: 0 };
      for (let round = 0; round < rounds; round++) {
        for (const who of ['rdiff', 'csx'] as const) {
          rmSync(output, { force: true });
          const start = performance.now();
          const { status } =
            who === 'rdiff'
              ? spawnSync('rdiff', [...options, verb, ...files], { stdio: 'inherit' })
              : spawnSync(process.execPath, [WORKER, verb, ...files], { stdio: 'inherit' });
          times[who].push(performance.now() - start);
          if (status !== 0) throw new Error(`${who} ${verb} failed.`);
          sizes[who] = statSync(output).size;
        }
      }
      const [csx, rdiff] = [median(times.csx), median(times.rdiff)];
      const ratio = (csx / rdiff).toFixed(2);
      const length = `${sizes.csx} / ${sizes.rdiff} bytes`;
      console.log(
        `${label.padEnd(20)} csx ${csx.toFixed(0)} ms, rdiff ${rdiff.toFixed(0)} ms, ratio ${ratio}, ${length}`,
      );
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function median(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? NaN;
}

function noise(file: string, megabytes: number, seed: number): void {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16, seed), Buffer.alloc(16));
  const zeros = Buffer.alloc(2 ** 20);
  const output = openSync(file, 'w');
  for (let done = 0; done < megabytes; done++) writeSync(output, cipher.update(zeros));
  closeSync(output);
}
