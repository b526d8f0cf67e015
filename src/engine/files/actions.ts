/**
 * Runs action commands: `/bin/sh -c`, stdin from /dev/null, output to the logfile, in a process group of their own, within a time limit.
 *
 * The command travels to the shell through a pipe, not as an argument: names are bytes, which Node's arguments are not, and a
 * list of thousands of files is longer than one argument may be. csync2 ignores the exit status; here it is the result.
 */

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Problem } from '../../model/errors.js';
import type { Bytes } from '../../model/names.js';
import { fromBuffer, toBuffer } from '../../model/names.js';
import { expandCommand } from '../../model/shell.js';
import type { ActionRow, ActionRun } from '../../model/store.js';
import { openLog } from './log-file.js';

/** A command to run once, for all the files that asked for it. */
export interface ActionJob {
  /** As configured, with `%%`. */
  readonly template: Bytes;
  /** As run. */
  readonly command: Bytes;
  readonly logfile: Bytes;
  /** The rows it settles: remove them from the state when it has run, whatever its status (csync2 does so). */
  readonly rows: readonly ActionRow[];
}

export interface ActionResult {
  readonly job: ActionJob;
  /** Exit status; undefined when it was ended by a signal or could not be started. */
  readonly status: number | undefined;
  readonly signal: string | undefined;
  readonly timedOut: boolean;
  readonly milliseconds: number;
  /** The last bytes of its output. */
  readonly output: Bytes;
  /** It could not be started, or its log could not be used (it ran all the same, its output only kept as `output`). */
  readonly problem: Problem | undefined;
}

export interface ActionOptions {
  /** Seconds until it is ended; DEFAULT_ACTION_SECONDS when not given. */
  readonly timeout?: number | undefined;
  /** The environment to build the command's from. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Ends the command early. */
  readonly signal?: AbortSignal | undefined;
}

export const DEFAULT_ACTION_SECONDS = 3600;
/** Bytes of output kept. */
const TAIL_BYTES = 4096;
/** Milliseconds between SIGTERM and SIGKILL. */
const GRACE = 5000;
/** Milliseconds to wait for output after the command has ended: something it left behind may hold the pipe for ever. */
const LINGER = 200;

/** The distinct commands of the rows, in the order in which they first appear. */
export function groupActions(rows: readonly ActionRow[]): readonly ActionJob[] {
  const groups = new Map<string, ActionRow[]>();
  for (const row of rows) {
    const identity = `${row.command}\0${row.logfile}`;
    const group = groups.get(identity);
    if (group === undefined) groups.set(identity, [row]);
    else group.push(row);
  }
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const command = expandCommand(
      first.command,
      group.map((row) => row.file),
    );
    return [{ template: first.command, command, logfile: first.logfile, rows: group }];
  });
}

/** Reads the command from descriptor 3 and becomes it. The `x` keeps newlines at its end. */
const LAUNCH = 'exec 2>&1; csx_command=$(cat <&3; printf x); exec 3<&-; eval "${csx_command%x}"';

/** Runs one command to its end. Never rejects: whatever goes wrong is in the result. */
export async function runAction(job: ActionJob, options: ActionOptions): Promise<ActionResult> {
  const started = performance.now();
  const log = openLog(job.logfile);
  try {
    const child = spawn('/bin/sh', ['-c', LAUNCH], {
      stdio: ['ignore', log.descriptor ?? 'pipe', 'ignore', 'pipe'],
      detached: true,
      cwd: '/',
      env: actionEnvironment(options.environment),
    });
    const tail = child.stdout === null ? undefined : keepTail(child.stdout);
    const end = await outcomeOf(child, job.command, options);
    if (tail !== undefined) await tail.ended();
    const output = tail === undefined ? readTail(log.descriptor, log.start) : tail.text();
    return { job, ...end, milliseconds: performance.now() - started, output, problem: end.problem ?? log.problem };
  } finally {
    if (log.descriptor !== undefined) fs.closeSync(log.descriptor);
  }
}

