/**
 * What a group's auto method weighs of a file on both sides, where the check texts leave it out: the times of directories and links, the
 * sizes of directories, and of links below a prefix. csync2 takes what lstat(2) says here and GETTM or GETSZ says there.
 */

import type { Entry } from '../../model/entry.js';
import type { DiskPath, FileName } from '../../model/names.js';
import type { Weights } from '../../model/plan.js';
import type { Candidate } from '../../planner/candidates.js';
import { weighed, weightOf } from '../../planner/method.js';
import type { Connection } from '../net/connection.js';
import { wholeSeconds } from '../scan/local-state.js';
import { lstat } from '../scan/lstat.js';

interface Asking {
  readonly connection: Connection;
  readonly toDisk: (file: FileName) => DiskPath;
}

/**
 * @param there what the peer has, as SIG tells it: of a regular file its time is told by GETTM in any case
 * @returns undefined: nothing is weighed, or the states tell it
 */
export async function weightsOf(candidate: Candidate, there: Entry, asking: Asking): Promise<Weights | undefined> {
  const { local, group } = candidate;
  const what = weighed(group.auto);
  if (what === undefined || local === undefined) return undefined;
  if (weightOf(what, local.entry) !== undefined && weightOf(what, there) !== undefined) return undefined;
  const here = weightHere(what, asking.toDisk(candidate.file));
  const answer = await askDecimal(what === 'time' ? 'GETTM' : 'GETSZ', candidate, asking);
  return here === undefined || answer === undefined || answer < 0 ? undefined : { here, there: answer };
}

/** The peer's answer to GETTM or GETSZ; undefined: it has none. */
export async function askDecimal(
  verb: 'GETTM' | 'GETSZ',
  candidate: Candidate,
  { connection }: Pick<Asking, 'connection'>,
): Promise<number | undefined> {
  const answer = await connection.request(verb, { key: candidate.group.key.secret(), file: candidate.file });
  return answer.kind === 'decimal' ? answer.value : undefined;
}

function weightHere(what: 'time' | 'size', disk: DiskPath): number | undefined {
  try {
    const stats = lstat(disk);
    return stats && (what === 'time' ? wholeSeconds(stats.mtimeNs) : Number(stats.size));
  } catch {
    // It cannot be looked at (any more): apply will say so.
    return undefined;
  }
}
