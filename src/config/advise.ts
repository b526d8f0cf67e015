/** Warnings: statements that are allowed and do not do what whoever wrote them must have meant. */

import type { Config } from '../model/config.js';
import { display } from '../model/names.js';
import { nearest } from '../model/nearest.js';
import { isPathPattern } from './matching.js';
import type { Report } from './report.js';
import { prefixNameOf } from './selection.js';
import type { Statement, Word } from './statements.js';

/** Looks through the groups of this host. `config` is what the statements resolved to. */
export function advise(statements: readonly Statement[], config: Config, report: Report): void {
  const mine = new Set(config.groups.map(({ name }) => name));
  for (const statement of statements) {
    if (statement.kind !== 'group' || (statement.name !== undefined && !mine.has(statement.name.text))) continue;
    for (const item of statement.items) {
      switch (item.kind) {
        case 'include':
        case 'exclude':
        case 'compare':
          for (const word of item.patterns) advisePattern(word, config, report);
          break;
        case 'action':
          for (const word of item.patterns) adviseActionPattern(word, config, report);
          if (item.commands.length === 0) report.warn('This action runs nothing.', item.range, 'Add: exec "command";');
          for (const word of item.commands) adviseCommand(word, item.commands, report);
          break;
        default:
          break;
      }
    }
  }
  for (const { name, range, patterns } of config.groups) {
    if (patterns.some(({ kind, text }) => kind === 'include' && isPathPattern(text))) continue;
    report.warn(
      `The group ${display(name)} holds no file: it has no include pattern that starts with / or %.`,
      range,
      'Add: include /path;',
    );
  }
}

function advisePattern(word: Word, config: Config, report: Report): void {
  const { text, range } = word;
  const trimmed = text.replace(/\/+$/, '');
  if (trimmed === '') {
    report.warn(
      `The pattern ${display(text)} matches nothing: csync2 drops trailing slashes.`,
      range,
      'To mean every file, write /*.',
    );
  } else if (isPathPattern(trimmed)) {
    advisePath(trimmed, word, config, report);
  } else if (trimmed.includes('/')) {
    report.warn(
      `The pattern ${display(text)} matches nothing: without / or % at its start it is held against base names.`,
      range,
      `Start it with a slash, or with **/ after a path.`,
    );
  }
}

function advisePath(text: string, { range }: Word, config: Config, report: Report): void {
  if (/\/(?:\.{0,2})\//.test(`${text}/`)) {
    report.warn(
      `The pattern ${display(text)} matches nothing: paths hold no empty component, no . and no ..`,
      range,
      'Write the path as the system knows it.',
    );
  }
  if (!text.startsWith('%') || /^%[^/]*[*?[\\]/.test(text)) return;
  const name = prefixNameOf(text);
  if (name === undefined || !/^%[^%/]+%(?:\/|$)/.test(text)) {
    report.warn(`The pattern ${display(text)} has no prefix in front.`, range, 'Write %prefix%/path.');
    return;
  }
  const prefix = config.prefixes.find((known) => known.name === name);
  if (prefix !== undefined) return;
  const near = nearest(
    name,
    config.prefixes.map((known) => known.name),
  );
  report.warn(
    `The prefix %${display(name)}% is declared nowhere.`,
    range,
    near === undefined ? `Add: prefix ${display(name)} { on *: /path; }` : `Did you mean %${display(near)}%?`,
  );
}

function adviseActionPattern(word: Word, config: Config, report: Report): void {
  const { text, range } = word;
  if (text.endsWith('/')) {
    const cure = `Leave the slash away: a pattern also matches everything below.`;
    report.warn(`The action pattern ${display(text)} matches nothing: it ends with a slash.`, range, cure);
  } else if (isPathPattern(text)) {
    advisePath(text, word, config, report);
  } else if (!text.startsWith('**') && !/^[*?[\\]/.test(text)) {
    report.warn(
      `The action pattern ${display(text)} matches nothing: it is held against whole names, which start with / or %.`,
      range,
      'Start it with a slash, or with **/.',
    );
  } else if (!text.includes('**')) {
    report.warn(
      `The action pattern ${display(text)} matches nothing: it is held against whole names, and * does not match a slash.`,
      range,
      `Write **/${display(text)}.`,
    );
  }
}

function adviseCommand({ text, range }: Word, all: readonly Word[], report: Report): void {
  if (all.length < 2 || /\s/.test(text) || text.startsWith('/')) return;
  if (all.some((word) => word.range.line === range.line && word.range.file === range.file && word.text !== text)) {
    report.warn(
      `${display(text)} is a command of its own here: every word after exec is.`,
      range,
      'Quote a command that has arguments: exec "command argument";',
    );
  }
}
