/** Opens what nearly every verb works on: the configuration, what it selects, and the state. */

import os from 'node:os';
import { loadConfig } from '../config/load.js';
import { Selection } from '../config/selection.js';
import { Journal } from '../engine/daemon/journal.js';
import { openStore } from '../engine/state/open.js';
import type { Config } from '../model/config.js';
import type { PeerName } from '../model/names.js';
import type { Store } from '../model/store.js';
import type { ChoiceFlags, PlaceFlags } from './flags.js';

export interface Workspace {
  readonly config: Config;
  /** Everything this host has to do with: what is recorded and marked goes by it. */
  readonly everything: Selection;
  /** Limited to `--group` and `--peer`: what is shown and sent goes by it. */
  readonly chosen: Selection;
  /** The peers named by `--peer`; undefined: all. */
  readonly peers: readonly PeerName[] | undefined;
  readonly store: Store;
}

/** The configuration for this host. */
export async function openConfig(flags: PlaceFlags): Promise<Config> {
  return loadConfig({
    systemDirectory: flags['system-dir'],
    host: (flags.hostname ?? os.hostname()).toLowerCase(),
    ...(flags.config === undefined ? {} : { file: flags.config }),
    ...(flags['config-name'] === undefined ? {} : { configName: flags['config-name'] }),
  });
}

/** Opens a workspace and closes it when `work` is done, however it ends. */
export async function withWorkspace<T>(
  flags: PlaceFlags & Partial<ChoiceFlags> & { readonly 'lock-timeout'?: number | undefined },
  access: 'read' | 'write',
  work: (workspace: Workspace) => Promise<T>,
): Promise<T> {
  const config = await openConfig(flags);
  const everything = new Selection(config);
  const chosen = new Selection(config, { groups: flags.group ?? [], peers: flags.peer ?? [] });
  const database = flags.database ?? config.database;
  const store = await openStore({
    host: config.host,
    access,
    lockTimeout: flags['lock-timeout'] ?? config.lockTimeout,
    ...(database === undefined ? {} : { database }),
    ...(flags['config-name'] === undefined ? {} : { configName: flags['config-name'] }),
  });
  try {
    // What a daemon that was killed has left would look like changes of this host.
    if (access === 'write') await new Journal({ config, selection: everything, store }, Date.now).settle();
    const peers = flags.peer === undefined ? undefined : chosen.peers();
    return await work({ config, everything, chosen, peers, store });
  } finally {
    await store.close();
  }
}
