/**
 * Puts a state in the place of a file here, as take.ts and merges do: staged beside it, whole and dressed, the old content backed up,
 * then renamed. Owns how a peer's version becomes something on this disk; knows nothing of databases and marks.
 */

import path from 'node:path';
import type { Selection } from '../../config/selection.js';
import type { Backup, Config } from '../../model/config.js';
import { CsxError } from '../../model/errors.js';
import type { DiskPath, FileName, PeerName } from '../../model/names.js';
import { display } from '../../model/names.js';
import type { SideState } from '../../model/plan.js';
import type { LocalState } from '../../model/scan.js';
import type { Store } from '../../model/store.js';
import { sameState } from '../../planner/taken.js';
import { backUp } from '../files/backup.js';
import { commit, makeDirectory, remove } from '../files/commit.js';
import { within } from '../files/confined.js';
import { syncDirectories, syncFiles } from '../files/durable.js';
import { writeFailure } from '../files/failure.js';
import { dress, stageFile, stageLink, stageSpecial } from '../files/stage.js';
import type { Attributes, Staged } from '../files/stage.js';
import type { Connection } from '../net/connection.js';
import { lstat } from '../scan/lstat.js';
import type { ContentDigests } from './content.js';
import type { Dialer } from './dial.js';
import { askPeer, fetchContent } from './fetch.js';
import type { Wanted } from './fetch.js';

export interface TakeOptions {
  /** A session with the peer; the content comes over connections of its own. */
  readonly connection: Connection;
  readonly dialer: Dialer;
  readonly store: Store;
  /** Everything this host has to do with. */
  readonly selection: Selection;
  readonly config: Config;
  /** Unix milliseconds. */
  readonly now: () => number;
}

/** Generations kept where no group has a backup directory. */
const KEPT = 9;

/** Makes the new state beside the path: whole, verified, dressed. */
export async function stage(
  disk: DiskPath,
  there: SideState,
  before: LocalState | undefined,
  wanted: Wanted,
  options: TakeOptions,
): Promise<{ readonly staged: Staged; readonly digests: ContentDigests | undefined }> {
  const { entry } = there;
  const attributes = attributesOf(there, before);
  switch (entry.type) {
    case 'file': {
      const staged = stageFile(disk, { temporaryDirectory: options.config.temporaryDirectory });
      try {
        const digests = await fetchContent(options.dialer, wanted, there, (chunk) => {
          staged.write(chunk);
        });
        if (!sameState(await askPeer(options.connection, wanted), there)) {
          throw new CsxError('CHANGED_MEANWHILE', `${display(wanted.file)} was changed on ${wanted.peer} meanwhile.`, {
            hint: 'Nothing was changed here. Plan again to see what is there now.',
          });
        }
        staged.dress(attributes);
        return { staged, digests };
      } catch (error) {
        staged.discard();
        throw error;
      }
    }
    case 'link':
      return { staged: dressed(stageLink(disk, linkTarget(there, wanted)), attributes), digests: undefined };
    case 'fifo':
    case 'character-device':
    case 'block-device':
      return { staged: dressed(stageSpecial(disk, entry.type, entry.device ?? 0), attributes), digests: undefined };
    case 'directory':
    case 'socket':
      throw new CsxError('PEER_REFUSED', `${display(wanted.file)} is a ${entry.type} there, which cannot be fetched.`, {
        hint: 'Decide the conflict otherwise.',
      });
  }
}

function linkTarget(there: SideState, wanted: Wanted): NonNullable<SideState['entry']['target']> {
  const target = there.entry.target;
  if (target !== undefined && target !== '') return target;
  throw new CsxError(
    'PEER_REFUSED',
    `${display(wanted.file)} was not taken: ${display(wanted.peer)} does not tell where the link points, as csync2 does for links below a prefix.`,
    { hint: 'Keep the local one, or make the link by hand and keep that.' },
  );
}

function dressed(staged: Staged, attributes: Attributes): Staged {
  try {
    staged.dress(attributes);
    return staged;
  } catch (error) {
    staged.discard();
    throw error;
  }
}

/** What the peer does not tell (`ignore`) stays as it is here. */
export function attributesOf(there: SideState, before: LocalState | undefined): Attributes {
  const { entry } = there;
  const old = before?.entry;
  const attributes = { uid: entry.uid ?? old?.uid, gid: entry.gid ?? old?.gid };
  if (entry.type === 'link') return attributes;
  return { ...attributes, mode: entry.mode ?? (old?.type === entry.type ? old.mode : undefined), mtime: entry.mtime };
}

/** Puts it in its place, durably. `guard` throws when what stands there is no longer what it should be. */
export async function commitOne(staged: Staged, guard: () => void): Promise<void> {
  const [outcome] = await commit([staged], { guard });
  if (outcome?.error !== undefined) throw writeFailure(outcome.error, staged.target);
}

/** Removes a file or an empty directory, durably. */
export async function removeHere(disk: DiskPath): Promise<void> {
  if (remove(disk)) await durable(disk);
}

/** Makes a directory, in the place of what is none, or dresses the one that is there; durably. */
export async function directoryHere(disk: DiskPath, attributes: Attributes): Promise<void> {
  makeDirectory(disk, 0o700);
  within(disk, (directory, name) => {
    dress(directory, name, attributes);
  });
  await syncFiles([disk]);
  await durable(disk);
}

async function durable(disk: DiskPath): Promise<void> {
  const parent = (path.posix.dirname(disk) || '/') as DiskPath;
  for (const [, error] of await syncDirectories([parent])) throw writeFailure(error, disk);
}

/**
 * Backs up a regular file: where its groups say, otherwise below `csx-replaced` beside the database, so that no decision is beyond
 * repair. Anything else holds no content: its attributes go with the decision. Returns where; undefined: nothing to keep.
 */
export async function keep(
  file: FileName,
  { selection, store }: Pick<TakeOptions, 'selection' | 'store'>,
): Promise<DiskPath | undefined> {
  const disk = selection.toDisk(file);
  const backups = new Map<DiskPath, Backup>();
  for (const { backup } of selection.groupsOf(file)) if (backup !== undefined) backups.set(backup.directory, backup);
  if (backups.size === 0 && store.location.startsWith('/')) {
    const directory = path.posix.join(path.posix.dirname(store.location), 'csx-replaced') as DiskPath;
    backups.set(directory, { directory, generations: KEPT });
  }
  if (lstat(disk)?.isFile() !== true) return undefined;
  let kept: DiskPath | undefined;
  for (const backup of backups.values()) kept = await backUp(disk, backup);
  return kept;
}

/** `NAME.from-PEER`, with a number where that is taken. A long name is cut: a component has at most 255 bytes. */
export function freeName(disk: DiskPath, peer: PeerName): DiskPath {
  const slash = disk.lastIndexOf('/') + 1;
  for (let number = 1; ; number += 1) {
    const suffix = `.from-${peer.replaceAll('/', '_')}${number === 1 ? '' : `.${String(number)}`}`;
    const name = (disk.slice(0, slash) + disk.slice(slash, slash + 255 - suffix.length) + suffix) as DiskPath;
    if (lstat(name) === undefined) return name;
  }
}
