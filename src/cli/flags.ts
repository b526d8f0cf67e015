/** The flags that all verbs share. Design: design/commands.md, "Global flags". */

import { Flags } from '@oclif/core';
import type { Interfaces } from '@oclif/core';

const PLACE = 'WHERE';
const OUTPUT = 'OUTPUT';
const CHOICE = 'WHAT';

/** Where configuration, state and peers are. */
export const placeFlags = {
  config: Flags.string({
    summary: 'The configuration file.',
    description: 'Without it csx.yaml, then csync2.cfg is looked for in the system directory.',
    helpValue: 'FILE',
    helpGroup: PLACE,
  }),
  'config-name': Flags.string({
    char: 'C',
    summary: 'Use csync2_NAME.cfg instead of csync2.cfg.',
    helpValue: 'NAME',
    helpGroup: PLACE,
  }),
  'system-dir': Flags.string({
    summary: 'The directory of configuration, keys and certificates.',
    default: '/etc',
    env: 'CSYNC2_SYSTEM_DIR',
    helpValue: 'DIR',
    helpGroup: PLACE,
  }),
  hostname: Flags.string({
    char: 'N',
    summary: "This host's name, as the configuration lists it.",
    env: 'CSX_HOSTNAME',
    helpValue: 'NAME',
    helpGroup: PLACE,
  }),
  database: Flags.string({
    char: 'D',
    summary: 'The database: a directory, a file or a URL.',
    env: 'CSYNC2_DATABASE',
    helpValue: 'DIR|URL',
    helpGroup: PLACE,
  }),
} satisfies Interfaces.FlagInput;

/** How results are shown. */
export const outputFlags = {
  json: Flags.boolean<boolean>({ summary: 'Print JSON; errors too.', helpGroup: OUTPUT }),
  'no-color': Flags.boolean<boolean>({ summary: 'Print without colours (also: NO_COLOR).', helpGroup: OUTPUT }),
  'no-input': Flags.boolean<boolean>({
    summary: 'Never ask; fail where an answer would be needed (also: CSX_INPUT=0).',
    helpGroup: OUTPUT,
  }),
  verbose: Flags.boolean<boolean>({ char: 'v', summary: 'Say more: causes of errors, every file.', helpGroup: OUTPUT }),
  quiet: Flags.boolean<boolean>({
    summary: 'Print results and errors only.',
    exclusive: ['verbose'],
    helpGroup: OUTPUT,
  }),
  progress: Flags.option({
    options: ['auto', 'tty', 'plain', 'none'] as const,
    default: 'auto' as const,
    summary: 'How to show progress on stderr.',
    helpGroup: OUTPUT,
  })(),
} satisfies Interfaces.FlagInput;

/** Which groups and peers a verb works on. */
export const choiceFlags = {
  group: Flags.string({
    char: 'G',
    summary: 'Only these groups.',
    multiple: true,
    multipleNonGreedy: true,
    delimiter: ',',
    helpValue: 'GROUP',
    helpGroup: CHOICE,
  }),
  peer: Flags.string({
    char: 'P',
    summary: 'Only these peers.',
    multiple: true,
    multipleNonGreedy: true,
    delimiter: ',',
    helpValue: 'PEER',
    helpGroup: CHOICE,
  }),
} satisfies Interfaces.FlagInput;

/** How peers are reached. */
export const networkFlags = {
  port: Flags.integer({
    char: 'p',
    summary: 'The TCP port peers listen on.',
    default: 30865,
    min: 1,
    max: 65535,
    helpValue: 'PORT',
    helpGroup: PLACE,
  }),
  timeout: Flags.integer({
    summary: 'Give up on a peer that makes no progress for so many seconds.',
    default: 60,
    min: 1,
    helpValue: 'SECONDS',
    helpGroup: PLACE,
  }),
} satisfies Interfaces.FlagInput;

export type PlaceFlags = Interfaces.InferredFlags<typeof placeFlags>;
export type OutputFlags = Interfaces.InferredFlags<typeof outputFlags>;
export type ChoiceFlags = Interfaces.InferredFlags<typeof choiceFlags>;
export type NetworkFlags = Interfaces.InferredFlags<typeof networkFlags>;
