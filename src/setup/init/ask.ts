/** Asks for what `csx init` was not told, on a terminal: few questions, each with a default or an example. */

import { input } from '@inquirer/prompts';
import { CsxError } from '../../model/errors.js';
import type { InitWish } from './wish.js';
import { checkWish, DEFAULT_GROUP } from './wish.js';

/** What is known already is not asked for; nothing is taken that `checkWish` would refuse. */
export async function askForWish(known: InitWish, asked: { readonly group: boolean }): Promise<InitWish> {
  const sure = { ...known, include: known.include.length > 0 ? known.include : ['/placeholder'] };
  const hosts =
    known.hosts.length > 0
      ? known.hosts
      : words(
          await ask('Hosts, with spaces between them:', `${known.host} `, (answer) =>
            complaint({ ...sure, hosts: words(answer) }),
          ),
        );
  const include =
    known.include.length > 0
      ? known.include
      : words(
          await ask('Directories and files to keep the same:', undefined, (answer) =>
            complaint({ ...sure, hosts, include: words(answer) }),
          ),
        );
  const exclude =
    known.exclude.length > 0 || known.include.length > 0
      ? known.exclude
      : words(await ask('Leave out (patterns):', '*~ .*.swp', () => undefined));
  const group = asked.group
    ? await ask('Name of the group:', DEFAULT_GROUP, (answer) =>
        complaint({ ...sure, hosts, include, group: answer.trim() }),
      )
    : known.group;
  return { ...known, hosts, include, exclude, group: group.trim() };
}

/** Fails with INTERRUPTED at Ctrl-C, and where the terminal goes away. */
async function ask(
  message: string,
  preset: string | undefined,
  judge: (answer: string) => string | undefined,
): Promise<string> {
  const asked = input(
    {
      message,
      ...(preset === undefined ? {} : { default: preset, prefill: 'editable' as const }),
      validate: (answer) => judge(answer) ?? true,
    },
    { output: process.stderr },
  );
  try {
    return await asked;
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'ExitPromptError') throw error;
    throw new CsxError('INTERRUPTED', 'csx init was interrupted at a question: nothing was written.', {
      hint: 'Run it again, or say everything at once: csx init --help.',
      data: { signal: 'SIGINT' },
      cause: error,
    });
  }
}

function words(answer: string): readonly string[] {
  return answer.split(/[\s,]+/).filter((word) => word !== '');
}

/** What is wrong with a wish; undefined when nothing is. */
function complaint(wish: InitWish): string | undefined {
  try {
    checkWish(wish);
    return undefined;
  } catch (error) {
    if (!(error instanceof CsxError)) throw error;
    return `${error.message} ${error.hint ?? ''}`.trim();
  }
}
