/** The fingerprint of a resolved configuration: equal means the same meaning on this host. */

import type { Config } from '../model/config.js';

/** SHA-256, lower-case hex. Keys, places in files, and what does not bear on files, peers or the database are left out. */
export function hashConfig(
  config: Pick<Config, 'host' | 'groups' | 'prefixes' | 'nossl' | 'ignore' | 'database' | 'temporaryDirectory'>,
): string {
  const { host, groups, prefixes, nossl, ignore, database, temporaryDirectory } = config;
  const meaning = [
    host,
    groups.map((group) => [
      group.name,
      group.members.map(({ host: member, name, slave }) => [member, name, slave]),
      group.patterns.map(({ kind, text }) => [kind, text]),
      group.auto,
      group.backup && [group.backup.directory, group.backup.generations],
      group.actions.map(({ patterns, commands, logfile, where, timeout }) => [
        patterns,
        commands,
        logfile,
        where,
        timeout,
      ]),
      group.maxDelete && [group.maxDelete.value, group.maxDelete.unit],
      group.sensitive,
    ]),
    prefixes.map(({ name, path }) => [name, path]),
    nossl.map(({ from, to }) => [from, to]),
    [ignore.uid, ignore.gid, ignore.mod],
    database,
    temporaryDirectory,
  ];
  // Loaded when a plan asks for the hash: csync2 -M starts sooner without.
  const { createHash } = process.getBuiltinModule('node:crypto');
  // JSON of arrays is canonical: order is meaning, and undefined and absent are both null.
  return createHash('sha256').update(JSON.stringify(meaning)).digest('hex');
}
