/** SHA-256 of a file's content on this host's disk. */

import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import type { Digest } from '../../model/entry.js';
import { errnoOf } from '../../model/errors.js';
import { isAscii, toBuffer } from '../../model/names.js';
import type { DiskPath } from '../../model/names.js';

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = fs.constants;
/** Bytes read at a time: a few milliseconds' work, then others have their turn. */
const PIECE = 4 * 1024 * 1024;

/**
 * Reads a regular file to its end. Undefined when there is none (any more). Never follows a link that took the file's
 * place, and never waits for the other end of a FIFO.
 *
 * @throws what the system says when the file cannot be read, or the signal's reason
 */
export async function digestOf(disk: DiskPath, signal?: AbortSignal): Promise<Digest | undefined> {
  const descriptor = open(disk);
  if (descriptor === undefined) return undefined;
  try {
    const stats = fs.fstatSync(descriptor);
    if (!stats.isFile()) return undefined;
    const hash = createHash('sha256');
    const piece = Buffer.allocUnsafe(Math.min(PIECE, stats.size + 1));
    for (;;) {
      signal?.throwIfAborted();
      const length = fs.readSync(descriptor, piece, 0, piece.length, null);
      if (length === 0) return hash.digest('hex') as Digest;
      hash.update(piece.subarray(0, length));
      if (length === PIECE) await turn();
    }
  } finally {
    fs.closeSync(descriptor);
  }
}

function open(disk: DiskPath): number | undefined {
  try {
    return fs.openSync(isAscii(disk) ? disk : toBuffer(disk), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT' || errno === 'ENOTDIR' || errno === 'ELOOP') return undefined;
    throw error;
  }
}
