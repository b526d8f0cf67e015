import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DeltaPlanner } from '../../../src/engine/delta/delta.js';
import { SignatureBuilder, parseSignature, signatureDigest } from '../../../src/engine/delta/signature.js';
import type { SignatureOptions } from '../../../src/engine/delta/signature.js';
import { SignatureDigester } from '../../../src/engine/delta/signature-digester.js';
import { cut, noise } from './rdiff.js';

function sign(content: Uint8Array, options?: SignatureOptions): Buffer {
  const builder = new SignatureBuilder(options);
  builder.update(content);
  return builder.finish();
}

describe('SignatureDigester', () => {
  it.each([
    [0, [1]],
    [2049, [1000]],
    [1_048_576, [65_536]],
    [3_333_333, [1_048_575, 2]],
    [3_333_333, [2_500_000]],
  ])('tells the digest of the whole signature of %d bytes in chunks of %j, every time', (size, lengths) => {
    const content = noise(size, size);
    const digester = new SignatureDigester();
    for (const chunk of cut(content, lengths)) digester.update(chunk);
    const expected = signatureDigest(sign(content));
    expect([digester.finish(), digester.finish()]).toEqual([expected, expected]);
  });

  it('takes the sums of whole blocks that lie alike from the other file, and makes all others', () => {
    const old = noise(20_000, 1);
    const signature = sign(old);
    // Sums of the wrong content show which were taken.
    const wrong = parseSignature(sign(noise(20_000, 2)));
    const digester = new SignatureDigester(wrong);
    digester.update(old.subarray(0, 1000));
    digester.copied(old.subarray(1000, 5000), 1000);
    digester.copied(old.subarray(5000, 20_000), 5001);
    const mixed = Buffer.concat([signature.subarray(0, 32), wrong.sums.subarray(20, 40), signature.subarray(52)]);
    expect(digester.finish()).toBe(signatureDigest(mixed));
  });

  it.each([{}, { strongLength: 8 }, { blockLength: 4096 }])(
    'with a delta tells of the new file what reading it would, from a signature with %j',
    (options) => {
      const edit = fc.record({
        kind: fc.constantFrom('keep', 'skip', 'insert', 'overwrite'),
        blocks: fc.nat(12),
        bytes: fc.oneof(fc.constant(0), fc.nat(3000)),
      });
      fc.assert(
        fc.property(fc.nat(60_000), fc.array(edit, { maxLength: 12 }), fc.nat(200_000), (size, edits, cutAt) => {
          const old = noise(size, size);
          const content = edited(old, edits);
          const signature = parseSignature(sign(old, options));
          const digester = new SignatureDigester(signature);
          let told = 0;
          const planner = new DeltaPlanner(signature, (bytes, start) => {
            if (start === undefined) digester.update(bytes);
            else {
              expect(Buffer.from(bytes).equals(old.subarray(start, start + bytes.length))).toBe(true);
              digester.copied(bytes, start);
            }
            expect(Buffer.from(bytes).equals(content.subarray(told, told + bytes.length))).toBe(true);
            told += bytes.length;
          });
          for (const chunk of cut(content, [cutAt + 1])) planner.update(chunk);
          planner.finish();
          expect(told).toBe(content.length);
          expect(digester.finish()).toBe(signatureDigest(sign(content)));
        }),
        { numRuns: 60 },
      );
    },
  );
});

interface Edit {
  readonly kind: 'keep' | 'skip' | 'insert' | 'overwrite';
  readonly blocks: number;
  readonly bytes: number;
}

/** The old content, gone through from the front: kept, left out, with something in between or instead; and all the rest of it. */
function edited(old: Buffer, edits: readonly Edit[]): Buffer {
  const parts: Buffer[] = [];
  let at = 0;
  for (const [index, { kind, blocks, bytes }] of edits.entries()) {
    const length = blocks * 2048 + bytes;
    if (kind === 'keep') parts.push(old.subarray(at, at + length));
    else if (kind !== 'skip') parts.push(noise(length, index + 1));
    if (kind !== 'insert') at += length;
  }
  return Buffer.concat([...parts, old.subarray(at)]);
}
