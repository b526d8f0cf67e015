import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FileName } from '../../../src/model/names.js';
import { writeBodyHeader, writeBodyRefusal } from '../../../src/engine/wire/body.js';
import { MAX_LINE } from '../../../src/engine/wire/limits.js';
import { writeRequest } from '../../../src/engine/wire/request.js';
import { RequestReader } from '../../../src/engine/wire/request-reader.js';

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
const FILE = { key: 'k', file: '/f' as FileName };

/** What a daemon that accepts the PATCHes named by `accept` (by their number) makes of the pieces. */
function readAll(pieces: readonly Buffer[], accept: (patch: number) => boolean): readonly string[] {
  const reader = new RequestReader();
  const seen: string[] = [];
  let patches = 0;
  let body = '';
  for (const piece of pieces) {
    reader.push(piece);
    for (let event = reader.next(); event !== undefined; event = reader.next()) {
      switch (event.kind) {
        case 'line':
          seen.push(event.parsed.kind === 'request' ? event.parsed.request.verb : event.parsed.kind);
          if (event.parsed.kind !== 'request' || event.parsed.request.verb !== 'PATCH') break;
          if (accept(patches)) reader.expectBody();
          patches += 1;
          break;
        case 'body':
          seen.push(`body ${event.length}`);
          body = '';
          break;
        case 'piece':
          expect(event.bytes.length).toBeGreaterThan(0);
          body += event.bytes.toString('latin1');
          break;
        case 'body-end':
          seen.push(`<${body}>`);
          break;
        case 'no-body':
          seen.push('no body');
      }
    }
  }
  expect(reader.idle).toBe(true);
  return seen;
}

const CONTENT = bytes('BYE\n\0\xff\noctet-stream 3\n');
const SESSION = Buffer.concat([
  writeRequest('CONFIG', {}),
  writeRequest('HELLO', { name: 'a' }),
  bytes('\nnonsense\n'),
  writeRequest('PATCH', FILE),
  writeBodyHeader(CONTENT.length),
  CONTENT,
  writeRequest('SETMOD', { ...FILE, mode: 33188 }),
  writeRequest('PATCH', FILE),
  writeRequest('PATCH', FILE),
  writeBodyRefusal(),
  writeRequest('PATCH', FILE),
  writeBodyHeader(undefined),
  writeRequest('PATCH', FILE),
  writeBodyHeader(0),
  writeRequest('BYE', {}),
]);
const SEEN = [
  ...['CONFIG', 'HELLO', 'blank', 'unknown'],
  ...['PATCH', `body ${CONTENT.length}`, `<${CONTENT.toString('latin1')}>`, 'SETMOD'],
  ...['PATCH', 'PATCH', 'no body', 'PATCH', 'no body', 'PATCH', 'body 0', '<>', 'BYE'],
];
/** The second PATCH is refused: no body follows it. */
const accept = (patch: number): boolean => patch !== 1;

describe('RequestReader', () => {
  test('a session with bodies, whole and byte by byte', () => {
    expect(readAll([SESSION], accept)).toEqual(SEEN);
    expect(
      readAll(
        Array.from(SESSION, (byte) => Buffer.from([byte])),
        accept,
      ),
    ).toEqual(SEEN);
  });

  test('cut at every byte', () => {
    for (let cut = 0; cut <= SESSION.length; cut += 1) {
      expect(readAll([SESSION.subarray(0, cut), SESSION.subarray(cut)], accept)).toEqual(SEEN);
    }
  });

  test('cut anywhere, in any number of pieces', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(SESSION.length), { maxLength: 30 }), (cuts) => {
        const at = [0, ...cuts.sort((a, b) => a - b), SESSION.length];
        const pieces = at.slice(1).map((end, index) => SESSION.subarray(at[index], end));
        expect(readAll(pieces, accept)).toEqual(SEEN);
      }),
    );
  });

  test.each([
    ['a line that is too long', 'x'.repeat(MAX_LINE + 1), false],
    ['a line that is too long and complete', `${'x'.repeat(MAX_LINE + 1)}\n`, false],
    ['a command in place of a body', 'BYE\n', true],
    ['a negative length', 'octet-stream -2\n', true],
    ['no length', 'octet-stream \n', true],
    ['a length in hex', 'octet-stream 0x10\n', true],
    ['a length beyond all numbers', `octet-stream ${'9'.repeat(20)}\n`, true],
  ])('refuses %s', (_, text, inBody) => {
    const reader = new RequestReader();
    if (inBody) reader.expectBody();
    reader.push(bytes(text));
    expect(() => reader.next()).toThrow(expect.objectContaining({ code: 'PEER_PROTOCOL' }) as Error);
  });

  test('a body beyond the limit is refused before any of it is taken', () => {
    const reader = new RequestReader(10);
    reader.expectBody();
    reader.push(bytes('octet-stream 11\nxxxxxxxxxxx'));
    expect(() => reader.next()).toThrow(expect.objectContaining({ code: 'PEER_PROTOCOL' }) as Error);
  });

  test('a line of the greatest length passes', () => {
    const reader = new RequestReader();
    reader.push(bytes(`${'x'.repeat(MAX_LINE)}\n`));
    expect(reader.next()).toMatchObject({ kind: 'line', parsed: { kind: 'unknown' } });
  });

  test('garbage never throws anything but PEER_PROTOCOL', () => {
    const word = fc.oneof(
      fc.constantFrom('SIG k /f\n', 'PATCH k /f\n', 'octet-stream ', '3\n', '\n', 'ERROR\n', '-1\n', '9'.repeat(30)),
      fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((byte) => String.fromCharCode(byte)), maxLength: 20 }),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 40 }), (words) => {
        const reader = new RequestReader(1000);
        try {
          for (const one of words) {
            reader.push(bytes(one));
            for (let event = reader.next(); event !== undefined; event = reader.next()) {
              const patch =
                event.kind === 'line' && event.parsed.kind === 'request' && event.parsed.request.verb === 'PATCH';
              if (patch) reader.expectBody();
            }
          }
        } catch (caught) {
          expect(caught).toMatchObject({ code: 'PEER_PROTOCOL' });
        }
      }),
      { numRuns: 2000 },
    );
  });
});
