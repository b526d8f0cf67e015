/** Runs csx to its end on a terminal of its own, made by script(1), and answers what it asks. */

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../../bin/csx', import.meta.url));
/** Milliseconds. */
const DEADLINE = 60_000;

export interface TerminalResult {
  /** All that was shown, escape sequences taken out. */
  readonly screen: string;
  readonly status: number | null;
}

/** Typed as soon as its question is on the screen, in place of what stands there. In their order, each once. */
export interface Answer {
  readonly question: string;
  /** A control character is typed alone; anything else with Enter behind it. */
  readonly answer: string;
}

export function runAnswering(args: readonly string[], answers: readonly Answer[]): Promise<TerminalResult> {
  return new Promise((resolve, reject) => {
    const words = [PROGRAM, ...args].map((word) => `'${word.replaceAll("'", "'\\''")}'`);
    const child = spawn('script', ['-qec', words.join(' '), '/dev/null'], {
      env: { ...process.env, NO_COLOR: '1', TERM: 'xterm', SHELL: '/bin/sh' },
      stdio: ['pipe', 'pipe', 'inherit'],
      timeout: DEADLINE,
    });
    let screen = '';
    let seen = 0;
    const waiting = [...answers];
    child.stdout.on('data', (chunk: Buffer) => {
      screen += chunk.toString().replace(/\x1b\[[0-9;?]*[A-Za-z]/g, '');
      for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
        if (!screen.includes(next.question, seen)) break;
        seen = screen.length;
        waiting.shift();
        // Ctrl-U takes away what is there already.
        child.stdin.write(/^\p{Cc}$/u.test(next.answer) ? next.answer : `\x15${next.answer}\r`);
      }
    });
    child.stdin.on('error', () => undefined);
    child.once('error', reject);
    child.once('close', (status) => {
      resolve({ screen, status });
    });
  });
}
