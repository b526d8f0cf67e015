/** What sessions work on and share: configurations as they are served, locks on files, clock, log, environment. */

import type { Selection } from '../../config/selection.js';
import type { Config } from '../../model/config.js';
import type { PeerName } from '../../model/names.js';
import type { Store } from '../../model/store.js';
import type { ActionRunner } from './action-runner.js';
import type { FileLocks } from './file-locks.js';
import type { Journal } from './journal.js';
import type { Log } from './log.js';
import type { Maker } from './maker.js';
import type { ToldSignatures } from './told-signatures.js';

/** A configuration opened for serving. */
export interface Opened {
  readonly config: Config;
  readonly selection: Selection;
  /** Opened for writing. */
  readonly store: Store;
}

/** An opened configuration with what its sessions share. */
export interface Served extends Opened {
  readonly locks: FileLocks;
  readonly actions: ActionRunner;
  readonly journal: Journal;
  readonly signatures: ToldSignatures;
}

/** What a session needs of the daemon it belongs to. */
export interface Services {
  /** The configuration of that name; '' is the default one. Rejects with CsxError when it cannot be used. */
  serve(configName: string): Promise<Served>;
  /** Whether a look-up of the name yields the address a connection comes from. Fails closed. */
  readonly resolvesTo: (name: string, address: string) => Promise<boolean>;
  readonly log: Log;
  /** Makes the files of packs. */
  readonly maker: Maker;
  /** Unix milliseconds. */
  readonly now: () => number;
  /** False: this host has no certificate, so SSL is refused. */
  readonly tls: boolean;
}

/** Who is at the other end, once HELLO has succeeded. */
export interface Client {
  /** The name under which it lists this host. Lower case. */
  readonly name: PeerName;
  readonly address: string;
}
