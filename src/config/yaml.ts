/**
 * csx.yaml to statements (design: docs; schema: schemas/config.schema.json).
 *
 * `csync2: FILE` takes groups, prefixes, nossl and ignore from a csync2.cfg; groups named here then add csx's own settings to those.
 */

import path from 'node:path';
import { display, fromText } from '../model/names.js';
import { nearest } from '../model/nearest.js';
import { parseConfigFile } from './parser.js';
import type { ParsedFile } from './parser.js';
import type { ReadFile } from './lexer.js';
import type { Report } from './report.js';
import type { GroupItem, GroupStatement, MemberWord, Statement, Word } from './statements.js';
import { checkYaml } from './yaml-check.js';
import { parseYaml } from './yaml-tree.js';
import type { YamlEntry, YamlMap, YamlNode } from './yaml-tree.js';

export interface ParsedYaml extends ParsedFile {
  /** The csync2.cfg it takes its groups from. */
  readonly csync2: string | undefined;
}

/** Parses csx.yaml. Errors go to the report. */
export function parseYamlFile(file: string, readFile: ReadFile, report: Report): ParsedYaml {
  const root = parseYaml(file, readFile(file, undefined));
  checkYaml(root, report);
  if (report.errors().length > 0 || root.kind !== 'map') return { statements: [], files: [file], csync2: undefined };
  const named = find(root, 'csync2');
  const own = root.entries.flatMap(statementsOf);
  if (named === undefined) {
    requireComplete(own, report);
    return { statements: own, files: [file], csync2: undefined };
  }
  const csync2 = path.resolve(path.dirname(file), word(named).text);
  const parsed = parseConfigFile(csync2, (name, from) => readFile(name, from ?? named.range), report);
  refuseForeign(root, report);
  return { statements: join(parsed.statements, own, report), files: [file, ...parsed.files], csync2 };
}

/** Settings of a group that csync2.cfg has no words for. */
const CSX_ONLY: readonly string[] = ['max-delete', 'sensitive', 'action-timeout'];

function statementsOf({ key, value }: YamlEntry): readonly Statement[] {
  switch (key) {
    case 'groups':
      return entriesOf(value).map((entry) => ({
        kind: 'group',
        name: { text: fromText(entry.key), range: entry.keyRange },
        range: entry.keyRange,
        items: entriesOf(entry.value).flatMap(groupItems),
      }));
    case 'prefixes':
      return entriesOf(value).map((entry) => ({
        kind: 'prefix',
        name: { text: fromText(entry.key), range: entry.keyRange },
        range: entry.keyRange,
        paths: entriesOf(entry.value).map((one) => ({
          host: { text: fromText(one.key), range: one.keyRange },
          path: word(one.value),
        })),
      }));
    case 'plaintext':
      return itemsOf(value).map((item) => ({ kind: 'nossl', from: required(item, 'from'), to: required(item, 'to') }));
    case 'ignore':
      return [{ kind: 'ignore', properties: words(value) }];
    case 'database':
    case 'tempdir':
      return [{ kind: key, value: word(value) }];
    case 'lock-timeout':
      return [{ kind: key, value: seconds(value) }];
    default:
      // version and csync2; anything else checkYaml has refused.
      return [];
  }
}

function groupItems({ key, value }: YamlEntry): readonly GroupItem[] {
  switch (key) {
    case 'hosts':
      return [{ kind: 'host', members: itemsOf(value).map(member) }];
    case 'key':
      return [{ kind: 'key', file: word(value) }];
    case 'files':
      return itemsOf(value).flatMap((item) => entriesOf(item).flatMap(patternItem));
    case 'conflicts':
      return [{ kind: 'auto', method: word(value) }];
    case 'backup': {
      const generations = find(value, 'generations');
      return [
        { kind: 'backup-directory', value: required(value, 'directory') },
        ...(generations === undefined ? [] : [{ kind: 'backup-generations' as const, value: word(generations) }]),
      ];
    }
    case 'actions':
      return itemsOf(value).map(action);
    case 'max-delete':
      return [{ kind: key, value: word(value) }];
    case 'action-timeout':
      return [{ kind: key, value: seconds(value) }];
    case 'sensitive':
      return [{ kind: key, patterns: words(value) }];
    default:
      return [];
  }
}

function patternItem({ key, value }: YamlEntry): readonly GroupItem[] {
  return key === 'include' || key === 'exclude' || key === 'compare' ? [{ kind: key, patterns: words(value) }] : [];
}

