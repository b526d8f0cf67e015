import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { DeltaPlanner, deltaLength, deltaOf, encodeDelta } from '../../../src/engine/delta/delta.js';
import type { DeltaOp } from '../../../src/engine/delta/delta.js';
import {
  ABSENT_SIGNATURE,
  EMPTY_SIGNATURE,
  SignatureBuilder,
  parseSignature,
} from '../../../src/engine/delta/signature.js';
import { CsxError } from '../../../src/model/errors.js';
import { Rdiff, applyDelta, cut, lines, makeDelta, noise, planDelta } from './rdiff.js';

const rdiff = new Rdiff();
afterAll(() => {
  rdiff.remove();
});

function sign(content: Uint8Array, blockLength?: number, strongLength?: number): Buffer {
  const builder = new SignatureBuilder({
    ...(blockLength === undefined ? {} : { blockLength }),
    ...(strongLength === undefined ? {} : { strongLength }),
  });
  builder.update(content);
  return builder.finish();
}

const base = noise(700_001, 1);
const text = lines(700_001, 2);
const zeros = Buffer.alloc(700_001);
const concat = (parts: readonly Uint8Array[]): Buffer => Buffer.concat(parts);

/** Name, old file, new file, and the most bytes of literals that the delta may have. */
const EDITS: readonly (readonly [string, Buffer, Buffer, number])[] = [
  ['nothing changed', base, base, 0],
  ['nothing there before', Buffer.alloc(0), base, base.length],
  ['nothing left', base, Buffer.alloc(0), 0],
  ['one byte, from nothing', Buffer.alloc(0), Buffer.from('x'), 1],
  ['a byte changed', base, concat([base.subarray(0, 300_000), Buffer.from('x'), base.subarray(300_001)]), 2048],
  ['a byte put in front', base, concat([Buffer.from('x'), base]), 1],
  ['a byte put in', base, concat([base.subarray(0, 300_000), Buffer.from('x'), base.subarray(300_000)]), 2049],
  ['a byte taken out', base, concat([base.subarray(0, 300_000), base.subarray(300_001)]), 2047],
  ['100 KB taken out', base, concat([base.subarray(0, 300_000), base.subarray(400_000)]), 4096],
  ['100 KB put in', base, concat([base.subarray(0, 300_000), noise(100_000, 9), base.subarray(300_000)]), 102_048],
  ['two halves exchanged', base, concat([base.subarray(350_000), base.subarray(0, 350_000)]), 4096],
  ['cut off within a block', base, base.subarray(0, 300_000), 2047],
  ['cut off at a block', base, base.subarray(0, 307_200), 0],
  ['the front cut off', base, base.subarray(12_345), 2047],
  ['appended to', base, concat([base, noise(5000, 3)]), 5000],
  ['a byte appended', base, concat([base, Buffer.from('x')]), 1],
  ['appended to, in full blocks', base.subarray(0, 204_800), concat([base.subarray(0, 204_800), noise(5000, 3)]), 5000],
  ['a short file appended to', Buffer.from('a line\n'), Buffer.from('a line\nanother\n'), 8],
  ['a short file put behind', Buffer.from('a line\n'), Buffer.from('another\na line\n'), 8],
  ['all but the front and the end taken out', base, concat([base.subarray(0, 10_240), base.subarray(341 * 2048)]), 0],
  ['doubled', base, concat([base, base]), 2048],
  ['another file', base, noise(700_001, 4), 700_001],
  ['a log appended to', text, concat([text, lines(1000, 3)]), 1000],
  ['a log turned over', text, concat([lines(1000, 5), text.subarray(100_000)]), 5096],
  ['zeros, more of them', zeros, Buffer.alloc(1_500_000), 2048],
  ['zeros, fewer', zeros, Buffer.alloc(100_000), 2048],
  ['zeros become noise', zeros, base, base.length],
  ['noise becomes zeros', base, zeros, zeros.length],
  ['every tenth block changed', base, every(base, 20_480), 35 * 2048],
];

