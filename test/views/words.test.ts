import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { age, count, duration, list, plural, size, sizeChange, time } from '../../src/views/quantity.js';
import { padEnd, padStart, textWidth, truncateEnd, truncateMiddle, wrap } from '../../src/views/width.js';

describe('quantities', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1_000, '1.0 kB'],
    [12_345, '12.3 kB'],
    [999_949, '999.9 kB'],
    [999_950, '1.0 MB'],
    [3_456_789, '3.5 MB'],
    [12e9, '12.0 GB'],
    [5e15, '5.0 PB'],
    [5e19, '50000.0 PB'],
  ])('%d bytes are %s', (bytes, text) => {
    expect(size(bytes)).toBe(text);
  });

  it.each([
    [12_300, 12_500, '12.3 kB -> 12.5 kB'],
    [12_301, 12_345, '12,301 -> 12,345 bytes'],
    [88, 88, '(88 B, same size)'],
    [0, 5, '0 B -> 5 B'],
  ])('a change from %d to %d bytes is %s', (before, after, text) => {
    expect(sizeChange(before, after)).toBe(text);
  });

  it('of counts have commas', () => {
    expect([0, 999, 1_000, 12_345, 1_234_567].map(count)).toEqual(['0', '999', '1,000', '12,345', '1,234,567']);
    expect([
      plural(1, 'file'),
      plural(2, 'file'),
      plural(0, 'directory'),
      plural(1, 'directory'),
      plural(3, 'day'),
    ]).toEqual(['1 file', '2 files', '0 directories', '1 directory', '3 days']);
  });

  it.each([
    [-5, '0 ms'],
    [48, '48 ms'],
    [312, '0.3 s'],
    [9_940, '9.9 s'],
    [9_960, '10 s'],
    [59_400, '59 s'],
    [59_600, '1 min 0 s'],
    [192_000, '3 min 12 s'],
    [7_500_000, '2 h 5 min'],
  ])('%d ms took %s', (milliseconds, text) => {
    expect(duration(milliseconds)).toBe(text);
  });

  it.each([
    [-10_000, 'just now'],
    [9_000, 'just now'],
    [30_000, '30 seconds ago'],
    [60_000, '1 minute ago'],
    [3_600_000, '1 hour ago'],
    [47 * 3_600_000, '47 hours ago'],
    [48 * 3_600_000, '2 days ago'],
  ])('%d ms back is %s', (milliseconds, text) => {
    expect(age(milliseconds)).toBe(text);
  });

  it('of time are in the zone asked for, and survive nonsense', () => {
    expect(time(0, 'UTC')).toBe('1970-01-01 00:00:00');
    expect(time(Date.UTC(2026, 6, 1), 'Europe/Vienna')).toBe('2026-07-01 02:00:00');
    expect(time(9e15, 'UTC')).toBe('9000000000000000');
    expect(time(NaN, 'UTC')).toBe('NaN');
  });

  it('of names are joined, and cut where there are many', () => {
    expect(list([])).toBe('');
    expect(list(['a'])).toBe('a');
    expect(list(['a', 'b', 'c'])).toBe('a, b and c');
    expect(list(['a', 'b', 'c', 'd'], 2)).toBe('a, b and 2 more');
  });
});

describe('the width of text', () => {
  it.each([
    ['', 0],
    ['abc', 3],
    ['写真', 4],
    ['Käse', 4],
    ['Ka\u0308se', 4],
    ['한글', 4],
    ['\u1112\u1161\u11ab', 2],
    ['ｱ', 1],
    ['Ａ', 2],
    ['🎉', 2],
    ['☺', 1],
    ['✔', 1],
    ['⌚', 2],
    ['\u{20000}', 2],
    ['…', 1],
  ])('of %j is %d', (text, width) => {
    expect(textWidth(text)).toBe(width);
  });

  const text = fc.string({ unit: fc.constantFrom('a', 'b', ' ', '写', 'ä', '🎉', '\u0308', '/', '.'), maxLength: 40 });

  it('is never exceeded by what is cut, and short text is left alone', () => {
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 50 }), (line, width) => {
        for (const cut of [truncateEnd(line, width), truncateMiddle(line, width)]) {
          expect(textWidth(cut)).toBeLessThanOrEqual(width);
          if (textWidth(line) <= width) expect(cut).toBe(line);
          else if (width > 8) expect(cut).toContain('...');
        }
      }),
    );
  });

  it('is reached by what is padded', () => {
    fc.assert(
      fc.property(text, fc.integer({ min: 0, max: 90 }), (line, width) => {
        expect(textWidth(padEnd(line, width))).toBe(Math.max(width, textWidth(line)));
        expect(textWidth(padStart(line, width))).toBe(Math.max(width, textWidth(line)));
      }),
    );
  });

  it('breaks lines at spaces only, and loses nothing', () => {
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 30 }), (line, width) => {
        const lines = wrap(line, width);
        expect(lines.join(' ')).toBe(line);
        for (const each of lines) expect(textWidth(each) <= width || !each.trim().includes(' ')).toBe(true);
      }),
    );
  });
});
