/**
 * `npm run bench`: how fast csx is, against csync2, rsync, rdiff and find, in one run on one machine.
 *
 *   npm run bench                       everything; some 25 minutes
 *   npm run bench -- --quick            smaller sizes, three rounds; under three minutes
 *   npm run bench -- --only ROW[,ROW]   some rows (see the first column)
 *   npm run bench -- --csx FILE         another csx than this one; also --rounds N, --tmpfs DIR, --ext4 DIR
 *
 * Sides alternate; figures are ratios of medians of wall-clock times (beside them, of processor times). Prints a table with the
 * targets and writes bench/results.json after each group of rows, keeping what it held of rows that were not measured. Rows that
 * fail are told at the end, with status 1; Ctrl-C and SIGTERM leave no trees and no processes behind.
 */

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { comparing } from './compare.ts';
import { delta } from './delta.ts';
import { missingPrograms } from './hosts.ts';
import { large } from './large.ts';
import { line } from './line.ts';
import { tell } from './measure.ts';
import { planning } from './planning.ts';
import type { Options, Result, Row } from './row.ts';
import { scanning } from './scan.ts';
import { cleanUpOnSignals } from './scratch.ts';
import { sending } from './send.ts';
import { starting } from './start.ts';

const GROUPS = [scanning, sending, line, large, delta, planning, comparing, starting];
const RESULTS = path.join(import.meta.dirname, 'results.json');

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true, default: [] },
    rounds: { type: 'string' },
    csx: { type: 'string', default: path.join(import.meta.dirname, '..', 'bin', 'csx') },
    tmpfs: { type: 'string', default: '/dev/shm' },
    ext4: { type: 'string', default: os.tmpdir() },
  },
});
await main();

async function main(): Promise<void> {
  const missing = missingPrograms();
  if (missing.length > 0) throw new Error(`Not installed: ${missing.join(', ')}.`);
  const rows = GROUPS.flatMap((group) => group.rows);
  const only = values.only.flatMap((list) => list.split(','));
  const unknown = only.filter((id) => !rows.some((row) => row.id === id));
  if (unknown.length > 0)
    throw new Error(`No row ${unknown.join(', ')}; there are ${rows.map(({ id }) => id).join(', ')}.`);
  const wanted = new Set(only.length > 0 ? only : rows.map((row) => row.id));
  const rounds = Number(values.rounds ?? (values.quick ? 3 : 5));
  const options: Options = {
    quick: values.quick,
    rounds,
    csx: path.resolve(values.csx),
    tmpfs: values.tmpfs,
    disk: values.ext4,
  };
  cleanUpOnSignals();
  const results: Result[] = [];
  const failures: string[] = [];
  for (const group of GROUPS) {
    const ids = group.rows.map(({ id }) => id).filter((id) => wanted.has(id));
    if (ids.length === 0) continue;
    try {
      results.push(...(await group.measure(options, wanted)).filter((result) => wanted.has(result.id)));
      save(options, results);
    } catch (error) {
      failures.push(`${ids.join(', ')}: ${error instanceof Error ? error.message : String(error)}`);
      tell(`FAILED ${failures.at(-1) ?? ''}`);
    }
  }
  for (const text of table(rows, results)) console.log(text);
  tell(`Written to ${path.relative(process.cwd(), RESULTS)} after ${(process.uptime() / 60).toFixed(1)} minutes.`);
  for (const failure of failures) console.log(`FAILED ${failure}`);
  if (failures.length > 0) process.exitCode = 1;
}

function table(rows: readonly Row[], results: readonly Result[]): readonly string[] {
  const cells = results.flatMap((result) => {
    const row = rows.find((each) => each.id === result.id);
    if (row === undefined) return [];
    const { value, cpu } = result;
    const verdict = meets(row, value, row.end) ? 'end' : meets(row, value, row.first) ? 'met' : 'MISSED';
    const target = `${row.better === 'more' ? '>=' : '<='} ${row.first} (${row.end})`;
    return [[row.id, format(value, row), cpu === undefined ? '' : cpu.toFixed(2), target, verdict, result.note]];
  });
  const head = ['row', 'measured', 'by cpu', 'first target (end)', '', 'what'];
  const widths = head
    .slice(0, -1)
    .map((_, column) => Math.max(...[head, ...cells].map((line) => line[column]?.length ?? 0)));
  return [head, ...cells].map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

function meets({ better }: Row, value: number, target: number): boolean {
  return better === 'more' ? value >= target : value <= target;
}

function format(value: number, { unit }: Row): string {
  return unit === '' ? value.toFixed(2) : `${value.toFixed(0)} ${unit}`;
}

/** Times are kept as they were measured, so that ratios can be made anew. */
function save({ quick }: Options, results: readonly Result[]): void {
  const before = existsSync(RESULTS)
    ? (JSON.parse(readFileSync(RESULTS, 'utf8')) as { rows?: Record<string, unknown> })
    : {};
  const machine = { cores: os.availableParallelism(), processor: os.cpus()[0]?.model ?? '', kernel: os.release() };
  const against = { csync2: 'csync2 2.0', rsync: version('rsync', '--version'), rdiff: version('rdiff', '--version') };
  const measured = { at: new Date().toISOString(), quick, load: os.loadavg()[0], node: process.version };
  const rows = Object.fromEntries(results.map(({ id, ...rest }) => [id, { ...rest, ...measured }]));
  writeFileSync(RESULTS, `${JSON.stringify({ machine, against, rows: { ...before.rows, ...rows } }, undefined, 2)}\n`);
}

function version(program: string, flag: string): string {
  return execFileSync(program, [flag], { encoding: 'utf8' }).split('\n')[0] ?? '';
}
