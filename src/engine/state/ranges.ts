/** Scopes as ranges of stored names. Names sort bytewise, so everything below `x` lies from `x/` up to `x0`: `0` follows `/`. */

import { storedName } from '../../model/encoding.js';
import { compareBytes } from '../../model/names.js';
import type { Scope, Stretch } from '../../model/store.js';

/** Stored names from `low` on, up to and without `high`; `high` undefined: to the end. */
export interface Range {
  readonly low: string;
  readonly high: string | undefined;
}

const EVERYTHING: readonly Range[] = [{ low: '', high: undefined }];

/** The ranges that hold what the scopes name: in order, none touching another. Undefined stands for everything. */
export function rangesOf(scopes: readonly Scope[] | undefined): readonly Range[] {
  if (scopes === undefined) return EVERYTHING;
  const ranges = scopes.flatMap(rangesOfScope).sort((a, b) => compareBytes(a.low, b.low));
  const merged: { low: string; high: string }[] = [];
  for (const range of ranges) {
    const last = merged.at(-1);
    if (last === undefined || range.low > last.high) merged.push({ ...range });
    else if (range.high > last.high) last.high = range.high;
  }
  return merged;
}

/** What of the ranges lies in the stretch. */
export function clip(ranges: readonly Range[], { from, before }: Stretch): readonly Range[] {
  return ranges
    .map(({ low, high }) => ({
      low: low < from ? from : low,
      high: before !== undefined && (high === undefined || high > before) ? before : high,
    }))
    .filter(({ low, high }) => high === undefined || low < high);
}

function rangesOfScope({ file, recursive }: Scope): readonly { readonly low: string; readonly high: string }[] {
  const stored = storedName(file);
  // The first string after `stored`: what follows it in order starts with it and a byte more.
  const alone = { low: stored, high: `${stored}\0` };
  if (!recursive) return [alone];
  if (stored === '/') return [{ low: '/', high: '0' }];
  return [alone, { low: `${stored}/`, high: `${stored}0` }];
}
