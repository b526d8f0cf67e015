/** What a plan is limited to: PATH arguments, `--target`, `--exclude`, and the files that list them. */

import { readFile } from 'node:fs/promises';
import { Args, Flags } from '@oclif/core';
import type { Interfaces } from '@oclif/core';
import { compilePattern } from '../config/fnmatch.js';
import { CsxError } from '../model/errors.js';
import { fromBuffer, fromText } from '../model/names.js';
import type { FileName } from '../model/names.js';

const LIMITS = 'LIMITS';

/** The PATH arguments. */
export const pathArgs = {
  paths: Args.string({
    name: 'PATH',
    description: 'Only these files and what lies below them.',
    required: false,
    multiple: true,
  }),
};

export const targetFlags = {
  target: Flags.string({
    summary: 'Only these files and what lies below them; globs in quotes. Repeatable.',
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'PATH',
    helpGroup: LIMITS,
  }),
  'target-from': Flags.string({ summary: 'Targets from a file, one a line.', helpValue: 'FILE', helpGroup: LIMITS }),
  exclude: Flags.string({
    summary: 'Leave these files, and what lies below them, for another time; globs. Repeatable.',
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'GLOB',
    helpGroup: LIMITS,
  }),
  'exclude-from': Flags.string({
    summary: 'Exclusions from a file, one a line.',
    helpValue: 'FILE',
    helpGroup: LIMITS,
  }),
} satisfies Interfaces.FlagInput;

export type TargetFlags = Interfaces.InferredFlags<typeof targetFlags>;

export interface Exclusion {
  /** As given. */
  readonly patterns: readonly string[];
  readonly excludes: (file: FileName) => boolean;
}

/** PATH arguments and `--target`s together, as byte strings. */
export async function targetsOf(paths: readonly string[], flags: TargetFlags): Promise<readonly string[]> {
  const listed = flags['target-from'] === undefined ? [] : await lines(flags['target-from']);
  return [...[...paths, ...(flags.target ?? [])].map(fromText), ...listed];
}

/** A pattern with a slash or a prefix is matched against whole names, any other against last components, as in csync2.cfg. */
export async function exclusionOf(flags: TargetFlags): Promise<Exclusion> {
  const listed = flags['exclude-from'] === undefined ? [] : await lines(flags['exclude-from']);
  const patterns = [...(flags.exclude ?? []).map(fromText), ...listed];
  const compiled = patterns.map((text) => {
    const whole = text.includes('/') || text.startsWith('%');
    const flagsOf = { pathname: whole && !text.includes('**'), leadingDir: whole };
    return { whole, pattern: compilePattern(text.length > 1 ? text.replace(/\/+$/, '') : text, flagsOf) };
  });
  return {
    patterns,
    excludes: (file) =>
      compiled.some(({ whole, pattern }) =>
        whole ? pattern.test(file) : file.split('/').some((component) => component !== '' && pattern.test(component)),
      ),
  };
}

async function lines(file: string): Promise<readonly string[]> {
  try {
    const text = fromBuffer(await readFile(file));
    return text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
  } catch (error) {
    throw new CsxError(
      'USAGE',
      `Cannot read the list ${file}: ${error instanceof Error ? error.message : String(error)}.`,
      {
        hint: 'One path or pattern a line; lines that start with # are left out.',
        cause: error,
      },
    );
  }
}
