/** `--diff` of plan and apply: the flag, and what is fetched for it. */

import { Flags } from '@oclif/core';
import type { Interfaces } from '@oclif/core';
import { fetchDiffs } from '../engine/update/file-diffs.js';
import type { Dialer } from '../engine/update/dial.js';
import { CsxError } from '../model/errors.js';
import type { FileDiffs } from '../model/file-diff.js';
import type { Plan } from '../model/plan.js';
import type { Watch } from './planning.js';
import type { Workspace } from './workspace.js';

/** Files fetched at most, and their largest size in bytes: each is a connection, and somebody is to read them. */
const FILES = 50;
const BYTES = 256 * 1024;
const CONNECTIONS = 4;

export const diffFlags = {
  diff: Flags.boolean<boolean>({
    summary: 'Show what would change within text files, and what new ones hold.',
    description: `Fetches the peers' versions, and reads new files here, ${FILES} files at most. Contents of files under sensitive patterns are not fetched, and diffs are never saved.`,
    default: false,
    exclusive: ['offline'],
    helpGroup: 'FORMAT',
  }),
} satisfies Interfaces.FlagInput;

/** Diffs are for people: contents stay out of what is kept and passed on. Throws CsxError USAGE. */
export function refuseDiff(flags: { readonly diff: boolean; readonly json: boolean; readonly format?: string }): void {
  if (!flags.diff || (!flags.json && (flags.format ?? 'human') === 'human')) return;
  throw new CsxError('USAGE', '--diff is for people: it cannot be combined with --json or another format.', {
    hint: 'Leave out one of the two.',
  });
}

/** Undefined without `--diff`. */
export async function diffsFor(
  plan: Plan,
  flags: { readonly diff: boolean },
  workspace: Workspace,
  dialer: Dialer,
  watch: Watch,
): Promise<FileDiffs | undefined> {
  if (!flags.diff) return undefined;
  return fetchDiffs(plan, {
    dialer,
    selection: workspace.everything,
    files: FILES,
    bytes: BYTES,
    parallelism: CONNECTIONS,
    stop: watch.stop,
  });
}
