/** The watched trees: are they there, and do symbolic links, which nobody follows, hide files that somebody thinks are in them? */

import fs from 'node:fs';
import path from 'node:path';
import type { Selection } from '../../config/selection.js';
import { startsOf } from '../../engine/scan/selected.js';
import { Walk } from '../../engine/scan/walk.js';
import { CsxError, errnoOf } from '../../model/errors.js';
import { caution, fromError, good, wrong } from '../../model/finding.js';
import type { Finding } from '../../model/finding.js';
import { display, fromBuffer, toBuffer } from '../../model/names.js';
import type { DiskPath, FileName } from '../../model/names.js';

/** How many names a look for links may take. */
const STEPS = 200_000;
/** Links that are named one by one. */
const NAMED = 5;

export function examineTrees(selection: Selection): readonly Finding[] {
  const trees = new Map<FileName, string>();
  for (const { group, roots } of selection.groupRoots()) {
    for (const root of roots) trees.set(root, group.name);
  }
  const findings = [...trees].map(([root, group]) => judgeTree(root, group, selection));
  return [...findings, ...examineLinks(selection)];
}

function judgeTree(root: FileName, group: string, selection: Selection): Finding {
  const shown = `${display(root)} of group ${display(group)}`;
  let disk: DiskPath;
  try {
    disk = selection.toDisk(root);
  } catch (error) {
    if (!(error instanceof CsxError)) throw error;
    return fromError('trees', error);
  }
  const name = root === (disk as string) ? shown : `${shown}, ${display(disk)} here,`;
  try {
    const link = linkAbove(disk);
    if (link !== undefined) {
      const target = realPath(link);
      return wrong(
        'trees',
        `${name} lies behind the link ${display(link)} and is not synchronised: links are never followed.`,
        target === undefined
          ? 'Remove the link.'
          : `Name the real path in the configuration, below ${display(target)}.`,
      );
    }
    const stats = fs.lstatSync(toBuffer(disk), { throwIfNoEntry: false });
    if (stats === undefined) {
      return caution(
        'trees',
        `${name} does not exist.`,
        'If it should: mount it, or correct the pattern. If peers are to send it: nothing is wrong.',
      );
    }
    if (stats.isSymbolicLink()) {
      const target = realPath(disk);
      return caution(
        'trees',
        `${name} is a link; the link itself is synchronised, nothing behind it.`,
        target === undefined
          ? 'It leads nowhere: remove it.'
          : `To synchronise what is there, include ${display(target)}.`,
      );
    }
    fs.accessSync(toBuffer(disk), stats.isDirectory() ? fs.constants.R_OK | fs.constants.X_OK : fs.constants.R_OK);
    return good('trees', `${name} is there.`);
  } catch (error) {
    return wrong('trees', `${name} cannot be read (${errnoOf(error) ?? 'error'}).`, 'Run csx as root; check the disk.');
  }
}

/** The first directory above a path that is a symbolic link. */
function linkAbove(disk: string): DiskPath | undefined {
  for (let slash = disk.indexOf('/', 1); slash > 0; slash = disk.indexOf('/', slash + 1)) {
    const above = disk.slice(0, slash);
    const stats = fs.lstatSync(toBuffer(above), { throwIfNoEntry: false });
    if (stats === undefined) return undefined;
    if (stats.isSymbolicLink()) return above as DiskPath;
  }
  return undefined;
}

/** Links to directories whose content no group holds. */
function examineLinks(selection: Selection): readonly Finding[] {
  const walk = new Walk(selection, startsOf(selection), { steps: STEPS });
  const roots = new Set(selection.groupRoots().flatMap((each) => each.roots));
  const hiding: string[] = [];
  while (walk.next()) {
    if (walk.stats?.isSymbolicLink() !== true || roots.has(walk.file)) continue;
    const target = directoryBehind(walk.disk);
    if (target === undefined || selection.namesOf(target).some((name) => selection.includes(name))) continue;
    hiding.push(`${display(walk.file)} -> ${display(target)}`);
  }
  const unread = walk.problems.map((problem) => wrong('trees', problem.summary, problem.hint));
  if (hiding.length === 0) return unread;
  const named = hiding.slice(0, NAMED).join(', ');
  const more = hiding.length > NAMED ? ` and ${hiding.length - NAMED} more` : '';
  const what = hiding.length === 1 ? 'A link hides files' : `${hiding.length} links hide files`;
  return [
    ...unread,
    caution(
      'trees',
      `${what}, for what is behind it is in no group: ${named}${more}.`,
      'Links are synchronised as links. To send what is behind one, include the directory it leads to.',
    ),
  ];
}

function directoryBehind(disk: string): DiskPath | undefined {
  try {
    if (!fs.statSync(toBuffer(disk)).isDirectory()) return undefined;
  } catch {
    return undefined;
  }
  return realPath(disk);
}

function realPath(disk: string): DiskPath | undefined {
  try {
    return path.posix.resolve(fromBuffer(fs.realpathSync(toBuffer(disk), { encoding: 'buffer' }))) as DiskPath;
  } catch {
    return undefined;
  }
}
