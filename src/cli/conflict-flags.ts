/** How a run settles conflicts: the flags that apply and resolve share, and the decisions they come to. */

import { readFile } from 'node:fs/promises';
import { Flags } from '@oclif/core';
import type { Interfaces } from '@oclif/core';
import { digestsOf } from '../engine/update/content.js';
import type { Digest } from '../model/entry.js';
import { CsxError } from '../model/errors.js';
import type { FileName, PeerName } from '../model/names.js';
import type { Conflict } from '../model/plan.js';
import { ON_CONFLICT } from '../planner/decisions.js';
import type { Deciding } from '../planner/decisions.js';
import { parseResolutions, resolutionOf } from '../planner/resolutions.js';
import type { Contents, Keep, Resolution } from '../planner/resolutions.js';
import type { Workspace } from './workspace.js';

const CONFLICTS = 'CONFLICTS';

export const conflictFlags = {
  'on-conflict': Flags.option({
    options: ON_CONFLICT,
    default: 'fail' as const,
    summary: 'What to do where both sides changed a file and the group has no method for it.',
    description:
      'fail and skip leave the file as it is on both sides (fail: exit status 3); local and peer take one version, auto follows the method also where this host loses.',
    helpGroup: CONFLICTS,
  })(),
  resolutions: Flags.string({
    summary: 'Decisions on single conflicts, as csx resolve --write makes them; void where a side has moved since.',
    helpValue: 'FILE',
    helpGroup: CONFLICTS,
  }),
} satisfies Interfaces.FlagInput;

export type ConflictFlags = Pick<Interfaces.InferredFlags<typeof conflictFlags>, 'on-conflict' | 'resolutions'>;

/**
 * What the flags decide. Use: `computePlan({ decide: decideWith(await decisionsFrom(flags, workspace)) })`.
 * @param answers decisions taken at the prompt (`askConflicts`); they count first
 * @throws CsxError USAGE for a resolutions file that cannot be read
 */
export async function decisionsFrom(
  flags: ConflictFlags,
  workspace: Workspace,
  answers: { readonly resolutions: readonly Resolution[]; readonly merged?: readonly Conflict[] } = { resolutions: [] },
): Promise<Deciding> {
  const listed = flags.resolutions === undefined ? [] : await readResolutions(flags.resolutions);
  const resolutions = [...answers.resolutions, ...listed];
  const contents = await contentsOf(
    resolutions.map((each) => each.path),
    workspace,
  );
  return { onConflict: flags['on-conflict'], resolutions, contents, merged: answers.merged ?? [] };
}

/** The same decision on each of the conflicts, for the two versions it is about. */
export async function resolutionsFor(
  conflicts: readonly Conflict[],
  keep: Keep,
  workspace: Workspace,
): Promise<readonly Resolution[]> {
  const contents = await contentsOf(
    conflicts.map((conflict) => conflict.path),
    workspace,
  );
  return conflicts.map((conflict) => resolutionOf(conflict, keep, contents));
}

/** One peer's version is taken, and the others get it: the decisions on a file's conflicts that say so. */
export async function takingFrom(
  peer: PeerName | undefined,
  conflicts: readonly Conflict[],
  workspace: Workspace,
): Promise<readonly Resolution[]> {
  const [from, others] = [
    conflicts.filter((conflict) => conflict.peer === peer),
    conflicts.filter((conflict) => conflict.peer !== peer),
  ];
  if (from.length === 0) return [];
  return [...(await resolutionsFor(from, 'peer', workspace)), ...(await resolutionsFor(others, 'local', workspace))];
}

async function contentsOf(files: readonly FileName[], workspace: Workspace): Promise<Contents> {
  const contents = new Map<FileName, Digest>();
  for (const file of new Set(files)) {
    try {
      contents.set(file, (await digestsOf(workspace.everything.toDisk(file))).digest);
    } catch (error) {
      // Not there, no regular file, in no group any more: then it has no content to know a decision by.
      if (!(error instanceof CsxError) && !isSystemError(error)) throw error;
    }
  }
  return contents;
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'code' in error;
}

async function readResolutions(file: string): Promise<readonly Resolution[]> {
  let value: unknown;
  try {
    const text = await readFile(file, 'utf8');
    value = /^\s*\{/.test(text) ? JSON.parse(text) : (await import('js-yaml')).load(text);
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new CsxError('USAGE', `Cannot read the resolutions ${file}: ${why ?? ''}.`, {
      hint: 'csx resolve --write FILE writes such a file.',
      cause: error,
    });
  }
  return parseResolutions(value, file);
}
