/** The key a change is sent with. */

import type { Selection } from '../../config/selection.js';
import { CsxError } from '../../model/errors.js';
import type { Change } from '../../model/plan.js';

/** The text of the key a change is sent with. Throws CsxError PLAN_MISMATCH when no group holds file and peer together any more. */
export function keyOf(change: Pick<Change, 'peer' | 'path'>, selection: Selection): string {
  const route = selection.peersOf(change.path).find((each) => each.peer === change.peer);
  if (route === undefined) {
    throw new CsxError(
      'PLAN_MISMATCH',
      `No group of this host holds ${change.path} together with ${change.peer} any more.`,
      {
        hint: 'The configuration was changed since the plan was made: plan again.',
      },
    );
  }
  return route.group.key.secret();
}
