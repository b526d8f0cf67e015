/**
 * The prompt of every question: one line to type into. It draws nothing but that line, which is short enough for any window: so it
 * stays right when the window's size changes between two keys. Load it where a question is asked, not before: most runs ask nothing.
 */

import { createPrompt, ExitPromptError, isEnterKey, useEffect, useKeypress, useState } from '@inquirer/core';

/** How a question is asked that does not take just any answer. */
export interface Asking {
  /** Stands there as if it had been typed. */
  readonly preset?: string | undefined;
  /** What is wrong with an answer, to be shown below it until it is typed on; undefined: nothing is. */
  readonly judge?: (answer: string) => string | undefined;
}

/**
 * Asks on stderr.
 * @returns the answer without space around it; undefined when the input ended (Ctrl-D)
 * @throws ExitPromptError at Ctrl-C: see `isCtrlC`
 */
export function prompt(text: string, asking: Asking = {}): Promise<string | undefined> {
  return line({ text, ...asking }, { output: process.stderr });
}

export function isCtrlC(error: unknown): boolean {
  return error instanceof ExitPromptError;
}

const line = createPrompt<string | undefined, Asking & { readonly text: string }>((asking, done) => {
  const { text, preset = '', judge } = asking;
  const [typed, setTyped] = useState(preset);
  const [complaint, setComplaint] = useState('');
  const [, setContinued] = useState(0);
  useEffect((rl) => {
    // Without these nobody would answer any more: the input has ended, or readline has paused it at Ctrl-Z.
    const end = (): void => {
      done(undefined);
    };
    const goOn = (): void => {
      rl.resume();
      setContinued((times) => times + 1);
    };
    rl.write(preset);
    rl.on('close', end);
    rl.on('SIGCONT', goOn);
    return () => {
      rl.removeListener('close', end);
      rl.removeListener('SIGCONT', goOn);
    };
  }, []);
  useKeypress((key, rl) => {
    if (!isEnterKey(key)) {
      setTyped(rl.line);
      setComplaint('');
      return;
    }
    const wrong = judge?.(typed.trim());
    if (wrong === undefined) {
      done(typed.trim());
      return;
    }
    // Enter has taken the answer away.
    rl.write(typed);
    setComplaint(wrong);
  });
  return [`${text} ${typed}`, complaint];
});
