/** -W FD: the directories in which files of the configuration lie, each ended by a NUL, for programs that watch them. */

import { fstatSync, writeSync } from 'node:fs';
import { Walk } from '../engine/scan/walk.js';
import { startsOf } from '../engine/scan/selected.js';
import { CsxError, errnoOf } from '../model/errors.js';
import { parentName, toBuffer } from '../model/names.js';
import type { FileName } from '../model/names.js';
import type { Scope } from '../model/store.js';
import type { Selection } from '../config/selection.js';

/** Fails with USAGE when -W names no open descriptor: before anything is done. */
export function openDump(descriptor: string | undefined): void {
  if (descriptor === undefined) return;
  try {
    fstatSync(numberOf(descriptor));
  } catch (error) {
    const reason = errnoOf(error) === 'EBADF' ? 'Bad file descriptor' : String(errnoOf(error));
    throw new CsxError('USAGE', `Invalid dump_dir_fd ${numberOf(descriptor)}: ${reason}`);
  }
}

/** Writes the configured names: directories that are held themselves, and those in which something held lies; deepest first. */
export function dumpDirectories(descriptor: string, selection: Selection, scopes: readonly Scope[] | undefined): void {
  const starts = startsOf(selection, scopes);
  const alone = new Set(starts.filter((start) => !start.recursive).map((start) => start.file));
  const found = new Set<FileName>();
  const walk = new Walk(selection, starts);
  while (walk.next()) {
    if (walk.stats?.isDirectory() === true && !alone.has(walk.file)) found.add(walk.file);
    const parent = parentName(walk.file);
    if (parent !== undefined) found.add(parent);
  }
  for (const directory of [...found].sort().reverse()) writeSync(numberOf(descriptor), toBuffer(`${directory}\0`));
}

/** As atoi(3) reads it. */
function numberOf(text: string): number {
  return Number(/^\s*\d+/.exec(text)?.[0] ?? 0);
}
