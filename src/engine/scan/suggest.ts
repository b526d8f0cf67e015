/** The nearest existing name to one that matches nothing. */

import fs from 'node:fs';
import { fileName } from '../../model/encoding.js';
import type { DiskPath, FileName } from '../../model/names.js';
import { isAscii, isWithin, toBuffer } from '../../model/names.js';
import { nearest } from '../../model/nearest.js';
import type { FileRow, Scope } from '../../model/store.js';
import type { Places } from './selected.js';

/** Known names looked at for a suggestion, at most. */
const MOST_ROWS = 20_000;

/**
 * @param written the name as it was meant: absolute, or `%prefix%/x`
 * @returns a name of the same form, in which the first component that does not exist is replaced by the nearest one that does
 */
export async function suggest(
  written: string,
  disk: DiskPath | undefined,
  selection: Places,
  files: (scopes?: readonly Scope[]) => AsyncIterable<readonly FileRow[]>,
): Promise<string | undefined> {
  if (disk === undefined) return undefined;
  let name = written;
  let place: string = disk;
  for (;;) {
    const slash = name.lastIndexOf('/');
    if (slash < 0 || !place.startsWith('/')) return nearestRoot(written, selection);
    const word = name.slice(slash + 1);
    name = name.slice(0, slash);
    place = place.slice(0, place.lastIndexOf('/'));
    const onDisk = list(place === '' ? '/' : place);
    const known = await childrenKnown((name === '' ? '/' : name) as FileName, files);
    if (onDisk.length === 0 && known.size === 0 && name !== '') continue;
    const found = nearest(word, new Set([...onDisk, ...known]));
    return found === undefined ? nearestRoot(written, selection) : `${name}/${found}`;
  }
}

/** The root that is spelled most alike, or lies below the place that was named. */
function nearestRoot(written: string, selection: Places): string | undefined {
  const roots = selection.roots().map((root) => root.file as string);
  return roots.find((root) => isWithin(root, written)) ?? nearest(written, roots);
}

function list(directory: string): readonly string[] {
  try {
    return fs.readdirSync(isAscii(directory) ? directory : toBuffer(directory), 'latin1');
  } catch {
    return [];
  }
}

/** The names that known files have directly below a directory. */
async function childrenKnown(
  directory: FileName,
  files: (scopes?: readonly Scope[]) => AsyncIterable<readonly FileRow[]>,
): Promise<ReadonlySet<string>> {
  const children = new Set<string>();
  const start = directory === '/' ? 1 : directory.length + 1;
  let seen = 0;
  for await (const batch of files([{ file: directory, recursive: true }])) {
    for (const row of batch) {
      const name = fileName(row.stored);
      if (name.length <= start) continue;
      const end = name.indexOf('/', start);
      children.add(name.slice(start, end < 0 ? undefined : end));
    }
    seen += batch.length;
    if (seen > MOST_ROWS) break;
  }
  return children;
}
