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

/** What a file's entry leaves out and its commands need: real owner numbers under `ignore uid` or `gid`, a directory's time. */
export interface Raw {
  readonly uid: number;
  readonly gid: number;
  /** Whole seconds. */
  readonly mtime: number;
}

/** The steps of a change. */
export function stepsOf(change: Change, raw: Raw): readonly Step[] {
  switch (change.action) {
    case 'delete':
      return [...flush(change), command('DEL')];
    case 'no-op':
      return change.after === undefined ? [] : times(change.after.entry, raw);
    case 'create':
    case 'update':
      return change.after === undefined ? [] : [...flush(change), ...write(change, change.after.entry, raw)];
    case 'unknown':
      return [];
  }
}

/** FLUSH makes the peer forget that it has the file dirty itself; without it the peer refuses what it changed too. */
function flush(change: Change): readonly Step[] {
  return change.force ? [command('FLUSH')] : [];
}

function write(change: Change, entry: Entry, raw: Raw): readonly Step[] {
  const remade = change.action === 'create' || change.aspects.includes('type');
  const changed = (...aspects: readonly Aspect[]): boolean =>
    remade || aspects.some((each) => change.aspects.includes(each));
  // Both are said when either differs: a change of owner clears the set-user-id bits of the mode.
  const attributes = changed('owner', 'mode') ? [...own(entry, raw), ...permissions(entry)] : [];
  const dressed = [...own(entry, raw), ...permissions(entry), ...times(entry, raw)];
  switch (entry.type) {
    case 'file':
      // The peer writes a new inode for new content: its owner and mode must be said again.
      return changed('content') ? [{ kind: 'content' }, ...dressed] : [...attributes, ...times(entry, raw)];
    case 'directory':
      return [...(remade ? [command('MKDIR')] : []), ...attributes, ...times(entry, raw)];
    case 'link':
      return changed('target') ? [command('MKLINK', entry.target ?? ''), ...own(entry, raw)] : own(entry, raw);
    case 'fifo':
      return remade ? [command('MKFIFO'), ...dressed] : [...attributes, ...times(entry, raw)];
    case 'character-device':
    case 'block-device': {
      const verb = entry.type === 'character-device' ? 'MKCHR' : 'MKBLK';
      const node = command(verb, String(entry.device ?? 0));
      return changed('device') ? [node, ...dressed] : [...attributes, ...times(entry, raw)];
    }
    case 'socket':
      // Recorded, never sent.
      return [];
  }
}

function own(entry: Entry, raw: Raw): readonly Step[] {
  if (entry.uid === undefined && entry.gid === undefined) return [];
  return [command('SETOWN', String(entry.uid ?? raw.uid), String(entry.gid ?? raw.gid))];
}

function permissions(entry: Entry): readonly Step[] {
  return entry.mode === undefined ? [] : [command('SETMOD', String(entry.mode))];
}

/**
 * A directory's time is not compared, and changes with what is put into it; SETIME is sent all the same, as csync2 does: it is what
 * makes the peer record a directory that was there already.
 */
function times(entry: Entry, raw: Raw): readonly Step[] {
  if (entry.type === 'directory') return [command('SETIME', String(raw.mtime))];
  return entry.mtime === undefined ? [] : [command('SETIME', String(entry.mtime))];
}

function command(verb: Verb, ...rest: string[]): Step {
  return { kind: 'command', verb, rest };
}
