import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  RESERVED_PREFIX,
  display,
  fromBuffer,
  fromText,
  isCanonical,
  isReserved,
  isWithin,
  parentName,
  toBuffer,
  toText,
} from '../../src/model/names.js';
import type { FileName } from '../../src/model/names.js';

const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => fromBuffer(array));

describe('byte strings', () => {
  it('survive the way to a Buffer and back, whatever the bytes', () => {
    fc.assert(fc.property(bytes, (name) => fromBuffer(toBuffer(name)) === name));
  });

  it('hold the UTF-8 bytes of text', () => {
    fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (text) => toText(fromText(text)) === text.toWellFormed()));
  });
});

describe('display', () => {
  it('never shows two names alike', () => {
    fc.assert(
      fc.property(bytes, bytes, (a, b) => a === b || display(a) !== display(b)),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['/etc/hosts', '/etc/hosts'],
    [fromText('/tmp/Käse'), '/tmp/Käse'],
    ['/tmp/a\nb\x1b[31m', '/tmp/a\\nb\\x1b[31m'],
    ['/tmp/\xff\xe4', '/tmp/\\xff\\xe4'],
    [fromText('/tmp/\u202egpj.exe'), '/tmp/\\u{202e}gpj.exe'],
  ])('%j is shown as %j', (name, shown) => {
    expect(display(name)).toBe(shown);
  });
});

describe('isCanonical', () => {
  it.each(['/', '/etc', '/etc/hosts', '%d%', '%d%/x', '/a/..b', '/a/...', `/${'x'.repeat(255)}`])(
    'accepts %j',
    (name) => {
      expect(isCanonical(name)).toBe(true);
    },
  );
  it.each([
    '',
    'etc',
    '/etc/',
    '//',
    '/a//b',
    '/a/./b',
    '/a/../b',
    '%d%/../../etc/hostname',
    '%d%/',
    '%%',
    '%d',
    '%a/b%/x',
    '/a\0b',
    `/${'x'.repeat(256)}`,
  ])('refuses %j', (name) => {
    expect(isCanonical(name)).toBe(false);
  });
});

describe('parentName and isWithin', () => {
  it.each([
    ['/', undefined],
    ['/etc', '/'],
    ['/etc/hosts', '/etc'],
    ['%d%', undefined],
    ['%d%/x', '%d%'],
  ])('the parent of %j is %j', (name, parent) => {
    expect(parentName(name as FileName)).toBe(parent);
  });
  it.each([
    ['/etc/hosts', '/etc', true],
    ['/etc2', '/etc', false],
    ['/etc', '/etc', true],
    ['/etc', '/', true],
    ['%d%/x', '/', false],
  ])('%j within %j: %j', (name, ancestor, expected) => {
    expect(isWithin(name, ancestor)).toBe(expected);
  });
});

describe('reserved names', () => {
  it.each([
    [`${RESERVED_PREFIX}1-2-3`, true],
    [`/etc/${RESERVED_PREFIX}1-2-3`, true],
    [`%d%/${RESERVED_PREFIX}x/below`, true],
    ['/etc/.csx-stage', false],
    [`/etc/x${RESERVED_PREFIX}`, false],
  ])('%j: %j', (name, expected) => {
    expect(isReserved(name)).toBe(expected);
  });
});
