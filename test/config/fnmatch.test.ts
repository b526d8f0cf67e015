import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compilePattern } from '../../src/config/fnmatch.js';

/** Asks libc's fnmatch in the C locale; one process for all questions. Flags: FNM_PATHNAME 1, FNM_LEADING_DIR 8. */
function askLibc(cases: readonly (readonly [pattern: string, name: string, flags: number])[]): boolean[] {
  const script = `
import ctypes, sys
libc = ctypes.CDLL(None)
libc.setlocale(6, b'C')
out = []
for line in sys.stdin.buffer:
    pattern, name, flags = line.split(b' ')
    out.append('1' if libc.fnmatch(bytes.fromhex(pattern.decode()[1:]), bytes.fromhex(name.decode()[1:]), int(flags)) == 0 else '0')
print(''.join(out))
`;
  const hex = (text: string): string => `x${Buffer.from(text, 'latin1').toString('hex')}`;
  const input = cases.map(([pattern, name, flags]) => `${hex(pattern)} ${hex(name)} ${flags}\n`).join('');
  const run = spawnSync('python3', ['-c', script], { input, encoding: 'latin1', maxBuffer: 1 << 28 });
  expect(run.stderr).toBe('');
  return Array.from(run.stdout.trim(), (digit) => digit === '1');
}

function compare(cases: readonly (readonly [string, string, number])[]): number {
  const answers = askLibc(cases);
  expect(answers).toHaveLength(cases.length);
  const wrong = cases.filter(([pattern, name, flags], index) => {
    const compiled = compilePattern(pattern, { pathname: (flags & 1) !== 0, leadingDir: (flags & 8) !== 0 });
    return compiled.test(name) !== answers[index];
  });
  expect(wrong.slice(0, 5)).toEqual([]);
  return answers.filter(Boolean).length;
}

const FLAGS = [0, 1, 8, 9];
const piece = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom('a', 'b', 'c', '/', '.', '*', '?', '-', '**', '\\', '[', ']', '!', '^', ':'),
  },
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      '[ab]',
      '[!a]',
      '[^b]',
      '[a-c]',
      '[c-a]',
      '[]a]',
      '[!]a]',
      '[a-]',
      '[-a]',
      '[\\]a]',
      '[/a]',
      '[a\\',
      '[[:digit:]]',
      '[[:alpha:]',
      '[![:upper:]]',
      '[[:foo:]]',
      '[a[:foo:]]',
      '[[=a=]]',
      '[[=ab=]]',
      '[[.a.]-c]',
      '[[.-.]]',
      '[[.ab.]]',
      '[a-[.c.]]',
      '[\x80-\xff]',
      '[!\x80]',
      '[[',
      '[[:',
      '[[=',
      '[[.',
      '=]',
      '.]',
      ':]',
      '-[',
      '[.',
      '[=',
      '[:',
    ),
  },
  { weight: 1, arbitrary: fc.constantFrom('\x80', '\xff', '\n', ' ', 'z', 'Z', '0', '=') },
);
const pattern = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''));
const letter = fc.constantFrom(
  'a',
  'b',
  'c',
  '/',
  '.',
  '-',
  '[',
  ']',
  '\\',
  '\x80',
  '\xff',
  ':',
  '0',
  'Z',
  '\n',
  '*',
  '=',
);
const name = fc.array(letter, { maxLength: 7 }).map((letters) => letters.join(''));

describe('fnmatch', () => {
  it('agrees with libc on random patterns', () => {
    const cases = fc.sample(fc.tuple(pattern, name, fc.constantFrom(...FLAGS)), 60_000);
    expect(compare(cases)).toBeGreaterThan(500);
  });

  it('agrees with libc on names close to the pattern', () => {
    const near = pattern.chain((text) =>
      fc.tuple(
        fc.constant(text),
        fc
          .tuple(fc.infiniteStream(letter), fc.constantFrom('', '', '/a', 'b'))
          .map(([letters, tail]) => text.replace(/\[[^\]]*\]|[*?\\]/g, () => letters.next().value as string) + tail),
        fc.constantFrom(...FLAGS),
      ),
    );
    expect(compare(fc.sample(near, 60_000))).toBeGreaterThan(5_000);
  });

  it('agrees with libc on every byte in every kind of bracket', () => {
    const brackets = ['alnum', 'alpha', 'blank', 'cntrl', 'digit', 'graph', 'lower', 'print', 'punct', 'space', 'upper']
      .concat('xdigit', 'azz', 'z', '')
      .flatMap((set) => [`[[:${set}:]]`, `[![:${set}:]]`])
      .concat(
        '[!a]',
        '[ -~]',
        '[\x80-\xfe]',
        '[+--]',
        '[a-\xe0]',
        '[.-0]',
        '[a-c-e]',
        '[--0]',
        '[%--]',
        '[!-]',
        '[\\a-\\c]',
      );
    const bytes = Array.from({ length: 255 }, (_, index) => String.fromCharCode(index + 1));
    compare(brackets.flatMap((text) => bytes.flatMap((byte) => FLAGS.map((flags) => [text, byte, flags] as const))));
  });

  it('takes bounded time on hostile patterns', () => {
    const steps = 4_000;
    const stars = compilePattern(`${'*a'.repeat(30)}*b`, { pathname: false, leadingDir: true });
    expect(stars.test('a'.repeat(steps))).toBe(false);
    const sets = compilePattern(`/${'*[ab]'.repeat(30)}/c`, { pathname: true, leadingDir: true });
    expect(sets.test(`/${'a'.repeat(steps)}`)).toBe(false);
    expect(compilePattern('['.repeat(2_000)).test('['.repeat(2_000))).toBe(true);
  });

  it('starts at an offset', () => {
    expect(compilePattern('*.c').test('/a/b.c', 3)).toBe(true);
    expect(compilePattern('a.c').test('/a/b.c', 3)).toBe(false);
    expect(compilePattern('b.c').test('/a/b.c', 3)).toBe(true);
    expect(compilePattern('[/]*').test('/a/b.c', 3)).toBe(false);
  });

  it('knows its literal start and its slashes', () => {
    const pattern = compilePattern('/a\\*/b[/x]/c*', { pathname: true, leadingDir: true });
    expect(pattern.literal).toBeUndefined();
    expect(pattern.literalStart).toBe('/a*/b');
    expect(pattern.slashes.map((at) => pattern.text.slice(0, at))).toEqual(['', '/a\\*', '/a\\*/b[/x]']);
    expect(compilePattern('/a\\*').literal).toBe('/a*');
  });

  it('can be cut at a slash', () => {
    const pattern = compilePattern('/a/*/c/d', { pathname: true, leadingDir: true });
    const at = (directory: string): boolean => pattern.slashes.some((slash) => pattern.testCut(directory, slash));
    expect(['/a', '/a/x', '/a/x/c'].map(at)).toEqual([true, true, true]);
    expect(['/b', '/a/x/y', '/a/x/c/d', '/a/x/c/e'].map(at)).toEqual([false, false, false, false]);
  });
});
