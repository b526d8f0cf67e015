/** Statements as csync2.cfg. */

import { CsxError } from '../model/errors.js';
import { display } from '../model/names.js';
import type { Bytes } from '../model/names.js';
import type { Converted } from './convert.js';
import { KEYWORDS } from './lexer.js';
import type { ActionItem, GroupItem, GroupStatement, MemberWord, Statement, Word } from './statements.js';

/** Writes; fails with CONFIG_INVALID where a word holds a quotation mark, for which csync2.cfg has no way. */
export function writeCsync2(statements: readonly Statement[]): Converted {
  const lost: string[] = [];
  const text = statements.map((statement) => writeStatement(statement, lost)).join('\n');
  return { text: text as Bytes, lost };
}

function writeStatement(statement: Statement, lost: string[]): string {
  switch (statement.kind) {
    case 'group':
      return writeGroup(statement, lost);
    case 'prefix':
      return section(
        `prefix ${quote(statement.name)}`,
        statement.paths.map(({ host, path }) => `on ${quote(host)} : ${quote(path)};`),
      );
    case 'nossl':
      return `nossl ${quote(statement.from)} ${quote(statement.to)};\n`;
    case 'ignore':
      return `ignore ${quoteAll(statement.properties)};\n`;
    case 'no-cygwin-lowercase':
      return `${statement.kind};\n`;
    case 'database':
    case 'tempdir':
    case 'lock-timeout':
      return `${statement.kind} ${quote(statement.value)};\n`;
  }
}

function writeGroup({ name, items }: GroupStatement, lost: string[]): string {
  const shown = name === undefined ? 'a group without a name' : `the group ${display(name.text)}`;
  return section(
    name === undefined ? 'group' : `group ${quote(name)}`,
    items.flatMap((item) => writeItem(item, shown, lost)),
  );
}

function writeItem(item: GroupItem, group: string, lost: string[]): readonly string[] {
  switch (item.kind) {
    case 'host':
      return [`host ${item.members.map(writeMember).join(' ')};`];
    case 'key':
      return [`key ${quote(item.file)};`];
    case 'include':
    case 'exclude':
    case 'compare':
      return [`${item.kind} ${quoteAll(item.patterns)};`];
    case 'auto':
      return [`auto ${quote(item.method)};`];
    case 'backup-directory':
    case 'backup-generations':
      return [`${item.kind} ${quote(item.value)};`];
    case 'action':
      return writeAction(item, group, lost);
    case 'max-delete':
    case 'action-timeout':
      lost.push(`${item.kind} of ${group}: ${display(item.value.text)}.`);
      return [];
    case 'sensitive':
      lost.push(`sensitive of ${group}: ${item.patterns.map(({ text }) => display(text)).join(', ')}.`);
      return [];
  }
}

function writeMember({ host, name, slave }: MemberWord): string {
  const text = name === undefined ? quote(host) : `${quote(host)}@${quote(name)}`;
  return slave ? `(${text})` : text;
}

function writeAction(item: ActionItem, group: string, lost: string[]): readonly string[] {
  if (item.timeout !== undefined) {
    const commands = item.commands.map(({ text }) => display(text)).join('; ');
    lost.push(`The timeout of an action of ${group} (${commands}): ${item.timeout.text} seconds.`);
  }
  const where = { peers: [], everywhere: ['do-local;'], here: ['do-local-only;'] }[item.where];
  const lines = [
    ...(item.patterns.length === 0 ? [] : [`pattern ${quoteAll(item.patterns)};`]),
    ...item.commands.map((command) => `exec ${quote(command)};`),
    ...(item.logfile === undefined ? [] : [`logfile ${quote(item.logfile)};`]),
    ...where,
  ];
  // Not split into lines again: a quoted word may hold line ends.
  return ['action', '{', ...lines.map((line) => `\t${line}`), '}'];
}

function section(head: string, lines: readonly string[]): string {
  return `${head}\n{\n${lines.map((line) => `\t${line}\n`).join('')}}\n`;
}

const WORDS = new Set<string>(KEYWORDS);

function quoteAll(words: readonly Word[]): string {
  return words.map(quote).join(' ');
}

/** A word as the lexer reads it back. */
function quote({ text, range }: Word): string {
  if (text.includes('"') || text === '') {
    throw new CsxError(
      'CONFIG_INVALID',
      text === ''
        ? 'An empty word cannot be written in csync2.cfg.'
        : `csync2.cfg cannot hold a word with a quotation mark: ${display(text)}`,
      { range, hint: 'In a command use single quotes or a script; in a pattern write ? for the mark.' },
    );
  }
  const plain = /^[^ \t\r\n@;()#"]*[^ \t\r\n@;()#":]$/.test(text) && !WORDS.has(text) && !/^[{}]$/.test(text);
  return plain ? text : `"${text}"`;
}
