/** What comparing this host's database with its peers' found. Like csync2's -T: what the databases say, not the disks. */

import type { Entry } from './entry.js';
import type { Problem } from './errors.js';
import { bytesMember } from './json-value.js';
import type { FileName, PeerName } from './names.js';
import type { Aspect } from './plan.js';

export interface ComparedFile {
  readonly path: FileName;
  readonly me: PeerName;
  readonly kind: 'different' | 'only-here' | 'only-there';
  /** In what they differ; empty where a check text cannot be read. */
  readonly aspects: readonly Aspect[];
  /** Undefined: not known on that side, or its check text cannot be read. */
  readonly here: Entry | undefined;
  readonly there: Entry | undefined;
}

export interface PeerComparison {
  readonly peer: PeerName;
  /** In the order of stored names. */
  readonly files: readonly ComparedFile[];
  /** Why the peer could not be asked; undefined: it was. */
  readonly problem: Problem | undefined;
}

/** For programs. */
export function comparisonJson(
  host: string,
  comparisons: readonly PeerComparison[],
  marked: number | undefined,
): object {
  return {
    format_version: '1.0',
    host,
    marked: marked ?? null,
    peers: comparisons.map(({ peer, files, problem }) => ({
      ...bytesMember('name', peer),
      reachable: problem === undefined,
      error: problem?.summary ?? null,
      differences: files.map((file) => ({
        ...bytesMember('path', file.path),
        kind: file.kind,
        aspects: file.aspects,
        here: entryJson(file.here),
        there: entryJson(file.there),
      })),
    })),
  };
}

/** What a check text or lstat tells, for programs. Null: not there, or not told. */
export function entryJson(entry: Entry | undefined): object | null {
  if (entry === undefined) return null;
  return {
    type: entry.type,
    mode: entry.mode === undefined ? null : entry.mode.toString(8),
    uid: entry.uid ?? null,
    gid: entry.gid ?? null,
    mtime: entry.mtime === undefined ? null : new Date(entry.mtime * 1000).toISOString(),
    size: entry.size ?? null,
    ...(entry.target === undefined ? { target: null } : bytesMember('target', entry.target)),
  };
}
