/** One file on this host and on a peer, compared: what `csx diff` shows. */

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
  /** Undefined: contents do not differ, or there is nothing to compare. */
  readonly diff: FileDiff | undefined;
}

/** The same on both sides. */
export function isSame(sides: ComparedSides): boolean {
  return sides.aspects.length === 0 && (sides.here === undefined) === (sides.there === undefined);
}

/** For programs: states and digests, never contents. */
export function comparedSidesJson(host: string, compared: readonly ComparedSides[]): object {
  return {
    format_version: '1.0',
    host,
    files: compared.map(({ peer, path, here, there, aspects }) => ({
      ...bytesMember('peer', peer),
      ...bytesMember('path', path),
      aspects,
      here: entryJson(here?.entry),
      there: entryJson(there?.entry),
    })),
  };
}
