/**
 * The directories of one group of changes, each opened once and held until the group is in its place. confined.ts says why none is kept
 * longer: a descriptor goes on meaning its directory when that has been moved away.
 */

import type { DiskPath } from '../../model/names.js';
import { Directory, openDescriptor, parentOf } from './confined.js';
import type { Place } from './confined.js';

export class OpenDirectories {
  readonly #open = new Map<DiskPath, HeldDirectory>();

  /** Throws as `openDirectory` does. What is returned stays open until `close`, also when its own `close` is called. */
  directory(path: DiskPath): Directory {
    let held = this.#open.get(path);
    if (held === undefined) {
      held = new HeldDirectory(path, openDescriptor(path));
      this.#open.set(path, held);
    }
    return held;
  }

  /** The directory that holds `path`. Throws as `openParent` does. */
  placeOf(path: DiskPath): Place {
    const { parent, name } = parentOf(path);
    return { directory: this.directory(parent), name };
  }

  close(): void {
    for (const directory of this.#open.values()) directory.release();
    this.#open.clear();
  }
}

class HeldDirectory extends Directory {
  override close(): void {
    // Others of the group use it.
  }

  release(): void {
    super.close();
  }
}
