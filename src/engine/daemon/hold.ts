/**
 * A PATCH on its way: the old file open, the new one staged beside it, growing with the delta, and then waiting for its owner, mode
 * and times. Only `Changes` puts it in its place.
 *
 * csync2 renames first and dresses afterwards, so that a half-dressed file is visible; here the old wire's SETOWN, SETMOD and
 * SETIME are collected instead (promise 1).
 */

import { createHash } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import type { Group } from '../../model/config.js';
import type { Digest, SignatureDigest, Stamp } from '../../model/entry.js';
import { stampOf } from '../../model/entry.js';
import { CsxError } from '../../model/errors.js';
import type { DiskPath, FileName } from '../../model/names.js';
import { display } from '../../model/names.js';
import { DeltaParser } from '../delta/patch.js';
import { ABSENT_SIGNATURE, SignatureBuilder, parseSignature } from '../delta/signature.js';
import { SignatureDigester } from '../delta/signature-digester.js';
import { openSource } from '../files/source.js';
import type { Source } from '../files/source.js';
import { stageFile } from '../files/stage.js';
import type { Attributes, StagedFile } from '../files/stage.js';
import { refuseFullDirectory } from './apply.js';
import { lstat } from './check.js';
import { damaged } from './damaged.js';
import type { Reply } from './replies.js';
import type { ToldSignatures } from './told-signatures.js';

/** Bytes written at once. */
const OUTPUT_BYTES = 256 * 1024;
/** Bytes worked through before others have their turn. */
const TURN_BYTES = 4 * 1024 * 1024;

/** A signature up to this long is held until the delta has come: what is copied has the sums it had. 16 MB are a file of 1.7 GB. */
const HELD_SIGNATURE = 16 * 1024 * 1024;

/** Buffers that were used and can be used again: for small files, making one costs more than all the rest. */
const spare: Buffer[] = [];
const SPARE = 8;

function takeBuffer(): Buffer {
  return spare.pop() ?? Buffer.allocUnsafeSlow(OUTPUT_BYTES);
}

export class Hold {
  readonly file: FileName;
  readonly disk: DiskPath;
  readonly groups: readonly Group[];
  /** What stood at the path when PATCH came; undefined: nothing. */
  readonly before: Stamp | undefined;
  readonly replacesDirectory: boolean;
  readonly staged: StagedFile;
  /** Answers that depend on it and were not sent yet. */
  readonly replies: Reply[] = [];
  attributes: Attributes;
  readonly #base: Source | undefined;
  readonly #parser: DeltaParser;
  readonly #hash = createHash('sha256');
  #signature = new SignatureDigester();
  readonly #output = takeBuffer();
  #bufferGiven = false;
  #held = 0;
  #sinceTurn = 0;

  private constructor(
    file: FileName,
    disk: DiskPath,
    groups: readonly Group[],
    stats: BigIntStats | undefined,
    base: Source | undefined,
    staged: StagedFile,
  ) {
    this.file = file;
    this.disk = disk;
    this.groups = groups;
    this.before = stats === undefined ? undefined : stampOf(stats);
    this.replacesDirectory = stats?.isDirectory() === true;
    this.#base = base;
    this.staged = staged;
    this.#parser = new DeltaParser({ oldSize: base?.size ?? 0 });
    // What no command sets stays as it was; of a new file what staging gave it: root alone may read it.
    this.attributes =
      base === undefined
        ? {}
        : { mode: Number(base.stats.mode), uid: Number(base.stats.uid), gid: Number(base.stats.gid) };
  }

  /** Opens what is there and stages what is to come. Throws what a client can be told. */
  static open(
    file: FileName,
    disk: DiskPath,
    groups: readonly Group[],
    temporaryDirectory: DiskPath | undefined,
  ): Hold {
    const stats = lstat(disk);
    if (stats?.isDirectory() === true) refuseFullDirectory(disk, 'EISDIR');
    const base = stats?.isFile() === true ? openSource(disk) : undefined;
    try {
      const staged = stageFile(disk, { temporaryDirectory });
      return new Hold(file, disk, groups, base?.stats ?? stats, base, staged);
    } catch (error) {
      base?.close();
      throw error;
    }
  }

