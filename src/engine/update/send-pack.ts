/**
 * Sends many new files and directories in one command (PACK), which the peer answers when all of them are durable. Both sides are checked
 * when it is sent: here by the state each was planned in, there by the peer, which makes nothing where it has or knows something.
 */

import { hash } from 'node:crypto';
import type { Digest } from '../../model/entry.js';
import type { Change } from '../../model/plan.js';
import { CsxError } from '../../model/errors.js';
import type { Problem } from '../../model/errors.js';
import { signatureDigest, signatureOfWhole } from '../delta/signature.js';
import { OpenDirectories } from '../files/open-directories.js';
import { readExactly } from '../files/read-exactly.js';
import { classifyRefusal } from '../wire/answers.js';
import type { Answer } from '../wire/response.js';
import type { PackedEntry } from '../wire/pack.js';
import type { ContentDigests } from './content.js';
import { checkHere } from './preconditions.js';
import type { Recording } from './record.js';
import type { End, SendOptions } from './send-change.js';
import { refusalProblem, staleHere } from './trouble.js';

/** Files up to this size go in packs. Bytes. */
const FILE_BYTES = 256 * 1024;
/** Content of a pack at most, but for a first file. Bytes. */
const PACK_BYTES = 2 * 1024 * 1024;
/** Entries of a pack. The daemon holds as many files open, and makes them durable, and writes their rows, together. */
const PACK_ENTRIES = 512;

/** Whether the change makes a file or directory that is expected to be absent there. */
export function isPackable({ action, force, after, precondition, bytes }: Change): boolean {
  if (action !== 'create' || force || precondition.local === undefined || precondition.remote !== undefined)
    return false;
  return after?.entry.type === 'directory' || (after?.entry.type === 'file' && bytes <= FILE_BYTES);
}

/** The changes from `first` on that go in one pack, as far as they are recorded; empty: the first of them goes in none. */
export function packFrom(
  changes: readonly Change[],
  first: number,
  { keyOf, recording }: Pick<SendOptions, 'keyOf'> & { readonly recording: Pick<Recording, 'has'> },
): Change[] {
  const pack: Change[] = [];
  let [key, bytes] = ['', 0];
  for (let index = first; index < changes.length && pack.length < PACK_ENTRIES; index++) {
    const change = changes[index];
    if (change === undefined || !isPackable(change) || !recording.has(change.path)) break;
    bytes += change.after?.entry.size ?? 0;
    if (pack.length === 0) key = keyOf(change);
    else if (bytes > PACK_BYTES || keyOf(change) !== key) break;
    pack.push(change);
  }
  return pack;
}

/** Memory for the contents of packs, used again and again: what V8 does not see as its own makes it look for garbage all the time. */
export class PackMemory {
  readonly #free: Buffer[] = [];

  /** So many bytes, whatever they are. */
  take(bytes: number): Buffer {
    if (bytes < PACK_BYTES / 8 || bytes > PACK_BYTES) return Buffer.allocUnsafeSlow(bytes);
    return (this.#free.pop() ?? Buffer.allocUnsafeSlow(PACK_BYTES)).subarray(0, bytes);
  }

  /** Nobody reads it any more. */
  giveBack(memory: Buffer): void {
    if (memory.buffer.byteLength === PACK_BYTES) this.#free.push(Buffer.from(memory.buffer));
  }
}

/** A change of the pack, and how it ended. */
export interface PackEnd {
  readonly change: Change;
  /** `elsewhere`: the peer has something there, or knows of it: the other commands have to tell what. */
  readonly end: End | 'elsewhere';
}

/** Sends the changes, all with one key. Resolves with the end of each, in order. Rejects when the connection is lost. */
export async function sendPack(
  pack: readonly Change[],
  options: SendOptions,
  memory: PackMemory,
): Promise<readonly PackEnd[]> {
  const sizes = pack.map(({ after }) => (after?.entry.type === 'file' ? (after.entry.size ?? 0) : 0));
  const contents = memory.take(sizes.reduce((sum, size) => sum + size, 0));
  const prepared = prepare(pack, sizes, contents, options);
  const ready = prepared.filter((each) => 'entry' in each);
  const entries = ready.map(({ entry }) => entry);
  const [first] = pack;
  const refusals =
    first === undefined || entries.length === 0
      ? new Map<number, string>()
      : await options.connection.pack({ key: options.keyOf(first) }, entries);
  // A pack that was refused as a whole may still be on its way.
  if (refusals.size === 0) memory.giveBack(contents);
  const numbers = new Map(ready.map((each, number) => [each.change, number]));
  return prepared.map((each): PackEnd => {
    if ('end' in each) return each;
    const { change, entry, digests } = each;
    const text = refusals.get(numbers.get(change) ?? -1);
    if (text === undefined)
      return { change, end: { status: 'done', problem: undefined, bytes: entry.content.length, digests } };
    const refusal = classifyRefusal(text);
    if (refusal.errno === 'EEXIST') return { change, end: 'elsewhere' };
    const answer: Extract<Answer, { kind: 'error' }> = { kind: 'error', text, refusal };
    return { change, end: { status: 'failed', problem: refusalProblem(change, answer), bytes: 0 } };
  });
}

type Prepared =
  | (PackEnd & { readonly end: End })
  | { readonly change: Change; readonly entry: PackedEntry; readonly digests?: ContentDigests };

/** Reads everything, one after the other into one buffer. */
function prepare(
  pack: readonly Change[],
  sizes: readonly number[],
  contents: Buffer,
  options: SendOptions,
): Prepared[] {
  const directories = new OpenDirectories();
  let offset = 0;
  try {
    return pack.map((change, index) => {
      const content = contents.subarray(offset, (offset += sizes[index] ?? 0));
      const problem = readInto(content, change, directories, options);
      if (problem !== undefined) return { change, end: { status: 'skipped', problem, bytes: 0 } };
      return { change, ...entryOf(change, content, options) };
    });
  } finally {
    directories.close();
  }
}

/** Undefined: the file is the one that was planned, and its content is in the buffer. */
function readInto(
  content: Buffer,
  change: Change,
  directories: OpenDirectories,
  { toDisk, look }: SendOptions,
): Problem | undefined {
  const stamp = change.precondition.local?.stamp;
  if (change.after?.entry.type === 'directory') return checkHere(change, look);
  try {
    if (stamp !== undefined && readExactly(toDisk(change.path), stamp, content, directories)) return undefined;
  } catch (error) {
    if (!(error instanceof CsxError)) throw error;
    return checkHere(change, look) ?? staleHere(change, error.message);
  }
  return checkHere(change, look) ?? staleHere(change, 'it was changed');
}

function entryOf(
  change: Change,
  content: Buffer,
  options: SendOptions,
): { readonly entry: PackedEntry; readonly digests?: ContentDigests } {
  const entry = change.after?.entry;
  const about = { file: change.path, uid: entry?.uid, gid: entry?.gid, mode: entry?.mode, content };
  if (entry?.type === 'directory') {
    // Not compared, but given as csync2 gives it.
    const { mtime } = options.raw(change.path);
    return { entry: { ...about, kind: 'directory', mtime, digest: undefined } };
  }
  const digest = hash('sha256', content, 'hex') as Digest;
  const signature = signatureDigest(signatureOfWhole(content));
  return { entry: { ...about, kind: 'file', mtime: entry?.mtime, digest }, digests: { digest, signature } };
}
