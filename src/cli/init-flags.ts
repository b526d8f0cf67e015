/** What `csx init` is told on its command line. */

import { Flags } from '@oclif/core';
import type { Interfaces } from '@oclif/core';
import { DEFAULT_GROUP, parsePrefix } from '../setup/init/wish.js';
import type { InitWish } from '../setup/init/wish.js';

const WHAT = 'WHAT';

export const wishFlags = {
  host: Flags.string({
    summary: 'A host, this one too; NAME@ADDRESS where it is reached by another name.',
    multiple: true,
    multipleNonGreedy: true,
    delimiter: ',',
    helpValue: 'HOST',
    helpGroup: WHAT,
  }),
  include: Flags.string({
    summary: 'A directory, file or pattern to keep the same.',
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'PATH',
    helpGroup: WHAT,
  }),
  exclude: Flags.string({
    summary: 'A path, or a pattern of names, to leave out.',
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'PATTERN',
    helpGroup: WHAT,
  }),
  prefix: Flags.string({
    summary: '%NAME% stands for PATH on hosts that match HOST.',
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'NAME@HOST=PATH',
    helpGroup: WHAT,
  }),
  group: Flags.string({
    summary: `The name of the group; ${DEFAULT_GROUP} without it.`,
    helpValue: 'NAME',
    helpGroup: WHAT,
  }),
  yaml: Flags.boolean<boolean>({ summary: 'Write csx.yaml, which csync2 does not read.', helpGroup: WHAT }),
} satisfies Interfaces.FlagInput;

export type WishFlags = Interfaces.InferredFlags<typeof wishFlags>;

/** Not checked yet. */
export function wishOf(flags: WishFlags, host: string): InitWish {
  return {
    host,
    hosts: flags.host ?? [],
    include: flags.include ?? [],
    exclude: flags.exclude ?? [],
    group: flags.group ?? DEFAULT_GROUP,
    prefixes: (flags.prefix ?? []).map(parsePrefix),
  };
}
