/** The configuration, resolved for one host. config/ makes it from csync2.cfg or csx.yaml; the rest of csx only reads it. */

import type { Ignore } from './entry.js';
import type { SourceRange } from './errors.js';
import type { Bytes, DiskPath, PeerName } from './names.js';

/** How the sender settles a file that both sides changed (`auto METHOD;`). */
export type AutoMethod = 'none' | 'first' | 'younger' | 'older' | 'bigger' | 'smaller' | 'left' | 'right';

export interface Config {
  /** This host's name, lower case: `-N` or the system's. */
  readonly host: string;
  /** The groups that list this host, in the order of declaration. Never empty. */
  readonly groups: readonly Group[];
  /** Names of the groups that do not list it. */
  readonly otherGroups: readonly string[];
  readonly prefixes: readonly Prefix[];
  readonly nossl: readonly NosslRule[];
  readonly ignore: Ignore;
  /** `database` statement, as written. */
  readonly database: string | undefined;
  /** `tempdir` statement. */
  readonly temporaryDirectory: DiskPath | undefined;
  /** Seconds to wait for the database. */
  readonly lockTimeout: number;
  /** The directory relative key names are taken from. */
  readonly systemDirectory: string;
  /** The configuration's files, the main one first. */
  readonly files: readonly string[];
  /** SHA-256 over the resolved configuration, keys left out: equal means the same meaning on this host. */
  readonly hash: string;
}

export interface Group {
  readonly name: string;
  readonly range: SourceRange;
  /** This host's name in the group. */
  readonly me: PeerName;
  /** This host is a slave here: it receives only. */
  readonly slave: boolean;
  /** All members in the order of the host list, this host included; `auto left` and `right` go by it. */
  readonly members: readonly Member[];
  readonly key: Key;
  /** include, exclude and compare patterns in the order of the file. */
  readonly patterns: readonly Pattern[];
  readonly auto: AutoMethod;
  readonly backup: Backup | undefined;
  readonly actions: readonly ActionRule[];
  /** csx only: at most this share of the group's files (percent) or this many may be deleted on a peer by one plan. */
  readonly maxDelete: Limit | undefined;
  /** csx only: patterns of files whose diffs are masked. */
  readonly sensitive: readonly Bytes[];
}

export interface Member {
  /** The host, lower case. */
  readonly host: string;
  /** The name it is reached and names itself by. */
  readonly name: PeerName;
  readonly slave: boolean;
  readonly self: boolean;
}

/** A pre-shared key. The text leaves this object only through `secret()`: it does not print, log or serialise. */
export interface Key {
  readonly file: string;
  secret(): string;
}

export interface Pattern {
  readonly kind: 'include' | 'exclude' | 'compare';
  /** As written, less trailing slashes. */
  readonly text: Bytes;
  readonly range: SourceRange;
}

export interface ActionRule {
  /** None: every file of the group. */
  readonly patterns: readonly Bytes[];
  readonly commands: readonly Bytes[];
  readonly logfile: Bytes;
  /** plain, do-local, do-local-only */
  readonly where: 'peers' | 'everywhere' | 'here';
  /** csx only; seconds. */
  readonly timeout: number | undefined;
  readonly range: SourceRange;
}

export interface Backup {
  readonly directory: DiskPath;
  readonly generations: number;
}

export interface Limit {
  readonly value: number;
  readonly unit: 'files' | 'percent';
}

export interface Prefix {
  readonly name: string;
  /** Where `%name%` lies on this host; undefined when no `on` matches it. */
  readonly path: DiskPath | undefined;
  readonly range: SourceRange;
}

/** Shell patterns over host names. */
export interface NosslRule {
  readonly from: Bytes;
  readonly to: Bytes;
}
