/**
 * Both versions of the files whose content a plan would replace, and what it would create, for `--diff`. The peer's comes by TYPE, over
 * a connection for each file, so their number and size are bounded. Reads only.
 */

import type { Selection } from '../../config/selection.js';
import { CsxError } from '../../model/errors.js';
import type { FileDiff, FileDiffs } from '../../model/file-diff.js';
import type { Change, Conflict, Plan } from '../../model/plan.js';
import type { Dialer } from './dial.js';
import { peek } from './peek.js';
import type { Sides } from './peek.js';
import { side } from './side.js';

export interface FileDiffOptions {
  readonly dialer: Dialer;
  readonly selection: Selection;
  /** Files fetched at most. */
  readonly files: number;
  /** Bytes on either side beyond which a file is told by its sizes. */
  readonly bytes: number;
  /** Connections at a time. */
  readonly parallelism: number;
  readonly stop: AbortSignal;
}

/**
 * In the order of the plan: its conflicts, its updates, then what is new, once for all peers that get it. Trouble with one file is told
 * in its place.
 */
export async function fetchDiffs(plan: Plan, options: FileDiffOptions): Promise<FileDiffs> {
  const open = plan.conflicts.filter((conflict) => conflict.resolution === 'none' || conflict.resolution === 'peer');
  const wanted = [...open.map(ofConflict), ...plan.changes.filter((change) => change.action === 'update').map(ofChange)]
    .filter((sides) => sides.local?.entry.type === 'file' && sides.remote?.entry.type === 'file')
    .filter((sides) => sides.content);
  const created = plan.changes.filter(({ action, after }) => action === 'create' && after?.entry.type === 'file');
  wanted.push(...new Map(created.map((change) => [change.path, ofChange(change)])).values());
  const files = await side(wanted.slice(0, options.files), options.parallelism, (sides) => fetchDiff(sides, options));
  return { files, left: Math.max(0, wanted.length - options.files) };
}

interface Wanted extends Sides {
  /** Whether contents differ at all, as far as is known. */
  readonly content: boolean;
}

function ofConflict(conflict: Conflict): Wanted {
  return { ...conflict, content: true };
}

function ofChange(change: Change): Wanted {
  const { peer, me, path } = change;
  return { peer, me, path, local: change.after, remote: change.before, content: change.aspects.includes('content') };
}

/** Both contents of one file, or why they are not shown. */
export async function fetchDiff(
  sides: Sides,
  options: Pick<FileDiffOptions, 'dialer' | 'selection' | 'bytes' | 'stop'>,
): Promise<FileDiff> {
  const { peer, me, path } = sides;
  const place = { peer, me, path };
  if (options.selection.isSensitive(path)) return { ...place, kind: 'masked' };
  const isNew = sides.remote === undefined && sides.local?.entry.type === 'file';
  const [there, here] = [sides.remote?.entry.size ?? 0, sides.local?.entry.size ?? 0];
  if (Math.max(there, here) > options.bytes) return { ...place, kind: 'large', there: isNew ? undefined : there, here };
  try {
    const versions = await peek(sides, options);
    if (isNew && versions.here !== undefined) return { ...place, kind: 'created', here: versions.here };
    if (versions.there === undefined || versions.here === undefined) {
      return { ...place, kind: 'unknown', why: 'It is no regular file any more.' };
    }
    return { ...place, kind: 'contents', there: versions.there, here: versions.here };
  } catch (error) {
    if (!(error instanceof CsxError) || options.stop.aborted) throw error;
    return { ...place, kind: 'unknown', why: error.message };
  }
}
