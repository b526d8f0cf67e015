/** Asks for what `csx init` was not told, on a terminal: few questions, each with a default or an example. */

import { CsxError } from '../../model/errors.js';
import type { InitWish } from './wish.js';
import { checkWish, DEFAULT_GROUP } from './wish.js';

/**
 * Asks one question on the terminal, with an answer that stands there already, until `judge` finds nothing wrong.
 * @returns undefined when the input ended (Ctrl-D)
 */
export type Ask = (
  text: string,
  asking: { readonly preset: string | undefined; readonly judge: (answer: string) => string | undefined },
) => Promise<string | undefined>;

/**
 * What is known already is not asked for; nothing is taken that `checkWish` would refuse.
 * @throws CsxError INTERRUPTED at Ctrl-C and Ctrl-D
 */
export async function askForWish(
  known: InitWish,
  { group: askGroup, ask: question }: { readonly group: boolean; readonly ask: Ask },
): Promise<InitWish> {
  const ask = async (text: string, preset: string | undefined, judge: (answer: string) => string | undefined) => {
    const answer = await question(text, { preset, judge });
    if (answer !== undefined) return answer;
    throw new CsxError('INTERRUPTED', 'The input ended at a question of csx init: nothing was written.', {
      hint: 'Run it again, or say everything at once: csx init --help.',
    });
  };
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
  const group = askGroup
    ? await ask('Name of the group:', DEFAULT_GROUP, (answer) =>
        complaint({ ...sure, hosts, include, group: answer.trim() }),
      )
    : known.group;
  return { ...known, hosts, include, exclude, group: group.trim() };
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
