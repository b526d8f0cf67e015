/** Runs the built csx as a person would: bin/csx in a process of its own. */

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../../bin/csx', import.meta.url));
/** Milliseconds a run may take, unless the test says. */
const RUN_DEADLINE = 120_000;

export interface CsxResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface CsxOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly input?: string;
  /** Milliseconds the run may take. */
  readonly deadline?: number;
  /** Called with the process as soon as it runs, to signal it. */
  readonly started?: (child: ChildProcess) => void;
}

/** Runs `csx ARGS` and waits for it. The environment is the test's, without what would change csx's ways. */
export function runCsx(args: readonly string[], options: CsxOptions = {}): Promise<CsxResult> {
  return new Promise((resolve, reject) => {
    const env: NodeJS.ProcessEnv = { ...process.env, ...options.env };
    for (const name of ['NO_COLOR', 'FORCE_COLOR', 'CSX_INPUT', 'CSX_HOSTNAME', 'CSYNC2_DATABASE']) {
      if (options.env?.[name] === undefined) Reflect.deleteProperty(env, name);
    }
    const child = spawn(PROGRAM, args, {
      env,
      cwd: options.cwd,
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: options.deadline ?? RUN_DEADLINE,
    });
    const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    child.once('error', reject);
    child.once('close', (status, signal) => {
      resolve({ stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString(), status, signal });
    });
    child.stdin.on('error', () => {
      // It ended without reading: its own business.
    });
    child.stdin.end(options.input ?? '');
    options.started?.(child);
  });
}
