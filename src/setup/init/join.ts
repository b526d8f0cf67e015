/** A further host joins: configuration and key were copied from another, and what is each host's own is made here. */

import path from 'node:path';
import { loadConfig } from '../../config/load.js';
import type { LoadOptions } from '../../config/load.js';
import { Selection } from '../../config/selection.js';
import { databasePath } from '../../engine/state/location.js';
import type { Config } from '../../model/config.js';
import { display } from '../../model/names.js';
import { makeDirectory, provideCertificate, Undo } from './lay-down.js';
import type { LaidDown } from './lay-down.js';

export interface Joined {
  readonly config: Config;
  readonly files: readonly LaidDown[];
}

/** Fails as loading the configuration does, before anything is made; what is there is never changed. */
export async function join(place: LoadOptions, database: string | undefined, now: number): Promise<Joined> {
  const config = await loadConfig(place);
  const selection = new Selection(config);
  const encrypts = selection.peers().some((peer) => !selection.plaintextAllowed(config.host, peer));
  const location = databasePath({
    database: database ?? config.database,
    host: config.host,
    configName: place.configName,
  });
  const undo = new Undo();
  let made: readonly LaidDown[];
  try {
    const directories = makeDirectory(path.dirname(location), 0o700, 'directory of the database', undo);
    const certificate = encrypts ? await provideCertificate(config.systemDirectory, now) : [];
    made = [...certificate, ...directories];
  } catch (error) {
    undo.run();
    throw error;
  }
  const keys = [...new Set(config.groups.map((group) => group.key.file))];
  return {
    config,
    files: [
      ...config.files.map((file) => ({
        path: display(file),
        what: 'configuration, the same on all hosts',
        made: false,
      })),
      ...keys.map((file) => ({ path: display(file), what: 'key, the same on all hosts', made: false })),
      ...made,
    ],
  };
}
