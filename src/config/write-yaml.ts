/** Statements as csx.yaml. */

import { CORE_SCHEMA, dump, realMapTag } from 'js-yaml';
import { CsxError } from '../model/errors.js';
import { display, fromText, toText } from '../model/names.js';
import type { Bytes } from '../model/names.js';
import { EDITOR_LINE } from './editor-schema.js';
import type { ActionItem, GroupItem, GroupStatement, MemberWord, Statement, Word } from './statements.js';

/** YAML maps whose order counts: JavaScript objects would put keys like 1 first. */
type Ordered = Map<string, unknown>;

/**
 * Writes. Fails with CONFIG_INVALID for words that are not UTF-8, which YAML cannot hold, and for two groups of one name.
 */
export function writeYaml(statements: readonly Statement[]): Bytes {
  const groups: Ordered = new Map();
  const prefixes = new Map<string, Ordered>();
  const plaintext: Ordered[] = [];
  const ignore = new Set<string>();
  const settings: Ordered = new Map();
  let unnamed = 0;
  for (const statement of statements) {
    switch (statement.kind) {
      case 'group': {
        const name = statement.name === undefined ? `group_${++unnamed}` : text(statement.name);
        if (groups.has(name)) throw twice(name, statement);
        groups.set(name, groupOf(statement));
        break;
      }
      case 'prefix': {
        const name = text(statement.name);
        // Of several sections the last with a path for the host counts, inside a section the first.
        const own = statement.paths.map(({ host, path }) => [text(host), text(path)] as const);
        prefixes.set(name, firstOfEach([...own, ...(prefixes.get(name) ?? [])]));
        break;
      }
      case 'nossl':
        plaintext.push(
          new Map([
            ['from', text(statement.from)],
            ['to', text(statement.to)],
          ]),
        );
        break;
      case 'ignore':
        for (const property of statement.properties) ignore.add(text(property));
        break;
      case 'database':
      case 'tempdir':
        settings.set(statement.kind, text(statement.value));
        break;
      case 'lock-timeout':
        settings.set(statement.kind, number(statement.value));
        break;
      case 'no-cygwin-lowercase':
        break;
    }
  }
  const root: Ordered = new Map<string, unknown>([['version', 1]]);
  if (groups.size > 0) root.set('groups', groups);
  if (prefixes.size > 0) root.set('prefixes', prefixes);
  if (plaintext.length > 0) root.set('plaintext', plaintext);
  if (ignore.size > 0) root.set('ignore', [...ignore]);
  for (const [key, value] of settings) root.set(key, value);
  const yaml = dump(root, { schema: CORE_SCHEMA.withTags(realMapTag), lineWidth: 120, noRefs: true });
  return fromText(`${EDITOR_LINE}\n${yaml}`);
}

function firstOfEach(entries: readonly (readonly [string, unknown])[]): Ordered {
  const map: Ordered = new Map();
  for (const [key, value] of entries) if (!map.has(key)) map.set(key, value);
  return map;
}

function groupOf({ items }: GroupStatement): Ordered {
  const group: Ordered = new Map();
  const push = (key: string, value: unknown): void => {
    const list = group.get(key);
    if (Array.isArray(list)) list.push(value);
    else group.set(key, [value]);
  };
  const backup: Ordered = new Map();
  for (const item of items) {
    switch (item.kind) {
      case 'host':
        for (const member of item.members) push('hosts', memberOf(member));
        break;
      case 'include':
      case 'exclude':
      case 'compare':
        if (item.patterns.length > 0) push('files', new Map([[item.kind, oneOrMore(item.patterns)]]));
        break;
      case 'action':
        push('actions', actionOf(item));
        break;
      case 'sensitive':
        for (const pattern of item.patterns) push('sensitive', text(pattern));
        break;
      default:
        setting(item, group, backup);
    }
  }
  if (!group.has('hosts')) group.set('hosts', []);
  // Generations without a directory mean nothing.
  if (backup.has('directory')) group.set('backup', backup);
  return group;
}

type Setting = Extract<
  GroupItem,
  { kind: 'key' | 'auto' | 'backup-directory' | 'backup-generations' | 'max-delete' | 'action-timeout' }
>;

function setting(item: Setting, group: Ordered, backup: Ordered): void {
  switch (item.kind) {
    case 'key':
      group.set('key', text(item.file));
      break;
    case 'auto':
      group.set('conflicts', text(item.method));
      break;
    case 'backup-directory':
      backup.set('directory', text(item.value));
      break;
    case 'backup-generations':
      backup.set('generations', number(item.value));
      break;
    case 'max-delete':
      group.set(item.kind, item.value.text.endsWith('%') ? text(item.value) : number(item.value));
      break;
    case 'action-timeout':
      group.set(item.kind, number(item.value));
      break;
  }
}

function memberOf({ host, name, slave }: MemberWord): unknown {
  const own = text(host);
  const via = name === undefined ? undefined : text(name);
  if (!slave && !own.includes('@')) return via === undefined ? own : `${own}@${via}`;
  return new Map<string, unknown>([
    ['name', own],
    ...(via === undefined ? [] : [['via', via] as const]),
    ...(slave ? [['slave', true] as const] : []),
  ]);
}

function actionOf(item: ActionItem): Ordered {
  const action: Ordered = new Map();
  if (item.patterns.length > 0) action.set('when', item.patterns.map(text));
  action.set('run', oneOrMore(item.commands));
  if (item.logfile !== undefined) action.set('log', text(item.logfile));
  if (item.where !== 'peers') action.set('on', item.where);
  if (item.timeout !== undefined) action.set('timeout', number(item.timeout));
  return action;
}

function oneOrMore(words: readonly Word[]): string | readonly string[] {
  const [first, ...more] = words.map(text);
  return first === undefined ? [] : more.length === 0 ? first : [first, ...more];
}

function text({ text: bytes, range }: Word): string {
  const decoded = toText(bytes);
  if (decoded !== undefined) return decoded;
  throw new CsxError('CONFIG_INVALID', `YAML cannot hold a word that is not UTF-8: ${display(bytes)}`, {
    range,
    hint: 'In a pattern, write ? for each byte that is not.',
  });
}

function number(word: Word): number | string {
  return /^\d{1,9}$/.test(word.text) ? Number(word.text) : text(word);
}

function twice(name: string, { name: word, range }: GroupStatement): CsxError {
  return new CsxError('CONFIG_INVALID', `Two groups are called ${display(name)}; in YAML each needs its own name.`, {
    range: word?.range ?? range,
    hint: 'Rename one of them in csync2.cfg, on every host.',
  });
}
