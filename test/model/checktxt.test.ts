import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatCheckText, parseCheckText, withoutMtime } from '../../src/model/checktxt.js';
import type { CheckText } from '../../src/model/checktxt.js';
import { decodeUrl, encodeUrl } from '../../src/model/encoding.js';

const text = fc.uint8Array({ maxLength: 60 }).map((array) => String.fromCharCode(...array.map((byte) => byte || 1)));

describe('encoding', () => {
  it('comes back from its own decoding', () => {
    fc.assert(fc.property(text, (name) => decodeUrl(encodeUrl(name)) === name));
  });
  it('encodes exactly the bytes csync2 encodes', () => {
    for (let byte = 1; byte < 256; byte++) {
      const character = String.fromCharCode(byte);
      const expected = byte <= 0x20 || byte === 0x7f || `"'%$:|\\`.includes(character);
      expect(encodeUrl(character) !== character).toBe(expected);
    }
    expect(encodeUrl(' \x7f%')).toBe('%20%7F%25');
  });
});

describe('check texts', () => {
  // Seen in the database of csync2 2.0 (decoded).
  it.each([
    'v1:mode=16877:uid=0:gid=0:type=dir',
    'v1:mtime=1795352495:mode=33188:uid=0:gid=0:type=reg:size=2',
    'v1:mode=41471:uid=0:gid=0:type=lnk:target=',
    'v1:mode=41471:uid=0:gid=0:type=lnk:target=../a%20b%3A',
    'v1:mtime=0:type=reg:size=0',
    'v1:mtime=3:mode=8630:uid=0:gid=0:type=chr:dev=259',
    'v1:mtime=3:mode=4516:uid=0:gid=0:type=fifo',
    'v1:mtime=3:mode=49645:uid=0:gid=0:type=sock',
  ])('%s is read and written the same', (line) => {
    const entry = parseCheckText(line);
    expect(entry).toBeDefined();
    expect(formatCheckText(entry!)).toBe(line);
  });

  it.each(['', '---', 'v2:type=dir', 'v1:type=reg', 'v1:mode=x:type=dir', 'v1:type=dir:x', 'v1:uid=1:mode=2:type=dir'])(
    '%j is none',
    (line) => {
      expect(parseCheckText(line)).toBeUndefined();
    },
  );

  it('withoutMtime zeroes only the time', () => {
    expect(withoutMtime('v1:mtime=12:mode=33188:type=reg:size=2' as CheckText)).toBe(
      'v1:mtime=0:mode=33188:type=reg:size=2',
    );
    expect(withoutMtime('v1:mode=16877:type=dir' as CheckText)).toBe('v1:mode=16877:type=dir');
  });
});
