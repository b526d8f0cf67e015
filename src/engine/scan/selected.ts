/** What a scan asks of the configuration. config's Selection is it; tests may bring their own. */

import { CsxError } from '../../model/errors.js';
import type { DiskPath, FileName } from '../../model/names.js';
import { isWithin } from '../../model/names.js';
import type { Scope } from '../../model/store.js';

/** Which files are synchronised. */
export interface Selected {
  /** Whether the file belongs to a group. */
  includes(file: FileName): boolean;
  /** Whether a directory that is not included itself leads to what may be. */
  entered(file: FileName): boolean;
}

/** A file by its configured name and by its place on this host. */
export interface Placed {
  readonly file: FileName;
  readonly disk: DiskPath;
}

export interface Places extends Selected {
  /** Where walks begin: every included file is at or below one of them. */
  roots(): readonly Placed[];
  /** Fails with CONFIG_INVALID when the file's prefix has no path on this host. */
  toDisk(file: FileName): DiskPath;
}

/** Where the file lies; undefined when its prefix has no path on this host. */
export function diskOf(selection: Places, file: FileName): DiskPath | undefined {
  try {
    return selection.toDisk(file);
  } catch (error) {
    if (error instanceof CsxError) return undefined;
    throw error;
  }
}

/** Where a walk begins. */
export interface Start extends Placed {
  /** False: this one file, not what lies below it. */
  readonly recursive: boolean;
}

/**
 * The starts that cover the scopes, or without scopes everything: none lies within another recursive one. A scope above
 * some roots stands for those roots.
 */
export function startsOf(selection: Places, scopes?: readonly Scope[]): readonly Start[] {
  const roots = selection.roots();
  const starts: Start[] = [];
  if (scopes === undefined) {
    for (const root of roots) starts.push({ ...root, recursive: true });
  }
  for (const scope of scopes ?? []) {
    const disk = diskOf(selection, scope.file);
    const inside = roots.some((root) => isWithin(scope.file, root.file));
    if (disk !== undefined && inside) starts.push({ file: scope.file, disk, recursive: scope.recursive });
    if (!scope.recursive) continue;
    for (const root of roots) {
      if (isWithin(root.file, scope.file)) starts.push({ ...root, recursive: true });
    }
  }
  return withoutNested(starts);
}

/** Leaves out what a recursive start covers already, and doubles. */
function withoutNested(starts: readonly Start[]): readonly Start[] {
  const recursive = new Set(starts.filter((start) => start.recursive).map((start) => start.file as string));
  const kept = new Map<string, Start>();
  for (const start of starts) {
    if (hasAncestor(start.file, recursive)) continue;
    if (start.recursive || !recursive.has(start.file)) kept.set(start.file, start);
  }
  return [...kept.values()];
}

/** Whether a proper ancestor of the name is among the names. */
export function hasAncestor(name: string, names: ReadonlySet<string>): boolean {
  if (names.size === 0) return false;
  for (let slash = name.lastIndexOf('/'); slash > 0; slash = name.lastIndexOf('/', slash - 1)) {
    if (names.has(name.slice(0, slash))) return true;
  }
  return name.length > 1 && name.startsWith('/') && names.has('/');
}
