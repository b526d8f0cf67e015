/** A small regular file read whole in one go, for a sender that knows in which state it must be. source.ts reads all others. */

import fs from 'node:fs';
import { stampOf } from '../../model/entry.js';
import type { Stamp } from '../../model/entry.js';
import type { DiskPath } from '../../model/names.js';
import { readFailure } from './failure.js';
import type { OpenDirectories } from './open-directories.js';

/**
 * Fills `into`, which is as long as the file must be. False: the file is not in that state (any more), and what was read is worth nothing.
 * That it had the stamp after it was read says that nothing was written while it was read.
 * Throws PATH_UNSAFE when a parent is a link, READ_FAILED otherwise.
 */
export function readExactly(path: DiskPath, stamp: Stamp, into: Buffer, directories: OpenDirectories): boolean {
  try {
    const { directory, name } = directories.placeOf(path);
    const descriptor = directory.open(name, fs.constants.O_RDONLY);
    try {
      for (let done = 0; done < into.length;) {
        const count = fs.readSync(descriptor, into, done, into.length - done, null);
        if (count === 0) return false;
        done += count;
      }
      const stats = fs.fstatSync(descriptor, { bigint: true });
      return stats.isFile() && Number(stats.size) === into.length && stampOf(stats) === stamp;
    } finally {
      fs.closeSync(descriptor);
    }
  } catch (error) {
    throw readFailure(error, path);
  }
}
