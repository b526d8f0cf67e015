/** What a change, a conflict or an action comes to, in words: the same in the terminal, in Markdown and in HTML. */

import type { Entry } from '../model/entry.js';
import { display } from '../model/names.js';
import type { Change, Conflict, PlanPeer, SideState } from '../model/plan.js';
import type { Drift } from '../model/scan.js';
import { list, plural, size, sizeChange, time } from './quantity.js';

/** How a change is drawn. `replace` is an update that changes the type: the old goes first. */
export type Mark = 'create' | 'update' | 'delete' | 'replace' | 'conflict' | 'unknown' | 'equal';

export const SYMBOLS: Readonly<Record<Mark, string>> = {
  create: '+',
  update: '~',
  delete: '-',
  replace: '-/+',
  conflict: '!',
  unknown: '?',
  equal: '=',
};

export function markOf(change: Pick<Change, 'action' | 'aspects'>): Mark {
  switch (change.action) {
    case 'create':
      return 'create';
    case 'update':
      return change.aspects.includes('type') ? 'replace' : 'update';
    case 'delete':
      return 'delete';
    case 'no-op':
      return 'equal';
    case 'unknown':
      return 'unknown';
  }
}

/** True for what cannot be had back from the peer: shown first. */
export function isDestructive(mark: Mark): boolean {
  return mark === 'delete' || mark === 'replace';
}

/** What the change does to the file, in a few words: `content 12.3 kB -> 12.5 kB, mode 0644 -> 0600`. */
export function describeChange(change: Change, timeZone: string | undefined): string {
  const parts = effects(change, timeZone);
  switch (change.reason) {
    case 'forced':
      parts.push('forced: overwrites whatever is there');
      break;
    case 'conflict-won':
      parts.push("conflict: this host's version wins");
      break;
    case 'missing-there':
      if (change.action === 'create') parts.push('missing there');
      break;
    case 'missing-parent':
      parts.push('its directory is missing there');
      break;
    case 'settlement':
      parts.push('settled with the conflict');
      break;
    case 'new-here':
    case 'changed-here':
    case 'removed-here':
    case 'equal':
      break;
  }
  return parts.join(', ');
}

function effects(change: Change, timeZone: string | undefined): string[] {
  const { before, after } = change;
  switch (markOf(change)) {
    case 'create':
      return after === undefined ? [] : [describeEntry(after.entry, true)];
    case 'delete':
      return before === undefined ? [] : [describeEntry(before.entry, false)];
    case 'replace':
      return [
        `${before === undefined ? 'nothing' : describeEntry(before.entry, false)} -> ` +
          (after === undefined ? 'nothing' : describeEntry(after.entry, true)),
      ];
    case 'unknown':
      return [after === undefined ? 'removed here' : describeEntry(after.entry, false), 'peer not asked'];
    case 'update':
    case 'equal':
    case 'conflict':
      return differences(change, timeZone);
  }
}

/** The aspects of an update one by one. The new mtime of new content goes without saying. */
function differences(change: Change, timeZone: string | undefined): string[] {
  const before = change.before?.entry;
  const after = change.after?.entry;
  const parts: string[] = [];
  for (const aspect of change.aspects) {
    switch (aspect) {
      case 'content':
        parts.push(contentChange(before, after));
        break;
      case 'mode':
        parts.push(`mode ${mode(before?.mode)} -> ${mode(after?.mode)}`);
        break;
      case 'owner':
        parts.push(`owner ${owner(before)} -> ${owner(after)}`);
        break;
      case 'mtime':
        if (!change.aspects.includes('content')) parts.push(mtimeChange(before, after, timeZone));
        break;
      case 'target':
        parts.push(`link ${target(before)} -> ${target(after)}`);
        break;
      case 'device':
        parts.push(`device ${device(before)} -> ${device(after)}`);
        break;
      case 'type':
        break;
    }
  }
  return parts;
}

function contentChange(before: Entry | undefined, after: Entry | undefined): string {
  if (after?.size === undefined) return 'content';
  if (before?.size === undefined) return `content ${size(after.size)}`;
  return `content ${sizeChange(before.size, after.size)}`;
}

function mtimeChange(before: Entry | undefined, after: Entry | undefined, timeZone: string | undefined): string {
  if (after?.mtime === undefined) return 'mtime';
  const to = time(after.mtime * 1000, timeZone);
  // SIG answers have no mtime (0): then only the new one is known.
  return before?.mtime === undefined || before.mtime === 0
    ? `mtime ${to}`
    : `mtime ${time(before.mtime * 1000, timeZone)} -> ${to}`;
}

/** `12.4 kB`, `directory`, `link to /x`, `character device 1:3`; with `attributes` also the mode: `12.4 kB, mode 0644` */
export function describeEntry(entry: Entry, attributes: boolean): string {
  const suffix = attributes && entry.mode !== undefined && entry.type !== 'link' ? `, mode ${mode(entry.mode)}` : '';
  switch (entry.type) {
    case 'file':
      return size(entry.size ?? 0) + suffix;
    case 'directory':
      return `directory${suffix}`;
    case 'link':
      return entry.target === undefined || entry.target === '' ? 'link' : `link to ${display(entry.target)}`;
    case 'fifo':
      return `fifo${suffix}`;
    case 'character-device':
      return `character device ${device(entry)}${suffix}`;
    case 'block-device':
      return `block device ${device(entry)}${suffix}`;
    case 'socket':
      return 'socket';
  }
}

