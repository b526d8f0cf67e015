import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import {
  ABSENT_SIGNATURE,
  EMPTY_SIGNATURE,
  SignatureBuilder,
  parseSignature,
  signatureDigest,
  signatureLength,
} from '../../../src/engine/delta/signature.js';
import type { SignatureOptions } from '../../../src/engine/delta/signature.js';
import { CsxError } from '../../../src/model/errors.js';
import { Rdiff, cut, lines, noise } from './rdiff.js';

const rdiff = new Rdiff();
afterAll(() => {
  rdiff.remove();
});

function sign(content: Uint8Array, lengths: readonly number[] = [65536], options?: SignatureOptions): Buffer {
  const builder = new SignatureBuilder(options);
  for (const chunk of cut(content, lengths)) builder.update(chunk);
  return builder.finish();
}

describe('SignatureBuilder', () => {
  const sizes = [
    0, 1, 63, 64, 2047, 2048, 2049, 4096, 8191, 8192, 8193, 32767, 32768, 32769, 131_071, 1_000_000, 3_145_728,
  ];
  it.each(sizes)('makes what rdiff makes of %d bytes', (size) => {
    for (const content of [noise(size, size), Buffer.alloc(size), Buffer.alloc(size, 0xff), lines(size, size)]) {
      const signature = sign(content);
      expect(signature.equals(rdiff.csync2Signature(content))).toBe(true);
      expect(signature).toHaveLength(signatureLength(size));
    }
  });

  it.each([
    [64, 16],
    [512, 8],
    [1000, 1],
    [100_000, 13],
  ])('makes what rdiff makes with blocks of %d and strong sums of %d bytes', (blockLength, strongLength) => {
    const content = noise(654_321, blockLength);
    const options = ['-H', 'md4', '-R', 'rollsum', '-b', String(blockLength), '-S', String(strongLength)];
    const signature = sign(content, [10_000], { blockLength, strongLength });
    expect(signature.equals(rdiff.signature(content, ...options))).toBe(true);
  });

  it('makes the same whatever the chunks', () => {
    const content = noise(150_000, 7);
    const whole = sign(content);
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.integer({ min: 0, max: 3000 }), fc.integer({ min: 0, max: 150_000 })), { minLength: 1 }),
        (lengths) => sign(content, lengths).equals(whole),
      ),
    );
  });

  it('makes the same at every place a chunk can end', () => {
    const content = noise(4100, 8);
    const whole = sign(content, [4100], { blockLength: 100 });
    for (let place = 1; place < content.length; place++) {
      expect(sign(content, [place, content.length], { blockLength: 100 }).equals(whole)).toBe(true);
    }
  });

  it('lets several files be signed side by side', () => {
    const contents = [noise(50_000, 1), noise(60_000, 2), noise(70_000, 3)];
    const builders = contents.map(() => new SignatureBuilder());
    for (let at = 0; at < 70_000; at += 999) {
      contents.forEach((content, index) => builders[index]?.update(content.subarray(at, at + 999)));
    }
    const signatures = builders.map((builder) => builder.finish());
    expect(signatures).toEqual(contents.map((content) => sign(content)));
  });

  it('gives out what is ready on the way', () => {
    const content = noise(500_000, 9);
    const builder = new SignatureBuilder();
    const parts: Buffer[] = [];
    for (const chunk of cut(content, [70_000])) {
      builder.update(chunk);
      parts.push(builder.take());
    }
    expect(parts.every((part) => part.length > 0)).toBe(true);
    expect(Buffer.concat([...parts, builder.finish()]).equals(sign(content))).toBe(true);
  });

  it('refuses data after the end', () => {
    const builder = new SignatureBuilder();
    builder.finish();
    expect(() => {
      builder.update(Buffer.from('x'));
    }).toThrow(CsxError);
  });

  it.each([
    { blockLength: 0 },
    { blockLength: 1.5 },
    { blockLength: 2 ** 25 },
    { strongLength: 0 },
    { strongLength: 17 },
  ])('refuses %j', (options) => {
    expect(() => new SignatureBuilder(options)).toThrow(CsxError);
  });
});

describe('the signature of nothing', () => {
  it('tells an absent file from an empty one', () => {
    expect(ABSENT_SIGNATURE.toString('hex')).toBe('727301360000080000000008');
    expect(EMPTY_SIGNATURE.toString('hex')).toBe('727301360000080000000010');
    expect(sign(Buffer.alloc(0))).toEqual(EMPTY_SIGNATURE);
    expect(parseSignature(ABSENT_SIGNATURE)).toMatchObject({ blockCount: 0, strongLength: 8 });
    expect(parseSignature(EMPTY_SIGNATURE)).toMatchObject({ blockCount: 0, strongLength: 16 });
  });
});

describe('signatureDigest', () => {
  it('is the SHA-256 of the bytes', () => {
    expect(signatureDigest(ABSENT_SIGNATURE)).toMatch(/^[0-9a-f]{64}$/);
    expect(signatureDigest(Buffer.from('abc'))).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
  });
});

describe('parseSignature', () => {
  it.each([
    ['md4', 'rollsum', 16],
    ['md4', 'rabinkarp', 16],
    ['blake2', 'rollsum', 32],
    ['blake2', 'rabinkarp', 32],
  ] as const)('reads what rdiff makes with %s and %s', (strong, weak, strongLength) => {
    const bytes = rdiff.signature(noise(10_000, 1), '-H', strong, '-R', weak, '-b', '1000', '-S', String(strongLength));
    const signature = parseSignature(bytes);
    expect(signature).toMatchObject({ blockLength: 1000, strongLength, blockCount: 10 });
    expect(signature.kind).toMatchObject({ weak, strong: strong === 'md4' ? 'md4' : 'blake2b' });
    expect(signature.sums).toEqual(bytes.subarray(12));
  });

  it.each([
    ['nothing', ''],
    ['half a header', '7273013600000800'],
    ['a delta', '727302360000080000000010'],
    ['blocks of no bytes', '727301360000000000000010'],
    ['blocks of 4 GB', '72730136ffffffff00000010'],
    ['strong sums of no bytes', '727301360000080000000000'],
    ['strong sums longer than MD4', '727301360000080000000011'],
    ['strong sums longer than BLAKE2b', '727301370000080000000021'],
    ['half a block', '727301360000080000000010aabbccdd'],
  ])('refuses %s', (_, hex) => {
    expect(() => parseSignature(Buffer.from(hex, 'hex'))).toThrow(
      expect.objectContaining({ code: 'SIGNATURE_INVALID' }),
    );
  });

  it('refuses one that is beyond the bound', () => {
    const bytes = Buffer.alloc(2 ** 30 + 20);
    ABSENT_SIGNATURE.copy(bytes);
    expect(() => parseSignature(bytes)).toThrow(expect.objectContaining({ code: 'SIGNATURE_INVALID' }));
  });

  it('either reads or refuses any bytes', () => {
    const head = fc.constantFrom('72730136', '72730137', '72730146', '72730147', '72730236', '00000000');
    fc.assert(
      fc.property(head, fc.uint8Array({ maxLength: 200 }), (magic, rest) => {
        try {
          const { blockCount, strongLength, sums } = parseSignature(Buffer.concat([Buffer.from(magic, 'hex'), rest]));
          return sums.length === blockCount * (4 + strongLength);
        } catch (error) {
          return error instanceof CsxError && error.code === 'SIGNATURE_INVALID';
        }
      }),
      { numRuns: 5000 },
    );
  });
});