/** `name`, `name@address`, or an object, whose name is taken as it is. */
function member(node: YamlNode): MemberWord {
  if (node.kind === 'map') {
    const via = find(node, 'via');
    const slave = find(node, 'slave');
    return {
      host: required(node, 'name'),
      name: via && word(via),
      slave: slave?.kind === 'scalar' && slave.value === true,
    };
  }
  const { text, range } = word(node);
  const at = text.indexOf('@');
  if (at <= 0 || at === text.length - 1) return { host: { text, range }, name: undefined, slave: false };
  const [host, name] = [text.slice(0, at), text.slice(at + 1)] as Word['text'][];
  return { host: { text: host ?? text, range }, name: name && { text: name, range }, slave: false };
}

function action(node: YamlNode): GroupItem {
  const when = find(node, 'when');
  const run = find(node, 'run');
  const log = find(node, 'log');
  const on = find(node, 'on');
  const timeout = find(node, 'timeout');
  const where = on?.kind === 'scalar' ? on.value : undefined;
  return {
    kind: 'action',
    range: node.range,
    patterns: when === undefined ? [] : words(when),
    commands: run === undefined ? [] : words(run),
    logfile: log && word(log),
    where: where === 'everywhere' || where === 'here' ? where : 'peers',
    timeout: timeout && seconds(timeout),
  };
}

/** Without csync2.cfg every group must say who is in it and which key it has. */
function requireComplete(statements: readonly Statement[], report: Report): void {
  for (const statement of statements) {
    if (statement.kind !== 'group') continue;
    const shown = display(statement.name?.text ?? '');
    for (const [kind, wanted] of [
      ['host', 'hosts'],
      ['key', 'key'],
    ] as const) {
      if (statement.items.some((item) => item.kind === kind)) continue;
      const hint = `Add ${wanted}, or take the group from an existing file: csync2: csync2.cfg`;
      report.error('CONFIG_INVALID', `The group ${shown} has no ${wanted}.`, statement.range, hint);
    }
  }
}

/** With csync2.cfg nothing may stand here that csync2 hosts would have to know. */
function refuseForeign(root: YamlMap, report: Report): void {
  const refuse = (what: string, { keyRange }: YamlEntry): void => {
    const hint = `Write it there. Groups may hold only ${CSX_ONLY.join(', ')} here, so that csync2 hosts miss nothing.`;
    report.error('CONFIG_INVALID', `${what} comes from the csync2.cfg that this file names.`, keyRange, hint);
  };
  for (const entry of root.entries) {
    if (['prefixes', 'plaintext', 'ignore'].includes(entry.key)) refuse(entry.key, entry);
    if (entry.key !== 'groups') continue;
    for (const group of entriesOf(entry.value)) {
      for (const item of entriesOf(group.value)) {
        if (!CSX_ONLY.includes(item.key)) refuse(`${item.key} of the group ${display(group.key)}`, item);
      }
    }
  }
}

/** Adds csx's settings to the groups they name. */
function join(statements: readonly Statement[], own: readonly Statement[], report: Report): readonly Statement[] {
  const added = new Map<string, GroupStatement>();
  for (const statement of own) if (statement.kind === 'group') added.set(statement.name?.text ?? '', statement);
  const met = new Set<string>();
  let unnamed = 0;
  const joined = statements.map((statement) => {
    if (statement.kind !== 'group') return statement;
    const name = statement.name?.text ?? `group_${++unnamed}`;
    met.add(name);
    return { ...statement, items: [...statement.items, ...(added.get(name)?.items ?? [])] };
  });
  for (const [name, { range }] of added) {
    if (met.has(name)) continue;
    const near = nearest(name, met);
    const hint = near === undefined ? `It has ${[...met].map(display).join(', ')}.` : `Did you mean ${display(near)}?`;
    report.error('CONFIG_INVALID', `The csync2.cfg that this file names has no group ${display(name)}.`, range, hint);
  }
  return [...joined, ...own.filter(({ kind }) => kind !== 'group')];
}

function entriesOf(node: YamlNode): readonly YamlEntry[] {
  return node.kind === 'map' ? node.entries : [];
}

function itemsOf(node: YamlNode): readonly YamlNode[] {
  return node.kind === 'list' ? node.items : [];
}

function find(node: YamlNode, key: string): YamlNode | undefined {
  return entriesOf(node).find((entry) => entry.key === key)?.value;
}

function required(node: YamlNode, key: string): Word {
  return word(find(node, key) ?? node);
}

function word(node: YamlNode): Word {
  return { text: fromText(node.kind === 'scalar' ? String(node.value) : ''), range: node.range };
}

function words(node: YamlNode): readonly Word[] {
  return node.kind === 'list' ? node.items.map(word) : [word(node)];
}

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600 };

/** A duration as a number of seconds. */
function seconds(node: YamlNode): Word {
  const { text, range } = word(node);
  const unit = UNITS[text.at(-1) ?? ''];
  return { text: fromText(unit === undefined ? text : String(parseInt(text, 10) * unit)), range };
}
