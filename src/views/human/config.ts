/** `csx config check`: what is wrong where, or what the configuration comes to on this host. */

import type { Config } from '../../model/config.js';
import type { Problem } from '../../model/errors.js';
import { display } from '../../model/names.js';
import { list, plural } from '../quantity.js';
import { screenOf } from '../terminal.js';
import type { Output } from '../terminal.js';
import { wrap } from '../width.js';
import { humanProblem, safe } from './problem.js';
import { table } from './table.js';

export interface ConfigCheck {
  /** Undefined when it could not be resolved. */
  readonly config: Config | undefined;
  /** The files that were read, the main one first. */
  readonly files: readonly string[];
  readonly problems: readonly Problem[];
}

export function* configCheckView(output: Output, check: ConfigCheck): Generator<string> {
  const screen = screenOf(output);
  const { paint, width } = screen;
  for (const problem of check.problems) {
    yield* humanProblem(problem, screen);
    yield '\n';
  }
  const { config } = check;
  if (config !== undefined) {
    const rows = config.groups.map((group) => [
      safe(group.name),
      group.slave ? 'slave' : 'member',
      list(
        group.members.filter((member) => !member.self).map((member) => display(member.name)),
        6,
      ),
      String(group.patterns.length),
      String(group.actions.length),
      group.auto,
    ]);
    yield `On ${paint.bold(display(config.host))} this comes to\n\n`;
    const columns = [
      { title: 'Group' },
      { title: 'This host' },
      { title: 'Peers', cut: 'end' },
      { title: 'Patterns', align: 'right' },
      { title: 'Actions', align: 'right' },
      { title: 'Conflicts' },
    ] as const;
    yield* table(columns, rows, screen);
    yield '\n';
  }
  for (const line of wrap(verdict(check), width)) yield `${paint.bold(line)}\n`;
}

/** The last line: `csync2.cfg is valid: 2 groups, 1 warning.` */
export function verdict(check: ConfigCheck): string {
  const errors = check.problems.filter((problem) => problem.severity === 'error').length;
  const warnings = check.problems.length - errors;
  const name = list(check.files.map(safe), 4);
  const are = check.files.length === 1 ? 'is' : 'are';
  const warned = warnings === 0 ? '' : `, ${plural(warnings, 'warning')}`;
  if (errors > 0 || check.config === undefined) return `${name} ${are} not valid: ${plural(errors, 'error')}${warned}.`;
  return `${name} ${are} valid: ${plural(check.config.groups.length, 'group')} for this host${warned}.`;
}
