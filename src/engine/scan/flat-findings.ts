/**
 * Findings as a list of strings and one of numbers: between threads that is eight times cheaper than the objects. Only what comes by
 * the hundred thousand (new and changed files, rows to be completed) is flattened; a batch that holds anything else goes as it is.
 */

import type { CheckText } from '../../model/checktxt.js';
import type { Digest, FileType, Stamp } from '../../model/entry.js';
import type { Bytes, DiskPath, FileName } from '../../model/names.js';
import type { DriftReason, Finding, LocalState } from '../../model/scan.js';
import type { Found } from './merge.js';

export type FlatFindings =
  | {
      readonly kind: 'flat';
      /** STRINGS for each finding. */
      readonly strings: readonly (string | undefined)[];
      /** NUMBERS for each finding; NaN: undefined. */
      readonly numbers: Float64Array;
    }
  | { readonly kind: 'whole'; readonly found: readonly Found[] };

/** file, disk, reason, before, checktxt, stamp, digest, type, target; a refresh has neither disk nor reason. */
const STRINGS = 9;
/** mode, uid, gid, mtime, size, device */
const NUMBERS = 6;

export function flatten(batch: readonly Found[]): FlatFindings {
  const strings: (string | undefined)[] = [];
  const numbers = new Float64Array(batch.length * NUMBERS);
  for (const [index, found] of batch.entries()) {
    if (found.kind === 'refresh') {
      strings.push(found.file, undefined, undefined, undefined);
      put(found.state, strings, numbers, index);
    } else if (found.kind === 'drift' && found.drift.after !== undefined) {
      const { file, disk, reason, before, after } = found.drift;
      strings.push(file, disk, reason, before);
      put(after, strings, numbers, index);
    } else return { kind: 'whole', found: batch };
  }
  return { kind: 'flat', strings, numbers };
}

function put(state: LocalState, strings: (string | undefined)[], numbers: Float64Array, index: number): void {
  const { entry, checktxt, stamp, digest } = state;
  strings.push(checktxt, stamp, digest, entry.type, entry.target);
  const at = index * NUMBERS;
  numbers[at] = entry.mode ?? NaN;
  numbers[at + 1] = entry.uid ?? NaN;
  numbers[at + 2] = entry.gid ?? NaN;
  numbers[at + 3] = entry.mtime ?? NaN;
  numbers[at + 4] = entry.size ?? NaN;
  numbers[at + 5] = entry.device ?? NaN;
}

/** Trusts what `flatten` made. */
export function unflatten(flat: FlatFindings): readonly Found[] {
  if (flat.kind === 'whole') return flat.found;
  const { strings, numbers } = flat;
  const findings: Finding[] = [];
  for (let index = 0; index * STRINGS < strings.length; index++) {
    const [file, disk, reason, before] = strings.slice(index * STRINGS, index * STRINGS + 4);
    const state = take(strings, numbers, index);
    findings.push(
      reason === undefined
        ? { kind: 'refresh', file: file as FileName, state }
        : {
            kind: 'drift',
            drift: {
              file: file as FileName,
              disk: disk as DiskPath,
              reason: reason as DriftReason,
              before: before as CheckText | undefined,
              after: state,
            },
          },
    );
  }
  return findings;
}

function take(strings: readonly (string | undefined)[], numbers: Float64Array, index: number): LocalState {
  const at = index * STRINGS + 4;
  return {
    entry: {
      type: strings[at + 3] as FileType,
      mode: number(numbers, index, 0),
      uid: number(numbers, index, 1),
      gid: number(numbers, index, 2),
      mtime: number(numbers, index, 3),
      size: number(numbers, index, 4),
      target: strings[at + 4] as Bytes | undefined,
      device: number(numbers, index, 5),
    },
    checktxt: strings[at] as CheckText,
    stamp: strings[at + 1] as Stamp,
    digest: strings[at + 2] as Digest | undefined,
  };
}

function number(numbers: Float64Array, index: number, column: number): number | undefined {
  const value = numbers[index * NUMBERS + column] ?? NaN;
  return Number.isNaN(value) ? undefined : value;
}
