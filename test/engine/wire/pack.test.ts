/** PACK and LOOK as bytes: round trips, and whatever else may come. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Digest } from '../../../src/model/entry.js';
import { MAX_LOOK_NAMES, MAX_PACK_ENTRIES } from '../../../src/engine/wire/limits.js';
import { parseLook, parseLookAnswer, writeLook, writeLookAnswer } from '../../../src/engine/wire/look.js';
import { parsePack, parsePackAnswer, writePack, writePackAnswer } from '../../../src/engine/wire/pack.js';
import type { PackedEntry } from '../../../src/engine/wire/pack.js';
import { isCanonical } from '../../../src/model/names.js';
import type { FileName } from '../../../src/model/names.js';

const EMPTY = Buffer.alloc(0);
const bytes = fc
  .uint8Array({ minLength: 1, maxLength: 12 })
  .map((part) => Buffer.from(part).toString('latin1'))
  .filter((part) => !/[\0/]/.test(part));
const file = fc
  .array(bytes, { minLength: 1, maxLength: 3 })
  .map((parts) => `/${parts.join('/')}`)
  .filter(isCanonical)
  .map((name) => name as FileName);
const attribute = fc.option(fc.nat({ max: 0xfffffffe }), { nil: undefined });
const entry: fc.Arbitrary<PackedEntry> = fc
  .record({
    file,
    uid: attribute,
    gid: attribute,
    mode: attribute,
    mtime: fc.option(fc.integer({ min: -1e10, max: 1e15 }), { nil: undefined }),
    content: fc.option(fc.uint8Array({ maxLength: 40 }), { nil: undefined }),
  })
  .map(({ content, ...rest }) =>
    content === undefined
      ? { ...rest, kind: 'directory', digest: undefined, content: EMPTY }
      : { ...rest, kind: 'file', digest: 'ab'.repeat(32) as Digest, content: Buffer.from(content) },
  );

describe('PACK', () => {
  it('comes back as it was written', () => {
    fc.assert(
      fc.property(fc.array(entry, { minLength: 1, maxLength: 6 }), (entries) => {
        expect(parsePack(Buffer.concat(writePack(entries)))).toEqual(entries);
      }),
    );
  });

  it('is written without a copy of contents that lie behind each other', () => {
    const memory = Buffer.from('one,two,three');
    const [one, , three] = [memory.subarray(0, 4), EMPTY, memory.subarray(8)];
    const contents = [one, EMPTY, memory.subarray(4, 8), three, Buffer.from('elsewhere'), three];
    const [head, ...pieces] = writePack(
      contents.map((content, number) => ({
        ...{ uid: 0, gid: 0, mode: 0o100644, mtime: 1, digest: 'ab'.repeat(32) as Digest },
        kind: 'file',
        file: `/${String(number)}` as FileName,
        content,
      })),
    );
    expect(head?.toString().split('\n')).toHaveLength(contents.length + 2);
    expect(pieces.map(String)).toEqual(['one,two,three', 'elsewhere', 'three']);
    expect(pieces[0]?.buffer).toBe(memory.buffer);
  });

  it('is none when a byte is missing or too many', () => {
    fc.assert(
      fc.property(fc.array(entry, { minLength: 1, maxLength: 3 }), fc.nat(), (entries, at) => {
        const body = Buffer.concat(writePack(entries));
        const cut = at % body.length;
        expect(parsePack(body.subarray(0, cut))).toBeUndefined();
        expect(parsePack(Buffer.concat([body, Buffer.from('x')]))).toBeUndefined();
      }),
    );
  });

  const digest = 'ab'.repeat(32);
  it.each([
    ['nothing', ''],
    ['no entry', '\n\n'],
    ['another kind', 'l /x 0 0 0 0\n\n'],
    ['a file without a digest', 'f /x 0 0 0 0\n\n'],
    ['a directory with content', `d /x 0 0 0 0 1 ${digest}\n\nx`],
    ['a name with ..', `f /x/../y 0 0 0 0 1 ${digest}\n\nx`],
    ['a name that is encoded with ..', `f /x/%2E%2E/y 0 0 0 0 1 ${digest}\n\nx`],
    ['a name with a zero byte', `f /x%00 0 0 0 0 1 ${digest}\n\nx`],
    ['a relative name', `f x 0 0 0 0 1 ${digest}\n\nx`],
    ['a negative owner', `f /x -1 0 0 0 1 ${digest}\n\nx`],
    ['a size that is too large to count', `f /x 0 0 0 0 99999999999999999999 ${digest}\n\nx`],
    ['a size beyond the end', `f /x 0 0 0 0 9999999999999999 ${digest}\n\nx`],
    ['too many entries', `${'d /x 0 0 0 0\n'.repeat(MAX_PACK_ENTRIES + 1)}\n`],
  ])('is none with %s', (_, text) => {
    expect(parsePack(Buffer.from(text, 'latin1'))).toBeUndefined();
  });

  it('is never more than it is, whatever comes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (garbage) => {
        const entries = parsePack(Buffer.from(garbage));
        for (const { content } of entries ?? []) expect(content.length).toBeLessThanOrEqual(garbage.length);
      }),
    );
  });
});

describe('the answer to PACK', () => {
  it('comes back by number, each reason on one line', () => {
    const refusals = [
      { number: 0, text: 'Permission denied!' },
      { number: 7, text: 'two\nlines' },
      { number: 9, text: '' },
    ];
    expect(parsePackAnswer(writePackAnswer(refusals), 10)).toEqual(
      new Map([
        [0, 'Permission denied!'],
        [7, 'two lines'],
        [9, 'Error'],
      ]),
    );
    expect(parsePackAnswer(writePackAnswer([]), 10)).toEqual(new Map());
  });

  it.each(['10 beyond the last\n', '1 no end', 'no number\n', '1\n', '-1 negative\n', '\n'])('is not %j', (text) => {
    expect(parsePackAnswer(Buffer.from(text), 10)).toBeUndefined();
  });
});

describe('LOOK', () => {
  it('comes back as it was written', () => {
    fc.assert(
      fc.property(fc.array(file, { maxLength: 6 }), (files) => {
        expect(parseLook(writeLook(files))).toEqual(files);
      }),
    );
  });

  it('knows a name that cannot be, and refuses too many and what has no end', () => {
    expect(parseLook(Buffer.from('/a\n/a/../b\nrelative\n'))).toEqual(['/a', undefined, undefined]);
    expect(parseLook(Buffer.from('/a\n/b'))).toBeUndefined();
    expect(parseLook(Buffer.from('/a\n'.repeat(MAX_LOOK_NAMES + 1)))).toBeUndefined();
  });

  it('is answered with one letter for each name', () => {
    const looks = ['absent', 'ask', 'parent-missing'] as const;
    expect(writeLookAnswer(looks).toString()).toBe('a?p');
    expect(parseLookAnswer(writeLookAnswer(looks), 3)).toEqual(looks);
    expect(parseLookAnswer(writeLookAnswer(looks), 4)).toBeUndefined();
    expect(parseLookAnswer(Buffer.from('ax?'), 3)).toBeUndefined();
  });
});
