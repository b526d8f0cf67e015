/** Opens what a mode works on: this host's configuration, what it selects, and the database, as csync2's options name them. */

import { existsSync, readFileSync } from 'node:fs';
import { loadConfig } from '../config/load.js';
import { Selection } from '../config/selection.js';
import { openStore } from '../engine/state/open.js';
import type { Config } from '../model/config.js';
import { CsxError } from '../model/errors.js';
import { fromText } from '../model/names.js';
import type { PeerName } from '../model/names.js';
import type { Lock, Store } from '../model/store.js';
import type { Options } from './options.js';
import type { Voice } from './voice.js';

/** What of the process a run depends on. */
export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The system's host name. */
  readonly hostname: string;
  readonly cwd: string;
  readonly pid: number;
  /** Unix milliseconds. */
  readonly now: () => number;
}

/** What every mode is given. */
export interface Job {
  readonly options: Options;
  readonly voice: Voice;
  readonly around: Surroundings;
  /** Fires at the first SIGINT or SIGTERM. */
  readonly stop: AbortSignal;
}

export interface Place {
  readonly config: Config;
  /** Everything this host has to do with, or with -G the groups named. */
  readonly selection: Selection;
  /** -P, those that are peers; undefined: all. */
  readonly peers: readonly PeerName[] | undefined;
  readonly store: Store;
}

const SERVICES = '/etc/services';

export const systemDirectory = (around: Surroundings): string => around.environment['CSYNC2_SYSTEM_DIR'] ?? '/etc';

/** Opens, works, closes. */
export async function withPlace<T>(job: Job, access: 'read' | 'write', work: (place: Place) => Promise<T>): Promise<T> {
  const { options, voice, around } = job;
  const config = await openConfig(job);
  const selection = new Selection(config, { groups: knownGroups(config, options) });
  const store = await openStore({
    host: config.host,
    access,
    lockTimeout: config.lockTimeout,
    database: options.database ?? config.database,
    configName: options.configName,
    onProblem: (problem) => {
      voice.say(0, `WARNING: ${fromText(problem.summary)}`);
    },
    now: around.now,
  });
  sayDatabase(store, voice);
  try {
    if (access === 'write') {
      const { Journal } = await import('../engine/daemon/journal.js');
      await new Journal({ config, selection: new Selection(config), store }, around.now).settle();
    }
    return await work({ config, selection, peers: chosenPeers(selection, options), store });
  } finally {
    await store.close();
  }
}

/** Waits for the lock that lets one run at a time change this host's state; a signal ends that. The caller releases it. */
export function lockRun({ around, stop }: Job, store: Store): Promise<Lock> {
  return store.lock('apply', { pid: around.pid, command: 'csync2', since: around.now() }, undefined, stop);
}

/** Throws CsxError. */
export async function openConfig(job: Pick<Job, 'options' | 'voice' | 'around'>): Promise<Config> {
  const { options, voice, around } = job;
  if (options.configName !== undefined && !/^[a-z0-9]+$/.test(options.configName))
    throw new CsxError('USAGE', 'Config names are limited to [a-z0-9]+.');
  const config = await loadConfig({
    systemDirectory: systemDirectory(around),
    host: (options.hostname ?? around.hostname).toLowerCase(),
    configName: options.configName,
  });
  sayConfig(config, voice);
  return config;
}

export function sayConfig(config: Config, voice: Voice): void {
  voice.say(2, `Config-File:   ${config.files[0] ?? ''}`);
  for (const prefix of config.prefixes) {
    if (prefix.path !== undefined) voice.say(2, `Prefix '${prefix.name}' is set to '${prefix.path}'.`);
  }
  voice.say(2, `My hostname is ${config.host}.`);
}

export function sayDatabase(store: Pick<Store, 'location'>, voice: Voice): void {
  voice.say(2, `Database-File: sqlite3://${store.location}`);
}

/** -p: a number, or the name of a service, as getaddrinfo(3) takes it. */
export function portOf({ port }: Options): number {
  const number = /^\d{1,5}$/.test(port) ? Number(port) : servicePort(port);
  if (number !== undefined && number > 0 && number < 65536) return number;
  throw new CsxError('USAGE', `There is no TCP port ${port}.`, {
    hint: 'Give a number from 1 to 65535 after -p, or a name that /etc/services has.',
  });
}

/** From /etc/services: `NAME PORT/tcp ALIAS...`. */
function servicePort(name: string): number | undefined {
  const lines = existsSync(SERVICES) ? readFileSync(SERVICES, 'latin1').split('\n') : [];
  for (const line of lines) {
    const [first, place = '', ...aliases] = line.replace(/#.*/, '').trim().split(/\s+/);
    if ((first === name || aliases.includes(name)) && place.endsWith('/tcp')) return Number.parseInt(place, 10);
  }
  return undefined;
}

/** -G; names that are no groups count for nothing, but one has to be. */
function knownGroups(config: Config, { groups }: Options): readonly string[] {
  const known = config.groups.map((group) => group.name).filter((name) => groups?.includes(name) ?? true);
  if (known.length > 0) return known;
  throw new CsxError('UNKNOWN_TARGET', `This host (${config.host}) is not a member of any configured group.`, {
    hint: `It is a member of: ${config.groups.map((group) => group.name).join(', ')}.`,
  });
}

function chosenPeers(selection: Selection, { peers }: Options): readonly PeerName[] | undefined {
  if (peers === undefined) return undefined;
  const wanted = new Set(peers.map((name) => name.toLowerCase()));
  return selection.peers().filter((peer) => wanted.has(peer));
}
