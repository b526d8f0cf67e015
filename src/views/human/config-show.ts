/** `csx config show`: what the configuration comes to on this host, group by group, with the place of every pattern. */

import type { ActionRule, Config, Group } from '../../model/config.js';
import { display } from '../../model/names.js';
import { plural } from '../quantity.js';
import { screenOf } from '../terminal.js';
import type { Output, Screen } from '../terminal.js';
import { padEnd } from '../width.js';
import { safe } from './problem.js';
import { table } from './table.js';

export interface ShownPeer {
  readonly name: string;
  /** What the name resolves to; empty when it does not. */
  readonly addresses: readonly string[];
  readonly groups: readonly string[];
  /** Talked to in plain text. */
  readonly plain: boolean;
}

const LABEL_WIDTH = 12;

export function* configShowView(output: Output, config: Config, peers: readonly ShownPeer[]): Generator<string> {
  const screen = screenOf(output);
  const { paint } = screen;
  yield `${paint.bold(display(config.host))}, by ${config.files.map(safe).join(', ')}\n`;
  for (const group of config.groups) yield* groupLines(group, screen);
  yield '\n';
  const rows = peers.map((peer) => [
    display(peer.name),
    peer.addresses.length === 0 ? 'does not resolve' : peer.addresses.join(', '),
    peer.plain ? 'plain text' : 'TLS',
    peer.groups.map(display).join(', '),
  ]);
  yield* table(
    [{ title: 'Peer' }, { title: 'Address' }, { title: 'Link' }, { title: 'Groups', cut: 'end' }],
    rows,
    screen,
  );
  if (config.prefixes.length > 0) {
    yield '\n';
    const prefixes = config.prefixes.map(({ name, path }) => [
      `%${display(name)}%`,
      path === undefined ? 'has no path on this host' : display(path),
    ]);
    yield* table([{ title: 'Prefix' }, { title: 'Stands for', cut: 'middle' }], prefixes, screen);
  }
  yield '\n';
  yield* settings(config);
}

function* groupLines(group: Group, { paint }: Screen): Generator<string> {
  const { me, slave, backup, maxDelete } = group;
  yield `\n${paint.bold(`Group ${display(group.name)}`)} ${paint.dim(`${safe(group.range.file)}:${group.range.line}`)}\n`;
  const members = group.members.map(
    (member) =>
      (member.host === member.name ? display(member.name) : `${display(member.host)}@${display(member.name)}`) +
      (member.slave ? ' (slave)' : ''),
  );
  yield line('hosts', members.join(' '));
  yield line('this host', `${display(me)}${slave ? ', which only receives' : ''}`);
  yield line('key', safe(group.key.file));
  for (const [index, { kind, text, range }] of group.patterns.entries()) {
    const place = paint.dim(`${safe(range.file)}:${range.line}`);
    yield line(index === 0 ? 'files' : '', `${padEnd(kind, 7)} ${display(text)}  ${place}`);
  }
  yield line('conflicts', group.auto);
  if (backup !== undefined) {
    yield line('backup', `${display(backup.directory)}, ${plural(backup.generations, 'generation')}`);
  }
  for (const action of group.actions) yield* actionLines(action);
  if (maxDelete !== undefined) {
    yield line('max-delete', maxDelete.unit === 'percent' ? `${maxDelete.value}%` : plural(maxDelete.value, 'file'));
  }
  if (group.sensitive.length > 0) yield line('sensitive', group.sensitive.map(display).join(' '));
}

const WHERE: Readonly<Record<ActionRule['where'], string>> = {
  peers: 'on peers',
  everywhere: 'here and on peers',
  here: 'here only',
};

function* actionLines({ patterns, commands, logfile, where, timeout }: ActionRule): Generator<string> {
  const limit = timeout === undefined ? '' : `, at most ${plural(timeout, 'second')}`;
  yield line('action', `${WHERE[where]}${limit}, log ${display(logfile)}`);
  yield line('', `  for ${patterns.length === 0 ? 'every file' : patterns.map(display).join(' ')}`);
  for (const command of commands) yield line('', `  run ${display(command)}`);
}

function* settings(config: Config): Generator<string> {
  const { ignore } = config;
  const ignored = (['uid', 'gid', 'mod'] as const).filter((property) => ignore[property]);
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['Other groups', config.otherGroups.length === 0 ? undefined : config.otherGroups.map(display).join(', ')],
    ['Ignored', ignored.length === 0 ? undefined : ignored.join(', ')],
    [
      'Plain text',
      config.nossl.length === 0
        ? undefined
        : config.nossl.map(({ from, to }) => `${display(from)} to ${display(to)}`).join(', '),
    ],
    ['Database', config.database === undefined ? undefined : withoutPassword(display(config.database))],
    ['Temporary', config.temporaryDirectory === undefined ? undefined : display(config.temporaryDirectory)],
    ['Lock timeout', plural(config.lockTimeout, 'second')],
    ['Hash', config.hash],
  ];
  for (const [label, value] of rows) if (value !== undefined) yield `${padEnd(label, 14)}${safe(value)}\n`;
}

function line(label: string, text: string): string {
  return `  ${padEnd(label, LABEL_WIDTH)}${text}\n`;
}

/** `pgsql://user:password@host/db` without the password. */
function withoutPassword(database: string): string {
  return database.replace(/^([a-z0-9]+:\/\/[^:@/]*):[^@/]*@/i, '$1:***@');
}
