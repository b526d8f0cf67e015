/** A plan in the formats people and programs want. */

import { Flags } from '@oclif/core';
import type { Interfaces } from '@oclif/core';
import { CsxError } from '../model/errors.js';
import type { FileDiffs } from '../model/file-diff.js';
import type { Plan } from '../model/plan.js';
import { planText } from '../model/plan-text.js';
import { planPage } from '../views/html/plan.js';
import { planView } from '../views/human/plan.js';
import { planMarkdown } from '../views/markdown/plan.js';
import { summaryLine } from '../views/summary.js';
import { print } from '../views/terminal.js';
import type { Output } from '../views/terminal.js';

const FORMAT = 'FORMAT';

export const formatFlags = {
  format: Flags.option({
    options: ['human', 'json', 'markdown', 'html'] as const,
    default: 'human' as const,
    summary: 'How to show the plan; --json is --format json.',
    helpGroup: FORMAT,
  })(),
  'max-chars': Flags.integer({
    summary: 'Cut Markdown to so many characters, where it matters least (65536 for a pull request).',
    min: 1000,
    helpValue: 'N',
    helpGroup: FORMAT,
  }),
  summary: Flags.boolean<boolean>({ summary: 'Show the last line alone.', helpGroup: FORMAT }),
  full: Flags.boolean<boolean>({ summary: 'Show every file instead of folding long lists.', helpGroup: FORMAT }),
} satisfies Interfaces.FlagInput;

export interface FormatChoice {
  readonly format: 'human' | 'json' | 'markdown' | 'html';
  readonly 'max-chars'?: number | undefined;
  readonly summary: boolean;
  readonly full: boolean;
  readonly json: boolean;
  readonly verbose: boolean;
}

export interface PlanFacts {
  /** Where it was saved, or read from, as the person would type it. */
  readonly savedTo?: string | undefined;
  /** Lines instead of the usual next step. */
  readonly next?: readonly string[] | undefined;
  /** What `--diff` fetched. */
  readonly diffs?: FileDiffs | undefined;
  /** The command that shows all of it. */
  readonly fullCommand?: string | undefined;
}

/**
 * Prints a plan.
 * @throws the signal's reason, when it fires meanwhile
 */
export async function printPlan(
  out: Output,
  plan: Plan,
  flags: FormatChoice,
  facts: PlanFacts,
  stop?: AbortSignal,
): Promise<void> {
  const format = flags.json ? 'json' : flags.format;
  if (flags['max-chars'] !== undefined && format !== 'markdown') {
    throw new CsxError('USAGE', '--max-chars cuts Markdown only.', { hint: 'Add --format markdown.' });
  }
  if (flags.summary && format === 'human') {
    await print(out, [`${summaryLine(plan)}\n`]);
    return;
  }
  switch (format) {
    case 'json':
      return print(out, planText(plan), stop);
    case 'markdown':
      return print(out, planMarkdown(plan, { maxChars: flags['max-chars'] }), stop);
    case 'html':
      return print(out, planPage(plan), stop);
    case 'human':
      return print(
        out,
        planView(out, plan, {
          full: flags.full,
          verbose: flags.verbose,
          savedTo: facts.savedTo,
          next: facts.next,
          diffs: facts.diffs,
          ...(facts.fullCommand === undefined ? {} : { fullCommand: facts.fullCommand }),
        }),
        stop,
      );
  }
}
