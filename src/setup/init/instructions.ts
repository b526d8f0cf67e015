/** What is to be copied where and typed there, as commands that a shell takes as they are. Pure. */

import { quoteWord } from '../../model/shell.js';
import { addressOf, nameOf } from './wish.js';

export interface Instructions {
  /** On this host. */
  readonly here: readonly string[];
  readonly others: readonly HostInstructions[];
}

export interface HostInstructions {
  readonly host: string;
  /** Run on this host. */
  readonly copy: readonly string[];
  /** Run on that host. */
  readonly commands: readonly string[];
}

export interface InstructionPlace {
  /** This host's name. */
  readonly host: string;
  readonly hosts: readonly string[];
  /** The files that are the same on all hosts. */
  readonly files: readonly string[];
  readonly systemDirectory: string;
  readonly configName: string | undefined;
  /** -D, when it was given. */
  readonly database: string | undefined;
  /** Whether -N was needed here: then it is needed elsewhere too. */
  readonly named: boolean;
}

const DEFAULT_SYSTEM_DIRECTORY = '/etc';

export function instructions(place: InstructionPlace): Instructions {
  const others = place.hosts.filter((host) => nameOf(host) !== place.host);
  return {
    here: ['daemon', 'plan', 'apply'].map((verb) => csx(verb, place.host, place)),
    others: others.map((host) => ({
      host: nameOf(host),
      copy: copies(addressOf(host), place),
      commands: ['init --join', 'daemon'].map((verb) => csx(verb, nameOf(host), place)),
    })),
  };
}

function copies(address: string, { files, systemDirectory }: InstructionPlace): readonly string[] {
  const target = `root@${address.includes(':') ? `[${address}]` : address}:${systemDirectory}/`;
  const copy = `scp -p ${[...files, target].map(quoteWord).join(' ')}`;
  if (systemDirectory === DEFAULT_SYSTEM_DIRECTORY) return [copy];
  // The shell over there reads it a second time.
  return [`ssh ${quoteWord(`root@${address}`)} ${quoteWord(`mkdir -p ${quoteWord(systemDirectory)}`)}`, copy];
}

/** A csx command line for a host. */
export function csx(verb: string, host: string, place: Omit<InstructionPlace, 'hosts' | 'files' | 'host'>): string {
  const words = ['csx', ...verb.split(' ')];
  if (place.systemDirectory !== DEFAULT_SYSTEM_DIRECTORY) words.push('--system-dir', place.systemDirectory);
  if (place.configName !== undefined) words.push('-C', place.configName);
  if (place.named) words.push('-N', host);
  if (place.database !== undefined) words.push('-D', place.database);
  return words.map(quoteWord).join(' ');
}
