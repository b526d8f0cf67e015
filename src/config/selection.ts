/**
 * What belongs where: the one answer of a configuration to "which groups hold this file", "who gets it", "where does it lie",
 * "which way does a scan go". Quick enough to be asked for every file of a scan.
 */

import type { ActionRule, Config, Group, Key, Pattern, Prefix } from '../model/config.js';
import { CsxError } from '../model/errors.js';
import { display, isWithin } from '../model/names.js';
import type { DiskPath, FileName, PeerName } from '../model/names.js';
import { nearest } from '../model/nearest.js';
import { compilePattern } from './fnmatch.js';
import type { ShellPattern } from './fnmatch.js';
import { decide, isPathPattern, Matching, pathFlags } from './matching.js';
import type { Decision } from './matching.js';

/** Limits a selection (`-G`, `-P`). Empty lists limit nothing. */
export interface SelectionFilter {
  /** Names of groups; the others count for nothing. */
  readonly groups?: readonly string[];
  /** Names of peers; only these get anything. Which groups hold a file does not depend on it. */
  readonly peers?: readonly string[];
}

/** A host that gets a file from this one. */
export interface FilePeer {
  readonly peer: PeerName;
  /** This host's name toward it. */
  readonly me: PeerName;
  /** Gives key and method: the last declared of `groups` in which this host is no slave, or the last of all. */
  readonly group: Group;
  /** Every group that holds the file for this peer, last declared first. */
  readonly groups: readonly Group[];
  /**
   * This host is only a slave here. csync2 marks its local changes dirty all the same and offers them; the peer answers
   * `Permission denied for slave!`, marks the file for the slave and so overwrites it with its own next update.
   */
  readonly slave: boolean;
  /** The peer is a slave of `group`: this host wins every conflict, unless it is a slave itself. */
  readonly peerIsSlave: boolean;
}

/** A place where scans start. */
export interface Root {
  readonly file: FileName;
  readonly disk: DiskPath;
}

/** Why a group holds a file or not. */
export interface GroupExplanation extends Decision {
  readonly group: Group;
}

interface Peers {
  readonly list: readonly FilePeer[];
}

export class Selection {
  readonly config: Config;
  /** The groups that count, last declared first: csync2's order. */
  readonly groups: readonly Group[];
  readonly #matching: Matching<Group>;
  readonly #comparing: Matching<Group>;
  readonly #wantedPeers: ReadonlySet<string> | undefined;
  readonly #prefixes: ReadonlyMap<string, Prefix>;
  readonly #peers = new WeakMap<readonly Group[], Peers>();
  readonly #actions = new WeakMap<Group, readonly CompiledRule[]>();
  readonly #nossl: readonly { readonly from: ShellPattern; readonly to: ShellPattern }[];

  /** Fails with UNKNOWN_TARGET where the filter names a group or peer that is not there. */
  constructor(config: Config, filter: SelectionFilter = {}) {
    const wanted = filter.groups ?? [];
    requireKnown(
      'group',
      wanted,
      config.groups.map(({ name }) => name),
      config.otherGroups,
    );
    this.config = config;
    this.groups = config.groups.filter(({ name }) => wanted.length === 0 || wanted.includes(name)).toReversed();
    this.#matching = new Matching(this.groups, patternsOf, false);
    this.#comparing = new Matching(this.groups, patternsOf, true);
    this.#prefixes = new Map(config.prefixes.map((prefix) => [prefix.name, prefix]));
    this.#nossl = config.nossl.map(({ from, to }) => ({ from: compilePattern(from), to: compilePattern(to) }));
    const peers = (filter.peers ?? []).map((name) => name.toLowerCase());
    requireKnown('peer', peers, this.peers(), []);
    this.#wantedPeers = peers.length === 0 ? undefined : new Set(peers);
  }

  /** Whether any group holds the file. */
  includes(file: FileName): boolean {
    return this.#matching.of(file).groups.length > 0;
  }

  /** The groups that hold the file, last declared first. Equal answers are the same array. */
  groupsOf(file: FileName): readonly Group[] {
    return this.#matching.of(file).groups;
  }

  /** Those that hold every file right in a directory, given with its slash, csx's own aside; undefined: it goes by their names. */
  groupsOfAll(directory: FileName): readonly Group[] | undefined {
    return this.#matching.ofAll(directory)?.groups;
  }