/** What is kept of a run. `endedAt`: Unix milliseconds. */
export function actionRun(result: ActionResult, endedAt: number): ActionRun {
  const { job, status, signal, timedOut, milliseconds } = result;
  const startedAt = Math.round(endedAt - milliseconds);
  return {
    command: job.template,
    startedAt,
    milliseconds: Math.round(milliseconds),
    status,
    signal,
    timedOut,
    files: job.rows.length,
  };
}

interface End {
  readonly status: number | undefined;
  readonly signal: string | undefined;
  readonly timedOut: boolean;
  readonly problem: Problem | undefined;
}

async function outcomeOf(child: ChildProcess, command: Bytes, options: ActionOptions): Promise<End> {
  let timedOut = false;
  const timers: NodeJS.Timeout[] = [];
  const stop = () => {
    killGroup(child, 'SIGTERM');
    timers.push(
      setTimeout(() => {
        killGroup(child, 'SIGKILL');
      }, GRACE),
    );
  };
  timers.push(
    setTimeout(
      () => {
        timedOut = true;
        stop();
      },
      (options.timeout ?? DEFAULT_ACTION_SECONDS) * 1000,
    ),
  );
  options.signal?.addEventListener('abort', stop, { once: true });
  try {
    return await new Promise<End>((resolve) => {
      child.once('error', (error) => {
        const summary = `The action could not be started: ${error.message}.`;
        const hint = 'Look at /bin/sh and at the limit of processes (ulimit -u).';
        resolve({
          status: undefined,
          signal: undefined,
          timedOut,
          problem: { severity: 'error', code: 'INTERNAL', summary, hint },
        });
      });
      child.once('exit', (status, signal) => {
        resolve({ status: status ?? undefined, signal: signal ?? undefined, timedOut, problem: undefined });
      });
      const input = child.stdio[3] as Writable | null | undefined;
      // A command that ends without reading all of itself cannot be: only a failed start closes this pipe early.
      input?.on('error', () => undefined);
      input?.end(toBuffer(command));
      if (options.signal?.aborted === true) stop();
    });
  } finally {
    for (const timer of timers) clearTimeout(timer);
    options.signal?.removeEventListener('abort', stop);
  }
}

function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // It has ended already.
  }
}

/** Keeps the last bytes of a stream, and goes on draining it so that nothing left behind is stopped by a full pipe. */
function keepTail(stream: Readable): { readonly text: () => Bytes; readonly ended: () => Promise<void> } {
  let kept = Buffer.alloc(0);
  const closed = new Promise<void>((resolve) => {
    stream.once('close', resolve);
  });
  stream.on('error', () => undefined);
  stream.on('data', (chunk: Buffer) => {
    kept = Buffer.concat([kept, chunk]);
    if (kept.length > TAIL_BYTES) kept = Buffer.from(kept.subarray(kept.length - TAIL_BYTES));
  });
  return {
    text: () => fromBuffer(kept),
    ended: async () => {
      await Promise.race([closed, sleep(LINGER, undefined, { ref: false })]);
      // What was left behind must not keep this process alive.
      if (stream instanceof Socket) stream.unref();
    },
  };
}

function readTail(descriptor: number | undefined, start: number): Bytes {
  if (descriptor === undefined) return '' as Bytes;
  const size = fs.fstatSync(descriptor).size;
  const from = Math.max(start, size - TAIL_BYTES);
  const buffer = Buffer.alloc(Math.max(0, size - from));
  const count = buffer.length === 0 ? 0 : fs.readSync(descriptor, buffer, 0, buffer.length, from);
  return fromBuffer(buffer.subarray(0, count));
}

/** What belongs to csx's own process and would confuse another. */
const OWN = /^(?:NODE_.*|npm_.*|CSX_.*|LISTEN_.*|NOTIFY_SOCKET|WATCHDOG_.*|MAINPID|UV_.*)$/;

function actionEnvironment(given: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const environment: Record<string, string> = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' };
  for (const [name, value] of Object.entries(given)) {
    if (value !== undefined && !OWN.test(name)) environment[name] = value;
  }
  return environment;
}
