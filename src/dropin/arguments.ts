/**
 * File arguments, as csync2 takes them: made absolute, links above the last component resolved, and then looked up both as they are
 * and under every prefix that contains them. An argument that the configuration has nothing to do with is told, and no error.
 */

import { realpathSync } from 'node:fs';
import path from 'node:path';
import { errnoOf } from '../model/errors.js';
import { fromBuffer, fromText, isWithin, toBuffer } from '../model/names.js';
import type { DiskPath, FileName } from '../model/names.js';
import type { Scope } from '../model/store.js';
import type { Selection } from '../config/selection.js';
import type { Job } from './place.js';

export interface Argument {
  readonly disk: DiskPath;
  /** The names under which the configuration may know it; the path itself first. */
  readonly names: readonly FileName[];
  /** The configuration has nothing to do with it: to be told, when it is its turn. */
  readonly ignored: boolean;
}

/** @param compare compare patterns count as well, as with -o and -T */
export function fileArguments(job: Job, selection: Selection, compare = false): readonly Argument[] {
  const cwd = fromText(job.around.cwd);
  const { recursive } = job.options;
  const concerns = (name: FileName): boolean =>
    (compare ? selection.comparedGroupsOf(name).length > 0 : selection.includes(name)) ||
    (recursive && selection.entered(name, compare));
  const places = selection.prefixPlaces();
  return job.options.arguments.map((word) => {
    const disk = absolute(word, cwd);
    const names = [...new Set([disk as string as FileName, ...selection.namesOf(disk)])];
    // As csync2: what lies above a prefix's place is never warned of, with -r or without; of `/` only -r makes something.
    const known = disk === '/' ? recursive : places.some((place) => place !== disk && isWithin(place, disk));
    return { disk, names, ignored: !known && !names.some(concerns) };
  });
}

export function warnIgnored({ disk, ignored }: Argument, { voice }: Pick<Job, 'voice'>): void {
  if (ignored) voice.say(0, `WARNING: Parameter will be ignored: ${disk}`);
}

/** What the arguments stand for in a scan, prefixes whose place lies inside a recursive one included. */
export function scopesOf(
  files: readonly Argument[],
  selection: Selection,
  recursive: boolean,
  compare = false,
): readonly Scope[] {
  const names = new Set(files.flatMap((file) => file.names));
  if (recursive) {
    for (const root of selection.roots(compare)) {
      if (root.file.startsWith('%') && files.some(({ disk }) => isWithin(root.disk, disk))) names.add(root.file);
    }
  }
  return [...names].map((file) => ({ file, recursive }));
}

/** The last component stays as it is: a link is synchronised itself. What does not exist is taken by its text. */
function absolute(word: string, cwd: string): DiskPath {
  const written = path.posix.resolve(cwd, word);
  if (written === '/') return written as DiskPath;
  const rest = [path.posix.basename(written)];
  for (let directory = path.posix.dirname(written); ; directory = path.posix.dirname(directory)) {
    try {
      const real = fromBuffer(realpathSync(toBuffer(directory), { encoding: 'buffer' }));
      return path.posix.join(real, ...rest) as DiskPath;
    } catch (error) {
      if (directory === '/' || errnoOf(error) === undefined) return written as DiskPath;
      rest.unshift(path.posix.basename(directory));
    }
  }
}
