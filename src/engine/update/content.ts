/**
 * A file's content on its way out: its digests, and the delta that turns what the peer has into it. Small files are sent from
 * memory, large ones are read twice (once to find the delta, whose length goes first, once to send it) and checked at the
 * end: when the file was written to meanwhile, the delta is not completed, so that no peer ever holds a mixture.
 */

import { createHash } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import type { Digest, SignatureDigest } from '../../model/entry.js';
import { CsxError } from '../../model/errors.js';
import { display } from '../../model/names.js';
import type { DiskPath } from '../../model/names.js';
import { DeltaPlanner, deltaLength, deltaOf, encodeDelta } from '../delta/delta.js';
import type { DeltaOps } from '../delta/delta.js';
import { SignatureBuilder, parseSignature, signatureDigest } from '../delta/signature.js';
import type { Signature } from '../delta/signature.js';
import { SignatureDigester } from '../delta/signature-digester.js';
import { openSource } from '../files/source.js';
import type { Source } from '../files/source.js';
import type { Body } from '../net/connection.js';
import { DIGEST_BYTES, writeContentDigest } from '../wire/content-digest.js';

/** What identifies a content: its hash, and the digest of csync2's signature of it. */
export interface ContentDigests {
  readonly digest: Digest;
  readonly signature: SignatureDigest;
}

/** A delta ready to send; `digests` may be called when its body has been read to the end. */
export interface Outgoing {
  readonly body: Body;
  readonly digests: () => ContentDigests;
}

/** Bytes read at a time, and after how many the event loop has its turn. */
const CHUNK = 256 * 1024;

/** Reads a file for its digests. Throws what `openSource` throws. */
export async function digestsOf(disk: DiskPath): Promise<ContentDigests> {
  const source = openSource(disk);
  try {
    const digester = new Digester();
    for (const chunk of source.chunks(CHUNK)) {
      digester.update(chunk);
      if (source.size > CHUNK) await turn();
    }
    return digester.finish();
  } finally {
    source.close();
  }
}

/** The same where the file has this signature; undefined as soon as it is seen to have another. Throws what `openSource` throws. */
export async function digestsIfSame(disk: DiskPath, signature: Buffer): Promise<ContentDigests | undefined> {
  const source = openSource(disk);
  try {
    const hash = createHash('sha256');
    const builder = new SignatureBuilder();
    let compared = 0;
    const isSame = (sums: Buffer): boolean => {
      compared += sums.length;
      return signature.subarray(compared - sums.length, compared).equals(sums);
    };
    for (const chunk of source.chunks(CHUNK)) {
      builder.update(chunk);
      if (!isSame(builder.take())) return undefined;
      hash.update(chunk);
      if (source.size > CHUNK) await turn();
    }
    if (!isSame(builder.finish()) || compared < signature.length) return undefined;
    return { digest: hash.digest('hex') as Digest, signature: signatureDigest(signature) };
  } finally {
    source.close();
  }
}

/**
 * The delta from what the peer has to what stands here.
 * @param signature of the peer's file, as PATCH was answered
 * @param verified the peer is csx and expects the content's digest behind the delta
 * @throws CsxError SIGNATURE_INVALID
 */
export async function outgoing(source: Source, signature: Uint8Array, verified: boolean): Promise<Outgoing> {
  const old = parseSignature(signature);
  const digester = new Digester(old);
  const planner = new DeltaPlanner(old, (bytes, start) => {
    digester.addSums(bytes, start);
  });
  const digests = once(digester);
  if (source.content !== undefined) {
    planner.update(source.content);
    digester.hash(source.content);
    const delta = deltaOf(planner.finish(), source.content);
    return { body: bodyOf(delta.length, [delta], digests, verified), digests };
  }
  if (!planner.searches) {
    // Nothing to find there: the whole file is one literal, and its digests are made while it is sent.
    planner.skip(source.size);
    const ops = planner.finish();
    return { body: bodyOf(deltaLength(ops), deltaChunks(source, ops, digester), digests, verified), digests };
  }
  for (const chunk of source.chunks(CHUNK)) {
    planner.update(chunk);
    digester.hash(chunk);
    await turn();
  }
  const ops = planner.finish();
  return { body: bodyOf(deltaLength(ops), deltaChunks(source, ops, undefined), digests, verified), digests };
}

function bodyOf(length: number, delta: Body['chunks'], digests: () => ContentDigests, verified: boolean): Body {
  if (!verified) return { length, chunks: delta };
  return { length: length + DIGEST_BYTES, chunks: withDigest(delta, digests) };
}

/** Of large files the digest is known only when all of the delta was given. */
async function* withDigest(delta: Body['chunks'], digests: () => ContentDigests): AsyncGenerator<Buffer> {
  yield* delta;
  yield writeContentDigest(digests().digest);
}

/** The delta's bytes. The last segment, which holds END, is given only when the file is still the one that was opened. */
async function* deltaChunks(source: Source, ops: DeltaOps, digester: Digester | undefined): AsyncGenerator<Buffer> {
  let held: Buffer | undefined;
  for (const segment of encodeDelta(ops)) {
    if (held !== undefined) yield held;
    held = undefined;
    if (segment.kind === 'bytes') {
      held = segment.bytes;
      continue;
    }
    for (let done = 0; done < segment.length;) {
      const chunk = Buffer.allocUnsafe(Math.min(CHUNK, segment.length - done));
      if (source.read(segment.offset + done, chunk) < chunk.length) throw changed(source);
      digester?.update(chunk);
      done += chunk.length;
      yield chunk;
      await turn();
    }
  }
  if (!source.unchanged()) throw changed(source);
  if (held !== undefined) yield held;
}

function changed(source: Source): CsxError {
  return new CsxError(
    'CHANGED_MEANWHILE',
    `${display(source.path)} was written to while it was sent; nothing of it was applied.`,
    {
      hint: 'Run the command again when the file is at rest.',
      data: { path: display(source.path) },
    },
  );
}

class Digester {
  readonly #hash = createHash('sha256');
  readonly #signature: SignatureDigester;

  /** `old`: of the file that `addSums` speaks of. */
  constructor(old?: Signature) {
    this.#signature = new SignatureDigester(old);
  }

  update(chunk: Uint8Array): void {
    this.hash(chunk);
    this.addSums(chunk, undefined);
  }

  /** One half of `update`; the other is `addSums`. */
  hash(chunk: Uint8Array): void {
    this.#hash.update(chunk);
  }

  /** What is told to be old content, from `start` on, has the sums it had. */
  addSums(chunk: Uint8Array, start: number | undefined): void {
    if (start === undefined) this.#signature.update(chunk);
    else this.#signature.copied(chunk, start);
  }

  finish(): ContentDigests {
    return {
      digest: this.#hash.digest('hex') as Digest,
      signature: this.#signature.finish(),
    };
  }
}

function once(digester: Digester): () => ContentDigests {
  let digests: ContentDigests | undefined;
  return () => (digests ??= digester.finish());
}
