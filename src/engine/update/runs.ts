/** A host may bear different names toward one peer in different groups: each needs a HELLO of its own. */

import type { PeerName } from '../../model/names.js';

/** What goes to a peer under one name, in order. */
export interface RunOfName<T> {
  readonly me: PeerName;
  readonly items: readonly T[];
}

/** The items in their order, as runs of those with the same name. */
export function runsOfName<T extends { readonly me: PeerName }>(items: readonly T[]): readonly RunOfName<T>[] {
  const runs: { me: PeerName; items: T[] }[] = [];
  for (const item of items) {
    const last = runs.at(-1);
    if (last?.me === item.me) last.items.push(item);
    else runs.push({ me: item.me, items: [item] });
  }
  return runs;
}
