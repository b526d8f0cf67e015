/** JSON Lines: one compact object a line, LF, written in order, waiting where the reader is slow. */

import type { Output } from '../terminal.js';
import { escape } from './document.js';

export interface JsonLines {
  /** Queues an object; it is written after those before it. Cheap: never waits. */
  readonly write: (value: object) => void;
  /** Resolves when all that was queued is with the output. */
  readonly flush: () => Promise<void>;
  /** Hands over what is queued and not written yet: for a process that ends at once. */
  readonly rest: () => string;
}

/** A writer of JSON Lines on an output. */
export function jsonLines(output: Pick<Output, 'write'>): JsonLines {
  let queue = '';
  let writing: Promise<void> | undefined;

  // Lines that come while the reader is slow are joined and written at once.
  async function drain(): Promise<void> {
    while (queue !== '') {
      const text = queue;
      queue = '';
      await output.write(text);
    }
    writing = undefined;
  }

  return {
    write: (value) => {
      queue += jsonLine(value);
      writing ??= drain();
    },
    flush: async () => {
      await writing;
    },
    rest: () => {
      const text = queue;
      queue = '';
      return text;
    },
  };
}

/** One line, LF included. */
export function jsonLine(value: object): string {
  return `${escape(JSON.stringify(value))}\n`;
}
