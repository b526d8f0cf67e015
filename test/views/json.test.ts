import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CsxError } from '../../src/model/errors.js';
import { errorDocument, jsonDocument } from '../../src/views/json/document.js';
import { jsonLines } from '../../src/views/json/lines.js';
import { outputTo, print } from '../../src/views/terminal.js';
import { textOf } from '../support/golden.js';

describe('a JSON document', () => {
  it('is what JSON.stringify writes with two spaces, and a line feed', () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: true }), (value) => {
        const text = textOf(jsonDocument(value));
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(text.replace(/\\u00[0-9a-f]{2}|\\u20/g, '')).toBe(
          `${JSON.stringify(value, undefined, 2)
            .replace(/[\x7f-\x9f]/g, '')
            .replace(/\\u00[0-9a-f]{2}|\\u20/g, '')}\n`,
        );
      }),
    );
  });

  it('leaves out undefined members and keeps empty arrays', () => {
    expect(textOf(jsonDocument({ a: undefined, b: [], c: {}, d: [undefined, { e: undefined }], f: null }))).toBe(
      '{\n  "b": [],\n  "c": {},\n  "d": [\n    null,\n    {}\n  ],\n  "f": null\n}\n',
    );
    expect(textOf(jsonDocument({}))).toBe('{}\n');
    expect(textOf(jsonDocument(undefined))).toBe('null\n');
    expect(textOf(jsonDocument(new Date(0)))).toBe('"1970-01-01T00:00:00.000Z"\n');
  });

  it('escapes what a terminal or a log would act on', () => {
    const nasty = '\x1b[31m\x7f\x85\x9b\u2028\u202e\u200d\u{e0001}ä写';
    const text = textOf(jsonDocument({ [nasty]: nasty }));
    expect(text).not.toMatch(/[^\n\P{Cc}]|\p{Cf}|\u2028/u);
    expect(text).toContain('ä写');
    expect(JSON.parse(text)).toEqual({ [nasty]: nasty });
  });

  it('of a hundred thousand changes comes in small pieces', () => {
    const changes = Array.from({ length: 100_000 }, (_, index) => ({
      address: `web2:/etc/${String(index)}`,
      bytes: index,
    }));
    let longest = 0;
    let pieces = 0;
    for (const piece of jsonDocument({ changes })) {
      longest = Math.max(longest, piece.length);
      pieces += 1;
    }
    expect(longest).toBeLessThan(200);
    expect(pieces).toBeGreaterThan(100_000);
  });

  it('tells an error with every member, secrets and stacks left out', () => {
    const error = new CsxError('PEER_UNREACHABLE', 'Connecting to web2 failed.', {
      hint: 'Start it.',
      data: { peer: 'web2', port: 30865 },
      cause: new Error('secret'),
    });
    expect(JSON.parse(textOf(errorDocument(error)))).toEqual({
      error: {
        code: 'PEER_UNREACHABLE',
        message: 'Connecting to web2 failed.',
        hint: 'Start it.',
        range: null,
        data: { peer: 'web2', port: 30865 },
      },
    });
    expect(JSON.parse(textOf(errorDocument(new Error('boom'))))).toEqual({
      error: { code: 'INTERNAL', message: 'boom', hint: null, range: null, data: {} },
    });
  });
});

describe('JSON Lines', () => {
  it('come in order, one object each, whatever the speed of the reader', async () => {
    const stream = new PassThrough({ highWaterMark: 64 });
    const lines = jsonLines(outputTo(stream, 0));
    for (let index = 0; index < 5_000; index += 1) lines.write({ type: 'log', index, text: 'a\nb\x9b' });
    let text = '';
    stream.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
    await lines.flush();
    await sleep(0);
    const all = text.trimEnd().split('\n');
    expect(all).toHaveLength(5_000);
    expect(all.map((line) => (JSON.parse(line) as { index: number }).index)).toEqual(all.map((_, index) => index));
    expect(text).toContain('"a\\nb\\u009b"}\n');
  });
});

describe('print', () => {
  it('waits for a slow reader instead of piling up', async () => {
    const stream = new PassThrough({ highWaterMark: 1_000 });
    let made = 0;
    function* pieces() {
      for (; made < 1_000_000; made += 1) yield 'twenty bytes of text';
    }
    const printing = print(outputTo(stream, 0), pieces());
    await sleep(50);
    expect(made).toBeLessThan(10_000);
    stream.destroy();
    await printing;
    expect(made).toBe(1_000_000);
  });

  it('takes pieces that come by and by', async () => {
    const written: string[] = [];
    async function* pieces() {
      yield 'a';
      await sleep(1);
      yield 'b';
    }
    await print({ write: (text) => void written.push(text), columns: undefined, isTTY: false, color: 0 }, pieces());
    expect(written.join('')).toBe('ab');
  });
});
