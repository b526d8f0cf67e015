/**
 * What a slave changed. Its masters take nothing from it, but csync2's client offers it all the same, and the answer is that the
 * master marks the file for the slave: the master's next update puts it right again.
 */

import type { Dialer } from '../engine/update/dial.js';
import { CsxError } from '../model/errors.js';
import { fromText } from '../model/names.js';
import type { DirtyRow } from '../model/store.js';
import { headline } from './transcript.js';
import type { Job, Place } from './place.js';

/** Offers the rows that are for masters; each stays marked and counts as an error, as with csync2. A dry run offers nothing. */
export async function offerAsSlave(job: Job, place: Place, dialer: Dialer, rows: readonly DirtyRow[]): Promise<void> {
  const offers = rows.flatMap((row) => {
    const route = place.selection.peersOf(row.file).find((each) => each.peer === row.peer);
    return route?.slave === true ? [{ row, route }] : [];
  });
  for (const peer of new Set(offers.map(({ row }) => row.peer))) {
    const own = offers.filter(({ row }) => row.peer === peer);
    const [first] = own;
    if (first === undefined) continue;
    job.voice.errors += own.length;
    if (job.options.dryRun) continue;
    try {
      const { connection } = await dialer.dial(peer, first.route.me);
      try {
        for (const { row, route } of own) {
          job.voice.say(1, headline({ path: row.file, peer }, false));
          await connection.request('SIG', { key: route.group.key.secret(), file: row.file });
          job.voice.say(1, 'File stays in dirty state. Try again later...');
        }
        await connection.bye();
      } finally {
        connection.destroy();
      }
    } catch (error) {
      if (!(error instanceof CsxError)) throw error;
      job.voice.say(0, `ERROR: Connection to remote host \`${peer}' failed.`);
      job.voice.say(2, fromText(error.message));
    }
  }
}
