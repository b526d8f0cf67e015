/** -l: messages to syslog, through logger(1), which knows where this machine's syslog listens. */

import { spawn } from 'node:child_process';
import { toBuffer } from '../model/names.js';

export interface Syslog {
  readonly write: (level: number, line: string) => void;
  /** Resolves when everything was handed over. */
  end(): Promise<void>;
}

/** As csync2 has them: facility local0. */
const WARNING = 132;
const INFO = 134;

/** Messages are lost, not the run, where there is no logger. */
export function openSyslog(): Syslog {
  const logger = spawn('logger', ['-t', 'csync2', `--id=${process.pid}`, '--prio-prefix'], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const ended = new Promise<void>((resolve) => {
    logger.once('close', () => {
      resolve();
    });
    logger.once('error', () => {
      resolve();
    });
  });
  logger.stdin.on('error', () => undefined);
  return {
    write: (level, line) => {
      logger.stdin.write(toBuffer(`<${level === 0 ? WARNING : INFO}>${line}\n`));
    },
    end: async () => {
      logger.stdin.end();
      await ended;
    },
  };
}
