/** Measures whole processes: wall clock, processor time, peak memory; several sides in turn, so that noise meets all alike. */

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { watch } from './scratch.ts';

/** One process, from its start to its end. */
export interface Run {
  /** Wall clock. */
  readonly seconds: number;
  /** User and system time of the process and the children it waited for. */
  readonly cpu: number;
  /** Peak resident memory in bytes. */
  readonly peak: number;
}

/** Several runs of the same: medians of times, the largest memory. */
export interface Sample extends Run {
  /** Wall clock of each. */
  readonly all: readonly number[];
}

export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** Other statuses than 0 that mean success. */
  readonly statuses?: readonly number[];
}

/** Milliseconds between two looks at a process's memory. */
const LOOK = 10;

/** Runs a process to its end. Its output goes nowhere, unless it fails: then the error tells it. */
export function run({ program, args, env, statuses = [] }: Command): Promise<Run> {
  return new Promise((resolve, reject) => {
    // bash tells the processor time of what it waited for; Node does not.
    const script = 'TIMEFORMAT="%R %U %S"; exec 3>&2; { time "$@" 2>&3; } 2>&4';
    const child = spawn('bash', ['-c', script, 'bash', program, ...args], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'ignore', 'pipe'],
      detached: true,
    });
    watch(child);
    let [times, output, peak] = ['', '', 0];
    const keep = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-4000);
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    child.stdio[4]?.on('data', (chunk: Buffer) => (times += chunk.toString()));
    const looks = setInterval(() => {
      peak = Math.max(peak, peakOf(child.pid));
    }, LOOK);
    child.once('error', reject);
    child.once('close', (status) => {
      clearInterval(looks);
      const [seconds = NaN, user = NaN, system = NaN] = times.trim().split(/\s+/).map(Number);
      if (status === 0 || statuses.includes(status ?? -1)) resolve({ seconds, cpu: user + system, peak });
      else reject(new Error(`${program} ${args.join(' ')} ended with ${String(status)}:\n${output}`));
    });
  });
}

/** VmHWM of the only child of a shell. */
function peakOf(shell: number | undefined): number {
  try {
    const [child = ''] = readFileSync(`/proc/${String(shell)}/task/${String(shell)}/children`, 'utf8').split(' ');
    const kilobytes = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child}/status`, 'utf8'))?.[1];
    return Number(kilobytes ?? 0) * 1024;
  } catch {
    // Not there yet, or gone.
    return 0;
  }
}

/** Runs every side once in each round, in turn from the front and from the back. */
export async function alternate<K extends string>(
  rounds: number,
  sides: Readonly<Record<K, () => Promise<Run>>>,
): Promise<Record<K, Sample>> {
  const names = Object.keys(sides) as K[];
  const runs = new Map<K, Run[]>(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const done = await sides[name]();
      runs.get(name)?.push(done);
      tell(`  ${name} ${done.seconds.toFixed(2)} s (cpu ${done.cpu.toFixed(2)} s)`);
    }
  }
  return Object.fromEntries(names.map((name) => [name, sample(runs.get(name) ?? [])])) as Record<K, Sample>;
}

function sample(runs: readonly Run[]): Sample {
  return {
    seconds: median(runs.map((each) => each.seconds)),
    cpu: median(runs.map((each) => each.cpu)),
    peak: Math.max(...runs.map((each) => each.peak)),
    all: runs.map((each) => each.seconds),
  };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low = NaN, high = NaN] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[middle]];
  return (low + high) / 2;
}

/** Progress, on stderr. */
export function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}
