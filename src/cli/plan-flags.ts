/** The flags that decide what goes into a plan, shared by plan and apply; and what they come to. */

import { Flags } from '@oclif/core';
import type { Interfaces } from '@oclif/core';
import type { Limit } from '../model/config.js';
import { CsxError } from '../model/errors.js';
import { choiceFlags, networkFlags } from './flags.js';

const PLANNING = 'PLANNING';

export const planFlags = {
  ...choiceFlags,
  ...networkFlags,
  offline: Flags.boolean<boolean>({
    summary: 'Contact nobody: everything about the peers is then unknown.',
    default: false,
    helpGroup: PLANNING,
  }),
  'max-delete': Flags.string({
    summary: "Fail when more than N files, or N% of a group's files, would be deleted on a peer.",
    description: 'Without it what the group says, otherwise 50%.',
    helpValue: 'N|N%',
    helpGroup: PLANNING,
  }),
  parallelism: Flags.integer({
    summary: 'Peers to talk to at a time.',
    default: 10,
    min: 1,
    max: 1000,
    helpValue: 'N',
    helpGroup: PLANNING,
  }),
  'lock-timeout': Flags.integer({
    summary:
      'Wait so many seconds for the database, or for another csx; without it, what lock-timeout in the configuration says, otherwise 12.',
    min: 0,
    helpValue: 'SECONDS',
    helpGroup: PLANNING,
  }),
} satisfies Interfaces.FlagInput;

export type PlanFlags = Interfaces.InferredFlags<typeof planFlags>;

/** Reads `--max-delete`: `20` or `25%`. */
export function parseLimit(text: string | undefined): Limit | undefined {
  if (text === undefined) return undefined;
  const match = /^(\d{1,9})(%?)$/.exec(text);
  const value = Number(match?.[1]);
  if (match === null || (match[2] === '%' && value > 100)) {
    throw new CsxError('USAGE', `--max-delete takes a number of files or a percentage up to 100%, not '${text}'.`, {
      hint: 'For example: --max-delete 20, or --max-delete 25%.',
    });
  }
  return { value, unit: match[2] === '%' ? 'percent' : 'files' };
}
