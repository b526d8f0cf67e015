/**
 * PATH arguments to scopes: which part of the names a run is about. A path may be given as it is on disk or in configured form
 * (`%prefix%/x`), relative to the working directory, or as a (quoted) pattern. A path that matches nothing is an error that
 * names the nearest one, never "no changes".
 *
 * Paths are made absolute by their text alone: no link is followed. (csync2 resolves links in its arguments; csx says instead
 * that nothing behind a link is synchronised, and where the link is.)
 */

import path from 'node:path';
import { CsxError } from '../../model/errors.js';
import type { DiskPath, FileName } from '../../model/names.js';
import { display, isCanonical, isWithin } from '../../model/names.js';
import type { FileRow, Scope } from '../../model/store.js';
import { diskMatches, isPattern, knownMatches } from './glob.js';
import { lstat } from './lstat.js';
import { Parents } from './parents.js';
import { diskOf } from './selected.js';
import type { Places } from './selected.js';
import { suggest } from './suggest.js';

/** What of config's Selection decides about arguments. */
export interface Named extends Places {
  /** The configured names of a place on disk: the path itself, and one for every prefix that contains it. */
  namesOf(disk: DiskPath): readonly FileName[];
}

export type Files = (scopes?: readonly Scope[]) => AsyncIterable<readonly FileRow[]>;

/**
 * @param paths byte strings, as typed
 * @param cwd the working directory
 * @param files the known files: a removed file is a target too
 * @param recursive false: the files alone, as `csync2 -c` without `-r`
 * @throws CsxError UNKNOWN_TARGET
 */
export async function resolveScopes(
  paths: readonly string[],
  cwd: DiskPath,
  selection: Named,
  files: Files,
  recursive = true,
): Promise<readonly Scope[]> {
  const names = new Set<FileName>();
  for (const word of paths) {
    const found = await namesOf(word, cwd, selection, files, recursive);
    for (const name of found) names.add(name);
  }
  return [...names].map((file) => ({ file, recursive }));
}

async function namesOf(
  word: string,
  cwd: DiskPath,
  selection: Named,
  files: Files,
  recursive: boolean,
): Promise<readonly FileName[]> {
  const target = targetOf(word, cwd, selection);
  const literal: FileName[] = [];
  for (const name of target.names) {
    if (await holdsAnything(name, selection, files, recursive)) literal.push(name);
  }
  if (recursive) literal.push(...prefixesInside(target.disk, selection));
  if (literal.length > 0) return literal;

  const matched: FileName[] = [];
  if (isPattern(target.written)) {
    for (const name of await patternNames(target, selection, files)) {
      if (await holdsAnything(name, selection, files, recursive)) matched.push(name);
    }
  }
  if (matched.length > 0) return matched;
  throw await unknownTarget(word, target, selection, files);
}

/** An argument, made absolute. */
interface Target {
  /** Absolute path or `%prefix%/x`: what was written, in canonical form. */
  readonly written: string;
  readonly disk: DiskPath | undefined;
  readonly names: readonly FileName[];
}

function targetOf(word: string, cwd: DiskPath, selection: Named): Target {
  if (word === '' || word.includes('\0')) {
    throw new CsxError('UNKNOWN_TARGET', 'An empty path names no file.', { hint: 'Name a file, or leave it out.' });
  }
  const configured = /^(%[^%/]+%)(\/.*)?$/s.exec(word);
  if (configured !== null) {
    const [, prefix = '', rest = ''] = configured;
    const file = (prefix + (rest === '' ? '' : path.posix.resolve('/', rest)).replace(/\/$/, '')) as FileName;
    const disk = diskOf(selection, file);
    if (disk !== undefined) return { written: file, disk, names: isCanonical(file) ? [file] : [] };
  }
  const disk = path.posix.resolve(cwd, word) as DiskPath;
  return { written: disk, disk, names: isCanonical(disk) ? selection.namesOf(disk) : [] };
}

/** Whether a scan of the name could find anything: a selected file on disk, or a known one. */
async function holdsAnything(name: FileName, selection: Named, files: Files, recursive: boolean): Promise<boolean> {
  const included = selection.includes(name);
  const leads = recursive && (selection.entered(name) || selection.roots().some((root) => isWithin(root.file, name)));
  const disk = diskOf(selection, name);
  if ((included || leads) && disk !== undefined && stands(disk)) return true;
  for await (const batch of files([{ file: name, recursive }])) {
    if (batch.length > 0) return true;
  }
  return false;
}

/** Whether something stands at the path, and not behind a link. What cannot be looked at stands: the scan will tell. */
function stands(disk: DiskPath): boolean {
  try {
    return new Parents().of(disk).kind === 'directories' && lstat(disk) !== undefined;
  } catch {
    return true;
  }
}

/** Roots under prefixes whose place lies inside the argument: `/srv` holds `%data%/x` when data is `/srv/data`. */
function prefixesInside(disk: DiskPath | undefined, selection: Named): readonly FileName[] {
  if (disk === undefined) return [];
  return selection
    .roots()
    .filter((root) => root.file.startsWith('%') && isWithin(root.disk, disk))
    .map((root) => root.file);
}

async function patternNames(target: Target, selection: Named, files: Files): Promise<ReadonlySet<FileName>> {
  const names = new Set<FileName>();
  const configured = target.written.startsWith('%');
  if (configured) {
    const slash = target.written.indexOf('/');
    const prefix = slash < 0 ? target.written : target.written.slice(0, slash);
    const base = diskOf(selection, prefix as FileName);
    if (base !== undefined && slash >= 0) {
      for (const disk of diskMatches(base, target.written.slice(slash + 1))) {
        names.add(`${prefix}${base === '/' ? disk : disk.slice(base.length)}` as FileName);
      }
    }
  } else {
    for (const disk of diskMatches('/' as DiskPath, target.written.slice(1))) {
      for (const name of selection.namesOf(disk)) names.add(name);
    }
  }
  const place = (name: FileName): string | undefined => (configured ? name : diskOf(selection, name));
  for await (const name of knownMatches(target.written, place, files())) names.add(name);
  return names;
}

async function unknownTarget(word: string, target: Target, selection: Named, files: Files): Promise<CsxError> {
  const { disk } = target;
  const data = { path: word };
  if (disk !== undefined && !isPattern(target.written)) {
    const link = linkAbove(disk);
    if (link !== undefined) {
      return new CsxError('UNKNOWN_TARGET', `${display(word)} lies behind the symbolic link ${display(link)}.`, {
        hint: 'csx follows no links, so nothing there is synchronised. Name the file by the path the link leads to.',
        data,
      });
    }
    if (stands(disk) && isCanonical(target.written)) {
      return new CsxError('UNKNOWN_TARGET', `${display(word)} is in no group, and nothing below it is.`, {
        hint: `\`csx explain ${display(word)}\` shows which statement leaves it out.`,
        data,
      });
    }
  }
  const near = await suggest(target.written, disk, selection, files);
  return new CsxError('UNKNOWN_TARGET', `${display(word)} matches no file on disk and none in the database.`, {
    hint: near === undefined ? '`csx db list files` shows what is known.' : `Did you mean ${display(near)}?`,
    data: { ...data, suggestion: near },
  });
}

function linkAbove(disk: DiskPath): DiskPath | undefined {
  try {
    const above = new Parents().of(disk);
    return above.kind === 'link' ? above.at : undefined;
  } catch {
    return undefined;
  }
}
