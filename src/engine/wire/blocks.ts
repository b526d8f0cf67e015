/**
 * A listing (what LIST tells: stored names with their check texts, in order) in blocks, each with a digest, so that two hosts find
 * out with few bytes where their listings differ (DIGEST, docs/extensions.md).
 *
 * A block ends behind a name whose hash says so, one in 512: both sides cut at the same names, whatever else one of them has. The last
 * block ends with the listing. The digest is SHA-256, its first 16 bytes, over `LENGTH SP stored TAB checktxt LF` of every row, where
 * LENGTH is that of the check text, decoded.
 */

import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import type { CheckText } from '../../model/checktxt.js';
import type { StoredName } from '../../model/names.js';
import type { Stretch } from '../../model/store.js';

/** Rows whose names lie behind the last one of the block before, up to and with `last`. */
export interface Block {
  readonly last: StoredName;
  /** Lower-case hex. */
  readonly digest: string;
}

interface Row {
  readonly stored: StoredName;
  readonly checktxt: CheckText;
}

/** Bits of a name's hash that are zero where a block ends. */
const ENDS = 511;
const DIGITS = 32;

export class Blocks {
  #hash: Hash | undefined;
  #last = '' as StoredName;

  /** Takes rows in order; gives the blocks that end among them. */
  add(rows: readonly Row[]): Block[] {
    const blocks: Block[] = [];
    let text = '';
    for (const { stored, checktxt } of rows) {
      text += `${String(checktxt.length)} ${stored}\t${checktxt}\n`;
      this.#last = stored;
      if ((hashOf(stored) & ENDS) !== 0) continue;
      blocks.push(this.#block(text));
      text = '';
    }
    if (text !== '') this.#update(text);
    return blocks;
  }

  /** The block that is left at the end; none when the last one ended there. */
  end(): Block[] {
    return this.#hash === undefined ? [] : [this.#block('')];
  }

  #update(text: string): Hash {
    this.#hash ??= createHash('sha256');
    return this.#hash.update(text, 'latin1');
  }

  #block(text: string): Block {
    const digest = this.#update(text).digest('hex').slice(0, DIGITS);
    this.#hash = undefined;
    return { last: this.#last, digest };
  }
}

/** FNV-1a over the name's bytes, its upper half folded into the lower. */
function hashOf(stored: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < stored.length; index++) {
    hash = Math.imul(hash ^ stored.charCodeAt(index), 0x01000193);
  }
  return hash ^ (hash >>> 16);
}

/** Behind a name, up to and with another; undefined: from the start, to the end. */
export interface Between {
  readonly after: StoredName | undefined;
  readonly until: StoredName | undefined;
}

/** The words of ROWS. No stored name is `-`: they begin with `/` or `%`. */
export function betweenWords({ after, until }: Between): { readonly after: string; readonly until: string } {
  return { after: after ?? '-', until: until ?? '-' };
}

export function betweenOf({ after, until }: { readonly after: string; readonly until: string }): Between {
  const name = (word: string): StoredName | undefined => (word === '-' ? undefined : (word as StoredName));
  return { after: name(after), until: name(until) };
}

/** The same as a stretch: the first string behind a name is the name with a zero byte. */
export function stretchOf({ after, until }: Between): Stretch {
  return {
    from: (after === undefined ? '' : `${after}\0`) as StoredName,
    before: until === undefined ? undefined : (`${until}\0` as StoredName),
  };
}

/** Where two listings differ, in order, from their blocks: everything outside of these is the same on both sides. */
export function differingParts(here: readonly Block[], there: readonly Block[]): readonly Between[] {
  const parts: Between[] = [];
  let [left, right] = [0, 0];
  /** Behind it both sides have not been compared. */
  let after: StoredName | undefined;
  /** Whether both lists stand right behind `after`, with nothing different since. */
  let level = true;
  for (;;) {
    const [ours, theirs] = [here[left], there[right]];
    if (ours === undefined && theirs === undefined) break;
    if (ours !== undefined && theirs?.last === ours.last) {
      if (!level || ours.digest !== theirs.digest) parts.push({ after, until: ours.last });
      [left, right, after, level] = [left + 1, right + 1, ours.last, true];
      continue;
    }
    level = false;
    if (theirs === undefined || (ours !== undefined && ours.last < theirs.last)) left++;
    else right++;
  }
  if (!level) parts.push({ after, until: undefined });
  return joined(parts);
}

/** Neighbours as one. */
function joined(parts: readonly Between[]): readonly Between[] {
  const wide: Between[] = [];
  for (const part of parts) {
    const before = wide.at(-1);
    if (before !== undefined && before.until === part.after) wide[wide.length - 1] = { ...before, until: part.until };
    else wide.push(part);
  }
  return wide;
}
