/**
 * A regular file as the sender reads it: opened without following links, small ones whole at once, so that what is sent is one
 * state of the file and not a mixture, and with a way to ask afterwards whether it is still that state.
 */

import fs from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { CsxError } from '../../model/errors.js';
import { stampOf } from '../../model/entry.js';
import type { Stamp } from '../../model/entry.js';
import type { DiskPath } from '../../model/names.js';
import { display } from '../../model/names.js';
import { within } from './confined.js';
import { readFailure } from './failure.js';

/** Up to this many bytes a file is read whole when it is opened. */
export const SNAPSHOT_BYTES = 8 * 1024 * 1024;
/** Bytes of a chunk unless the caller says otherwise. */
const CHUNK_BYTES = 256 * 1024;
/** How often a small file is read again because it changed while it was read. */
const ATTEMPTS = 3;

export interface Source {
  readonly path: DiskPath;
  readonly size: number;
  /** As fstat told it when the file was opened; of a snapshot: the state that was read. */
  readonly stats: BigIntStats;
  readonly stamp: Stamp;
  /** The whole content of a file of at most SNAPSHOT_BYTES; undefined for a larger one. */
  readonly content: Buffer | undefined;
  /** Fills `into` from `offset` on; the number of bytes, fewer only where the file ends. */
  read(offset: number, into: Uint8Array): number;
  /** The content from the beginning up to `size`, in chunks. Of a large file each chunk is valid until the next one. */
  chunks(chunkBytes?: number): Iterable<Buffer>;
  /** Whether the path still names this file and nothing was written since it was opened. */
  unchanged(): boolean;
  close(): void;
}

/**
 * Opens a file for sending. Throws PATH_UNSAFE when a parent is a link, CHANGED_MEANWHILE when it is no regular file (any more)
 * or does not keep still, READ_FAILED otherwise (`data.errno`).
 */
export function openSource(path: DiskPath): Source {
  let descriptor: number;
  try {
    descriptor = within(path, (directory, name) => directory.open(name, fs.constants.O_RDONLY));
  } catch (error) {
    throw readFailure(error, path);
  }
  try {
    const stats = fs.fstatSync(descriptor, { bigint: true });
    if (!stats.isFile()) throw moved(path, 'it is no regular file');
    if (stats.size > SNAPSHOT_BYTES) return new OpenFile(path, stats, descriptor);
    const snapshot = readSnapshot(path, descriptor);
    fs.closeSync(descriptor);
    return snapshot;
  } catch (error) {
    fs.closeSync(descriptor);
    throw readFailure(error, path);
  }
}

abstract class Opened {
  readonly path: DiskPath;
  readonly stats: BigIntStats;
  readonly stamp: Stamp;
  readonly size: number;

  constructor(path: DiskPath, stats: BigIntStats) {
    this.path = path;
    this.stats = stats;
    this.stamp = stampOf(stats);
    this.size = Number(stats.size);
  }

  unchanged(): boolean {
    try {
      const now = within(this.path, (directory, name) => directory.lstat(name));
      return now !== undefined && now.dev === this.stats.dev && stampOf(now) === this.stamp;
    } catch {
      return false;
    }
  }
}

class OpenFile extends Opened implements Source {
  readonly content = undefined;
  #descriptor: number | undefined;

  constructor(path: DiskPath, stats: BigIntStats, descriptor: number) {
    super(path, stats);
    this.#descriptor = descriptor;
  }

  read(offset: number, into: Uint8Array): number {
    if (this.#descriptor === undefined) throw new CsxError('INTERNAL', `${display(this.path)} was read after closing.`);
    return readFully(this.path, this.#descriptor, into, offset);
  }

  *chunks(chunkBytes = CHUNK_BYTES): Iterable<Buffer> {
    const buffer = Buffer.allocUnsafeSlow(chunkBytes);
    for (let offset = 0; offset < this.size;) {
      const count = this.read(offset, buffer.subarray(0, Math.min(chunkBytes, this.size - offset)));
      if (count === 0) throw moved(this.path, 'it became shorter');
      yield buffer.subarray(0, count);
      offset += count;
    }
  }

  close(): void {
    if (this.#descriptor !== undefined) fs.closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}

class Snapshot extends Opened implements Source {
  readonly content: Buffer;

  constructor(path: DiskPath, stats: BigIntStats, content: Buffer) {
    super(path, stats);
    this.content = content;
  }

  read(offset: number, into: Uint8Array): number {
    return this.content.copy(into, 0, offset);
  }

  *chunks(chunkBytes = CHUNK_BYTES): Iterable<Buffer> {
    for (let offset = 0; offset < this.size; offset += chunkBytes) {
      yield this.content.subarray(offset, offset + chunkBytes);
    }
  }

  close(): void {
    // Nothing is open: the content is in memory.
  }
}

/** Reads the file until what fstat says before and after agrees. */
function readSnapshot(path: DiskPath, descriptor: number): Snapshot {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const before = fs.fstatSync(descriptor, { bigint: true });
    if (before.size > SNAPSHOT_BYTES) break;
    const content = Buffer.allocUnsafeSlow(Number(before.size));
    const count = readFully(path, descriptor, content, 0);
    const after = fs.fstatSync(descriptor, { bigint: true });
    if (count === content.length && stampOf(before) === stampOf(after)) return new Snapshot(path, after, content);
  }
  throw moved(path, 'it was written to while it was read');
}

function readFully(path: DiskPath, descriptor: number, into: Uint8Array, offset: number): number {
  let filled = 0;
  try {
    while (filled < into.length) {
      const count = fs.readSync(descriptor, into, filled, into.length - filled, offset + filled);
      if (count === 0) break;
      filled += count;
    }
  } catch (error) {
    throw readFailure(error, path);
  }
  return filled;
}

function moved(path: DiskPath, why: string): CsxError {
  return new CsxError('CHANGED_MEANWHILE', `${display(path)} was not sent: ${why}.`, {
    hint: 'Nothing was changed on the peer. Run the command again when the file is at rest.',
    data: { path: display(path) },
  });
}
