/** -o: the files on this disk that count when hosts are compared, those of `compare` patterns included. */

import { startsOf } from '../engine/scan/selected.js';
import type { Placed } from '../engine/scan/selected.js';
import { Walk } from '../engine/scan/walk.js';
import type { FileName } from '../model/names.js';
import { fileArguments, scopesOf } from './arguments.js';
import { openConfig } from './place.js';
import type { Job } from './place.js';
import { Selection } from '../config/selection.js';

export async function listFiles(job: Job): Promise<number> {
  const { options, voice } = job;
  const selection = new Selection(await openConfig(job), { groups: options.groups ?? [] });
  const compared = {
    includes: (file: FileName): boolean => selection.comparedGroupsOf(file).length > 0,
    entered: (file: FileName): boolean => selection.entered(file, true),
    roots: () => selection.roots(true),
    toDisk: (file: FileName) => selection.toDisk(file),
  };
  const scopes = scopesOf(fileArguments(job, selection, true), selection, options.recursive, true);
  const wanted = options.peers?.map((peer) => peer.toLowerCase());
  const walk = new Walk(compared, startsOf(compared, scopes));
  const found: Placed[] = [];
  while (walk.next()) {
    const peers = selection.peersOfGroups(selection.comparedGroupsOf(walk.file));
    if (wanted === undefined || peers.some(({ peer }) => wanted.includes(peer)))
      found.push({ file: walk.file, disk: walk.disk });
  }
  for (const problem of walk.problems) voice.error(`ERROR: ${problem.summary}`);
  voice.print(
    inCsync2Order(found)
      .map((file) => `${file}\n`)
      .join(''),
  );
  return 0;
}

/** csync2 goes through every directory backwards, a directory before what is in it, wherever a prefix puts it. */
function inCsync2Order(files: readonly Placed[]): readonly FileName[] {
  return files
    .map(({ file, disk }) => ({ file, parts: disk.split('/') }))
    .sort((a, b) => compareBackwards(a.parts, b.parts))
    .map(({ file }) => file);
}

function compareBackwards(a: readonly string[], b: readonly string[]): number {
  for (let index = 0; index < Math.min(a.length, b.length); index++) {
    const [left = '', right = ''] = [a[index], b[index]];
    if (left !== right) return left < right ? 1 : -1;
  }
  return a.length - b.length;
}