/** Changes a byte every `step` bytes. */
function every(content: Buffer, step: number): Buffer {
  const copy = Buffer.from(content);
  for (let at = 0; at < copy.length; at += step) copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

describe.each(EDITS)('%s', (_, old, content, most) => {
  const signature = sign(old);

  it('is a delta that rdiff and csx apply', () => {
    const ops = planDelta(signature, content);
    const delta = deltaOf(ops, content);
    expect(delta).toHaveLength(deltaLength(ops));
    expect(rdiff.patch(old, delta).equals(content)).toBe(true);
    expect(applyDelta(old, delta).equals(content)).toBe(true);
  });

  it('sends little, and no more than rdiff', () => {
    const ops = planDelta(signature, content);
    expect(ops.newLength).toBe(content.length);
    expect(ops.literalLength).toBeLessThanOrEqual(most);
    expect(deltaLength(ops)).toBeLessThanOrEqual(rdiff.delta(signature, content).length);
  });

  it("applies rdiff's delta", () => {
    expect(applyDelta(old, rdiff.delta(signature, content), [1000]).equals(content)).toBe(true);
  });
});

describe('signatures of the other kinds', () => {
  const content = concat([noise(1234, 5), base.subarray(100_000), noise(99, 6), base.subarray(0, 50_000)]);
  const kinds = ['md4', 'blake2'].flatMap((strong) => ['rollsum', 'rabinkarp'].map((weak) => [strong, weak] as const));

  it.each(kinds)('%s and %s: blocks are found', (strong, weak) => {
    for (const blockLength of [64, 700, 2048, 100_000]) {
      const signature = rdiff.signature(base, '-H', strong, '-R', weak, '-b', String(blockLength), '-S', '16');
      const ops = planDelta(signature, content, [33_333]);
      expect(ops.literalLength).toBeLessThan(1234 + 99 + 3 * blockLength);
      expect(rdiff.patch(base, deltaOf(ops, content)).equals(content)).toBe(true);
      const theirs = rdiff.delta(signature, content);
      expect(applyDelta(base, theirs).equals(content)).toBe(true);
      expect(deltaLength(ops)).toBeLessThanOrEqual(theirs.length);
    }
  });

  it.each(kinds)('%s and %s: a short file that was appended to', (strong, weak) => {
    const old = lines(5000, 1);
    const signature = rdiff.signature(old, '-H', strong, '-R', weak, '-b', '2048', '-S', '16');
    expect(planDelta(signature, concat([old, lines(700, 9)])).literalLength).toBe(700);
    expect(planDelta(signature, concat([Buffer.from('a new first line\n'), old])).literalLength).toBe(17);
  });
});

describe('DeltaPlanner', () => {
  it('sends all of a file that is not there, without a search', () => {
    for (const signature of [ABSENT_SIGNATURE, EMPTY_SIGNATURE]) {
      const planner = new DeltaPlanner(parseSignature(signature));
      expect(planner.searches).toBe(false);
      planner.update(base.subarray(0, 1000));
      planner.skip(9000);
      expect([...planner.finish()]).toEqual([{ kind: 'literal', offset: 0, length: 10_000 }]);
    }
  });

  it('makes a delta of no commands of an empty file', () => {
    expect(makeDelta(ABSENT_SIGNATURE, Buffer.alloc(0)).toString('hex')).toBe('7273023600');
    expect(makeDelta(sign(base), Buffer.alloc(0)).toString('hex')).toBe('7273023600');
  });

  it('takes no strong sum for proof that is shorter than 8 bytes', () => {
    expect(planDelta(sign(base, 2048, 7), base).literalLength).toBe(base.length);
    expect(planDelta(sign(base, 2048, 8), base).literalLength).toBe(0);
  });

  it('makes the same whatever the chunks', () => {
    const old = noise(20_000, 1);
    const content = concat([noise(333, 2), old.subarray(5000), noise(1, 3), old.subarray(0, 6000)]);
    const signature = sign(old, 512);
    const whole = [...planDelta(signature, content)];
    expect(whole.filter((op) => op.kind === 'copy').length).toBeGreaterThan(1);
    for (let place = 1; place < content.length; place += 7) {
      expect([...planDelta(signature, content, [place, content.length])]).toEqual(whole);
    }
  });

  it('makes the same at every place a short file can be cut', () => {
    const old = noise(700, 1);
    const content = concat([old.subarray(300), noise(5, 2), old]);
    const signature = sign(old, 64);
    const whole = [...planDelta(signature, content)];
    for (let place = 1; place < content.length; place++) {
      expect([...planDelta(signature, content, [place, content.length])]).toEqual(whole);
    }
  });

  it('works on several files side by side', () => {
    const olds = [noise(600_000, 1), noise(600_000, 2), noise(600_000, 3)];
    const contents = olds.map((old, index) => concat([noise(index, 9), old.subarray(100_000 * index)]));
    const planners = olds.map((old) => new DeltaPlanner(parseSignature(sign(old))));
    for (let at = 0; at < 600_002; at += 50_000) {
      contents.forEach((content, index) => planners[index]?.update(content.subarray(at, at + 50_000)));
    }
    const alone = olds.map((old, index) => [...planDelta(sign(old), contents[index] ?? Buffer.alloc(0))]);
    expect(planners.map((planner) => [...planner.finish()])).toEqual(alone);
  });

  it('makes of any edits a delta that applies', () => {
    const old = concat([noise(40_000, 1), Buffer.alloc(9000), lines(40_000, 2)]);
    const piece = fc.oneof(
      fc.tuple(fc.nat(old.length), fc.nat(20_000)).map(([start, length]) => old.subarray(start, start + length)),
      fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes)),
      fc.tuple(fc.nat(3000), fc.nat()).map(([length, seed]) => noise(length, seed)),
      fc.nat(5000).map((length) => Buffer.alloc(length)),
    );
    const blockLength = fc.oneof(fc.integer({ min: 64, max: 3000 }), fc.constantFrom(2048, 90_000));
    const chunks = fc.array(fc.integer({ min: 1, max: 100_000 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), blockLength, chunks, (pieces, block, lengths) => {
        const content = concat(pieces);
        const ops = planDelta(sign(old, block), content, lengths);
        const delta = deltaOf(ops, content);
        expect(delta).toHaveLength(deltaLength(ops));
        expect(applyDelta(old, delta, lengths).equals(content)).toBe(true);
        expect(wellFormed([...ops])).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it('finds blocks across everything that is searched at once', () => {
    // The search works on 256 KiB at a time; one edit at every place around its ends.
    const old = noise(600_000, 1);
    const signature = sign(old);
    for (let place = 262_144 - 2060; place <= 262_144 + 12; place += 9) {
      const content = concat([old.subarray(0, place), Buffer.from('!'), old.subarray(place)]);
      const ops = planDelta(signature, content);
      expect(ops.literalLength).toBeLessThanOrEqual(2049);
      expect(applyDelta(old, deltaOf(ops, content)).equals(content)).toBe(true);
    }
  });

  it('refuses data after the end, and to leave out what has to be searched', () => {
    const planner = new DeltaPlanner(parseSignature(sign(base)));
    expect(() => {
      planner.skip(1);
    }).toThrow(CsxError);
    planner.finish();
    expect(() => {
      planner.update(base);
    }).toThrow(CsxError);
  });
});

/** No operation is empty, literals do not touch each other, and copies do not go on where the last one ended. */
function wellFormed(ops: readonly DeltaOp[]): boolean {
  return ops.every((op, index) => {
    const before = ops[index - 1];
    if (op.length <= 0) return false;
    if (before === undefined || before.kind !== op.kind) return true;
    return op.kind === 'copy' && before.kind === 'copy' && before.start + before.length !== op.start;
  });
}

describe('encodeDelta', () => {
  const WIDTHS = [1, 0xff, 0x100, 0xffff, 0x1_0000, 0xffff_ffff, 0x1_0000_0000, 0x12_3456_789a];
  const copies = WIDTHS.flatMap((start) => WIDTHS.map((length): DeltaOp => ({ kind: 'copy', start, length })));
  const literals = [1, 0x40, 0x41, ...WIDTHS].map((length): DeltaOp => ({ kind: 'literal', offset: 0, length }));

  function heads(ops: readonly DeltaOp[]): string {
    const all = Object.assign([...ops], { newLength: 0, literalLength: 0 });
    const parts = [...encodeDelta(all)].map((segment) =>
      segment.kind === 'bytes' ? segment.bytes.toString('hex') : `<${segment.length}>`,
    );
    const length = parts.reduce(
      (sum, part) => sum + (part.startsWith('<') ? Number(part.slice(1, -1)) : part.length / 2),
      0,
    );
    expect(length).toBe(deltaLength(all));
    expect(parts).not.toContain('');
    return parts.join('');
  }

  it.each([
    [{ kind: 'copy', start: 0, length: 1 }, '450001'],
    [{ kind: 'copy', start: 0xff, length: 0x100 }, '46ff0100'],
    [{ kind: 'copy', start: 0x100, length: 0x10000 }, '4b010000010000'],
    [{ kind: 'copy', start: 0x10000, length: 0x800 }, '4e000100000800'],
    [{ kind: 'copy', start: 0x100000000, length: 0x100000000 }, '5400000001000000000000000100000000'],
    [{ kind: 'literal', offset: 0, length: 1 }, '01<1>'],
    [{ kind: 'literal', offset: 0, length: 0x40 }, '40<64>'],
    [{ kind: 'literal', offset: 0, length: 0x41 }, '4141<65>'],
    [{ kind: 'literal', offset: 0, length: 0x100 }, '420100<256>'],
    [{ kind: 'literal', offset: 0, length: 0x10000 }, '4300010000<65536>'],
    [{ kind: 'literal', offset: 0, length: 0x100000000 }, '440000000100000000<4294967296>'],
  ] as const)('writes %j in the narrowest form', (op, hex) => {
    expect(heads([op])).toBe(`72730236${hex}00`);
  });

  it('tells the exact length of every width, and of many commands', () => {
    for (const op of [...copies, ...literals]) heads([op]);
    heads([...copies, ...literals, ...copies]);
    heads(Array.from({ length: 10_000 }, (_, index) => copies[index % copies.length] ?? copies[0]!));
    heads(Array.from({ length: 10_000 }, (_, index) => (index % 2 === 0 ? copies[0]! : literals[2]!)));
  });

  it('hands out bytes that stay as they are', () => {
    const old = noise(2_000_000, 1);
    const content = every(old, 5000);
    const ops = planDelta(sign(old), content);
    const segments = [...encodeDelta(ops)];
    const late = segments.map((segment) =>
      segment.kind === 'bytes' ? segment.bytes : content.subarray(segment.offset, segment.offset + segment.length),
    );
    expect(concat(late).equals(deltaOf(ops, content))).toBe(true);
  });
});

describe('blocks with one strong sum', () => {
  // From X. Wang et al. 2004: both have the MD4 4d7e6a1defa93d2dde05b45d864c429b.
  const PAIR = [
    '839c7a4d7a92cb5678a5d5b9eea5a7573c8a74deb366c3dc20a083b69f5d2a3bb3719dc69891e9f95e809fd7e8b23ba6318edd45e51fe39708bf9427e9c3e8b9',
    '839c7a4d7a92cbd678a5d529eea5a7573c8a74deb366c3dc20a083b69f5d2a3bb3719dc69891e9f95e809fd7e8b23ba6318edc45e51fe39708bf9427e9c3e8b9',
  ];

  it.each([1, 4, 8])('are told apart by the weak one, also where block %i is expected to follow', (blocks) => {
    const tail = noise(2048 - 64, 1);
    const [one, other] = PAIR.map((hex) => concat([Buffer.from(hex, 'hex'), tail]));
    const [old, content] = [one!, other!].map((last) => concat([noise((blocks - 1) * 2048, 2), last, noise(5000, 3)]));
    const [mine, theirs] = [old!, content!].map((each) =>
      sign(each).subarray(12 + 20 * (blocks - 1), 12 + 20 * blocks),
    );
    expect(mine!.subarray(4).equals(theirs!.subarray(4))).toBe(true);
    expect(mine!.equals(theirs!)).toBe(false);
    const ops = planDelta(sign(old!), content!);
    expect(applyDelta(old!, deltaOf(ops, content!)).equals(content!)).toBe(true);
    expect(ops.literalLength).toBe(2048);
  });
});

describe('hostile signatures', () => {
  /** A signature whose every block has the weak sum of a block of zeros, and a strong sum of its own. */
  function sameWeak(blockLength: number, blockCount: number): Buffer {
    const weak = sign(Buffer.alloc(blockLength), blockLength).subarray(12, 16);
    const signature = Buffer.alloc(12 + 20 * blockCount);
    sign(Buffer.alloc(0), blockLength).copy(signature);
    const strong = noise(16 * blockCount, 1);
    for (let block = 0; block < blockCount; block++) {
      signature.set(weak, 12 + 20 * block);
      signature.set(strong.subarray(16 * block, 16 * block + 16), 16 + 20 * block);
    }
    return signature;
  }

  // Each of these would take hours if every candidate were tried.
  it.each([
    ['a million blocks with one weak sum', 2048, 1_000_000, 4_000_000],
    ['one block of 16 MB at every place', 2 ** 24, 1, 40_000_000],
    ['long chains and long blocks', 65_536, 100_000, 8_000_000],
  ])('%s cost little', (_, blockLength, blockCount, size) => {
    const content = Buffer.alloc(size);
    const ops = planDelta(sameWeak(blockLength, blockCount), content);
    expect(ops.literalLength).toBe(size);
  });

  it('do not hide a real match for long', () => {
    const signature = concat([sameWeak(2048, 50), sign(base).subarray(12)]);
    const content = concat([Buffer.alloc(10_000), base]);
    // The blocks of base are number 50 and on: the old file has 50 blocks in front.
    const ops = [...planDelta(signature, content)];
    expect(ops.at(-1)).toEqual({ kind: 'copy', start: 50 * 2048, length: base.length });
  });

  it('cannot make the list of copies grow without end', () => {
    const block = noise(64, 1);
    const planner = new DeltaPlanner(parseSignature(sign(concat([block, noise(64, 2)]), 64)));
    const chunk = concat(Array<Buffer>(16_384).fill(block));
    for (let round = 0; round < 300; round++) planner.update(chunk);
    const ops = planner.finish();
    let count = 0;
    let last: DeltaOp | undefined;
    for (const op of ops) {
      count += 1;
      last = op;
    }
    expect(count).toBe(2 ** 22 + 1);
    expect(last).toEqual({ kind: 'literal', offset: 64 * 2 ** 22, length: 300 * chunk.length - 64 * 2 ** 22 });
  });

  it('are searched or refused, whatever their bytes', () => {
    const content = lines(5000, 1);
    fc.assert(
      fc.property(
        fc.constantFrom('72730136', '72730137', '72730146', '72730147'),
        fc.integer({ min: 1, max: 3000 }),
        fc.integer({ min: 1, max: 16 }),
        fc.nat(40),
        fc.nat(),
        (magic, blockLength, strongLength, blockCount, seed) => {
          const header = Buffer.from(magic + '0000000000000000', 'hex');
          header.writeUInt32BE(blockLength, 4);
          header.writeUInt32BE(strongLength, 8);
          const ops = planDelta(concat([header, noise(blockCount * (4 + strongLength), seed)]), content, [700]);
          return strongLength < 8 ? ops.literalLength === 5000 : ops.newLength === 5000;
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('of several files keep to themselves', () => {
    for (const chunk of cut(base, [100_000])) expect(planDelta(sign(chunk), chunk).literalLength).toBe(0);
  });
});
