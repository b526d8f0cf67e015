/** What somebody wants `csx init` to set up, checked. */

import { CsxError } from '../../model/errors.js';
import { fromText, isCanonical } from '../../model/names.js';
import { nearest } from '../../model/nearest.js';

export interface InitWish {
  /** This host's name, lower case. */
  readonly host: string;
  /** `web1`, or `web1@web1-net` where it is reached by another name; this host among them. */
  readonly hosts: readonly string[];
  /** Path patterns. */
  readonly include: readonly string[];
  /** Path or base-name patterns. */
  readonly exclude: readonly string[];
  readonly group: string;
  readonly prefixes: readonly PrefixWish[];
}

/** On hosts whose name matches `host`, `%name%` is `path`. */
export interface PrefixWish {
  readonly name: string;
  /** A shell pattern. */
  readonly host: string;
  readonly path: string;
}

export const DEFAULT_GROUP = 'cluster';

const HOST = /^[A-Za-z0-9_][A-Za-z0-9_.:-]*(?:@[A-Za-z0-9_][A-Za-z0-9_.:-]*)?$/;
const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]*$/;

/** Fails with USAGE, naming what is wrong and what would be right. */
export function checkWish(wish: InitWish): InitWish {
  const hosts = wish.hosts.map((host) => host.toLowerCase());
  for (const host of hosts) {
    if (!HOST.test(host))
      throw usage(`'${host}' is no name of a host.`, 'Give names or addresses: --host web1 --host web2.');
  }
  const names = hosts.map(nameOf);
  if (new Set(names).size < names.length) throw usage('A host is named twice.', 'Name each once.');
  if (!names.includes(wish.host)) {
    // Of very short names each is near to every other.
    const near = nearest(
      wish.host,
      names.filter((name) => name.length > 2),
    );
    throw usage(
      `This host calls itself ${wish.host}, which is none of ${names.join(', ')}.`,
      `If it is ${near ?? 'one of them'}, say so: -N ${near ?? names[0] ?? ''}. Otherwise add --host ${wish.host}.`,
    );
  }
  if (hosts.length < 2) throw usage('One host alone has nobody to be the same as.', 'Add another: --host NAME.');
  if (!NAME.test(wish.group)) {
    throw usage(
      `'${wish.group}' is no name for a group here.`,
      'Use letters, digits, - and _: the key file is named by it.',
    );
  }
  if (wish.include.length === 0) throw usage('Nothing is to be kept the same.', 'Say what: --include /etc/apache2.');
  for (const prefix of wish.prefixes) checkPrefix(prefix);
  for (const pattern of wish.include) checkInclude(pattern, wish.prefixes);
  return { ...wish, hosts, include: wish.include.map(trimmed), exclude: wish.exclude.map(trimmed) };
}

/** The name a host has in the configuration: what stands before `@`. */
export function nameOf(host: string): string {
  return host.split('@')[0] ?? host;
}

/** The name it is reached by. */
export function addressOf(host: string): string {
  return host.split('@')[1] ?? host;
}

/** `data@web[12]=/srv/data`. Fails with USAGE. */
export function parsePrefix(text: string): PrefixWish {
  const [, name, host, path] = /^([^@=]+)@([^=]+)=(.+)$/s.exec(text) ?? [];
  if (name === undefined || host === undefined || path === undefined) {
    throw usage(
      `'${text}' does not say what a prefix stands for.`,
      "Write NAME@HOST=/PATH, for example 'data@*=/srv/data'.",
    );
  }
  return { name, host, path: trimmed(path) };
}

function checkPrefix({ name, path }: PrefixWish): void {
  if (!NAME.test(name)) throw usage(`'${name}' is no name for a prefix.`, 'Use letters, digits, - and _.');
  if (path.startsWith('/') && isCanonical(fromText(path))) return;
  throw usage(
    `The prefix ${name} stands for '${path}', which is no absolute path.`,
    'Write it from / on, without . and ...',
  );
}

function checkInclude(pattern: string, prefixes: readonly PrefixWish[]): void {
  if (trimmed(pattern) === '/') {
    throw usage(
      'Everything below / is too much.',
      'Name the directories that are to be the same: --include /etc/apache2.',
    );
  }
  const prefix = /^%([^%/]+)%(?:\/|$)/.exec(pattern)?.[1];
  if (prefix !== undefined && prefixes.some(({ name }) => name === prefix)) return;
  if (prefix !== undefined) throw usage(`The prefix %${prefix}% is not told.`, `Add --prefix '${prefix}@*=/path'.`);
  if (pattern.startsWith('/') && isCanonical(fromText(trimmed(pattern)))) return;
  throw usage(`'${pattern}' is no absolute path.`, 'Write it from / on, without . and .., and quote wildcards.');
}

/** csync2 drops trailing slashes. */
function trimmed(pattern: string): string {
  return pattern.replace(/(?<=.)\/+$/, '');
}

function usage(message: string, hint: string): CsxError {
  return new CsxError('USAGE', message, { hint });
}
