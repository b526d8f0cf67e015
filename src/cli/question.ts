/** One question to a person, on stderr; the answer as typed. */

import { CsxError } from '../model/errors.js';
import type { Asking } from './prompt.js';

/**
 * Asks and waits. Call it only where somebody can be asked.
 * @returns the answer without space around it; undefined when the input ended (Ctrl-D)
 * @throws CsxError INTERRUPTED at Ctrl-C: in a prompt it is a key, not a signal
 */
export async function question(text: string, asking: Asking = {}): Promise<string | undefined> {
  const { isCtrlC, prompt } = await import('./prompt.js');
  try {
    return await prompt(text, asking);
  } catch (error) {
    if (!isCtrlC(error)) throw error;
    throw new CsxError('INTERRUPTED', 'csx was interrupted at the question: nothing was changed.', {
      hint: 'Run it again when you have decided.',
      data: { signal: 'SIGINT' },
      cause: error,
    });
  }
}
