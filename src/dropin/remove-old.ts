/** -R: removes rows that the configuration does not hold any more. */

import { staleRows } from '../engine/update/stale-rows.js';
import { CsxError } from '../model/errors.js';
import { storedName } from '../model/encoding.js';
import { runPending } from './actions.js';
import { withPlace } from './place.js';
import type { Job } from './place.js';

export async function removeOld(job: Job): Promise<number> {
  if (job.options.groups !== undefined) throw new CsxError('USAGE', 'Never run -R with -G!');
  return withPlace(job, 'write', async (place) => {
    const { store, selection } = place;
    const stale = await staleRows(store, selection);
    for (const row of stale.dirty) job.voice.say(1, `Removing ${storedName(row.file)} (${row.peer}) from dirty db.`);
    for (const file of stale.files) job.voice.say(1, `Removing ${storedName(file)} from file db.`);
    if (stale.writes.length > 0) await store.write(stale.writes);
    await runPending(job, place);
    return 0;
  });
}
