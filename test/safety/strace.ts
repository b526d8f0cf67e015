/** System calls: listed with strace, and used as the points at which a process is killed or a call fails. */

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Calls that change something outside the process: a kill right before each of them is a kill at every moment that matters. */
const CHANGING = [
  ...[
    'write',
    'writev',
    'pwrite64',
    'pwritev',
    'sendto',
    'sendmsg',
    'ftruncate',
    'truncate',
    'fallocate',
    'copy_file_range',
  ],
  ...['fsync', 'fdatasync', 'rename', 'renameat', 'renameat2', 'link', 'linkat', 'symlink', 'symlinkat'],
  ...['unlink', 'unlinkat', 'rmdir', 'mkdir', 'mkdirat', 'mknod', 'mknodat', 'chmod', 'fchmod', 'fchmodat'],
  ...['chown', 'fchown', 'lchown', 'fchownat', 'utimensat', 'connect', 'clone', 'clone3', 'vfork'],
];

/** `?`: a call this machine's kind does not have is no error. */
function setOf(calls: readonly string[]): string {
  return calls.map((call) => `?${call}`).join(',');
}

/** strace that lists the changing calls (and listen) in a file, with the paths of descriptors. */
export function listing(file: string, more: readonly string[] = []): readonly string[] {
  const set = setOf([...CHANGING, 'listen', ...more]);
  return ['strace', '-f', '--seccomp-bpf', '-qq', '-y', '-s', '600', '-o', file, '-e', `trace=${set}`];
}

export interface Point {
  readonly call: string;
  /** The how manieth such call of the main thread, from 1. */
  readonly count: number;
}

/** strace that kills the process right before a call. (strace 6.1 injects nothing at `when` with --seccomp-bpf.) */
export function killing({ call, count }: Point): readonly string[] {
  const inject = `inject=${call}:signal=KILL:when=${String(count)}`;
  return ['strace', '-f', '-qq', '-o', '/dev/null', '-e', `trace=${call}`, '-e', inject];
}

/** Kills whichever child of a running process comes to the point; resolves when it is watched. It ends with the process. */
export async function killChildren(pid: number, point: Point): Promise<void> {
  const [program = '', ...args] = killing(point);
  const child = spawn(program, [...args, '-p', String(pid)], { stdio: 'ignore' });
  while (!/^TracerPid:\s+[1-9]/m.test(readFileSync(`/proc/${String(pid)}/status`, 'latin1'))) {
    if (child.exitCode !== null) throw new Error(`strace ended with ${String(child.exitCode)}.`);
    await sleep(5);
  }
}

/** strace that makes calls fail: `when` as strace(1) has it, such as `1+` for all. */
export function failing(call: string, errno: string, when: string): readonly string[] {
  const inject = `inject=${call}:error=${errno}:when=${when}`;
  return ['strace', '-f', '-qq', '-o', '/dev/null', '-e', `trace=${call}`, '-e', inject];
}

/**
 * The points of a csync2 daemon's listing: every changing call of its children, of which each connection has one. strace counts for each
 * process, so a point is met by every child that comes so far.
 */
export function childPointsOf(file: string): Point[] {
  const counts = new Map<string, number>();
  const points = new Map<string, Point>();
  let main: string | undefined;
  for (const line of readFileSync(file, 'latin1').split('\n')) {
    const [, pid = '', call = ''] = /^(\d+)\s+([a-z0-9_]+)\(/.exec(line) ?? [];
    main ??= pid === '' ? undefined : pid;
    if (pid === main || !CHANGING.includes(call)) continue;
    const count = (counts.get(`${pid} ${call}`) ?? 0) + 1;
    counts.set(`${pid} ${call}`, count);
    points.set(`${call} ${String(count)}`, { call, count });
  }
  return [...points.values()];
}

/** The points of a listing: every changing call of the main thread, after the first `listen` where `fromListen`. */
export function pointsOf(file: string, fromListen: boolean): Point[] {
  const points: Point[] = [];
  const counts = new Map<string, number>();
  let main: string | undefined;
  let open = !fromListen;
  for (const line of readFileSync(file, 'latin1').split('\n')) {
    const match = /^(\d+)\s+([a-z0-9_]+)\(/.exec(line);
    if (match === null) continue;
    const [, pid = '', call = ''] = match;
    main ??= pid;
    if (pid !== main) continue;
    if (call === 'listen') open = true;
    if (!CHANGING.includes(call)) continue;
    const count = (counts.get(call) ?? 0) + 1;
    counts.set(call, count);
    if (open) points.push({ call, count });
  }
  return points;
}

/** `wanted` of the points, evenly spread; all when there are fewer. */
export function spread<T>(points: readonly T[], wanted: number): T[] {
  if (points.length <= wanted) return [...points];
  return Array.from({ length: wanted }, (_, index) => points[Math.floor((index * points.length) / wanted)] as T);
}
