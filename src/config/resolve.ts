/** Statements and a host name to the configuration of that host. Knows what the statements mean; touches no disk. */

import type { ActionRule, AutoMethod, Backup, Config, Group, Key, Limit, Member, Prefix } from '../model/config.js';
import { display, isCanonical } from '../model/names.js';
import type { Bytes, DiskPath, PeerName } from '../model/names.js';
import { nearest } from '../model/nearest.js';
import { compilePattern } from './fnmatch.js';
import { hashConfig } from './hash.js';
import { makePattern } from './matching.js';
import type { Report } from './report.js';
import type { ActionItem, GroupItem, GroupStatement, PrefixStatement, Statement, Word } from './statements.js';

export const AUTO_METHODS = ['none', 'first', 'younger', 'older', 'bigger', 'smaller', 'left', 'right'] as const;

/** csync2's defaults. */
const LOCK_TIMEOUT = 12;
const GENERATIONS = 3;

export interface ResolveOptions {
  /** Any case. */
  readonly host: string;
  /** Where relative key names are taken from. */
  readonly systemDirectory: string;
  readonly files: readonly string[];
  /** Reads the key of a group of this host. Throws CsxError. */
  readonly readKey: (file: Word) => Key;
}

/** Resolves; errors go to the report. Undefined when there is no configuration to speak of: no group with this host. */
export function resolveConfig(
  statements: readonly Statement[],
  options: ResolveOptions,
  report: Report,
): Config | undefined {
  const host = options.host.toLowerCase();
  const groups: Group[] = [];
  const otherGroups: string[] = [];
  let unnamed = 0;
  for (const statement of statements) {
    if (statement.kind !== 'group') continue;
    const name = statement.name?.text ?? `group_${++unnamed}`;
    const group = resolveGroup(statement, name, host, options, report);
    if (group === undefined) otherGroups.push(name);
    else groups.push(group);
  }
  const ignored = new Set(
    all(statements, 'ignore').flatMap(({ properties }) => properties.map(ignoredProperty(report))),
  );
  for (const { range } of all(statements, 'no-cygwin-lowercase')) {
    report.error('CONFIG_INVALID', 'no-cygwin-lowercase is for Cygwin only.', range, 'Remove it.');
  }
  const timeout = all(statements, 'lock-timeout').at(-1)?.value;
  const temporary = all(statements, 'tempdir').at(-1)?.value;
  const prefixes = resolvePrefixes(all(statements, 'prefix'), host, report);
  if (report.errors().length > 0) return undefined;
  const meaning = {
    host,
    groups,
    prefixes,
    nossl: all(statements, 'nossl').map(({ from, to }) => ({ from: from.text, to: to.text })),
    ignore: { uid: ignored.has('uid'), gid: ignored.has('gid'), mod: ignored.has('mod') },
    database: all(statements, 'database').at(-1)?.value.text,
    temporaryDirectory: temporary && absolute(temporary, 'The temporary directory', report),
  };
  const lockTimeout = timeout === undefined ? LOCK_TIMEOUT : seconds(timeout, 'lock-timeout', report);
  if (groups.length === 0) {
    const members = all(statements, 'group').flatMap(({ items }) => of(items, 'host').flatMap((item) => item.members));
    const near = nearest(host, new Set(members.map((member) => member.host.text.toLowerCase())));
    report.error(
      'HOST_NOT_IN_GROUP',
      `This host, ${display(host)}, is in none of the groups of ${options.files.map(display).join(', ')}.`,
      undefined,
      near === undefined
        ? 'Name it in a host statement, or say with -N which of the hosts there this one is.'
        : `Did you mean -N ${display(near)}?`,
    );
  }
  if (report.errors().length > 0) return undefined;
  const { systemDirectory, files } = options;
  return {
    ...meaning,
    otherGroups,
    lockTimeout,
    systemDirectory,
    files,
    get hash() {
      return hashConfig(meaning);
    },
  };
}

/** The group as this host sees it; undefined when it does not list this host (or has errors, which are reported). */
function resolveGroup(
  { range, items }: GroupStatement,
  name: string,
  host: string,
  options: ResolveOptions,
  report: Report,
): Group | undefined {
  const members = of(items, 'host').flatMap(({ members: words }) => words.map((word) => resolveMember(word, host)));
  const [key, second] = of(items, 'key');
  const [auto, again] = of(items, 'auto');
  const shown = display(name);
  if (key === undefined) report.error('CONFIG_INVALID', `The group ${shown} has no key.`, range, 'Add: key FILE;');
  if (second !== undefined) {
    report.error('CONFIG_INVALID', `The group ${shown} has more than one key.`, second.file.range, 'Keep one of them.');
  }
  if (again !== undefined) {
    report.error(
      'CONFIG_INVALID',
      `The group ${shown} has more than one auto method.`,
      again.method.range,
      'Keep one.',
    );
  }
  const method = auto === undefined ? 'none' : autoMethod(auto.method, report);
  const backup = resolveBackup(items, report);
  const maxDelete = of(items, 'max-delete').at(-1)?.value;
  const timeout = of(items, 'action-timeout').at(-1)?.value;
  const inherited = timeout && seconds(timeout, 'action-timeout', report);
  const group = {
    name,
    range,
    members,
    patterns: items.flatMap((item) =>
      item.kind === 'include' || item.kind === 'exclude' || item.kind === 'compare'
        ? item.patterns.map((word) => makePattern(item.kind, word.text, word.range))
        : [],
    ),
    auto: method,
    backup,
    actions: of(items, 'action').map((item) => resolveAction(item, inherited, report)),
    maxDelete: maxDelete && limit(maxDelete, report),
    sensitive: of(items, 'sensitive').flatMap(({ patterns }) => patterns.map(({ text }) => text)),
  };
  const self = members.find((member) => member.self);
  if (self === undefined || key === undefined) return undefined;
  try {
    return { ...group, me: self.name, slave: self.slave, key: options.readKey(key.file) };
  } catch (error) {
    report.caught(error);
    return undefined;
  }
}

