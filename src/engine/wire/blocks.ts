/**
 * Where two listings (what LIST tells: check texts and stored names, in the order of the names) differ, from the digests of their blocks
 * (block-maker.ts): what ROWS is asked for behind DIGEST (docs/extensions.md).
 */

import type { StoredName } from '../../model/names.js';
import type { Block, Stretch } from '../../model/store.js';

/** Behind a name, up to and with another; undefined: from the start, to the end. */
export interface Between {
  readonly after: StoredName | undefined;
  readonly until: StoredName | undefined;
}

/** The words of ROWS. No stored name is `-`: they begin with `/` or `%`. */
export function betweenWords({ after, until }: Between): { readonly after: string; readonly until: string } {
  return { after: after ?? '-', until: until ?? '-' };
}

export function betweenOf({ after, until }: { readonly after: string; readonly until: string }): Between {
  const name = (word: string): StoredName | undefined => (word === '-' ? undefined : (word as StoredName));
  return { after: name(after), until: name(until) };
}

/** The same as a stretch: the first string behind a name is the name with a zero byte. */
export function stretchOf({ after, until }: Between): Stretch {
  return {
    from: (after === undefined ? '' : `${after}\0`) as StoredName,
    before: until === undefined ? undefined : (`${until}\0` as StoredName),
  };
}

/** Where two listings differ, in order, from their blocks: everything outside of these is the same on both sides. */
export function differingParts(here: readonly Block[], there: readonly Block[]): readonly Between[] {
  const parts: Between[] = [];
  let [left, right] = [0, 0];
  /** Behind it both sides have not been compared. */
  let after: StoredName | undefined;
  /** Whether both lists stand right behind `after`, with nothing different since. */
  let level = true;
  for (;;) {
    const [ours, theirs] = [here[left], there[right]];
    if (ours === undefined && theirs === undefined) break;
    if (ours !== undefined && theirs?.last === ours.last) {
      if (!level || ours.digest !== theirs.digest) parts.push({ after, until: ours.last });
      [left, right, after, level] = [left + 1, right + 1, ours.last, true];
      continue;
    }
    level = false;
    if (theirs === undefined || (ours !== undefined && ours.last < theirs.last)) left++;
    else right++;
  }
  if (!level) parts.push({ after, until: undefined });
  return joined(parts);
}

/** Neighbours as one. */
function joined(parts: readonly Between[]): readonly Between[] {
  const wide: Between[] = [];
  for (const part of parts) {
    const before = wide.at(-1);
    if (before !== undefined && before.until === part.after) wide[wide.length - 1] = { ...before, until: part.until };
    else wide.push(part);
  }
  return wide;
}
