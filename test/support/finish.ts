/** Waits for a program that was started with pipes: what it said, and how it ended. */

import type { ChildProcess } from 'node:child_process';

export interface Finished {
  /** Byte strings (latin1), as csx names are. */
  readonly stdout: string;
  readonly stderr: string;
  /** Null when a signal ended it. */
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
}

/**
 * Rejects when the program could not be started.
 * @param deadline milliseconds; then it is killed, with its process group where it leads one
 */
export function finish(child: ChildProcess, deadline: number): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
    child.stdout?.on('data', (bytes: Buffer) => stdout.push(bytes));
    child.stderr?.on('data', (bytes: Buffer) => stderr.push(bytes));
    const timer = setTimeout(() => {
      killGroup(child, 'SIGKILL');
      child.kill('SIGKILL');
    }, deadline);
    child.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.once('close', (status, signal) => {
      clearTimeout(timer);
      resolve({
        stdout: Buffer.concat(stdout).toString('latin1'),
        stderr: Buffer.concat(stderr).toString('latin1'),
        status,
        signal,
      });
    });
  });
}

/** For what was started `detached`: csync2's daemon forks for each connection. */
export function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // Nobody is left, or it leads no group.
  }
}
