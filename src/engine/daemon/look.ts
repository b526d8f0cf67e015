/** LOOK: which of many names are free. SIG and LIST say the same of one, and more; here only the plain answers are given. */

import type { FileName, PeerName } from '../../model/names.js';
import { within } from '../files/confined.js';
import { Parents } from '../scan/parents.js';
import type { Look } from '../wire/look.js';
import { authoriser } from './authorise.js';
import type { Served } from './served.js';

/** One answer for each name, in order. What cannot be looked at is to be asked for with SIG, whose refusal says why. */
export async function lookFor(
  files: readonly (FileName | undefined)[],
  key: string,
  client: PeerName,
  { selection, store }: Served,
): Promise<readonly Look[]> {
  const authorise = authoriser(selection, client, key);
  const parents = new Parents();
  const look = (file: FileName | undefined): Look => {
    const verdict = file === undefined ? undefined : authorise(file);
    if (verdict?.kind !== 'allowed') return 'ask';
    try {
      const above = parents.of(verdict.disk);
      if (above.kind === 'missing') return 'parent-missing';
      if (above.kind !== 'directories') return 'ask';
      return within(verdict.disk, (directory, name) => directory.lstat(name)) === undefined ? 'absent' : 'ask';
    } catch {
      return 'ask';
    }
  };
  const looks = files.map(look);
  const absent = files.filter((file, index) => file !== undefined && looks[index] === 'absent');
  const known = await store.known(absent.filter((file) => file !== undefined));
  return looks.map((found, index) => {
    const file = files[index];
    return found === 'absent' && file !== undefined && known.has(file) ? 'ask' : found;
  });
}
