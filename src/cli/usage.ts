/** What oclif says about a command line, in csx's own words. */

import { Errors } from '@oclif/core';
import type { Config } from '@oclif/core';
import { CsxError } from '../model/errors.js';
import { nearest } from '../model/nearest.js';

const VERBS_HINT = "Run 'csx --help' for the list of commands.";

/** oclif's complaints about the command line, as our own error; undefined for anything else. */
export function usageError(thrown: unknown, argv: readonly string[], config: Config): CsxError | undefined {
  if (!(thrown instanceof Errors.CLIError)) return undefined;
  const verb = verbOf(argv, config);
  const unknown = /^command (.*) not found$/s.exec(thrown.message)?.[1];
  if (unknown !== undefined) {
    const name = unknown.replaceAll(':', ' ');
    const guess = nearest(
      name,
      config.commandIDs.map((id) => id.replaceAll(':', ' ')),
    );
    return new CsxError('USAGE', `There is no command '${name}'.`, {
      hint: guess === undefined ? VERBS_HINT : `Did you mean 'csx ${guess}'? ${VERBS_HINT}`,
    });
  }
  const flags = /Nonexistent flags?: (--?\S+)/.exec(thrown.message)?.[1];
  if (flags !== undefined) return unknownFlag(flags.replace(/,$/, ''), verb, config);
  const message = thrown.message
    .replace(/\nSee more help with --help$/, '')
    .replace(/^The following errors? occurred:\s*/, '')
    .replaceAll(/\s*\n\s*/g, ' ')
    .trim();
  return new CsxError('USAGE', message, { hint: verbHint(verb) });
}

function unknownFlag(flag: string, verb: string, config: Config): CsxError {
  const known = Object.values(config.findCommand(verb.replaceAll(' ', ':'))?.flags ?? {}).map(
    ({ name }) => `--${name}`,
  );
  const guess = flag.startsWith('--') ? nearest(flag.replace(/=.*/s, ''), known) : undefined;
  return new CsxError('USAGE', `There is no flag ${flag}${verb === '' ? '' : ` of csx ${verb}`}.`, {
    hint: guess === undefined ? verbHint(verb) : `Did you mean ${guess}? ${verbHint(verb)}`,
  });
}

function verbHint(verb: string): string {
  return `Run 'csx ${verb === '' ? '' : `${verb} `}--help' for what it takes.`;
}

/** The words of the command line that name a command: `trust list`. */
export function verbOf(argv: readonly string[], config: Config): string {
  const [first = '', second = ''] = argv;
  const known = (id: string): boolean => config.commandIDs.includes(id);
  if (known(`${first}:${second}`)) return `${first} ${second}`;
  return known(first) ? first : '';
}
