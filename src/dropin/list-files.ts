/** -o: the files on this disk that count when hosts are compared, those of `compare` patterns included. */

import { startsOf } from '../engine/scan/selected.js';
import type { Placed } from '../engine/scan/selected.js';
import { Walk } from '../engine/scan/walk.js';
import type { FileName } from '../model/names.js';
import { fileArguments, scopesOf } from './arguments.js';
import { withPlace } from './place.js';
import type { Job } from './place.js';
import { announce, asWalked, checksOf } from './scan-words.js';
import type { Selection } from '../config/selection.js';

export async function listFiles(job: Job): Promise<number> {
  // The database is not needed, but csync2 opens it, and fails where it cannot.
  return withPlace(job, 'read', ({ selection }) => {
    print(job, selection);
    return Promise.resolve(0);
  });
}

function print(job: Job, selection: Selection): void {
  const { options, voice } = job;
  const compared = {
    includes: (file: FileName): boolean => selection.comparedGroupsOf(file).length > 0,
    entered: (file: FileName): boolean => selection.entered(file, true),
    roots: () => selection.roots(true),
    toDisk: (file: FileName) => selection.toDisk(file),
  };
  const files = fileArguments(job, selection, true);
  for (const check of checksOf(files, job)) announce(check, voice);
  const wanted = options.peers?.map((peer) => peer.toLowerCase());
  for (const file of files) {
    const walk = new Walk(compared, startsOf(compared, scopesOf([file], selection, options.recursive, true)));
    const found: Placed[] = [];
    while (walk.next()) {
      const peers = selection.peersOfGroups(selection.comparedGroupsOf(walk.file));
      if (wanted === undefined || peers.some(({ peer }) => wanted.includes(peer)))
        found.push({ file: walk.file, disk: walk.disk });
    }
    for (const problem of walk.problems) voice.error(`ERROR: ${problem.summary}`);
    voice.print(
      asWalked(found)
        .map((each) => `${each.file}\n`)
        .join(''),
    );
  }
}
