/** -l: messages to syslog, through logger(1), which knows where this machine's syslog listens. */

import { spawn } from 'node:child_process';
import { toBuffer } from '../model/names.js';

export interface Syslog {
  readonly write: (line: string) => void;
  /** Resolves when everything was handed over. */
  end(): Promise<void>;
}

/** Messages are lost, not the run, where there is no logger. */
export function openSyslog(): Syslog {
  const logger = spawn('logger', ['-t', 'csync2', `--id=${process.pid}`, '-p', 'daemon.info'], {
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
    write: (line) => {
      logger.stdin.write(toBuffer(`${line}\n`));
    },
    end: async () => {
      logger.stdin.end();
      await ended;
    },
  };
}