  /** The signature of what is there now, for the client to make its delta from; one that was `told` of it will do. */
  async signature(told: ToldSignatures | undefined): Promise<Buffer> {
    if (this.#base === undefined) return ABSENT_SIGNATURE;
    const signature = told?.take(this.#base) ?? (await signatureOf(this.#base));
    if (signature.length <= HELD_SIGNATURE) this.#signature = new SignatureDigester(parseSignature(signature));
    return signature;
  }

  /** Takes a piece of the delta. Throws DELTA_INVALID or the system's error; `discard` it then. */
  async receive(piece: Buffer): Promise<void> {
    for (const command of this.#parser.push(piece)) {
      if (command.kind === 'literal') this.#append(command.bytes);
      else await this.#copy(command.start, command.length);
    }
  }

  /** The delta has ended: the new content is whole, and the `expected` one if the client said so. Throws DELTA_INVALID or the system's error. */
  finish(expected: Digest | undefined): void {
    this.#parser.end();
    this.#flush();
    this.#base?.close();
    this.#giveBuffer();
    if (expected !== undefined && expected !== this.#digest()) throw damaged(this.file);
  }

  /** Facts of the new content, after `finish`. */
  facts(): { readonly digest: Digest; readonly signature: SignatureDigest; readonly bytes: number } {
    return {
      digest: this.#digest(),
      signature: this.#signature.finish(),
      bytes: this.staged.length,
    };
  }

  /** Whether the path still holds what it did when PATCH came. `nearby`: asks the directory that is held open, not the whole path. */
  unchanged(nearby = false): boolean {
    const { directory, name } = this.staged.place;
    const stats = nearby ? directory.lstat(name) : lstat(this.disk);
    return (stats === undefined ? undefined : stampOf(stats)) === this.before;
  }

  discard(): void {
    this.#base?.close();
    this.staged.discard();
    this.#giveBuffer();
  }

  #digest(): Digest {
    return this.#hash.copy().digest('hex') as Digest;
  }

  #giveBuffer(): void {
    if (this.#bufferGiven) return;
    this.#bufferGiven = true;
    if (spare.length < SPARE) spare.push(this.#output);
  }

  async #copy(start: number, length: number): Promise<void> {
    const base = this.#base;
    if (base === undefined) throw new CsxError('INTERNAL', 'A delta copies from a file that is not there.');
    for (let done = 0; done < length;) {
      if (this.#held === OUTPUT_BYTES) this.#flush();
      const room = this.#output.subarray(this.#held, this.#held + Math.min(length - done, OUTPUT_BYTES - this.#held));
      const count = base.read(start + done, room);
      if (count === 0) {
        throw new CsxError('CHANGED_MEANWHILE', `${display(this.file)} became shorter while it was patched.`);
      }
      this.#signature.copied(room.subarray(0, count), start + done);
      this.#held += count;
      done += count;
      this.#sinceTurn += count;
      if (this.#sinceTurn < TURN_BYTES) continue;
      this.#sinceTurn = 0;
      await turn();
    }
  }

  #append(bytes: Uint8Array): void {
    this.#signature.update(bytes);
    for (let done = 0; done < bytes.length;) {
      if (this.#held === OUTPUT_BYTES) this.#flush();
      const piece = bytes.subarray(done, done + OUTPUT_BYTES - this.#held);
      this.#output.set(piece, this.#held);
      this.#held += piece.length;
      done += piece.length;
    }
  }

  #flush(): void {
    const bytes = this.#output.subarray(0, this.#held);
    this.#held = 0;
    this.staged.write(bytes);
    this.#hash.update(bytes);
  }
}

/** csync2's signature of a file; others have their turn while a large one is read. */
export async function signatureOf(source: Source): Promise<Buffer> {
  const builder = new SignatureBuilder({ fileSize: source.size });
  let sinceTurn = 0;
  for (const chunk of source.chunks()) {
    builder.update(chunk);
    sinceTurn += chunk.length;
    if (sinceTurn < TURN_BYTES) continue;
    sinceTurn = 0;
    await turn();
  }
  return builder.finish();
}