function resolveMember(
  { host, name, slave }: { readonly host: Word; readonly name: Word | undefined; readonly slave: boolean },
  local: string,
): Member {
  const folded = host.text.toLowerCase();
  return { host: folded, name: (name?.text ?? host.text).toLowerCase() as PeerName, slave, self: folded === local };
}

/** The last path of each name counts; a prefix section without one for this host takes nothing away. */
function resolvePrefixes(statements: readonly PrefixStatement[], host: string, report: Report): readonly Prefix[] {
  const prefixes = new Map<string, Prefix>();
  for (const { name, range, paths } of statements) {
    if (/[%/]/.test(name.text)) {
      report.error(
        'CONFIG_INVALID',
        `The prefix name ${display(name.text)} holds a % or a /.`,
        name.range,
        'Rename it.',
      );
    }
    const all = paths.map((entry) => ({ ...entry, path: absolute(entry.path, 'The path of a prefix', report) }));
    const found = all.find((entry) => compilePattern(entry.host.text).test(host));
    const known = prefixes.get(name.text);
    if (known === undefined || found?.path !== undefined)
      prefixes.set(name.text, { name: name.text, path: found?.path, range });
  }
  return [...prefixes.values()];
}

function resolveBackup(items: readonly GroupItem[], report: Report): Backup | undefined {
  const directory = of(items, 'backup-directory').at(-1)?.value;
  const word = of(items, 'backup-generations').at(-1)?.value;
  const generations = word === undefined ? GENERATIONS : wholeNumber(word, 'backup-generations', report);
  const where = directory && absolute(directory, 'The backup directory', report);
  return where === undefined || generations === 0 ? undefined : { directory: where, generations };
}

function resolveAction(item: ActionItem, inherited: number | undefined, report: Report): ActionRule {
  return {
    // Trailing slashes stay here, so such a pattern matches nothing, as in csync2; advise.ts warns.
    patterns: item.patterns.map(({ text }) => text),
    commands: item.commands.map(({ text }) => text),
    logfile: item.logfile?.text ?? ('/dev/null' as Bytes),
    where: item.where,
    timeout: item.timeout === undefined ? inherited : seconds(item.timeout, 'timeout', report),
    range: item.range,
  };
}

function autoMethod({ text, range }: Word, report: Report): AutoMethod {
  const method = AUTO_METHODS.find((known) => known === text);
  if (method !== undefined) return method;
  const near = nearest(text, AUTO_METHODS);
  const list = `The methods are ${AUTO_METHODS.join(', ')}.`;
  report.error(
    'CONFIG_INVALID',
    `There is no auto method ${display(text)}.`,
    range,
    near === undefined ? list : `Did you mean ${near}? ${list}`,
  );
  return 'none';
}

function ignoredProperty(report: Report): (word: Word) => string {
  return ({ text, range }) => {
    if (!['uid', 'gid', 'mod'].includes(text)) {
      report.error('CONFIG_INVALID', `ignore does not know ${display(text)}.`, range, 'It takes uid, gid and mod.');
    }
    return text;
  };
}

function absolute({ text, range }: Word, what: string, report: Report): DiskPath | undefined {
  const path = text.replace(/(?<=.)\/+$/, '');
  if (path.startsWith('/') && isCanonical(path)) return path as DiskPath;
  report.error(
    'CONFIG_INVALID',
    `${what}, ${display(text)}, is not an absolute path without ., .. and doubled slashes.`,
    range,
    'Write the whole path, from / on.',
  );
  return undefined;
}

function wholeNumber({ text, range }: Word, what: string, report: Report): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  report.error(
    'CONFIG_INVALID',
    `${what} needs a whole number, not ${display(text)}.`,
    range,
    `For example: ${what} 3;`,
  );
  return 0;
}

function seconds({ text, range }: Word, what: string, report: Report): number {
  if (/^\d{1,13}$/.test(text)) return Number(text);
  report.error(
    'CONFIG_INVALID',
    `${what} needs a number of seconds, not ${display(text)}.`,
    range,
    `For example: ${what} 12;`,
  );
  return 0;
}

function limit({ text, range }: Word, report: Report): Limit | undefined {
  const match = /^(\d{1,9})(%?)$/.exec(text);
  const value = Number(match?.[1]);
  if (match !== null && (match[2] === '' || value <= 100)) {
    return { value, unit: match[2] === '' ? 'files' : 'percent' };
  }
  report.error(
    'CONFIG_INVALID',
    `max-delete needs a number of files or a percentage up to 100%, not ${display(text)}.`,
    range,
    'For example 25% or 100.',
  );
  return undefined;
}

type Kinds = Statement | GroupItem;

function all<K extends Statement['kind']>(
  statements: readonly Statement[],
  kind: K,
): Extract<Statement, { kind: K }>[] {
  return of(statements, kind);
}

function of<T extends Kinds, K extends T['kind']>(list: readonly T[], kind: K): Extract<T, { kind: K }>[] {
  return list.filter((one): one is Extract<T, { kind: K }> => one.kind === kind);
}
