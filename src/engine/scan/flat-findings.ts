/**
 * Findings as bytes and numbers, to be handed from thread to thread: several times cheaper than as objects, and while they wait they are
 * nothing to the garbage collector. Only what comes by the hundred thousand (new and changed files, rows to be completed) is
 * flattened; a batch that holds anything else goes as it is.
 */

import type { CheckText } from '../../model/checktxt.js';
import type { Digest, FileType, Stamp } from '../../model/entry.js';
import type { Bytes, DiskPath, FileName } from '../../model/names.js';
import type { DriftReason, Finding, LocalState } from '../../model/scan.js';
import type { Found } from './merge.js';

export type FlatFindings =
  | {
      readonly kind: 'flat';
      /** All strings, one behind the other; they are byte strings. */
      readonly bytes: ArrayBuffer;
      /** Where each ends, STRINGS for each finding; with the sign changed where it is undefined. */
      readonly ends: Int32Array<ArrayBuffer>;
      /** NUMBERS for each finding; NaN: undefined. */
      readonly numbers: Float64Array<ArrayBuffer>;
    }
  | { readonly kind: 'whole'; readonly found: readonly Found[] };

/** What can be handed over instead of copied. */
export function transferable(flat: FlatFindings): ArrayBuffer[] {
  return flat.kind === 'whole' ? [] : [flat.bytes, flat.ends.buffer, flat.numbers.buffer];
}

/** file, disk, before, checktxt, stamp, digest, target; a refresh has no disk. */
const STRINGS = 7;
/** reason, type, mode, uid, gid, mtime, size, device: the first two as indices of the lists below, or -1. */
const NUMBERS = 8;

const REASONS: readonly DriftReason[] = [
  'new',
  'content',
  'attributes',
  'times',
  'type',
  'target',
  'rewritten',
  'removed',
  'behind-link',
];
const TYPES: readonly FileType[] = ['file', 'directory', 'link', 'fifo', 'character-device', 'block-device', 'socket'];

export function flatten(batch: readonly Found[]): FlatFindings {
  const strings: (string | undefined)[] = [];
  const numbers = new Float64Array(batch.length * NUMBERS);
  for (const [index, found] of batch.entries()) {
    if (found.kind === 'refresh') {
      strings.push(found.file, undefined, undefined);
      put(found.state, -1, strings, numbers, index);
    } else if (found.kind === 'drift' && found.drift.after !== undefined) {
      const { file, disk, reason, before, after } = found.drift;
      strings.push(file, disk, before);
      put(after, REASONS.indexOf(reason), strings, numbers, index);
    } else return { kind: 'whole', found: batch };
  }
  return { kind: 'flat', ...packed(strings), numbers };
}

function packed(strings: readonly (string | undefined)[]): { bytes: ArrayBuffer; ends: Int32Array<ArrayBuffer> } {
  const ends = new Int32Array(strings.length);
  let end = 0;
  for (const [index, text] of strings.entries()) {
    end += text?.length ?? 0;
    ends[index] = text === undefined ? -end : end;
  }
  const bytes = new ArrayBuffer(end);
  Buffer.from(bytes).write(strings.join(''), 'latin1');
  return { bytes, ends };
}

/** Slices of one string, which stands for all of them as long as one is needed. */
function unpacked({ bytes, ends }: { bytes: ArrayBuffer; ends: Int32Array }): (string | undefined)[] {
  const text = Buffer.from(bytes).toString('latin1');
  const strings: (string | undefined)[] = [];
  let start = 0;
  for (const sign of ends) {
    const end = Math.abs(sign);
    // Nothing of no length at the very beginning has no sign: a finding begins with its file, which is never undefined.
    strings.push(sign < 0 ? undefined : text.slice(start, end));
    start = end;
  }
  return strings;
}

function put(
  { entry, checktxt, stamp, digest }: LocalState,
  reason: number,
  strings: (string | undefined)[],
  numbers: Float64Array,
  index: number,
): void {
  strings.push(checktxt, stamp, digest, entry.target);
  const at = index * NUMBERS;
  numbers[at] = reason;
  numbers[at + 1] = TYPES.indexOf(entry.type);
  numbers[at + 2] = entry.mode ?? NaN;
  numbers[at + 3] = entry.uid ?? NaN;
  numbers[at + 4] = entry.gid ?? NaN;
  numbers[at + 5] = entry.mtime ?? NaN;
  numbers[at + 6] = entry.size ?? NaN;
  numbers[at + 7] = entry.device ?? NaN;
}

/** Trusts what `flatten` made. */
export function unflatten(flat: FlatFindings): readonly Found[] {
  if (flat.kind === 'whole') return flat.found;
  const { numbers } = flat;
  const strings = unpacked(flat);
  const findings: Finding[] = [];
  for (let index = 0; index * STRINGS < strings.length; index++) {
    const at = index * STRINGS;
    const file = strings[at] as FileName;
    const reason = REASONS[numbers[index * NUMBERS] ?? -1];
    const state = take(strings, numbers, index);
    if (reason === undefined) findings.push({ kind: 'refresh', file, state });
    else {
      const [disk, before] = [strings[at + 1] as DiskPath, strings[at + 2] as CheckText | undefined];
      findings.push({ kind: 'drift', drift: { file, disk, reason, before, after: state } });
    }
  }
  return findings;
}

function take(strings: readonly (string | undefined)[], numbers: Float64Array, index: number): LocalState {
  const at = index * STRINGS + 3;
  return {
    entry: {
      type: TYPES[numbers[index * NUMBERS + 1] ?? 0] ?? 'file',
      mode: number(numbers, index, 2),
      uid: number(numbers, index, 3),
      gid: number(numbers, index, 4),
      mtime: number(numbers, index, 5),
      size: number(numbers, index, 6),
      target: strings[at + 3] as Bytes | undefined,
      device: number(numbers, index, 7),
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
