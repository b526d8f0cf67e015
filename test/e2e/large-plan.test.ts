/**
 * A large plan made, saved, shown in every format, read and applied by the program as built, with a bound on the memory of each run and
 * on how much is written without a turn of the event loop. CI makes 3,000 changes; CSX_LARGE=100000 makes the number that is
 * promised, CSX_LARGE_PEERS=3 as many for each of three peers, and CSX_LARGE_REPORT=1 prints what each run took.
 */

import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCluster } from '../support/cluster.js';
import type { Cluster } from '../support/cluster.js';
import type { CsxResult } from '../support/csx.js';

const CHANGES = Number(process.env['CSX_LARGE'] ?? '3000');
const PEERS = Number(process.env['CSX_LARGE_PEERS'] ?? '1');
const DIRECTORIES = 100;
/** What 100,000 changes may take, in bytes. So many for each of three peers take about as much, and at times a little more. */
const MEMORY = 500 * 1024 * 1024;

/** Milliseconds a run may take: csync2 takes 100,000 files in one to several minutes. */
const DEADLINE = 590_000;

let cluster: Cluster;
let usage: string;
let saved: string;

interface Usage {
  /** Bytes. */
  readonly memory: number;
  /** Turns of the event loop since the first write to stdout: when timers and signals had their chance. */
  readonly turns: number;
  /** Milliseconds: the longest time in which nothing else could happen, progress and Ctrl-C included. */
  readonly held: number;
  readonly milliseconds: number;
}

type Measured = CsxResult & { readonly usage: Usage };

/** Runs csx, which tells at its end what it took. */
function measured(...args: string[]): Promise<Measured> {
  return measuredWith({}, ...args);
}

async function measuredWith(more: Readonly<Record<string, string>>, ...args: string[]): Promise<Measured> {
  const file = path.join(cluster.root, 'usage.json');
  const env = { NODE_OPTIONS: `--import ${usage}`, CSX_TEST_USAGE: file, ...more };
  const result = await cluster.csxWith({ env, deadline: DEADLINE }, ...args);
  const took = JSON.parse(readFileSync(file, 'utf8')) as Usage;
  if (process.env['CSX_LARGE_REPORT'] !== undefined) console.log(args.join(' '), took);
  return { ...result, usage: took };
}

beforeAll(async () => {
  cluster = await startCluster({ block: '127.36.7', peers: PEERS });
  saved = path.join(cluster.root, 'large.plan');
  usage = path.join(cluster.root, 'usage.mjs');
  writeFileSync(
    usage,
    `import { writeFileSync } from 'node:fs';
     import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
     const loops = () => performance.nodeTiming.uvMetricsInfo.loopCount;
     let first;
     const write = process.stdout.write.bind(process.stdout);
     process.stdout.write = (...args) => {
       if (first === undefined && process.env.CSX_TEST_INTERRUPT) process.kill(process.pid, 'SIGINT');
       first ??= loops();
       return write(...args);
     };
     const delay = monitorEventLoopDelay({ resolution: 10 });
     delay.enable();
     process.on('exit', () => {
       const memory = process.resourceUsage().maxRSS * 1024;
       const turns = first === undefined ? 0 : loops() - first;
       const took = { memory, turns, held: delay.max / 1e6, milliseconds: process.uptime() * 1000 };
       writeFileSync(process.env.CSX_TEST_USAGE, JSON.stringify(took));
     });`,
  );
  const tree = cluster.trees[0]!;
  for (let directory = 0; directory < DIRECTORIES; directory++) mkdirSync(`${tree}/directory-${directory}`);
  for (let file = 0; file < CHANGES - DIRECTORIES; file++)
    writeFileSync(`${tree}/directory-${file % DIRECTORIES}/file-${file}.conf`, `${file}\n`);
}, 300_000);
afterAll(async () => {
  await cluster.stop();
}, 300_000);

// In order: the first run saves what the others read.
describe(`a plan of ${CHANGES} changes`, () => {
  const counts = `Plan: ${(CHANGES * PEERS).toLocaleString('en')} to create,`;

  it('is made and saved', async () => {
    const plan = await measured('plan', '--out', saved);
    expect(plan, plan.stderr).toMatchObject({ status: 0 });
    expect(plan.usage.memory).toBeLessThan(MEMORY);
    // Folded: nobody reads so many lines.
    expect(plan.stdout.length).toBeLessThan(100_000);
    expect(statSync(saved).size).toBeLessThan(CHANGES * PEERS * 400);
  }, 300_000);

  it.each([
    ['human', ['--full']],
    ['json', ['--json']],
    ['markdown', ['--format', 'markdown', '--max-chars', '65536']],
    ['html', ['--format', 'html']],
  ] as const)(
    'is shown as %s',
    async (format, args) => {
      const shown = await measured('show', saved, ...args);
      expect(shown, shown.stderr).toMatchObject({ status: 0 });
      expect(shown.usage.memory).toBeLessThan(MEMORY);
      expect(shown.usage.turns).toBeGreaterThan(shown.stdout.length / 64_000);
      if (format === 'json') {
        const { resource_changes: changes } = JSON.parse(shown.stdout) as { resource_changes: unknown[] };
        // The tree's own directory is there already, and only settled.
        expect(changes).toHaveLength((CHANGES + 1) * PEERS);
      } else if (format === 'markdown') expect(shown.stdout.length).toBeLessThanOrEqual(65_536);
      else expect(shown.stdout).toContain(`file-${CHANGES - DIRECTORIES - 1}.conf`);
    },
    300_000,
  );

  it('is one line when that is all that is wanted', async () => {
    const shown = await measured('show', saved, '--summary');
    expect(shown.stdout).toContain(counts);
    expect(shown.usage.memory).toBeLessThan(MEMORY);
  }, 300_000);

  it.each([['human', '--full'] as const, ['json', '--json'] as const])(
    'ends at Ctrl-C while it is shown as %s',
    async (_, flag) => {
      const plan = await measuredWith({ CSX_TEST_INTERRUPT: '1' }, 'plan', flag);
      expect(plan, plan.stderr).toMatchObject({ status: 130 });
      expect(plan.stdout).not.toBe('');
      expect(plan.stdout).not.toContain(`file-${CHANGES - DIRECTORIES - 1}.conf`);
    },
    300_000,
  );

  it('is applied', async () => {
    const applied = await measured('apply', saved, '--json');
    expect(applied, applied.stderr).toMatchObject({ status: 0 });
    expect(applied.usage.memory).toBeLessThan(MEMORY);
    expect(applied.usage.turns).toBeGreaterThan(applied.stdout.length / 64_000);
  }, 600_000);
});
