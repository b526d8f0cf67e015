/**
 * A program in a real terminal: a pty made by script(1) (util-linux), typed into as a person would, read as the screen it makes.
 *
 *   const terminal = startTerminal(['csx', 'resolve'], { columns: 80, rows: 24 });
 *   await terminal.until(/Enter/);
 *   terminal.type('p\r');
 *   expect(await terminal.exit()).toBe(0);
 */

import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Terminal {
  /** All that was written, without control sequences, one string. */
  text(): string;
  /** Waits until the text written since the last `until` matches; returns what came. Fails when the program ends or takes a minute. */
  until(pattern: RegExp): Promise<string>;
  type(keys: string): void;
  /** Changes the window's size, as dragging its corner does. */
  resize(columns: number, rows: number): void;
  /** The lines written since the last resize or start. */
  lines(): readonly string[];
  /** Waits for the end; the exit status. */
  exit(): Promise<number>;
  /** Ends it at once, if it still runs. */
  kill(): void;
}

const DEADLINE = 20_000;
/** What the terminal says first: its name, and the program's process. */
const STARTED = /@(\/dev\/[^@\s]+)@(\d+)@/;

export function startTerminal(
  command: readonly string[],
  options: { readonly columns: number; readonly rows: number; readonly env?: Readonly<Record<string, string>> },
): Terminal {
  const words = command.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
  const line = `stty cols ${options.columns} rows ${options.rows}; echo "@$(tty)@$$@"; exec ${words}`;
  const env: NodeJS.ProcessEnv = { ...process.env, TERM: 'xterm-256color', SHELL: '/bin/sh', ...options.env };
  for (const name of ['NO_COLOR', 'FORCE_COLOR', 'CSX_INPUT', 'CI']) Reflect.deleteProperty(env, name);
  const child: ChildProcess = spawn('script', ['-qec', line, '/dev/null'], {
    env,
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  });
  let raw = '';
  let read = 0;
  let measured = 0;
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (raw += chunk));
  const exited = new Promise<number>((resolve) => {
    child.once('close', (status) => {
      resolve(status ?? 255);
    });
  });
  let over = false;
  void exited.then(() => (over = true));
  return {
    text: () => plain(raw),
    until: async (pattern) => {
      const deadline = Date.now() + DEADLINE;
      for (;;) {
        const fresh = plain(raw.slice(read));
        if (pattern.test(fresh)) {
          read = raw.length;
          return fresh;
        }
        if (over || Date.now() > deadline) throw new Error(`No ${String(pattern)} in:\n${plain(raw)}`);
        await sleep(20);
      }
    },
    type: (keys) => child.stdin?.write(keys),
    resize: (columns, rows) => {
      const tty = STARTED.exec(raw)?.[1];
      if (tty === undefined) throw new Error('The terminal has not told its name yet.');
      measured = raw.length;
      execFileSync('stty', ['-F', tty, 'cols', String(columns), 'rows', String(rows)]);
    },
    lines: () => plain(raw.slice(measured)).split('\n'),
    exit: () => exited,
    kill: () => {
      if (over || child.pid === undefined) return;
      // The program is in a session of its own.
      for (const pid of [Number(STARTED.exec(raw)?.[2] ?? child.pid), -child.pid]) {
        try {
          process.kill(pid, 'SIGKILL');
        } catch {
          // It has ended already.
        }
      }
    },
  };
}

/** Without colours and cursor movements; a line drawn over another counts as a line of its own. */
function plain(raw: string): string {
  return raw
    .replaceAll(/\x1b\[[?\d;]*[A-Za-z]/g, (sequence) => (/[GAH]$/.test(sequence) ? '\n' : ''))
    .replaceAll(/\x1b[=>78]/g, '')
    .replaceAll(/\r\n?/g, '\n');
}
