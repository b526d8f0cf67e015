/** The verbs and their flags, as completion needs to know them, from what oclif knows. */

import type { Interfaces } from '@oclif/core';
import type { FlagShape, ValueKind, ValueShape, VerbShape } from '../setup/completion/shapes.js';

export function verbShapes(config: Interfaces.Config): readonly VerbShape[] {
  return config.commands
    .filter((command) => !command.hidden)
    .map((command) => {
      const words = command.id.split(':');
      return {
        words,
        summary: command.summary ?? '',
        flags: Object.values(command.flags)
          .filter((flag) => flag.hidden !== true)
          .map((flag) => flagShape(flag, words)),
        args: Object.values(command.args).map((arg) => ({
          ...value(arg.name, arg.options, words),
          multiple: arg.multiple === true,
        })),
      };
    });
}

type LoadedFlag = Interfaces.Config['commands'][number]['flags'][string];

function flagShape(flag: LoadedFlag, verb: readonly string[]): FlagShape {
  const common = { name: flag.name, char: flag.char, summary: flag.summary ?? flag.description ?? '' };
  if (flag.type === 'boolean') return { ...common, value: undefined };
  const placeholder = typeof flag.helpValue === 'string' ? flag.helpValue : '';
  const shape = value(placeholder, flag.options, verb);
  return { ...common, value: { ...shape, multiple: flag.multiple === true, commas: flag.delimiter === ',' } };
}

/** What a value is, by what help calls it. oclif forgets that of arguments and keeps their keys. */
const KINDS: Readonly<Record<string, ValueKind>> = {
  PEER: 'peers',
  GROUP: 'groups',
  PATH: 'files',
  PATHS: 'files',
  GLOB: 'files',
  FILE: 'paths',
  PLANFILE: 'paths',
  DIR: 'directories',
  'DIR|URL': 'directories',
};

function value(placeholder: string, options: readonly string[] | undefined, verb: readonly string[]): ValueShape {
  const known = KINDS[placeholder.toUpperCase()] ?? 'nothing';
  // What init is told is in no configuration yet.
  const kind = verb[0] === 'init' && known === 'files' ? 'paths' : known;
  return { kind, options: options ?? [], multiple: false };
}
