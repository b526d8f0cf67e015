/** One question to a person, on stderr; the answer as typed. */

import { createInterface } from 'node:readline';
import { CsxError } from '../model/errors.js';

/**
 * Asks and waits.
 * @returns the answer without space around it; undefined when the input ended (Ctrl-D, a terminal that is gone)
 * @throws CsxError INTERRUPTED at Ctrl-C: in a prompt it is a key, not a signal
 */
export async function question(text: string): Promise<string | undefined> {
  const asked = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await new Promise((resolve, reject) => {
      asked.once('SIGINT', () => {
        process.stderr.write('\n');
        reject(interrupted());
      });
      asked.once('close', () => {
        process.stderr.write('\n');
        resolve(undefined);
      });
      asked.question(`${text} `, (answer) => {
        asked.removeAllListeners('close');
        resolve(answer.trim());
      });
    });
  } finally {
    asked.removeAllListeners('close');
    asked.close();
  }
}

function interrupted(): CsxError {
  return new CsxError('INTERRUPTED', 'csx was interrupted at the question: nothing was changed.', {
    hint: 'Run it again when you have decided.',
    data: { signal: 'SIGINT' },
  });
}
