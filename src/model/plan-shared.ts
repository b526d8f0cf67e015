/**
 * What the elements of a plan have in common, held once while a plan is read: a file's state here stands in its drift and in its
 * change for every peer, peers and groups in every change. A plan of 100,000 changes takes half the memory for it.
 */

import type { Entry } from './entry.js';
import type { FileName } from './names.js';
import type { LocalState } from './scan.js';

interface Known {
  readonly path: FileName;
  readonly state: LocalState;
}

export class Shared {
  readonly #states = new Map<FileName, Known>();
  readonly #texts = new Map<string, string>();
  readonly #lists = new Map<string, readonly string[]>();

  /** The path, and what stands there; the ones that came before, where they are the same. */
  state(path: FileName, state: LocalState): Known {
    const known = this.#states.get(path);
    if (known !== undefined && isSame(known.state, state)) return known;
    const fresh = { path, state };
    this.#states.set(path, fresh);
    return fresh;
  }

  /** For texts of which there are few. */
  text<Text extends string>(text: Text): Text {
    const known = this.#texts.get(text);
    if (known === undefined) this.#texts.set(text, text);
    // The same text is of the same kind.
    return (known ?? text) as Text;
  }

  /** For lists of which there are few. */
  list<Text extends string>(list: readonly Text[]): readonly Text[] {
    const key = list.join('\0');
    const known = this.#lists.get(key);
    if (known?.length !== list.length) {
      this.#lists.set(key, list);
      return list;
    }
    return known as readonly Text[];
  }
}

function isSame(a: LocalState, b: LocalState): boolean {
  return a.checktxt === b.checktxt && a.stamp === b.stamp && a.digest === b.digest && isSameEntry(a.entry, b.entry);
}

function isSameEntry(a: Entry, b: Entry): boolean {
  return (
    a.type === b.type &&
    a.mode === b.mode &&
    a.uid === b.uid &&
    a.gid === b.gid &&
    a.mtime === b.mtime &&
    a.size === b.size &&
    a.target === b.target &&
    a.device === b.device
  );
}
