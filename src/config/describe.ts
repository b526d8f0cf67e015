/** What a configuration comes to on this host, as plain data for `config show`: names made readable, no keys. */

import type { ActionRule, Config, Group } from '../model/config.js';
import { display } from '../model/names.js';

/** JSON-able. Byte strings are shown as `display` shows them. */
export interface ConfigDescription {
  readonly host: string;
  readonly files: readonly string[];
  readonly config_hash: string;
  readonly groups: readonly GroupDescription[];
  readonly other_groups: readonly string[];
  readonly peers: readonly { readonly name: string; readonly groups: readonly string[] }[];
  /** `path` is null where the prefix has none on this host. */
  readonly prefixes: readonly { readonly name: string; readonly path: string | null }[];
  readonly plaintext: readonly { readonly from: string; readonly to: string }[];
  readonly ignore: readonly string[];
  readonly database: string | null;
  readonly temporary_directory: string | null;
  /** Seconds. */
  readonly lock_timeout: number;
}

export interface GroupDescription {
  readonly name: string;
  /** file:line */
  readonly declared: string;
  /** This host's name in the group. */
  readonly me: string;
  readonly slave: boolean;
  readonly members: readonly { readonly host: string; readonly name: string; readonly slave: boolean }[];
  readonly key_file: string;
  /** In order: the last match of each kind decides. */
  readonly patterns: readonly { readonly kind: string; readonly pattern: string; readonly declared: string }[];
  readonly conflicts: string;
  readonly backup: { readonly directory: string; readonly generations: number } | null;
  readonly actions: readonly ActionDescription[];
  /** `25%` or `100`. */
  readonly max_delete: string | null;
  readonly sensitive: readonly string[];
}

export interface ActionDescription {
  readonly patterns: readonly string[];
  readonly commands: readonly string[];
  readonly logfile: string;
  readonly on: ActionRule['where'];
  /** Seconds. */
  readonly timeout: number | null;
}

export function describeConfig(config: Config): ConfigDescription {
  const { ignore } = config;
  return {
    host: config.host,
    files: config.files.map(display),
    config_hash: config.hash,
    groups: config.groups.map(describeGroup),
    other_groups: config.otherGroups.map(display),
    peers: describePeers(config.groups),
    prefixes: config.prefixes.map(({ name, path }) => ({
      name: display(name),
      path: path === undefined ? null : display(path),
    })),
    plaintext: config.nossl.map(({ from, to }) => ({ from: display(from), to: display(to) })),
    ignore: (['uid', 'gid', 'mod'] as const).filter((property) => ignore[property]),
    database: config.database === undefined ? null : withoutPassword(display(config.database)),
    temporary_directory: config.temporaryDirectory === undefined ? null : display(config.temporaryDirectory),
    lock_timeout: config.lockTimeout,
  };
}

function describeGroup(group: Group): GroupDescription {
  const { maxDelete, backup } = group;
  return {
    name: display(group.name),
    declared: `${group.range.file}:${group.range.line}`,
    me: display(group.me),
    slave: group.slave,
    members: group.members.map(({ host, name, slave }) => ({ host: display(host), name: display(name), slave })),
    key_file: display(group.key.file),
    patterns: group.patterns.map(({ kind, text, range }) => ({
      kind,
      pattern: display(text),
      declared: `${range.file}:${range.line}`,
    })),
    conflicts: group.auto,
    backup: backup === undefined ? null : { directory: display(backup.directory), generations: backup.generations },
    actions: group.actions.map((rule) => ({
      patterns: rule.patterns.map(display),
      commands: rule.commands.map(display),
      logfile: display(rule.logfile),
      on: rule.where,
      timeout: rule.timeout ?? null,
    })),
    max_delete: maxDelete === undefined ? null : `${maxDelete.value}${maxDelete.unit === 'percent' ? '%' : ''}`,
    sensitive: group.sensitive.map(display),
  };
}

function describePeers(groups: readonly Group[]): ConfigDescription['peers'] {
  const peers = new Map<string, string[]>();
  for (const { name, members } of groups) {
    for (const member of members) {
      if (member.self) continue;
      const known = peers.get(member.name) ?? [];
      if (!known.includes(display(name))) known.push(display(name));
      peers.set(member.name, known);
    }
  }
  return [...peers].map(([name, all]) => ({ name: display(name), groups: all }));
}

/** `pgsql://user:password@host/db` without the password. */
function withoutPassword(database: string): string {
  return database.replace(/^([a-z0-9]+:\/\/[^:@/]*):[^@/]*@/i, '$1:***@');
}
