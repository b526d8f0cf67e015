/** What leaves for a peer is one state of the file, and a delta that the peer can apply. */

import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createHash, randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DeltaParser } from '../../../src/engine/delta/patch.js';
import { ABSENT_SIGNATURE, SignatureBuilder, signatureDigest } from '../../../src/engine/delta/signature.js';
import { openSource, SNAPSHOT_BYTES } from '../../../src/engine/files/source.js';
import { digestsIfSame, digestsOf, outgoing } from '../../../src/engine/update/content.js';
import type { DiskPath } from '../../../src/model/names.js';

let directory: string;
let file: DiskPath;

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'csx-content-'));
  file = path.join(directory, 'file') as DiskPath;
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

function signatureOf(content: Uint8Array): Buffer {
  const builder = new SignatureBuilder();
  builder.update(content);
  return builder.finish();
}

/** Sends the file to a peer that has `old`; what the peer has then. */
async function sent(old: Buffer | undefined): Promise<{ content: Buffer; length: number; digest: string }> {
  const source = openSource(file);
  try {
    const made = await outgoing(source, old === undefined ? ABSENT_SIGNATURE : signatureOf(old), false);
    const parser = new DeltaParser({ oldSize: old?.length ?? 0 });
    const pieces: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of made.body.chunks as AsyncIterable<Buffer>) {
      length += chunk.length;
      for (const command of parser.push(chunk)) {
        pieces.push(
          command.kind === 'literal'
            ? Buffer.from(command.bytes)
            : old!.subarray(command.start, command.start + command.length),
        );
      }
    }
    parser.end();
    expect(length).toBe(made.body.length);
    return { content: Buffer.concat(pieces), length, digest: made.digests().digest };
  } finally {
    source.close();
  }
}

/** What goes out to a peer that has `old`, of the length that was announced. */
async function bodyOf(old: string | undefined, verified: boolean): Promise<Buffer> {
  const source = openSource(file);
  try {
    const signature = old === undefined ? ABSENT_SIGNATURE : signatureOf(Buffer.from(old));
    const { body } = await outgoing(source, signature, verified);
    const pieces: Buffer[] = [];
    for await (const chunk of body.chunks as AsyncIterable<Buffer>) pieces.push(Buffer.from(chunk));
    const bytes = Buffer.concat(pieces);
    expect(bytes.length).toBe(body.length);
    return bytes;
  } finally {
    source.close();
  }
}

const LARGE = SNAPSHOT_BYTES + 100_000;

describe('outgoing', () => {
  it.each([0, 1, 2047, 2048, 2049, 100_000, LARGE])('sends a new file of %i bytes whole', async (size) => {
    const content = randomBytes(size);
    writeFileSync(file, content);
    const made = await sent(undefined);
    expect(made.content.equals(content)).toBe(true);
    expect(made.digest).toBe(createHash('sha256').update(content).digest('hex'));
    const digests = { digest: made.digest, signature: signatureDigest(signatureOf(content)) };
    expect(await digestsOf(file)).toEqual(digests);
    expect(await digestsIfSame(file, signatureOf(content))).toEqual(digests);
  });

  it.each([0, 1, 2048, 500_000, 999_999])('tells a file from one that differs at byte %i', async (place) => {
    const content = randomBytes(1_000_000);
    writeFileSync(file, content);
    const other = Buffer.from(content);
    other.writeUInt8(content.readUInt8(place) ^ 1, place);
    for (const each of [other, content.subarray(0, place), Buffer.concat([content, Buffer.alloc(1 + place)])])
      expect(await digestsIfSame(file, signatureOf(each))).toBeUndefined();
  });

  it.each([100_000, LARGE])('sends little of a file of %i bytes where the peer has nearly all of it', async (size) => {
    const old = randomBytes(size);
    const content = Buffer.concat([old.subarray(0, size / 2), Buffer.from('inserted'), old.subarray(size / 2)]);
    writeFileSync(file, content);
    const made = await sent(old);
    expect(made.content.equals(content)).toBe(true);
    expect(made.length).toBeLessThan(10_000);
  });

  it.each([
    ['new', 100_000, undefined],
    ['new', LARGE, undefined],
    ['changed', 100_000, 'x'.repeat(50_000)],
    ['changed', LARGE, 'x'.repeat(50_000)],
  ])('to a csx peer the digest of a %s file of %i bytes ends the same body', async (_, size, old) => {
    const content = Buffer.concat([Buffer.alloc(50_000, 'x'), randomBytes(size - 50_000)]);
    writeFileSync(file, content);
    const bodies = await Promise.all([false, true].map((verified) => bodyOf(old, verified)));
    const digest = createHash('sha256').update(content).digest();
    expect(bodies[1]!.equals(Buffer.concat([bodies[0]!, digest]))).toBe(true);
  });

  it('a large file that is written to while it is sent never arrives whole', async () => {
    writeFileSync(file, randomBytes(LARGE));
    const source = openSource(file);
    try {
      const made = await outgoing(source, ABSENT_SIGNATURE, false);
      const parser = new DeltaParser({ oldSize: 0 });
      const send = async (): Promise<void> => {
        for await (const chunk of made.body.chunks as AsyncIterable<Buffer>) {
          for (const _ of parser.push(chunk));
          appendFileSync(file, 'x');
        }
      };
      await expect(send()).rejects.toMatchObject({ code: 'CHANGED_MEANWHILE' });
      expect(parser.ended).toBe(false);
    } finally {
      source.close();
    }
  });

  it('refuses a signature that is none', async () => {
    writeFileSync(file, 'x');
    const source = openSource(file);
    await expect(outgoing(source, Buffer.from('garbage, not a signature'), false)).rejects.toMatchObject({
      code: 'SIGNATURE_INVALID',
    });
    source.close();
  });
});
