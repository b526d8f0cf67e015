/**
 * A vanished tree is not a deletion. When a root of a group is missing, holds nothing any more, or is of another type than
 * before, while files are known below it, the likely reasons are a file system that is not mounted or a hand that
 * slipped. The scan then says so with a `root` finding, before and beside the removals; whoever plans must stop there.
 */

import fs from 'node:fs';
import { fileName } from '../../model/encoding.js';
import { parseCheckText } from '../../model/checktxt.js';
import type { DiskPath, FileName } from '../../model/names.js';
import { display, isAscii, isCanonical, isWithin, toBuffer } from '../../model/names.js';
import type { Finding } from '../../model/scan.js';
import type { FileRow, Scope } from '../../model/store.js';
import { lstat } from './lstat.js';
import { Parents } from './parents.js';
import type { Above } from './parents.js';
import { diskOf } from './selected.js';
import type { Placed, Places } from './selected.js';
import { Walk } from './walk.js';

export type RootFinding = Extract<Finding, { readonly kind: 'root' }>;
type ProblemFinding = Extract<Finding, { readonly kind: 'problem' }>;
type RootState = RootFinding['state'];

/** Steps of a walk that looks for something selected below a root; with more, the root counts as not emptied. */
const STEPS = 10_000;

/** Which places are guarded. */
export interface Guarded {
  /** What the include patterns of each group name, up to their first wildcard. */
  groupRoots(): readonly { readonly roots: readonly FileName[] }[];
}

/**
 * The roots that look wrong now, each with the number of files known at or below it (none: nothing to guard). A root that a link
 * leads away from and below which nothing is known is no danger, but hardly meant: a warning.
 *
 * @param scopes what is being scanned; only what lies in it counts
 */
export async function guardRoots(
  selection: Places & Guarded,
  files: (scopes?: readonly Scope[]) => AsyncIterable<readonly FileRow[]>,
  scopes?: readonly Scope[],
): Promise<readonly (RootFinding | ProblemFinding)[]> {
  const findings: (RootFinding | ProblemFinding)[] = [];
  for (const file of new Set(selection.groupRoots().flatMap((group) => group.roots))) {
    const within = scopesWithin(file, scopes);
    const disk = diskOf(selection, file);
    if (within.length === 0 || disk === undefined) continue;
    const state = stateOfRoot({ file, disk }, selection);
    if (state === undefined) continue;
    const known = await countKnown(file, state, selection, files(within));
    if (known > 0) findings.push({ kind: 'root', file, state, known });
    else if (state === 'retyped') findings.push(...behindLink({ file, disk }));
  }
  return findings;
}

function behindLink({ file, disk }: Placed): readonly ProblemFinding[] {
  const above = aboveOf(disk);
  if (above?.kind !== 'link') return [];
  const summary = `${display(disk)} lies behind the symbolic link ${display(above.at)}: nothing there is synchronised.`;
  const hint =
    'Links are never followed. Name the path the link leads to instead, in the configuration or as the path of a prefix.';
  return [{ kind: 'problem', problem: { severity: 'warning', code: 'PATH_UNSAFE', summary, hint, path: file } }];
}

/** Undefined when it cannot be looked at (any more). */
function aboveOf(disk: DiskPath): Above | undefined {
  try {
    return new Parents().of(disk);
  } catch {
    return undefined;
  }
}

/** What of the root is being scanned: all of it, or the scopes inside it. */
function scopesWithin(root: FileName, scopes: readonly Scope[] | undefined): readonly Scope[] {
  const whole = { file: root, recursive: true };
  if (scopes === undefined) return [whole];
  if (scopes.some((scope) => scope.recursive && isWithin(root, scope.file))) return [whole];
  return scopes.filter((scope) => isWithin(scope.file, root));
}

/** What is wrong with the root; undefined when nothing is, or when it cannot be told (then nothing counts as removed). */
function stateOfRoot(root: Placed, selection: Places): RootState | undefined {
  try {
    const above = new Parents().of(root.disk).kind;
    if (above === 'link' || above === 'not-directory') return 'retyped';
    const stats = above === 'missing' ? undefined : lstat(root.disk);
    if (stats === undefined) return 'missing';
    if (!stats.isDirectory()) return 'retyped';
    return isEmptied(root, selection) ? 'emptied' : undefined;
  } catch {
    return undefined;
  }
}

function isEmptied(root: Placed, selection: Places): boolean {
  if (fs.readdirSync(isAscii(root.disk) ? root.disk : toBuffer(root.disk), 'latin1').length === 0) return true;
  const walk = new Walk(selection, [{ ...root, recursive: true }], { steps: STEPS });
  while (walk.next()) {
    if (walk.file !== root.file) return false;
  }
  return !walk.exhausted && walk.problems.length === 0;
}

/**
 * Files of the configuration that are known below the root, and the root itself where it was a directory. A root that is a
 * single file can be removed, or become something else, like any other file.
 */
async function countKnown(
  root: FileName,
  state: RootState,
  selection: Places,
  rows: AsyncIterable<readonly FileRow[]>,
): Promise<number> {
  let known = 0;
  for await (const batch of rows) {
    for (const row of batch) {
      const file = fileName(row.stored);
      if (file === root && (state === 'emptied' || parseCheckText(row.checktxt)?.type !== 'directory')) continue;
      if (isWithin(file, root) && isCanonical(file) && selection.includes(file)) known++;
    }
  }
  return known;
}
