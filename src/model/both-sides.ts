/** One file on this host and on a peer, compared: what `csx diff` shows. */

import type { Problem } from './errors.js';
import type { FileDiff } from './file-diff.js';
import { entryJson } from './comparison.js';
import { bytesMember } from './json-value.js';
import type { FileName, PeerName } from './names.js';
import type { Aspect, SideState } from './plan.js';

export interface ComparedSides {
  readonly peer: PeerName;
  readonly path: FileName;
  /** Undefined: it does not exist on that side. */
  readonly here: SideState | undefined;
  readonly there: SideState | undefined;
  /** In what they differ; empty: they are the same, or one does not exist. */
  readonly aspects: readonly Aspect[];
  /** What the peer does not tell, so that nobody knows whether it is the same (csync2 tells no link's target below a prefix). */
  readonly untold: readonly Aspect[];
  /** Undefined: contents do not differ, or there is nothing to compare. */
  readonly diff: FileDiff | undefined;
}

/** The same on both sides, as far as that is told: see `untold`. */
export function isAlike(sides: ComparedSides): boolean {
  return sides.aspects.length === 0 && (sides.here === undefined) === (sides.there === undefined);
}

/** Known to be the same on both sides. */
export function isSame(sides: ComparedSides): boolean {
  return isAlike(sides) && sides.untold.length === 0;
}

/** For programs: states and digests, never contents. */
export function comparedSidesJson(
  host: string,
  compared: readonly ComparedSides[],
  problems: readonly Problem[],
): object {
  return {
    format_version: '1.0',
    host,
    files: compared.map(({ peer, path, here, there, aspects, untold }) => ({
      ...bytesMember('peer', peer),
      ...bytesMember('path', path),
      aspects,
      untold,
      here: entryJson(here?.entry),
      there: entryJson(there?.entry),
    })),
    unreachable: problems.map(({ peer, summary }) => ({ ...bytesMember('peer', peer ?? ''), error: summary })),
  };
}
