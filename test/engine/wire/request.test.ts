import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CsxError } from '../../../src/model/errors.js';
import { isCanonical } from '../../../src/model/names.js';
import type { FileName } from '../../../src/model/names.js';
import { MAX_ARGUMENTS, MAX_LINE } from '../../../src/engine/wire/limits.js';
import { parseRequest, writeRequest } from '../../../src/engine/wire/request.js';
import { VERB_NAMES, verbRow } from '../../../src/engine/wire/verbs.js';
import type { Arguments, Verb } from '../../../src/engine/wire/verbs.js';

const name = (text: string): FileName => text as FileName;

describe('writeRequest', () => {
  test.each([
    ['SSL', {}, 'SSL\n'],
    ['CONFIG', { name: '' }, 'CONFIG \n'],
    ['CONFIG', {}, 'CONFIG \n'],
    ['CONFIG', { name: 'dmz' }, 'CONFIG dmz\n'],
    ['GROUP', { groups: 'a,b' }, 'GROUP a,b\n'],
    ['HELLO', { name: 'host-a' }, 'HELLO host-a\n'],
    ['SIG', { key: 'k', file: name('%d%/a b') }, 'SIG k %25d%25/a%20b\n'],
    ['SIG', { key: 'k', file: name('/\xff\xc3\xa4:|\\') }, 'SIG k /\xff\xc3\xa4%3A%7C%5C\n'],
    ['MKCHR', { key: 'k', file: name('/n') }, 'MKCHR k /n\n'],
    ['MKCHR', { key: 'k', file: name('/n'), device: 259 }, 'MKCHR k /n 259\n'],
    ['MKLINK', { key: 'k', file: name('/l'), target: '../t o' }, 'MKLINK k /l ../t%20o\n'],
    ['SETOWN', { key: 'k', file: name('/f'), uid: 0, gid: 100 }, 'SETOWN k /f 0 100\n'],
    ['SETIME', { key: 'k', file: name('/f'), mtime: -5 }, 'SETIME k /f -5\n'],
    ['LIST', { peer: 'b', file: '-', keys: ['k1', 'k2'] }, 'LIST b - k1 k2\n'],
    ['BYE', {}, 'BYE\n'],
  ] as const)('%s %o', (verb, args, line) => {
    expect(writeRequest(verb as Verb, args as never).toString('latin1')).toBe(line);
  });

  test('a line longer than a csync2 daemon reads is not sent', () => {
    const file = name(`/${' '.repeat(250)}`.repeat(16));
    expect(isCanonical(file)).toBe(true);
    expect(writeRequest('SIG', { key: 'k', file }).length).toBeLessThanOrEqual(MAX_LINE + 1);
    const target = ' '.repeat(4000);
    expect(() => writeRequest('MKLINK', { key: 'k', file, target })).toThrow(CsxError);
  });

  test.each([
    ['a zero byte', () => writeRequest('HELLO', { name: 'a\0b' })],
    ['an empty word', () => writeRequest('HELLO', { name: '' })],
    ['a fraction', () => writeRequest('SETMOD', { key: 'k', file: name('/f'), mode: 0.5 })],
    ['too many words', () => writeRequest('LIST', { peer: 'p', file: '-', keys: Array<string>(30).fill('k') })],
    ['a missing value', () => writeRequest('SIG', { key: 'k' } as unknown as Arguments<'SIG'>)],
  ])('refuses %s', (_, write) => {
    expect(write).toThrow(CsxError);
  });
});

describe('parseRequest', () => {
  test('verbs in any case, spaces and tabs in any number, a carriage return', () => {
    const expected = { kind: 'request', request: { verb: 'SIG', args: { key: 'k', file: '%d%/x' } } };
    for (const line of ['SIG k %25d%25/x', 'sig k %25d%25/x', ' Sig\t k \t%25d%25/x ', 'SIG k %25d%25/x\r']) {
      expect(parseRequest(line)).toEqual(expected);
    }
  });

  test('blank lines ask for nothing', () => {
    for (const line of ['', ' ', '\t\r']) expect(parseRequest(line)).toEqual({ kind: 'blank' });
  });

  test('surplus arguments are ignored, as csync2 does', () => {
    expect(parseRequest('BYE now')).toEqual({ kind: 'request', request: { verb: 'BYE', args: {} } });
  });

  test.each(['FOO', 'constructor', '__proto__', 'toString x', 'SIGN k /f', '\xff'])('%j is unknown', (line) => {
    expect(parseRequest(line).kind).toBe('unknown');
  });

  test.each([
    'SIG',
    'SIG k',
    'SIG k relative',
    'SIG k /a/../b',
    'SIG k /a//b',
    'SIG k /a/',
    'SIG k %25d%25/../../etc/hostname',
    'SIG k %2F%2e%2E/b',
    'SIG k /a%00b',
    'SIG k /a\0b',
    `SIG k /${'x'.repeat(256)}`,
    `DEL k ${'/xxxxxxx'.repeat(600)}`,
    'SETMOD k /f',
    'SETMOD k /f rw',
    'SETMOD k /f 1e3',
    'SETMOD k /f 12345678901234567890',
    'SETOWN k /f 0',
    'HELLO',
    `LIST p - ${'k '.repeat(30)}`,
  ])('%j is malformed', (line) => {
    expect(parseRequest(line).kind).toBe('malformed');
  });
});

/** Arguments of one verb as the table describes them. */
function argumentsOf(verb: Verb): fc.Arbitrary<Record<string, unknown>> {
  const word = fc.string({
    unit: fc.integer({ min: 1, max: 255 }).map((byte) => String.fromCharCode(byte)),
    minLength: 1,
    maxLength: 40,
  });
  const part = fc
    .string({
      unit: fc.integer({ min: 1, max: 255 }).map((byte) => String.fromCharCode(byte)),
      minLength: 1,
      maxLength: 12,
    })
    .filter((text) => !text.includes('/') && text !== '.' && text !== '..');
  const file = fc
    .tuple(fc.constantFrom('', '%d%', '%some prefix%'), fc.array(part, { minLength: 1, maxLength: 4 }))
    .map(([head, parts]) => [head, ...parts].join('/'));
  const fields = verbRow(verb).arguments.map((argument) => {
    const one = argument.type === 'decimal' ? fc.integer() : argument.type === 'file' ? file : word;
    const value = argument.rest === true ? fc.array(word, { minLength: 1, maxLength: MAX_ARGUMENTS - 2 }) : one;
    return [argument.name, value] as const;
  });
  return fc.record(Object.fromEntries(fields));
}

describe('round trip', () => {
  test.each(VERB_NAMES)('%s comes back as it was sent', (verb) => {
    fc.assert(
      fc.property(argumentsOf(verb), (args) => {
        const line = writeRequest(verb, args as never).toString('latin1');
        expect(line.endsWith('\n')).toBe(true);
        expect(parseRequest(line.slice(0, -1))).toEqual({ kind: 'request', request: { verb, args } });
      }),
      { numRuns: 200 },
    );
  });

  test('no line whatever makes the parser throw', () => {
    const line = fc.string({
      unit: fc.integer({ min: 0, max: 255 }).map((byte) => String.fromCharCode(byte)),
      maxLength: 300,
    });
    const started = fc.tuple(fc.constantFrom(...VERB_NAMES), line).map(([verb, rest]) => `${verb} ${rest}`);
    fc.assert(
      fc.property(fc.oneof(line, started), (text) => {
        expect(['request', 'blank', 'unknown', 'malformed']).toContain(parseRequest(text).kind);
      }),
      { numRuns: 2000 },
    );
  });
});
