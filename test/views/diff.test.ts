import fc from 'fast-check';
import { applyPatch } from 'diff';
import { describe, expect, it } from 'vitest';
import { fromText } from '../../src/model/names.js';
import type { Bytes } from '../../src/model/names.js';
import { diffView, isBinary } from '../../src/views/diff.js';
import type { DiffOptions, DiffSide } from '../../src/views/diff.js';
import { expectGolden, fakeOutput, textOf } from '../support/golden.js';

const side = (label: string, content: string | undefined): DiffSide => ({
  label,
  content: content as Bytes | undefined,
  digest: 'ab'.repeat(32),
});

function diff(
  before: string | undefined,
  after: string | undefined,
  options: DiffOptions = {},
  color: 0 | 1 = 0,
): string {
  return textOf(diffView(fakeOutput(80, color), side('web2:/etc/x', before), side('web1:/etc/x', after), options));
}

const BEFORE = fromText(
  [
    '127.0.0.1 localhost',
    '10.0.0.2 web2',
    '\tindented \\n here',
    'größe = 12',
    'a',
    'b',
    'c',
    'd',
    'e',
    'f',
    'last',
    '',
  ].join('\n'),
);
const AFTER = fromText(
  [
    '127.0.0.1 localhost',
    '10.0.0.2 web2 www',
    '\tindented \\n there',
    'größte = 12',
    'a',
    'b',
    'c',
    'd',
    'e',
    'f',
    'last',
  ].join('\n'),
);

describe('a diff', () => {
  it('looks as it did', () => {
    const parts = [
      diff(BEFORE, AFTER),
      diff(BEFORE, AFTER, {}, 1),
      diff(undefined, fromText('new\nfile\r\n')),
      diff('\xff\xfe latin\n', '\xff\xff latin\n', {}, 1),
      diff('a\0b', 'a\0bc'),
      diff('password=a', 'password=b', { masked: true }),
    ];
    expectGolden(parts.join('\n'), 'diff.txt');
  });

  it('of the same content is empty', () => {
    expect(diff(BEFORE, BEFORE)).toBe('');
  });

  it('can be applied as a patch', () => {
    const lines = fc.array(fc.constantFrom('a', 'b', 'c c', '\tx', ''), { maxLength: 30 }).map((all) => all.join('\n'));
    fc.assert(
      fc.property(
        lines,
        lines,
        (before, after) => before === after || applyPatch(before, diff(before, after)) === after,
      ),
      { numRuns: 300 },
    );
  });

  it('says the same in colour and without', () => {
    const lines = fc.array(fc.constantFrom('one two', 'one 2', 'größe 写真', '\\x', '\x1b[31mred'), { maxLength: 12 });
    fc.assert(
      fc.property(lines, lines, (before, after) => {
        const [a, b] = [fromText(before.join('\n')), fromText(after.join('\n'))];
        expect(diff(a, b, {}, 1).replace(/\x1b\[\d+m/g, '')).toBe(diff(a, b));
      }),
      { numRuns: 300 },
    );
  });

  it('lets no content write control characters', () => {
    const content = fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes).toString('latin1'));
    fc.assert(fc.property(content, content, (a, b) => !/[^\n\t\P{Cc}]/u.test(diff(a, b))));
  });

  it('never shows what a sensitive pattern covers, not even its size', () => {
    const [, , ...rest] = diff('secret-one', 'secret-two-longer', { masked: true }).split('\n');
    expect(rest.join('\n')).not.toMatch(/secret|\d/);
  });

  it('gives way to sizes and digests where it would be endless', () => {
    const many = (seed: number) =>
      Array.from({ length: 30_000 }, (_, index) => `${String(seed)}-${String(index)}`).join('\n');
    expect(diff(many(1), many(2))).toContain('differ in more than can be shown line by line');
    expect(isBinary('x'.repeat(9 * 1024 * 1024))).toBe(true);
    expect(isBinary('text\n')).toBe(false);
  });
});
