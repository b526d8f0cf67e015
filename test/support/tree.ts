/** Trees for tests: what lies below a directory, as data that `toEqual` compares; names as byte strings. */

import { createHash } from 'node:crypto';
import { lstatSync, readFileSync, readdirSync, readlinkSync } from 'node:fs';

export interface TreeEntry {
  readonly type: string;
  readonly mode: string;
  readonly owner: string;
  /** Whole seconds; undefined for directories and links, whose times csync2 does not keep. */
  readonly mtime: number | undefined;
  /** SHA-256, or the link's target. */
  readonly content: string | undefined;
}

/** Everything below `root` (and the root itself, as `.`), keyed by relative name. */
export function readTree(root: string): Record<string, TreeEntry> {
  const entries: Record<string, TreeEntry> = {};
  const visit = (relative: Buffer): void => {
    const path =
      relative.length === 0
        ? Buffer.from(root, 'latin1')
        : Buffer.concat([Buffer.from(`${root}/`, 'latin1'), relative]);
    const stats = lstatSync(path);
    const type = stats.isFile()
      ? 'file'
      : stats.isDirectory()
        ? 'directory'
        : stats.isSymbolicLink()
          ? 'link'
          : stats.isFIFO()
            ? 'fifo'
            : 'other';
    entries[relative.length === 0 ? '.' : relative.toString('latin1')] = {
      type,
      mode: (stats.mode & 0o7777).toString(8),
      owner: `${stats.uid}:${stats.gid}`,
      mtime: type === 'directory' || type === 'link' ? undefined : Math.floor(stats.mtimeMs / 1000),
      content:
        type === 'file'
          ? createHash('sha256').update(readFileSync(path)).digest('hex')
          : type === 'link'
            ? readlinkSync(path, 'latin1')
            : undefined,
    };
    if (type !== 'directory') return;
    for (const name of readdirSync(path, { encoding: 'buffer' })) {
      visit(relative.length === 0 ? name : Buffer.concat([relative, Buffer.from('/'), name]));
    }
  };
  visit(Buffer.alloc(0));
  return Object.fromEntries(Object.entries(entries).sort(([a], [b]) => (a < b ? -1 : 1)));
}
