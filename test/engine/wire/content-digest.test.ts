/** However a body is cut, its delta and its digest come out as they were put in. */

import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ContentDigestReader, DIGEST_BYTES, writeContentDigest } from '../../../src/engine/wire/content-digest.js';
import type { Digest } from '../../../src/model/entry.js';

it('takes delta and digest apart, wherever the pieces end', () => {
  const cuts = fc.array(fc.nat(100), { maxLength: 10 });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), cuts, (delta, ends) => {
      const digest = createHash('sha256').update(delta).digest('hex') as Digest;
      const body = Buffer.concat([delta, writeContentDigest(digest)]);
      expect(body.length).toBe(delta.length + DIGEST_BYTES);
      const reader = new ContentDigestReader(body.length);
      const edges = [0, ...ends.toSorted((a, b) => a - b), body.length];
      const pieces = edges.slice(1).map((end, index) => body.subarray(edges[index], end));
      expect(Buffer.concat(pieces.map((piece) => reader.take(piece))).equals(delta)).toBe(true);
      expect(reader.digest).toBe(digest);
    }),
  );
});
