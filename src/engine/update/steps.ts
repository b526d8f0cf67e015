/**
 * The protocol commands that make one change on one peer, in order. Pure: reference/wire-protocol.md, "What the csync2
 * client sends for one file", less what the change does not need.
 */

import type { Entry } from '../../model/entry.js';
import type { Change } from '../../model/plan.js';

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
      return [...flush(change), ...(change.after === undefined ? [] : times(change.after.entry, raw))];
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

/**
 * Whatever differs but the time, the file is made anew, as csync2's client does it: PATCH (with a delta that copies all where only
 * attributes differ), MKDIR and MKLINK are what sets off the peer's actions; SETOWN and SETMOD by themselves do not.
 */
function write(change: Change, entry: Entry, raw: Raw): readonly Step[] {
  if (change.aspects.length === 1 && change.aspects[0] === 'mtime') return times(entry, raw);
  const made = creation(entry);
  if (made === undefined) return [];
  // A new owner clears the set-user-id bits, so the mode comes after it.
  return [made, ...own(entry, raw), ...permissions(entry), ...times(entry, raw)];
}

/** Undefined: recorded, never sent. */
function creation(entry: Entry): Step | undefined {
  switch (entry.type) {
    case 'file':
      return { kind: 'content' };
    case 'directory':
      return command('MKDIR');
    case 'link':
      return command('MKLINK', entry.target ?? '');
    case 'fifo':
      return command('MKFIFO');
    case 'character-device':
      return command('MKCHR', String(entry.device ?? 0));
    case 'block-device':
      return command('MKBLK', String(entry.device ?? 0));
    case 'socket':
      return undefined;
  }
}

function own(entry: Entry, raw: Raw): readonly Step[] {
  if (entry.uid === undefined && entry.gid === undefined) return [];
  return [command('SETOWN', String(entry.uid ?? raw.uid), String(entry.gid ?? raw.gid))];
}

/** The mode of a link means nothing. */
function permissions(entry: Entry): readonly Step[] {
  return entry.mode === undefined || entry.type === 'link' ? [] : [command('SETMOD', String(entry.mode))];
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
