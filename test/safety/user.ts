/**
 * What users do to the trees of a cluster, and what they have before them when they do it: every version that somebody wrote is known,
 * with the reason why it may be gone. A version is a file's content or a link's target; a directory by itself is none.
 */

import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';

/** The names of one life: each may be a file, a directory or a link, and what lies below it makes a directory of it. */
export const PATHS = ['a', 'd', 'd/e', 'd/s', 'd/s/f'] as const;

export interface Edit {
  /** `directory` gives one that is there another mode; `rename` needs `to`. */
  readonly edit: 'write' | 'remove' | 'directory' | 'link' | 'rename';
  /** Of PATHS. */
  readonly path: number;
  readonly to: number;
}

/** The versions of one life; no two of all lives are the same. */
export class Versions {
  readonly #known = new Map<string, string | undefined>();
  #written = 0;

  /** A new life. */
  begin(): void {
    this.#known.clear();
  }

  /** The number of a new version, or of a new mode. */
  next(): number {
    return (this.#written += 1);
  }

  wrote(version: string): void {
    this.#known.set(version, undefined);
  }

  excuse(versions: readonly string[], why: string): void {
    for (const version of versions)
      if (this.#known.has(version)) this.#known.set(version, this.#known.get(version) ?? why);
  }

  /** Those that are gone though nobody gave them up. */
  lost(held: ReadonlySet<string>): readonly string[] {
    return [...this.#known]
      .filter(([version, why]) => why === undefined && !held.has(version))
      .map(([version]) => version);
  }
}

/** A user at one host. */
export class User {
  readonly #root: string;
  readonly #links: boolean;
  readonly #versions: Versions;
  readonly #tell: (what: string) => void;

  /**
   * @param root the names of this life, less PATHS
   * @param links whether he makes links and moves them. On a csync2 host he must not: under a prefix csync2 neither notices nor shows
   *   where a link points (docs/differences.md), so that such a link would never reach anybody
   */
  constructor(root: string, links: boolean, versions: Versions, tell: (what: string) => void) {
    this.#root = root;
    this.#links = links;
    this.#versions = versions;
    this.#tell = tell;
  }

  /** What he has before him is what he means to replace. Sizes, times and modes are all different, as csync2 needs it. */
  edit({ edit, path: index, to }: Edit): void {
    const name = PATHS[index] ?? PATHS[0];
    switch (edit === 'link' && !this.#links ? 'write' : edit) {
      case 'write':
        this.#write(name);
        break;
      case 'remove':
        if (this.#give(name)) this.#tell(`removes ${name}`);
        break;
      case 'directory':
        this.#directory(name);
        break;
      case 'link': {
        const target = `target ${this.#versions.next()}`;
        this.#clear(name);
        this.#versions.wrote(target);
        symlinkSync(target, this.#disk(name));
        this.#tell(`links ${name} to ${target}`);
        break;
      }
      case 'rename':
        this.#rename(name, PATHS[to] ?? PATHS[0]);
        break;
    }
  }

  #write(name: string): void {
    const number = this.#versions.next();
    const text = `version ${number} ${'x'.repeat(number % 4000)}`;
    const disk = this.#disk(name);
    // A file is written in its place; anything else gives way.
    if (typeOf(disk) === 'file') this.#versions.excuse(versionsAt(disk), REPLACED);
    else this.#clear(name);
    this.#versions.wrote(text);
    writeFileSync(disk, text);
    utimesSync(disk, 1_000_000 + number, 1_000_000 + number);
    this.#tell(`writes ${name}: version ${number}`);
  }

  #directory(name: string): void {
    const mode = 0o700 + (this.#versions.next() % 0o100);
    const disk = this.#disk(name);
    if (typeOf(disk) !== 'directory') {
      this.#clear(name);
      mkdirSync(disk);
    }
    chmodSync(disk, mode);
    this.#tell(`makes ${name} a directory, ${mode.toString(8)}`);
  }

  #rename(name: string, to: string): void {
    const disk = this.#disk(name);
    const apart = !`${name}/`.startsWith(`${to}/`) && !`${to}/`.startsWith(`${name}/`);
    if (!apart || typeOf(disk) === undefined || (!this.#links && holdsLink(disk))) return;
    this.#clear(to);
    renameSync(disk, this.#disk(to));
    this.#tell(`renames ${name} to ${to}`);
  }

  /** Makes room at the name, with directories above it. */
  #clear(name: string): void {
    this.#give(name);
    const parts = name.split('/');
    for (let depth = 1; depth < parts.length; depth += 1) {
      const above = parts.slice(0, depth).join('/');
      if (typeOf(this.#disk(above)) === 'directory') continue;
      this.#give(above);
      mkdirSync(this.#disk(above), 0o755);
    }
  }

  #give(name: string): boolean {
    const disk = this.#disk(name);
    if (typeOf(disk) === undefined) return false;
    this.#versions.excuse(versionsAt(disk), REPLACED);
    rmSync(disk, { recursive: true });
    return true;
  }

  #disk(name: string): string {
    return this.#root + name;
  }
}

const REPLACED = 'a user replaced it';

/** The version that stands at a path: a file's content, a link's target. */
export function versionOf(disk: string): string | undefined {
  switch (typeOf(disk)) {
    case 'file':
      return readFileSync(disk, 'latin1');
    case 'link':
      return readlinkSync(disk, 'latin1');
    default:
      return undefined;
  }
}

/** All versions at a path and below it. */
export function versionsAt(disk: string): readonly string[] {
  if (typeOf(disk) === 'directory') return readdirSync(disk).flatMap((name) => versionsAt(path.join(disk, name)));
  const version = versionOf(disk);
  return version === undefined ? [] : [version];
}

function holdsLink(disk: string): boolean {
  const type = typeOf(disk);
  return (
    type === 'link' || (type === 'directory' && readdirSync(disk).some((name) => holdsLink(path.join(disk, name))))
  );
}

/** What stands at a path; undefined also where something above it is no directory. */
function typeOf(disk: string): 'file' | 'directory' | 'link' | undefined {
  try {
    const stats = lstatSync(disk, { throwIfNoEntry: false });
    if (stats === undefined) return undefined;
    return stats.isDirectory() ? 'directory' : stats.isSymbolicLink() ? 'link' : 'file';
  } catch {
    return undefined;
  }
}
