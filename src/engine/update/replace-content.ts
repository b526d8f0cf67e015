/** Gives a file here new content, as a merge made it: the old one is kept, owner and mode stay. */

import type { Selection } from '../../config/selection.js';
import type { Config } from '../../model/config.js';
import { CsxError } from '../../model/errors.js';
import type { DiskPath } from '../../model/names.js';
import { display } from '../../model/names.js';
import type { Conflict } from '../../model/plan.js';
import type { LocalState } from '../../model/scan.js';
import type { Store } from '../../model/store.js';
import { writeFailure } from '../files/failure.js';
import { stageFile } from '../files/stage.js';
import { lookAt } from '../scan/local-state.js';
import { commitOne, keep } from './place.js';

export interface ReplaceOptions {
  readonly config: Config;
  readonly selection: Selection;
  readonly store: Store;
}

/** The conflict's file as it stands here now. Throws CsxError PLAN_STALE when it is no longer the one the conflict is about. */
export function standing(conflict: Conflict, { config, selection }: ReplaceOptions): LocalState {
  const now = lookAt(selection.toDisk(conflict.path), conflict.path, config.ignore);
  if (now === undefined || now.checktxt !== conflict.local?.checktxt) throw stale(conflict);
  return now;
}

/**
 * Replaces the content of the conflict's file.
 * @param before as `standing` found it when its content was read
 * @returns where the old content is kept
 * @throws CsxError PLAN_STALE when it has been written to since
 */
export async function replaceContent(
  conflict: Conflict,
  content: Uint8Array,
  before: LocalState,
  options: ReplaceOptions,
): Promise<DiskPath | undefined> {
  const disk = options.selection.toDisk(conflict.path);
  const staged = stageFile(disk, { temporaryDirectory: options.config.temporaryDirectory });
  try {
    staged.write(content);
    const { mode, uid, gid } = before.entry;
    staged.dress({ mode, uid, gid });
    const kept = await keep(conflict.path, options);
    await commitOne(staged, () => {
      if (standing(conflict, options).stamp !== before.stamp) throw stale(conflict);
    });
    return kept;
  } catch (error) {
    throw writeFailure(error, disk);
  } finally {
    staged.discard();
  }
}

function stale(conflict: Conflict): CsxError {
  return new CsxError(
    'PLAN_STALE',
    `${display(conflict.path)} was changed here meanwhile; the merge was not put in its place.`,
    {
      hint: 'Merge again, from what is there now.',
      data: { path: display(conflict.path) },
    },
  );
}
