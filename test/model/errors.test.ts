import fs from 'node:fs';
import { describe, expect, it } from 'vitest';
import { errnoOf } from '../../src/model/errors.js';

describe('errnoOf', () => {
  it('names what the system said', () => {
    try {
      fs.readFileSync('/nothing/is/here');
      expect.unreachable();
    } catch (error) {
      expect(errnoOf(error)).toBe('ENOENT');
    }
  });

  it.each([
    ['UNKNOWN', -122, 'EDQUOT'],
    ['Unknown system error -122', -122, 'EDQUOT'],
    ['UNKNOWN', -117, 'EUCLEAN'],
    ['UNKNOWN', -121, 'UNKNOWN'],
    ['ENOSPC', -28, 'ENOSPC'],
    ['SQLITE_FULL', undefined, 'SQLITE_FULL'],
  ])('names what Node has no name for: %s, %d', (code, errno, name) => {
    expect(errnoOf(Object.assign(new Error('write'), { code, errno }))).toBe(name);
  });

  it('tells of nothing else', () => {
    expect(errnoOf(new Error('no code'))).toBeUndefined();
    expect(errnoOf('ENOENT')).toBeUndefined();
  });
});
