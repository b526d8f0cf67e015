/**
 * Directories held open without following a link, and every operation on the names in them.
 *
 * A peer names a path; by the time it is used somebody may have put a link in its place. So the parent directory is opened
 * first and the operation is done relative to that descriptor, as openat(2) would, through `/proc/self/fd/N/name`
 * (Node has no openat). Operations on the name itself never follow it either.
 *
 * Opening: the whole path is opened at once, then the kernel is asked where that descriptor lies. When it says exactly
 * the path that was meant, no component was a link. In every other case (a link, a race, a mount namespace in which
 * the path has another name) each component is opened relative to the one before, with O_NOFOLLOW, which decides.
 * Nothing is cached: a descriptor kept would go on meaning a directory that has been moved away.
 */

import fs from 'node:fs';
import { CsxError, errnoOf } from '../../model/errors.js';
import type { Bytes, DiskPath } from '../../model/names.js';
import { display, fromBuffer, isAscii, isCanonical, toBuffer } from '../../model/names.js';
import { syncDescriptor } from './sync.js';

const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = fs.constants;
/** open(2): a descriptor for the place only; needs no right to read. The same number on x86 and ARM. */
const O_PATH = 0o10000000;
const HOLD = O_PATH | O_DIRECTORY | O_NOFOLLOW;

/** A directory held open. Every `name` is a single component of a canonical path. */
export class Directory {
  readonly path: DiskPath;
  readonly #descriptor: number;
  readonly #prefix: string;
  #device: bigint | undefined;

  constructor(path: DiskPath, descriptor: number) {
    this.path = path;
    this.#descriptor = descriptor;
    this.#prefix = `/proc/self/fd/${String(descriptor)}/`;
  }

  /** The descriptor (O_PATH): for handing the directory to a child process. */
  get descriptor(): number {
    return this.#descriptor;
  }

