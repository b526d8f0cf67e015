/** Peers, groups and files of the configuration that begin with what was typed. Quiet: a broken configuration has none. */

import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { loadConfig } from '../../config/load.js';
import type { LoadOptions } from '../../config/load.js';
import { Selection } from '../../config/selection.js';
import { CsxError } from '../../model/errors.js';
import { fromBuffer, fromText, toBuffer, toText } from '../../model/names.js';
import type { DiskPath, FileName } from '../../model/names.js';

/** More than anybody reads. */
const MOST = 1_000;

export async function valuesOf(
  kind: 'peers' | 'groups' | 'files',
  start: string,
  place: LoadOptions,
  directory: string,
): Promise<readonly string[]> {
  let selection: Selection;
  try {
    selection = new Selection(await loadConfig(place));
  } catch (error) {
    if (error instanceof CsxError) return [];
    throw error;
  }
  const names =
    kind === 'peers'
      ? selection.peers()
      : kind === 'groups'
        ? selection.config.groups.map((group) => group.name)
        : filesFrom(selection, fromText(start), fromText(directory));
  const texts = names.flatMap((name) => toText(name) ?? []);
  // A shell takes a line for a candidate, and a tab for its end.
  return texts.filter((text) => text.startsWith(start) && !/\p{Cc}/u.test(text)).slice(0, MOST);
}

/** Names as they were begun: absolute, relative, or below a prefix. Directories end in a slash. */
function filesFrom(selection: Selection, start: string, cwd: string): readonly string[] {
  const slash = start.lastIndexOf('/') + 1;
  const [before, begun] = [start.slice(0, slash), start.slice(slash)];
  if (slash === 0 && start.startsWith('%')) {
    return selection.config.prefixes.filter(({ path: disk }) => disk !== undefined).map(({ name }) => `%${name}%/`);
  }
  const disk = diskOf(selection, before, cwd);
  if (disk === undefined) return [];
  const prefixes =
    start === ''
      ? selection.config.prefixes.filter(({ path: where }) => where !== undefined).map(({ name }) => `%${name}%/`)
      : [];
  const inside = entries(disk)
    .filter((name) => name.startsWith(begun))
    .flatMap((name) => {
      const here = path.posix.join(disk, name) as DiskPath;
      const names = before.startsWith('%') ? [(before + name) as FileName] : selection.namesOf(here);
      if (!names.some((each) => selection.includes(each) || selection.entered(each))) return [];
      return [before + name + (isDirectory(here) ? '/' : '')];
    });
  return [...prefixes, ...inside];
}

function diskOf(selection: Selection, before: string, cwd: string): string | undefined {
  if (!before.startsWith('%')) return path.posix.resolve(cwd, before);
  try {
    return selection.toDisk(before.replace(/\/+$/, '') as FileName);
  } catch (error) {
    if (error instanceof CsxError) return undefined;
    throw error;
  }
}

function entries(directory: string): readonly string[] {
  try {
    return readdirSync(toBuffer(directory), { encoding: 'buffer' })
      .map((name) => fromBuffer(name))
      .sort();
  } catch {
    return [];
  }
}

function isDirectory(file: string): boolean {
  return statSync(toBuffer(file), { throwIfNoEntry: false })?.isDirectory() === true;
}
