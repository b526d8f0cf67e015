/**
 * Will the peer refuse a change because it has one of its own? csync2's protocol has no question for that, so the
 * answer is worked out from what the peer shows.
 *
 * A csync2 daemon refuses PATCH, DEL, MKDIR and their like when, after a check of the file on its own disk, any dirty row for the
 * file exists. What that means for what can be seen from here, strongest evidence first:
 *
 *  1. It refused the file already, and the row that says so still stands: certain.
 *  2. Its database (LIST) says something else than its disk (SIG, GETTM): a change nobody scanned there yet. The check will find
 *     it.
 *  3. Both hosts agreed on a state (the baseline) and it shows another: it changed there.
 *  4. There is no baseline (a cluster that csync2 kept so far), but this host had nothing to send until the drift at hand:
 *     what it had before was what the peer had. Another state there means it changed there.
 *  5. Nothing of all that: assumed to be willing. Apply will see.
 *
 * What stays invisible: a peer that passes on to third hosts what it got from here has dirty rows for unchanged files, and refuses.
 */

import { parseCheckText } from '../model/checktxt.js';
import type { CheckText } from '../model/checktxt.js';
import type { RemoteState, SideState } from '../model/plan.js';
import type { Drift } from '../model/scan.js';
import type { Baseline, DirtyRow } from '../model/store.js';
import { compareEntries } from './differences.js';

export type Forecast =
  | { readonly kind: 'willing' }
  /** `because` completes "It is a conflict: ..." */
  | { readonly kind: 'refuses'; readonly certainty: 'certain' | 'predicted'; readonly because: string };

export interface Evidence {
  readonly remote: RemoteState;
  readonly baseline: Baseline | undefined;
  readonly drift: Drift | undefined;
  readonly dirty: DirtyRow | undefined;
}

const WILLING: Forecast = { kind: 'willing' };

/** To be asked only where the two sides differ: what is equal is never refused, since nothing is sent. */
export function foresee({ remote, baseline, drift, dirty }: Evidence): Forecast {
  const there = remote.kind === 'present' ? remote.state : undefined;
  if (dirty?.refused !== undefined) return refuses('certain', 'it refused the file when it was last sent');

  const row = remote.kind === 'present' || remote.kind === 'absent' ? remote.row : 'unasked';
  if (row !== 'unasked' && !isState(there, row, undefined)) {
    if (row === undefined) return refuses('predicted', 'it appeared there');
    return refuses('predicted', there === undefined ? 'it was removed there' : 'it was changed there');
  }

  // A row that stood before the drift means that the peer was behind already: then what was here before says nothing
  // about what is there.
  const settled = drift !== undefined && dirty === undefined;
  if (baseline !== undefined) {
    if (isState(there, baseline.checktxt, baseline)) return WILLING;
    // What is there is what was here: csync2, which keeps no baselines, brought or settled it, or csx sent it and never heard the
    // answer. Nothing but an older version of this host's is overwritten. The times must agree: a check text does not show content.
    if (drift !== undefined && drift.before !== baseline.checktxt && isVeryState(there, drift.before)) return WILLING;
    return refuses('predicted', describe(there, baseline.checktxt));
  }
  // Absent there may just as well mean that the host is new to the group: creating destroys nothing.
  if (
    settled &&
    there !== undefined &&
    !isState({ ...there, entry: { ...there.entry, mtime: undefined } }, drift.before, undefined)
  )
    return refuses(
      'predicted',
      drift.before === undefined ? 'it exists there too' : 'it is another there than it was here',
    );
  return WILLING;
}

function refuses(certainty: 'certain' | 'predicted', because: string): Forecast {
  return { kind: 'refuses', certainty, because };
}

/** Whether a side shows the state a check text tells, as far as both tell. */
export function isState(
  side: SideState | undefined,
  text: CheckText | undefined,
  baseline: Baseline | undefined,
): boolean {
  if (side === undefined || text === undefined) return side === undefined && text === undefined;
  const entry = parseCheckText(text);
  // A row that no check text grammar covers was written by hand: no state equals it.
  if (entry === undefined || compareEntries(side.entry, entry).length > 0) return false;
  if (side.signature !== undefined && baseline?.signature !== undefined && side.signature !== baseline.signature)
    return false;
  return side.digest === undefined || baseline?.digest === undefined || side.digest === baseline.digest;
}

/** The same, with the times known and equal where the type has one. */
function isVeryState(side: SideState | undefined, text: CheckText | undefined): boolean {
  if (!isState(side, text, undefined)) return false;
  return side === undefined || side.entry.type !== 'file' || side.entry.mtime !== undefined;
}

function describe(there: SideState | undefined, agreed: CheckText | undefined): string {
  if (there === undefined) return 'it was removed there since both last agreed';
  if (agreed === undefined) return 'it was created there since both last agreed';
  return 'it was changed there since both last agreed';
}
