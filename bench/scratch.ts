/** What must not outlive a benchmark, however it ends: its directories, and the processes it started, each the first of a group of its own. */

import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';

const directories = new Set<string>();
const groups = new Set<number>();

/** Makes a directory; `discard` removes it. */
export function scratch(parent: string): string {
  const directory = mkdtempSync(path.join(parent, 'csx-bench-'));
  directories.add(directory);
  return directory;
}

export function discard(directory: string): void {
  rmSync(directory, { recursive: true, force: true });
  directories.delete(directory);
}

/** The child was started with `detached`: it and what it starts are ended with the benchmark. */
export function watch(child: ChildProcess): void {
  const { pid } = child;
  if (pid === undefined) return;
  groups.add(pid);
  child.once('close', () => groups.delete(pid));
}

/** Milliseconds for processes that were killed to be gone. */
const GONE = 200;

/** Ctrl-C, a closed terminal and `kill` leave nothing behind. */
export function cleanUpOnSignals(): void {
  for (const [signal, status] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    process.once(signal, () => {
      for (const group of groups) {
        try {
          process.kill(-group, 'SIGKILL');
        } catch {
          // It has ended already.
        }
      }
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, GONE);
      for (const directory of directories) rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
      process.exit(status);
    });
  }
}
