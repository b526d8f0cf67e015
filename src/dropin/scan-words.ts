/**
 * What a check says, in csync2's words and order: argument by argument, removals first by name, then what lies on the disk as csync2
 * walks it. csx finds all of it in one pass in another order, so the words wait for its end; without -v nothing is kept.
 */

import { storedName } from '../model/encoding.js';
import { compareBytes, isWithin } from '../model/names.js';
import type { DiskPath, FileName } from '../model/names.js';
import type { Drift } from '../model/scan.js';
import { warnIgnored } from './arguments.js';
import type { Argument } from './arguments.js';
import type { Job } from './place.js';
import type { Voice } from './voice.js';

/** A check that csync2 would run on its own: a name, as it is or under a prefix. */
export interface Checked {
  readonly name: FileName;
  readonly recursive: boolean;
  /** Said before it. */
  readonly warn?: () => void;
}

export function checksOf(files: readonly Argument[], job: Job): readonly Checked[] {
  return files.flatMap((file) =>
    file.names.map((name, index) => ({
      name,
      recursive: job.options.recursive,
      ...(index === 0 && {
        warn: () => {
          warnIgnored(file, job);
        },
      }),
    })),
  );
}

export class ScanWords {
  readonly #voice: Voice;
  readonly #isMarked: (file: FileName) => boolean;
  readonly #found: Drift[] = [];

  /** @param isMarked whether a change of the file is marked for somebody */
  constructor(voice: Voice, isMarked: (file: FileName) => boolean) {
    this.#voice = voice;
    this.#isMarked = isMarked;
  }

  hear(drift: Drift): void {
    if (this.#voice.verbose > 0) this.#found.push(drift);
  }

  tell(checks: readonly Checked[]): void {
    const turns = checks.map((check) => ({ check, found: [] as Drift[] }));
    for (const drift of this.#found) {
      const turn =
        turns.find(({ check }) => concerns(check, drift.file)) ??
        turns.find(({ check }) => concerns(check, drift.disk));
      (turn ?? turns.at(-1))?.found.push(drift);
    }
    for (const { check, found } of turns) {
      announce(check, this.#voice);
      const gone = found.filter((drift) => drift.after === undefined);
      const there = found.filter((drift) => drift.after !== undefined);
      for (const drift of byStoredName(gone)) this.#say(drift);
      for (const drift of asWalked(there)) this.#say(drift);
    }
  }

  #say({ file, reason, after }: Drift): void {
    if (after !== undefined) this.#voice.say(2, `${reason === 'new' ? 'New file' : 'File has changed'}: ${file}`);
    if (this.#isMarked(file)) this.#voice.say(1, `Marking file as dirty: ${file}`);
  }
}

export function announce({ name, recursive, warn }: Checked, voice: Voice): void {
  warn?.();
  voice.say(2, `Running ${recursive ? 'recursive ' : ''}check for ${name} ...`);
}

function concerns({ name, recursive }: Checked, file: string): boolean {
  return recursive ? name === '/' || isWithin(file, name) : file === name;
}

function byStoredName(drifts: readonly Drift[]): readonly Drift[] {
  return drifts
    .map((drift) => ({ drift, stored: storedName(drift.file) }))
    .sort((a, b) => compareBytes(a.stored, b.stored))
    .map(({ drift }) => drift);
}

/** csync2 goes through every directory backwards, a directory before what is in it, wherever a prefix puts it. */
export function asWalked<T extends { readonly disk: DiskPath }>(files: readonly T[]): readonly T[] {
  return files
    .map((file) => ({ file, parts: file.disk.split('/') }))
    .sort((a, b) => compareBackwards(a.parts, b.parts))
    .map(({ file }) => file);
}

function compareBackwards(a: readonly string[], b: readonly string[]): number {
  for (let index = 0; index < Math.min(a.length, b.length); index++) {
    const [left = '', right = ''] = [a[index], b[index]];
    if (left !== right) return left < right ? 1 : -1;
  }
  return a.length - b.length;
}
