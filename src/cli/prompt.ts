/**
 * The prompt of every question: one line to type into. It draws nothing but that line, which is short enough for any window: so it
 * stays right when the window's size changes between two keys. Load it where a question is asked, not before: most runs ask nothing.
 */

import { createPrompt, ExitPromptError, isEnterKey, useEffect, useKeypress, useState } from '@inquirer/core';

/**
 * Asks on stderr.
 * @returns the answer without space around it; undefined when the input ended (Ctrl-D)
 * @throws ExitPromptError at Ctrl-C: see `isCtrlC`
 */
export function prompt(text: string): Promise<string | undefined> {
  return line({ text }, { output: process.stderr });
}

export function isCtrlC(error: unknown): boolean {
  return error instanceof ExitPromptError;
}

const line = createPrompt<string | undefined, { readonly text: string }>(({ text }, done) => {
  const [typed, setTyped] = useState('');
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
    rl.on('close', end);
    rl.on('SIGCONT', goOn);
    return () => {
      rl.removeListener('close', end);
      rl.removeListener('SIGCONT', goOn);
    };
  }, []);
  useKeypress((key, rl) => {
    if (isEnterKey(key)) done(typed.trim());
    else setTyped(rl.line);
  });
  return `${text} ${typed}`;
});
