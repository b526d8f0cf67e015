/**
 * Patterns among PATH arguments: what they match on disk, and among the known names. The same shell rules as in the
 * configuration: `*` and `?` stop at slashes, unless `**` occurs.
 */

import fs from 'node:fs';
import { compilePattern } from '../../config/fnmatch.js';
import { fileName } from '../../model/encoding.js';
import { isAscii, isCanonical, isReserved, toBuffer } from '../../model/names.js';
import type { DiskPath, FileName } from '../../model/names.js';
import type { FileRow } from '../../model/store.js';
import { lstat } from './lstat.js';

export function isPattern(text: string): boolean {
  return /[*?[\\]/.test(text);
}

/** The paths below `base` that match, in no particular order. Directories that cannot be read match nothing. */
export function* diskMatches(base: DiskPath, pattern: string): Generator<DiskPath> {
  yield* matchParts(base, pattern.split('/'), 0);
}

function* matchParts(directory: DiskPath, parts: readonly string[], index: number): Generator<DiskPath> {
  const part = parts[index];
  if (part === undefined) {
    yield directory;
    return;
  }
  const last = index === parts.length - 1;
  const shell = compilePattern(part);
  if (shell.literal === undefined && parts.slice(index).some((each) => each.includes('**'))) {
    const rest = compilePattern(parts.slice(index).join('/'));
    yield* matchDeep(directory, '', (name) => rest.test(name));
    return;
  }
  const names = shell.literal === undefined ? list(directory).filter((name) => shell.test(name)) : [shell.literal];
  for (const name of names) {
    const child = below(directory, name);
    const stats = look(child);
    if (stats !== undefined && (last || stats.isDirectory())) yield* matchParts(child, parts, index + 1);
  }
}

function* matchDeep(directory: DiskPath, inside: string, matches: (name: string) => boolean): Generator<DiskPath> {
  for (const name of list(directory)) {
    const child = below(directory, name);
    if (matches(inside + name)) {
      // What lies below comes with it.
      yield child;
    } else if (look(child)?.isDirectory() === true) {
      yield* matchDeep(child, `${inside}${name}/`, matches);
    }
  }
}

/**
 * The known names that match, or whose directory does (a directory that held files need not be known itself).
 *
 * @param place the form of a name that the pattern is about: its path, or the name itself; undefined: not meant
 */
export async function* knownMatches(
  pattern: string,
  place: (name: FileName) => string | undefined,
  rows: AsyncIterable<readonly FileRow[]>,
): AsyncGenerator<FileName> {
  const deep = pattern.includes('**');
  const shell = compilePattern(pattern, { pathname: !deep, leadingDir: false });
  const depth = pattern.split('/').length;
  for await (const batch of rows) {
    for (const row of batch) {
      const name = fileName(row.stored);
      const placed = place(name);
      if (placed === undefined || !isCanonical(name)) continue;
      const surplus = deep ? 0 : placed.split('/').length - depth;
      if (surplus < 0) continue;
      if (shell.test(cut(placed, surplus))) yield cut(name, surplus) as FileName;
    }
  }
}

/** The name without its last `count` components. */
function cut(name: string, count: number): string {
  return count === 0 ? name : name.split('/').slice(0, -count).join('/');
}

function below(directory: DiskPath, name: string): DiskPath {
  return (directory === '/' ? `/${name}` : `${directory}/${name}`) as DiskPath;
}

function list(directory: DiskPath): string[] {
  try {
    const names = fs.readdirSync(isAscii(directory) ? directory : toBuffer(directory), 'latin1');
    return names.filter((name) => !isReserved(name));
  } catch {
    return [];
  }
}

function look(disk: DiskPath): fs.BigIntStats | undefined {
  try {
    return lstat(disk);
  } catch {
    return undefined;
  }
}
