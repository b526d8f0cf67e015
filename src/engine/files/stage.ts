/**
 * New content beside the file it will replace, under a reserved name, until it is whole, dressed and durable.
 *
 * What is staged is invisible to scans, patterns and peers (model/names.ts, RESERVED_PREFIX). commit.ts puts it in its place.
 * Links and special files are staged in the same way, so that a path never holds nothing while it is replaced.
 */

import fs from 'node:fs';
import type { BigIntStats } from 'node:fs';
import type { Bytes, DiskPath } from '../../model/names.js';
import type { Directory, Place } from './confined.js';
import { openDirectory, openParent } from './confined.js';
import type { OpenDirectories } from './open-directories.js';
import { syncDescriptor } from './sync.js';
import { reservedName, sweepOnce } from './reserved-name.js';
import { makeSpecial } from './special-file.js';
import type { SpecialType } from './special-file.js';

/** Attributes to set; what is undefined is left as it is. */
export interface Attributes {
  /** Permission bits, type bits are ignored. Not for links. */
  readonly mode?: number | undefined;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
  /** Whole seconds since 1970, for access and modification time. */
  readonly mtime?: number | undefined;
}

export interface StageOptions {
  /** `tempdir`: used when it lies on the target's file system, since only there a rename is atomic. */
  readonly temporaryDirectory?: DiskPath | undefined;
  /** Where the group's directories are held open; without it each staged file holds its own. */
  readonly directories?: OpenDirectories | undefined;
}

/** Starts a regular file: mode 0600, empty. Throws PATH_UNSAFE or the system's error; nothing is left behind then. */
export function stageFile(target: DiskPath, options: StageOptions = {}): StagedFile {
  return staging(target, options, (place, home, name) => {
    const { O_CREAT, O_EXCL, O_RDWR } = fs.constants;
    return new StagedFile(target, place, home, name, home.open(name, O_RDWR | O_CREAT | O_EXCL, 0o600));
  });
}

export function stageLink(target: DiskPath, pointsTo: Bytes): Staged {
  return staging(target, {}, (place, home, name) => {
    home.symlink(name, pointsTo);
    return new Staged(target, place, home, name);
  });
}

/** Stages a FIFO or device, mode 0600. `device`: st_rdev. */
export function stageSpecial(target: DiskPath, type: SpecialType, device: number): Staged {
  return staging(target, {}, (place, home, name) => {
    makeSpecial(home, name, type, device);
    return new Staged(target, place, home, name);
  });
}

function staging<T>(
  target: DiskPath,
  options: StageOptions,
  make: (place: Place, home: Directory, name: string) => T,
): T {
  const place = options.directories?.placeOf(target) ?? openParent(target);
  let home = place.directory;
  try {
    home = temporaryHome(place.directory, options.temporaryDirectory) ?? place.directory;
    sweepOnce(home);
    return make(place, home, reservedName());
  } catch (error) {
    if (home !== place.directory) home.close();
    place.directory.close();
    throw error;
  }
}

/** The temporary directory when it can serve: same file system, and nobody else can swap names in it. */
function temporaryHome(beside: Directory, path: DiskPath | undefined): Directory | undefined {
  if (path === undefined) return undefined;
  let home: Directory;
  try {
    home = openDirectory(path);
  } catch {
    return undefined;
  }
  const stats = home.stat();
  const sticky = (stats.mode & 0o1000n) !== 0n;
  const shared = (stats.mode & 0o022n) !== 0n && !sticky;
  const trusted = stats.uid === 0n || Number(stats.uid) === process.geteuid?.();
  if (stats.dev === beside.stat().dev && !shared && trusted) return home;
  home.close();
  return undefined;
}

/** Something staged. Either `commit` or `discard` ends it. */
export class Staged {
  readonly target: DiskPath;
  /** The target's directory, held open. */
  readonly place: Place;
  /** Where the staged name is: the target's directory or the temporary one. */
  readonly home: Directory;
  readonly name: string;
  #open = true;

  constructor(target: DiskPath, place: Place, home: Directory, name: string) {
    this.target = target;
    this.place = place;
    this.home = home;
    this.name = name;
  }

  /** Sets owner, mode and times, in the order in which none undoes another. */
  dress(attributes: Attributes): void {
    dress(this.home, this.name, attributes);
  }

  async makeDurable(): Promise<void> {
    // A link or special file is nothing but its name, which the directory's fsync keeps.
  }

  /** Puts it in the target's place; the caller makes the directory durable. The old state stays when this throws. */
  replace(): void {
    this.home.rename(this.name, this.place.name, this.place.directory);
    this.release();
  }

  /** Gives up: the staged name is removed, the target is as it was. Never throws. */
  discard(): void {
    if (!this.#open) return;
    try {
      this.home.unlink(this.name);
    } catch {
      // A later sweep removes it.
    }
    this.release();
  }

  protected release(): void {
    if (!this.#open) return;
    this.#open = false;
    if (this.home !== this.place.directory) this.home.close();
    this.place.directory.close();
  }
}

/** A staged regular file, open for writing. */
export class StagedFile extends Staged {
  /** Open for reading and writing until `commit` or `discard`. */
  readonly descriptor: number;
  #descriptorOpen = true;
  #length = 0;
  #stats: BigIntStats | undefined;

  constructor(target: DiskPath, place: Place, home: Directory, name: string, descriptor: number) {
    super(target, place, home, name);
    this.descriptor = descriptor;
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  stat(): fs.BigIntStats {
    return fs.fstatSync(this.descriptor, { bigint: true });
  }

  /** Appends. Throws the system's error (ENOSPC, EDQUOT, EIO): discard it then. */
  write(bytes: Uint8Array): void {
    let done = 0;
    while (done < bytes.length) done += fs.writeSync(this.descriptor, bytes, done, bytes.length - done);
    this.#length += bytes.length;
  }

  override dress(attributes: Attributes): void {
    const { mode, uid, gid, mtime } = attributes;
    if (uid !== undefined || gid !== undefined) fs.fchownSync(this.descriptor, uid ?? KEEP, gid ?? KEEP);
    if (mode !== undefined) fs.fchmodSync(this.descriptor, mode & 0o7777);
    if (mtime !== undefined) fs.futimesSync(this.descriptor, mtime, mtime);
  }

  override async makeDurable(): Promise<void> {
    await syncDescriptor(this.descriptor, this.home.device);
  }

  override replace(): void {
    this.home.rename(this.name, this.place.name, this.place.directory);
    this.#stats = fs.fstatSync(this.descriptor, { bigint: true });
    this.release();
  }

  /** What stood at the target right after `replace`; undefined before it. */
  get stats(): BigIntStats | undefined {
    return this.#stats;
  }

  protected override release(): void {
    if (this.#descriptorOpen) fs.closeSync(this.descriptor);
    this.#descriptorOpen = false;
    super.release();
  }
}

/** chown(2): leave this one as it is. */
const KEEP = 0xffffffff;

/** Sets attributes of what stands at a name, never of what a link points to. Throws the system's error. */
export function dress(directory: Directory, name: string, attributes: Attributes): void {
  const { mode, uid, gid, mtime } = attributes;
  if (uid !== undefined || gid !== undefined) directory.chown(name, uid ?? KEEP, gid ?? KEEP);
  if (mode !== undefined) directory.chmod(name, mode);
  if (mtime !== undefined) directory.utimes(name, mtime);
}
