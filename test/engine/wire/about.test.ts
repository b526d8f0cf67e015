/** What a csx daemon says about itself: both ways, and whatever a hostile one says. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAbout, writeAbout } from '../../../src/engine/wire/about.js';

describe('about', () => {
  it('is read as it was written', () => {
    const versions = fc.stringMatching(/^[!-~]{1,64}$/);
    fc.assert(
      fc.property(versions, fc.integer({ min: 0, max: 999_999_999_999_999 }), (version, at) => {
        expect(parseAbout(writeAbout({ version, at }))).toEqual({ version, at });
      }),
    );
  });

  it.each([
    'OK (cmd_finished).',
    'OK (csx 1.0).',
    'OK (csx 1.0 -1).',
    'OK (csx 1.0 1e9).',
    'OK (csx 1.0 1234567890123456).',
    'OK (csx 1 0 5).',
    `OK (csx ${'x'.repeat(65)} 5).`,
    'OK (csx \x1b[2J 5).',
    'OK (csx 1.0 5). ',
    'Unknown command!',
  ])('is not "%s"', (text) => {
    expect(parseAbout(text)).toBeUndefined();
  });
});
