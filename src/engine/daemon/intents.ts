/**
 * What a command is about to make of a file, for the journal (journal.ts). A command that takes several steps tells each state it may
 * be interrupted in. Attributes are left out wherever the commands that follow will set them.
 */

import type { BigIntStats } from 'node:fs';
import { formatCheckText } from '../../model/checktxt.js';
import type { CheckText } from '../../model/checktxt.js';
import type { Entry, Ignore } from '../../model/entry.js';
import type { Bytes, DiskPath, FileName } from '../../model/names.js';
import type { Intent } from '../../model/store.js';
import { stateOf } from '../scan/local-state.js';
import { verbRow } from '../wire/verbs.js';
import type { Change } from './apply.js';
import { lstat } from './check.js';
import type { Hold } from './hold.js';

/** Of a command that changes the disk at once; none when it finds everything done. */
export function intentsOf(change: Change, file: FileName, disk: DiskPath, ignore: Ignore): readonly Intent[] {
  const before = lstat(disk);
  const { actions } = verbRow(change.verb);
  return statesOf(change, before, file, disk, ignore).map((checktxt) => ({
    file,
    checktxt,
    digest: undefined,
    signature: undefined,
    actions,
  }));
}

/** Of a PATCH that is whole and dressed. */
export function intentsOfHold(hold: Hold, ignore: Ignore): readonly Intent[] {
  const { file, disk, replacesDirectory } = hold;
  const { digest, signature } = hold.facts();
  const intent = {
    file,
    checktxt: stateOf(hold.staged.stat(), disk, file, ignore)?.checktxt,
    digest,
    signature,
    actions: true,
  };
  return replacesDirectory ? [intent, { ...intent, ...NOTHING_YET }] : [intent];
}

/** The directory that was in the way has gone, and what is to replace it has not come. */
const NOTHING_YET = { checktxt: undefined, digest: undefined, signature: undefined };

function statesOf(
  change: Change,
  before: BigIntStats | undefined,
  file: FileName,
  disk: DiskPath,
  ignore: Ignore,
): readonly (CheckText | undefined)[] {
  switch (change.verb) {
    case 'DEL':
    case 'MKSOCK':
      return before === undefined ? [] : [undefined];
    case 'MKDIR':
      if (before?.isDirectory() === true) return [];
      return before === undefined ? [claim({ type: 'directory' })] : [claim({ type: 'directory' }), undefined];
    case 'MKLINK':
      return replaced(before, claim({ type: 'link', target: change.args.target as Bytes }));
    case 'MKFIFO':
      return replaced(before, claim({ type: 'fifo' }));
    case 'MKCHR':
      return replaced(before, claim({ type: 'character-device', device: change.args.device ?? 0 }));
    case 'MKBLK':
      return replaced(before, claim({ type: 'block-device', device: change.args.device ?? 0 }));
    case 'SETOWN':
    case 'SETMOD':
    case 'SETIME': {
      const entry = before === undefined ? undefined : stateOf(before, disk, file, ignore)?.entry;
      if (entry === undefined) return [];
      const timed = change.verb === 'SETIME' && entry.mtime !== undefined;
      return [claim(timed ? { ...entry, mtime: change.args.mtime } : entry)];
    }
  }
}

/** rename(2) replaces everything at one stroke but a directory. */
function replaced(before: BigIntStats | undefined, after: CheckText): readonly (CheckText | undefined)[] {
  return before?.isDirectory() === true ? [after, undefined] : [after];
}

/** A check text that leaves owner and mode open, and a link's target in even below a prefix. */
function claim(entry: Partial<Entry> & Pick<Entry, 'type'>): CheckText {
  const { type, mtime, size, target, device } = entry;
  return formatCheckText({ type, mode: undefined, uid: undefined, gid: undefined, mtime, size, target, device });
}
