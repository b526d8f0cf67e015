/**
 * The commands that change the disk at once (all but PATCH, which hold.ts collects): what each does to a path, with what stands in its way
 * (column U) and the errors csync2's daemon gives. Nothing here checks permissions or writes the database.
 */

import type { Ignore } from '../../model/entry.js';
import type { Bytes, DiskPath } from '../../model/names.js';
import { makeDirectory, remove, replace } from '../files/commit.js';
import { within } from '../files/confined.js';
import { sweep } from '../files/reserved-name.js';
import type { Attributes } from '../files/stage.js';
import { dress, stageLink, stageSpecial } from '../files/stage.js';
import type { Request } from '../wire/verbs.js';
import { lstat } from './check.js';

/** The verbs carried out here. */
export type Change = Extract<
  Request,
  {
    readonly verb:
      'DEL' | 'MKDIR' | 'MKFIFO' | 'MKCHR' | 'MKBLK' | 'MKLINK' | 'MKSOCK' | 'SETOWN' | 'SETMOD' | 'SETIME';
  }
>;

/** What has to be made durable afterwards. */
export interface Applied {
  /** The name was made, replaced or removed: its directory. */
  readonly name: boolean;
  /** Attributes were set: the file itself. */
  readonly attributes: boolean;
}

const NAME: Applied = { name: true, attributes: false };
const ATTRIBUTES: Applied = { name: false, attributes: true };
const NOTHING: Applied = { name: false, attributes: false };
/** As csync2 makes directories: closed to others until SETMOD comes. */
const NEW_DIRECTORY = 0o700;

/** Changes the disk. Throws the system's error, with the old state as it was. */
export function apply(change: Change, disk: DiskPath, ignore: Ignore): Applied {
  switch (change.verb) {
    case 'DEL':
      return removeIfThere(disk);
    case 'MKDIR':
      return makeDirectory(disk, NEW_DIRECTORY) ? { name: true, attributes: true } : NOTHING;
    case 'MKLINK':
      refuseFullDirectory(disk, 'EEXIST');
      return put(stageLink(disk, change.args.target as Bytes));
    case 'MKFIFO':
      refuseFullDirectory(disk, 'EEXIST');
      return put(stageSpecial(disk, 'fifo', 0));
    case 'MKCHR':
      refuseFullDirectory(disk, 'EEXIST');
      return put(stageSpecial(disk, 'character-device', change.args.device ?? 0));
    case 'MKBLK':
      refuseFullDirectory(disk, 'EEXIST');
      return put(stageSpecial(disk, 'block-device', change.args.device ?? 0));
    case 'MKSOCK':
      // csync2 creates none either; what stands there goes.
      refuseFullDirectory(disk, 'EEXIST');
      return removeIfThere(disk);
    case 'SETOWN':
    case 'SETMOD':
    case 'SETIME':
      within(disk, (directory, name) => {
        dress(directory, name, attributesOf(change, ignore));
      });
      return ATTRIBUTES;
  }
}

/** The attributes that SETOWN, SETMOD or SETIME set; none of those the configuration ignores. */
export function attributesOf(
  change: Extract<Change, { readonly verb: 'SETOWN' | 'SETMOD' | 'SETIME' }>,
  ignore: Ignore,
): Attributes {
  switch (change.verb) {
    case 'SETOWN':
      return {
        ...(ignore.uid ? {} : { uid: identity(change.args.uid) }),
        ...(ignore.gid ? {} : { gid: identity(change.args.gid) }),
      };
    case 'SETMOD':
      return ignore.mod ? {} : { mode: change.args.mode };
    case 'SETIME':
      return { mtime: change.args.mtime };
  }
}

const LARGEST_ID = 0xfffffffe;

function identity(id: number): number {
  if (id < 0 || id > LARGEST_ID) throw systemError('EINVAL');
  return id;
}

/** Nothing that holds something may be replaced; said before anything is staged. */
export function refuseFullDirectory(disk: DiskPath, errno: 'EEXIST' | 'EISDIR'): void {
  if (lstat(disk)?.isDirectory() !== true) return;
  const full = within(disk, (directory, name) => {
    const inside = directory.enter(name);
    try {
      if (inside.list().length === 0) return false;
      sweep(inside, Date.now());
      return inside.list().length > 0;
    } finally {
      inside.close();
    }
  });
  if (full) throw systemError(errno);
}

function put(staged: Parameters<typeof replace>[0]): Applied {
  try {
    replace(staged);
  } finally {
    staged.discard();
  }
  return NAME;
}

/** What is gone already, with its directory or without, is removed: csync2 says OK. */
function removeIfThere(disk: DiskPath): Applied {
  if (lstat(disk) === undefined) {
    // Behind a link nothing is ours to remove; a missing directory holds nothing.
    return NOTHING;
  }
  return remove(disk) ? NAME : NOTHING;
}

function systemError(errno: string): Error {
  return Object.assign(new Error(errno), { code: errno });
}