  /** What stands at the name, the link itself if it is one; undefined when nothing does. */
  lstat(name: string): fs.BigIntStats | undefined {
    return fs.lstatSync(this.#at(name), { bigint: true, throwIfNoEntry: false });
  }

  stat(): fs.BigIntStats {
    return fs.fstatSync(this.#descriptor, { bigint: true });
  }

  /** st_dev. */
  get device(): bigint {
    return (this.#device ??= this.stat().dev);
  }

  readlink(name: string): Bytes {
    return fromBuffer(fs.readlinkSync(this.#at(name), { encoding: 'buffer' }));
  }

  /** open(2) that fails with ELOOP on a link and never waits for the other end of a FIFO. */
  open(name: string, flags: number, mode = 0o600): number {
    return fs.openSync(this.#at(name), flags | O_NOFOLLOW | O_NONBLOCK, mode);
  }

  /** The names in the directory. */
  list(): Bytes[] {
    return fs.readdirSync(this.#at('.'), 'latin1') as Bytes[];
  }

  /** Opens a directory in this one: PATH_UNSAFE when the name is a link or something else. */
  enter(name: string): Directory {
    const path = (this.path === '/' ? `/${name}` : `${this.path}/${name}`) as DiskPath;
    return new Directory(path, openStep(this.#at(name), path));
  }

  rename(from: string, to: string, into: Directory = this): void {
    fs.renameSync(this.#at(from), into.#at(to));
  }

  unlink(name: string): void {
    fs.unlinkSync(this.#at(name));
  }

  rmdir(name: string): void {
    fs.rmdirSync(this.#at(name));
  }

  mkdir(name: string, mode: number): void {
    fs.mkdirSync(this.#at(name), { mode });
  }

  symlink(name: string, target: Bytes): void {
    fs.symlinkSync(toBuffer(target), this.#at(name));
  }

  /** lchown(2). */
  chown(name: string, uid: number, gid: number): void {
    fs.lchownSync(this.#at(name), uid, gid);
  }

  /** chmod(2) on the name itself: ENOTSUP for a link. */
  chmod(name: string, mode: number): void {
    const descriptor = fs.openSync(this.#at(name), O_PATH | O_NOFOLLOW);
    try {
      fs.chmodSync(`/proc/self/fd/${String(descriptor)}`, mode & 0o7777);
    } finally {
      fs.closeSync(descriptor);
    }
  }

  /** Access and modification time of the name itself, in whole seconds since 1970. */
  utimes(name: string, seconds: number): void {
    fs.lutimesSync(this.#at(name), seconds, seconds);
  }

  /** Makes the names in the directory durable. */
  async sync(): Promise<void> {
    const descriptor = fs.openSync(this.#at('.'), O_RDONLY | O_DIRECTORY);
    try {
      await syncDescriptor(descriptor, this.device);
    } finally {
      fs.closeSync(descriptor);
    }
  }

  close(): void {
    fs.closeSync(this.#descriptor);
  }

  #at(name: string): string | Buffer {
    const path = this.#prefix + name;
    return isAscii(name) ? path : toBuffer(path);
  }
}

/**
 * Opens a directory. Throws PATH_UNSAFE when a component is a link or no directory, otherwise the system's error (ENOENT:
 * it does not exist).
 */
export function openDirectory(path: DiskPath): Directory {
  return new Directory(path, openDescriptor(path));
}

/** The descriptor of such a directory. */
export function openDescriptor(path: DiskPath): number {
  if (!isCanonical(path) || !path.startsWith('/')) throw unsafe(path, 'it is not a canonical absolute path');
  return openAtOnce(path) ?? openByComponents(path);
}

/** A name in a directory held open. */
export interface Place {
  readonly directory: Directory;
  readonly name: string;
}

/** Opens the directory that holds `path`. Throws as `openDirectory` does. Close `directory` when done. */
export function openParent(path: DiskPath): Place {
  const { parent, name } = parentOf(path);
  return { directory: openDirectory(parent), name };
}

/** The directory that holds `path`, and the name in it. Throws PATH_UNSAFE for what is no canonical absolute path. */
export function parentOf(path: DiskPath): { readonly parent: DiskPath; readonly name: string } {
  if (path === '/') return { parent: path, name: '.' };
  const slash = path.lastIndexOf('/');
  if (!isCanonical(path) || slash < 0) throw unsafe(path, 'it is not a canonical absolute path');
  return { parent: (slash === 0 ? '/' : path.slice(0, slash)) as DiskPath, name: path.slice(slash + 1) };
}

/** Runs `work` on the opened parent of `path` and closes it. */
export function within<T>(path: DiskPath, work: (directory: Directory, name: string) => T): T {
  const { directory, name } = openParent(path);
  try {
    return work(directory, name);
  } finally {
    directory.close();
  }
}

/** A descriptor of the path, when the kernel confirms that it lies exactly there; otherwise undefined. */
function openAtOnce(path: DiskPath): number | undefined {
  let descriptor: number;
  try {
    descriptor = fs.openSync(isAscii(path) ? path : toBuffer(path), HOLD);
  } catch {
    return undefined;
  }
  const link = `/proc/self/fd/${String(descriptor)}`;
  try {
    if (fs.readlinkSync(link, 'latin1') === path) return descriptor;
  } catch (error) {
    fs.closeSync(descriptor);
    throw new CsxError('PATH_UNSAFE', `Cannot open ${display(path)} safely: /proc is not mounted.`, {
      hint: 'Mount /proc: csx reaches files through /proc/self/fd.',
      cause: error,
    });
  }
  fs.closeSync(descriptor);
  return undefined;
}

function openByComponents(path: DiskPath): number {
  let descriptor = fs.openSync('/', HOLD);
  let reached = '';
  for (const component of path.split('/')) {
    if (component === '') continue;
    reached += `/${component}`;
    try {
      const next = openStep(toBuffer(`/proc/self/fd/${String(descriptor)}/${component}`), reached as DiskPath);
      fs.closeSync(descriptor);
      descriptor = next;
    } catch (error) {
      fs.closeSync(descriptor);
      throw error;
    }
  }
  return descriptor;
}

/** Opens one component as a directory. With O_PATH, O_DIRECTORY and O_NOFOLLOW a link fails with ENOTDIR, as a file does. */
function openStep(at: string | Buffer, path: DiskPath): number {
  try {
    return fs.openSync(at, HOLD);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOTDIR' || errno === 'ELOOP') throw unsafe(path, 'it is a symbolic link or not a directory', error);
    throw error;
  }
}

function unsafe(path: string, why: string, cause?: unknown): CsxError {
  return new CsxError('PATH_UNSAFE', `${display(path)} cannot be used as a directory: ${why}.`, {
    hint: 'csx follows no links: name the real directory in the configuration, or put a directory there.',
    data: { path: display(path) },
    cause,
  });
}