/** One side of a conflict: `12,345 bytes, 2026-11-22 10:02:11, mode 0644, owner 0:0`; `digests` adds the content's. */
export function describeSide(
  side: SideState | undefined,
  timeZone: string | undefined,
  told: { readonly digests?: boolean } = {},
): string {
  if (side === undefined) return 'does not exist';
  const { entry } = side;
  // Sides are held against each other: bytes, not rounded sizes.
  const parts = [entry.type === 'file' ? plural(entry.size ?? 0, 'byte') : describeEntry(entry, false)];
  if (entry.mtime !== undefined && entry.mtime !== 0) parts.push(time(entry.mtime * 1000, timeZone));
  if (entry.mode !== undefined && entry.type !== 'link') parts.push(`mode ${mode(entry.mode)}`);
  if (entry.uid !== undefined || entry.gid !== undefined) parts.push(`owner ${owner(entry)}`);
  if (told.digests === true && side.digest !== undefined) parts.push(`sha256:${side.digest.slice(0, 12)}`);
  return parts.join(', ');
}

/** What happened, as a heading: `changed here and on web2`. */
export function describeConflict(conflict: Conflict): string {
  return conflictWords(conflict) + (conflict.certainty === 'predicted' ? ' (predicted)' : '');
}

function conflictWords(conflict: Conflict): string {
  const peer = display(conflict.peer);
  switch (conflict.kind) {
    case 'both-changed':
      return `changed here and on ${peer}`;
    case 'both-created':
      return `created here and on ${peer}, and not the same`;
    case 'removed-here':
      return `removed here, changed on ${peer}`;
    case 'removed-there':
      return `changed here, removed on ${peer}`;
    case 'type':
      return `not of the same type here and on ${peer}`;
  }
}

/** What becomes of it: `method younger: this host's version goes to web2`. */
export function describeResolution(conflict: Conflict): string {
  const peer = display(conflict.peer);
  const method = conflict.autoMethod === 'none' ? '' : `method ${conflict.autoMethod}: `;
  switch (conflict.resolution) {
    case 'local':
      return `${method}this host's version goes to ${peer}`;
    case 'peer':
      return `${method}${peer}'s version comes here`;
    case 'both':
      return `${method}both versions are kept`;
    case 'none':
      return `${method}needs a decision`;
  }
}

/** `10.0.0.2, csync2 over TLS, group web`; the address only where it says more than the name. */
export function describePeer(peer: PlanPeer, told: { readonly address: boolean }): string {
  const parts: string[] = [];
  if (told.address && peer.address !== undefined && peer.address !== peer.name) parts.push(display(peer.address));
  const program = peer.implementation === 'unknown' ? undefined : peer.implementation;
  if (peer.tls !== 'unknown') {
    const link = peer.tls ? 'TLS' : 'plain text';
    parts.push(program === undefined ? link : `${program} over ${link}`);
  } else if (program !== undefined) parts.push(program);
  if (peer.groups.length > 0) {
    parts.push(`${peer.groups.length === 1 ? 'group' : 'groups'} ${list(peer.groups.map(display))}`);
  }
  return parts.join(', ');
}

/** Why the scan found a file changed. */
export function describeDrift(drift: Drift): string {
  switch (drift.reason) {
    case 'new':
      return drift.after === undefined ? 'new' : `new, ${describeEntry(drift.after.entry, false)}`;
    case 'content':
      return 'content';
    case 'attributes':
      return 'owner or mode';
    case 'times':
      return 'mtime';
    case 'type':
      return drift.after === undefined ? 'another type' : `now a ${drift.after.entry.type.replace('-', ' ')}`;
    case 'target':
      return 'points elsewhere';
    case 'rewritten':
      return 'rewritten, same size and second';
    case 'removed':
      return 'removed';
    case 'behind-link':
      return 'now behind a symbolic link';
  }
}

export function driftMark(drift: Drift): Mark {
  if (drift.before === undefined) return 'create';
  return drift.after === undefined ? 'delete' : drift.reason === 'type' ? 'replace' : 'update';
}

/** Permission bits as chmod takes them: `0644`. */
export function mode(value: number | undefined): string {
  return value === undefined ? 'unknown' : (value & 0o7777).toString(8).padStart(4, '0');
}

function owner(entry: Entry | undefined): string {
  return `${entry?.uid === undefined ? '-' : String(entry.uid)}:${entry?.gid === undefined ? '-' : String(entry.gid)}`;
}

function target(entry: Entry | undefined): string {
  if (entry?.target === undefined) return 'unknown';
  return entry.target === '' ? 'not told' : display(entry.target);
}

/** st_rdev in Linux's encoding, as `ls` shows it. */
function device(entry: Entry | undefined): string {
  if (entry?.device === undefined) return 'unknown';
  const dev = BigInt(entry.device);
  const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & ~0xfffn);
  const minor = (dev & 0xffn) | ((dev >> 12n) & ~0xffn);
  return `${major}:${minor}`;
}
