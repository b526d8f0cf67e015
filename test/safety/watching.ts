/** A process that reads files all the time and remembers every state it has seen (reader.mjs), and what it may have seen. */

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const READER = fileURLToPath(new URL('reader.mjs', import.meta.url));

export interface Watching {
  /** Ends it; every state seen, by path. */
  stop(): Promise<ReadonlyMap<string, readonly string[]>>;
}

/** Starts to watch; resolves when it reads. */
export async function watch(paths: readonly string[]): Promise<Watching> {
  const child = spawn(process.execPath, [READER, ...paths], { stdio: ['pipe', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  const states = new Map<string, string[]>(paths.map((path) => [path, []]));
  const lines = createInterface({ input: child.stdout });
  const finished = once(lines, 'close');
  const ready = once(lines, 'line');
  lines.on('line', (line) => {
    const said: unknown = JSON.parse(line);
    if (!Array.isArray(said)) return;
    const [path, state] = said as [string, string];
    states.get(path)?.push(state);
  });
  await ready;
  return {
    stop: async () => {
      child.stdin.end();
      await Promise.all([closed, finished]);
      if (child.exitCode !== 0) throw new Error(`The reader ended with ${String(child.exitCode)}.`);
      return states;
    },
  };
}

/** A path's state as the reader tells it. */
export function stateOf(path: string): string {
  const stats = fs.lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return 'absent';
  if (stats.isSymbolicLink()) return `link ${fs.readlinkSync(path)}`;
  if (stats.isDirectory()) return 'directory';
  if (!stats.isFile()) return 'special';
  const hash = createHash('sha256').update(fs.readFileSync(path)).digest('hex');
  return `file ${(stats.mode & 0o7777).toString(8)} ${String(stats.uid)}:${String(stats.gid)} ${String(Math.floor(stats.mtimeMs / 1000))} ${hash}`;
}