  /** `groupsOf` with compare patterns counting as includes (`-o`, `-T`, TYPE). */
  comparedGroupsOf(file: FileName): readonly Group[] {
    return this.#comparing.of(file).groups;
  }

  /** Whether a scan goes into the directory: a group holds it, or it leads to an include pattern. */
  entered(directory: FileName, compare = false): boolean {
    const matching = compare ? this.#comparing : this.#matching;
    return matching.of(directory).groups.length > 0 || matching.leads(directory);
  }

  /** To whom this host sends changes of the file. Equal answers are the same array. */
  peersOf(file: FileName): readonly FilePeer[] {
    return this.peersOfGroups(this.#matching.of(file).groups);
  }

  /** The same from an answer of `groupsOf` or `comparedGroupsOf`. */
  peersOfGroups(groups: readonly Group[]): readonly FilePeer[] {
    let peers = this.#peers.get(groups);
    if (peers === undefined) {
      peers = { list: listPeers(groups, this.#wantedPeers) };
      this.#peers.set(groups, peers);
    }
    return peers.list;
  }

  /** All peers of all groups that count, in the order of the configuration. */
  peers(): readonly PeerName[] {
    const names = this.groups.toReversed().flatMap(({ members }) => members.flatMap((m) => (m.self ? [] : [m.name])));
    return [...new Set(names)].filter((name) => this.#wantedPeers?.has(name) ?? true);
  }

  /** The keys this host shares with the peer, each with its group, last declared first. */
  keysFor(peer: PeerName): readonly { readonly group: Group; readonly key: Key }[] {
    return this.groups
      .filter(({ members }) => members.some(({ self, name }) => !self && name === peer))
      .map((group) => ({ group, key: group.key }));
  }

  /** Where scans start: `/` when a path pattern starts there, and every prefix that a pattern leads into. */
  roots(compare = false): readonly Root[] {
    const names = ['/', ...[...this.#prefixes.keys()].map((name) => `%${name}%`)] as FileName[];
    return names.flatMap((file) => {
      const disk = this.#diskOf(file);
      return disk !== undefined && this.entered(file, compare) ? [{ file, disk }] : [];
    });
  }

  /** Where the prefixes lie on this host, whether a pattern leads into them or not. */
  prefixPlaces(): readonly string[] {
    return [...this.#prefixes.values()].flatMap(({ path }) => path ?? []);
  }

  /** For each group the literal start of its include path patterns: trees that must not vanish unnoticed. */
  groupRoots(): readonly { readonly group: Group; readonly roots: readonly FileName[] }[] {
    return this.groups.map((group) => ({ group, roots: literalRoots(group.patterns) }));
  }

  /** Where a file lies on this host. Fails with CONFIG_INVALID when its prefix has no path here. */
  toDisk(file: FileName): DiskPath {
    const disk = this.#diskOf(file);
    if (disk !== undefined) return disk;
    const name = prefixNameOf(file) ?? '';
    const prefix = this.#prefixes.get(name);
    throw new CsxError(
      'CONFIG_INVALID',
      prefix === undefined
        ? `${display(file)} lies under the prefix %${display(name)}%, which the configuration does not declare.`
        : `${display(file)} lies under the prefix %${display(name)}%, which has no path on the host ${this.config.host}.`,
      {
        range: prefix?.range,
        hint:
          prefix === undefined
            ? `Declare it: prefix ${display(name)} { on *: /path; }`
            : `Add a line to it: on ${this.config.host}: /path;`,
        data: { path: display(file) },
      },
    );
  }

  /** The names under which the configuration may know a path: as it is, and under every prefix that contains it. */
  namesOf(disk: DiskPath): readonly FileName[] {
    const names = [disk as string as FileName];
    for (const { name, path } of this.#prefixes.values()) {
      if (path === undefined || !isWithin(disk, path)) continue;
      const rest = path === '/' ? (disk === '/' ? '' : disk) : disk.slice(path.length);
      names.push(`%${name}%${rest}` as FileName);
    }
    return names;
  }

  /** The group's actions that a change of the file triggers, in the order of the file. */
  actionRules(file: FileName, group: Group): readonly ActionRule[] {
    let rules = this.#actions.get(group);
    if (rules === undefined) {
      rules = group.actions.map(compileRule);
      this.#actions.set(group, rules);
    }
    if (rules.length === 0) return NO_RULES;
    return rules
      .filter(({ patterns }) => patterns.length === 0 || patterns.some((pattern) => pattern.test(file)))
      .map(({ rule }) => rule);
  }

  /** Whether a `sensitive` pattern of a group that holds the file matches it: then its content is never shown. */
  isSensitive(file: FileName): boolean {
    const base = file.lastIndexOf('/') + 1;
    return this.comparedGroupsOf(file).some(({ sensitive }) =>
      sensitive.some((text) =>
        isPathPattern(text) ? compilePattern(text, pathFlags(text)).test(file) : compilePattern(text).test(file, base),
      ),
    );
  }

  /** For every group the patterns in their order, whether they match, and which of them decide. */
  explain(file: FileName, compare = false): readonly GroupExplanation[] {
    return this.groups.map((group) => ({ group, ...decide(group.patterns, file, compare) }));
  }

  /** Whether a nossl statement allows plain text from one host to another. */
  plaintextAllowed(from: string, to: string): boolean {
    return this.#nossl.some((rule) => rule.from.test(from) && rule.to.test(to));
  }

  #diskOf(file: FileName): DiskPath | undefined {
    const name = prefixNameOf(file);
    if (name === undefined) return file as string as DiskPath;
    const path = this.#prefixes.get(name)?.path;
    if (path === undefined) return undefined;
    const rest = file.slice(name.length + 2);
    return (path === '/' ? rest || '/' : path + rest) as DiskPath;
  }
}

const NO_RULES: readonly ActionRule[] = [];

interface CompiledRule {
  readonly rule: ActionRule;
  readonly patterns: readonly ShellPattern[];
}

/** Action patterns are matched like path patterns, whatever they start with. */
function compileRule(rule: ActionRule): CompiledRule {
  return { rule, patterns: rule.patterns.map((text) => compilePattern(text, pathFlags(text))) };
}

function patternsOf(group: Group): readonly Pattern[] {
  return group.patterns;
}

/** `p` of `%p%` and `%p%/rest`; undefined for an absolute path. */
export function prefixNameOf(file: string): string | undefined {
  if (!file.startsWith('%')) return undefined;
  const end = file.indexOf('%', 1);
  return end < 0 ? undefined : file.slice(1, end);
}

function listPeers(groups: readonly Group[], wanted: ReadonlySet<string> | undefined): readonly FilePeer[] {
  const byPeer = new Map<PeerName, Group[]>();
  for (const group of groups) {
    for (const { self, name } of group.members) {
      if (self || !(wanted?.has(name) ?? true)) continue;
      const known = byPeer.get(name);
      if (known === undefined) byPeer.set(name, [group]);
      else if (known.at(-1) !== group) known.push(group);
    }
  }
  return [...byPeer].map(([peer, all]) => {
    const [first] = all;
    const group = all.find(({ slave }) => !slave) ?? first;
    if (group === undefined) throw new CsxError('INTERNAL', `The peer ${peer} has no group.`);
    return {
      peer,
      me: group.me,
      group,
      groups: all,
      slave: group.slave,
      peerIsSlave: group.members.some(({ name, slave }) => name === peer && slave),
    };
  });
}

function literalRoots(patterns: readonly Pattern[]): readonly FileName[] {
  const roots = new Set<FileName>();
  for (const { kind, text } of patterns) {
    if (kind !== 'include' || !isPathPattern(text)) continue;
    const shell = compilePattern(text, pathFlags(text));
    const start = shell.literal ?? shell.literalStart.slice(0, Math.max(shell.literalStart.lastIndexOf('/'), 0));
    if (start !== '' || text.startsWith('/')) roots.add((start || '/') as FileName);
  }
  return [...roots].filter((root) => ![...roots].some((other) => other !== root && isWithin(root, other)));
}

function requireKnown(
  what: 'group' | 'peer',
  wanted: readonly string[],
  known: readonly string[],
  elsewhere: readonly string[],
): void {
  for (const name of wanted) {
    if (known.includes(name)) continue;
    const near = nearest(name, known);
    throw new CsxError(
      'UNKNOWN_TARGET',
      elsewhere.includes(name)
        ? `This host is not a member of the ${what} ${display(name)}.`
        : `There is no ${what} ${display(name)} in the configuration of this host.`,
      {
        hint: near === undefined ? `It has: ${known.join(', ')}.` : `Did you mean ${near}?`,
        data: { [what]: display(name) },
      },
    );
  }
}
