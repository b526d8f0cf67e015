/**
 * The protocol commands that make one change on one peer, in order. Pure: reference/wire-protocol.md, "What the csync2
 * client sends for one file", less what the change does not need.
 */

import type { Entry } from '../../model/entry.js';
import type { Aspect, Change } from '../../model/plan.js';

/** One command without its key and file, which come first in all of them. */
export type Step =
  | { readonly kind: 'command'; readonly verb: Verb; readonly rest: readonly string[] }
  /** PATCH, with the signature exchange and the delta. */
  | { readonly kind: 'content' };

type Verb = 'FLUSH' | 'DEL' | 'MKDIR' | 'MKFIFO' | 'MKCHR' | 'MKBLK' | 'MKLINK' | 'SETOWN' | 'SETMOD' | 'SETIME';

/** Owner numbers for SETOWN where the configuration ignores one of the two, and the entry therefore leaves it out. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * The steps of a change.
 * @param owner the file's real owner; needed only where `ignore` names just one of uid and gid
 */
export function stepsOf(change: Change, owner: Owner): readonly Step[] {
  switch (change.action) {
    case 'delete':
      return [...flush(change), command('DEL')];
    case 'no-op':
      return change.after === undefined ? [] : times(change.after.entry);
    case 'create':
    case 'update':
      return change.after === undefined ? [] : [...flush(change), ...write(change, change.after.entry, owner)];
    case 'unknown':
      return [];
  }
}

/** FLUSH makes the peer forget that it has the file dirty itself; without it the peer refuses what it changed too. */
function flush(change: Change): readonly Step[] {
  return change.force ? [command('FLUSH')] : [];
}

function write(change: Change, entry: Entry, owner: Owner): readonly Step[] {
  const remade = change.action === 'create' || change.aspects.includes('type');
  const changed = (...aspects: readonly Aspect[]): boolean =>
    remade || aspects.some((each) => change.aspects.includes(each));
  // Both are said when either differs: a change of owner clears the set-user-id bits of the mode.
  const attributes = changed('owner', 'mode') ? [...own(entry, owner), ...permissions(entry)] : [];
  const dressed = [...own(entry, owner), ...permissions(entry), ...times(entry)];
  switch (entry.type) {
    case 'file':
      // The peer writes a new inode for new content: its owner and mode must be said again.
      return changed('content') ? [{ kind: 'content' }, ...dressed] : [...attributes, ...times(entry)];
    case 'directory':
      return remade ? [command('MKDIR'), ...attributes] : attributes;
    case 'link':
      return changed('target') ? [command('MKLINK', entry.target ?? ''), ...own(entry, owner)] : own(entry, owner);
    case 'fifo':
      return remade ? [command('MKFIFO'), ...dressed] : [...attributes, ...times(entry)];
    case 'character-device':
    case 'block-device': {
      const verb = entry.type === 'character-device' ? 'MKCHR' : 'MKBLK';
      const node = command(verb, String(entry.device ?? 0));
      return changed('device') ? [node, ...dressed] : [...attributes, ...times(entry)];
    }
    case 'socket':
      // Recorded, never sent.
      return [];
  }
}

function own(entry: Entry, owner: Owner): readonly Step[] {
  if (entry.uid === undefined && entry.gid === undefined) return [];
  return [command('SETOWN', String(entry.uid ?? owner.uid), String(entry.gid ?? owner.gid))];
}

function permissions(entry: Entry): readonly Step[] {
  return entry.mode === undefined ? [] : [command('SETMOD', String(entry.mode))];
}

function times(entry: Entry): readonly Step[] {
  return entry.mtime === undefined ? [] : [command('SETIME', String(entry.mtime))];
}

function command(verb: Verb, ...rest: string[]): Step {
  return { kind: 'command', verb, rest };
}
