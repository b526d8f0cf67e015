import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CheckText } from '../../../src/model/checktxt.js';
import { encodeUrl, storedName } from '../../../src/model/encoding.js';
import { CsxError } from '../../../src/model/errors.js';
import type { FileName, StoredName } from '../../../src/model/names.js';
import { classifyRefusal, identifyFirst, OK, REFUSED } from '../../../src/engine/wire/answers.js';
import { MAX_LINE, MAX_ROW, MAX_SIGNATURE } from '../../../src/engine/wire/limits.js';
import { ResponseReader } from '../../../src/engine/wire/response.js';
import type { Answer, ResponseEvent } from '../../../src/engine/wire/response.js';
import {
  writeAbsentResponse,
  writeContentResponse,
  writeDecimalResponse,
  writeErrorResponse,
  writeOkResponse,
  writePresentResponse,
  writeRows,
  writeSendDataResponse,
} from '../../../src/engine/wire/response-writer.js';
import { errnoOfText, strerror } from '../../../src/engine/wire/strerror.js';
import type { AnswerShape } from '../../../src/engine/wire/verbs.js';

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');

/** Reads all events of a conversation that comes in the given pieces; pieces of content are joined. */
function readAll(shapes: readonly AnswerShape[], pieces: readonly Buffer[]): readonly ResponseEvent[] {
  const reader = new ResponseReader();
  for (const shape of shapes) reader.expect(shape);
  const events: ResponseEvent[] = [];
  const drain = (): void => {
    for (let event = reader.next(); event !== undefined; event = reader.next()) {
      const last = events.at(-1);
      if (event.kind === 'content' && last?.kind === 'content') {
        events[events.length - 1] = { kind: 'content', bytes: Buffer.concat([last.bytes, event.bytes]) };
      } else events.push(event);
    }
  };
  for (const piece of pieces) {
    reader.push(piece);
    drain();
  }
  reader.end();
  drain();
  expect(reader.outstanding).toBe(0);
  expect(reader.buffered).toBe(0);
  return events;
}

const answer = (value: Answer): ResponseEvent => ({ kind: 'answer', answer: value });
const ok = (text: string = OK.finished): ResponseEvent => answer({ kind: 'ok', text });
const error = (text: string): ResponseEvent => answer({ kind: 'error', text, refusal: classifyRefusal(text) });
const CHECKTXT = 'v1:mtime=0:mode=33188:uid=0:gid=0:type=reg:size=10' as CheckText;
const SIGNATURE = bytes('rs\x016\x00\x00\x08\x00\x00\x00\x00\x10\n\nOK (cmd_finished).\n\xff');

interface Case {
  readonly name: string;
  readonly shapes: readonly AnswerShape[];
  readonly wire: Buffer;
  readonly events: readonly ResponseEvent[];
}

const CASES: readonly Case[] = [
  { name: 'success', shapes: ['line'], wire: writeOkResponse(), events: [ok()] },
  { name: 'an unknown success', shapes: ['line'], wire: bytes('OK (whatever).\n'), events: [ok('OK (whatever).')] },
  {
    name: 'a refusal of every form',
    shapes: ['line', 'signature', 'send-data', 'decimal', 'content', 'rows'],
    wire: Buffer.concat(Array.from({ length: 6 }, () => writeErrorResponse(REFUSED.denied))),
    events: Array.from({ length: 6 }, () => error('Permission denied!')),
  },
  {
    name: 'SIG of a file',
    shapes: ['signature'],
    wire: writePresentResponse(CHECKTXT, SIGNATURE),
    events: [answer({ kind: 'present', checktxt: CHECKTXT, signature: SIGNATURE })],
  },
  {
    name: 'SIG of what has no signature',
    shapes: ['signature'],
    wire: writePresentResponse('v1:type=dir' as CheckText, Buffer.alloc(0)),
    events: [answer({ kind: 'present', checktxt: 'v1:type=dir' as CheckText, signature: Buffer.alloc(0) })],
  },
  {
    name: 'SIG of a file that cannot be read',
    shapes: ['signature'],
    wire: writePresentResponse(CHECKTXT, undefined),
    events: [answer({ kind: 'present', checktxt: CHECKTXT, signature: undefined })],
  },
  {
    name: 'SIG of nothing',
    shapes: ['signature', 'signature'],
    wire: Buffer.concat([writeAbsentResponse('path-not-found'), writeAbsentResponse('not-found')]),
    events: [answer({ kind: 'path-not-found' }), answer({ kind: 'not-found' })],
  },
  {
    name: 'SIG that fails at its end',
    shapes: ['signature'],
    wire: bytes(`OK (data_follows).\n${CHECKTXT}\noctet-stream 0\nInput/output error\n`),
    events: [error('Input/output error')],
  },
  {
    name: 'PATCH accepted, with and without a readable old file',
    shapes: ['send-data', 'line', 'send-data', 'line'],
    wire: Buffer.concat([
      writeSendDataResponse(SIGNATURE),
      writeOkResponse(),
      writeSendDataResponse(undefined),
      writeErrorResponse('Input/output error'),
    ]),
    events: [
      answer({ kind: 'send-data', signature: SIGNATURE }),
      ok(),
      answer({ kind: 'send-data', signature: undefined }),
      error('Input/output error'),
    ],
  },
  {
    name: 'numbers',
    shapes: ['decimal', 'decimal', 'decimal', 'line'],
    wire: Buffer.concat([
      writeDecimalResponse(0),
      writeDecimalResponse(undefined),
      writeDecimalResponse(Number.MAX_SAFE_INTEGER),
      writeOkResponse(OK.bye),
    ]),
    events: [
      answer({ kind: 'decimal', value: 0 }),
      answer({ kind: 'decimal', value: undefined }),
      answer({ kind: 'decimal', value: Number.MAX_SAFE_INTEGER }),
      ok(OK.bye),
    ],
  },
  {
    name: 'LIST',
    shapes: ['rows', 'rows', 'line'],
    wire: Buffer.concat([
      writeRows([
        { checktxt: CHECKTXT, stored: storedName('%d%/a b\xff' as FileName) },
        { checktxt: 'v1:type=dir' as CheckText, stored: '/etc' as StoredName },
      ]),
      writeOkResponse(),
      writeOkResponse(),
      writeOkResponse(OK.bye),
    ]),
    events: [
      { kind: 'row', row: { stored: '%25d%25/a%20b\xff' as StoredName, checktxt: CHECKTXT } },
      { kind: 'row', row: { stored: '/etc' as StoredName, checktxt: 'v1:type=dir' as CheckText } },
      ok(),
      ok(),
      ok(OK.bye),
    ],
  },
  {
    name: 'TYPE',
    shapes: ['content'],
    wire: Buffer.concat([writeContentResponse(), bytes('OK (cmd_finished).\nno newline at the end')]),
    events: [{ kind: 'content', bytes: bytes('OK (cmd_finished).\nno newline at the end') }, ok(OK.dataFollows)],
  },
  {
    name: 'TYPE of an empty file',
    shapes: ['line', 'content'],
    wire: Buffer.concat([writeOkResponse(), writeContentResponse()]),
    events: [ok(), ok(OK.dataFollows)],
  },
];

describe('ResponseReader', () => {
  test.each(CASES)('$name, whole', ({ shapes, wire, events }) => {
    expect(readAll(shapes, [wire])).toEqual(events);
  });

  test.each(CASES)('$name, cut at every byte', ({ shapes, wire, events }) => {
    for (let cut = 0; cut <= wire.length; cut += 1) {
      expect(readAll(shapes, [wire.subarray(0, cut), wire.subarray(cut)])).toEqual(events);
    }
  });

  test.each(CASES)('$name, byte by byte', ({ shapes, wire, events }) => {
    expect(
      readAll(
        shapes,
        Array.from(wire, (byte) => Buffer.from([byte])),
      ),
    ).toEqual(events);
  });

  test('any mixture of answers comes out in order, however it is cut', () => {
    const some = fc.array(fc.constantFrom(...CASES.filter((one) => !one.shapes.includes('content'))), { maxLength: 8 });
    fc.assert(
      fc.property(some, fc.array(fc.nat(400), { maxLength: 20 }), (cases, sizes) => {
        const wire = Buffer.concat(cases.map((one) => one.wire));
        const pieces: Buffer[] = [];
        let at = 0;
        for (const size of sizes) {
          pieces.push(wire.subarray(at, at + size));
          at += size;
        }
        pieces.push(wire.subarray(at));
        const shapes = cases.flatMap((one) => one.shapes);
        expect(readAll(shapes, pieces)).toEqual(cases.flatMap((one) => one.events));
      }),
    );
  });

  test.each<[string, AnswerShape, string]>([
    ['an answer that is too long', 'line', 'x'.repeat(MAX_LINE + 1)],
    ['a row that is too long', 'rows', `v${'x'.repeat(MAX_ROW)}`],
    ['a row without a tab', 'rows', 'v1:type=dir\n'],
    ['a signature without a header', 'signature', `OK (data_follows).\n${CHECKTXT}\nOK (cmd_finished).\n`],
    ['a negative length', 'signature', `OK (data_follows).\n${CHECKTXT}\noctet-stream -2\n`],
    ['a huge length', 'signature', `OK (data_follows).\n${CHECKTXT}\noctet-stream ${MAX_SIGNATURE + 1}\n`],
    ['a length of many digits', 'send-data', `OK (send_data).\noctet-stream ${'9'.repeat(300)}\n`],
    ['PATCH answered with another OK', 'send-data', 'OK (cmd_finished).\n'],
    ['a number that is none', 'decimal', 'OK (data_follows).\n12x\n'],
    ['a number of many digits', 'decimal', `OK (data_follows).\n${'1'.repeat(40)}\n`],
    ['more than was asked for', 'line', 'OK (cmd_finished).\nOK'],
  ])('refuses %s', (_, shape, wire) => {
    let thrown: unknown;
    try {
      readAll([shape], [bytes(wire)]);
    } catch (caught) {
      thrown = caught;
    }
    expect(thrown).toBeInstanceOf(CsxError);
    expect(thrown).toMatchObject({ code: 'PEER_PROTOCOL' });
  });

  test('garbage never throws anything but PEER_PROTOCOL, and nothing grows', () => {
    const shape = fc.constantFrom<AnswerShape>('line', 'signature', 'send-data', 'decimal', 'content', 'rows');
    const word = fc.oneof(
      fc.constantFrom(
        'OK (',
        'octet-stream ',
        '-1',
        '5',
        '\n',
        'v1:',
        '\t',
        'OK (data_follows).\n',
        'OK (send_data).\n',
      ),
      fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((byte) => String.fromCharCode(byte)), maxLength: 20 }),
    );
    fc.assert(
      fc.property(fc.array(shape, { maxLength: 5 }), fc.array(word, { maxLength: 30 }), (shapes, words) => {
        const reader = new ResponseReader();
        for (const one of shapes) reader.expect(one);
        try {
          for (const one of words) {
            reader.push(bytes(one));
            while (reader.next() !== undefined);
            expect(reader.buffered).toBeLessThanOrEqual(words.join('').length);
          }
        } catch (caught) {
          expect(caught).toMatchObject({ code: 'PEER_PROTOCOL' });
        }
      }),
      { numRuns: 2000 },
    );
  });

  test('a hundred thousand rows in small pieces', () => {
    const row = `${encodeUrl(CHECKTXT)}\t%25d%25/some/file\n`;
    const wire = bytes(row.repeat(100_000) + 'OK (cmd_finished).\n');
    const reader = new ResponseReader();
    reader.expect('rows');
    let rows = 0;
    let done: Answer | undefined;
    for (let at = 0; at < wire.length; at += 1000) {
      reader.push(wire.subarray(at, at + 1000));
      for (let event = reader.next(); event !== undefined; event = reader.next()) {
        if (event.kind === 'row') rows += 1;
        if (event.kind === 'answer') done = event.answer;
      }
    }
    expect(rows).toBe(100_000);
    expect(done).toEqual({ kind: 'ok', text: OK.finished });
  });
});

describe('texts', () => {
  test.each([
    [REFUSED.markedDirty, 'marked-dirty'],
    [REFUSED.parentMissing, 'parent-missing'],
    [REFUSED.denied, 'denied'],
    [REFUSED.deniedSlave, 'denied-slave'],
    [REFUSED.identification, 'identification-failed'],
    [REFUSED.sslExpected, 'ssl-expected'],
    [REFUSED.groupListSet, 'group-list-set'],
    [REFUSED.unknownCommand, 'unknown-command'],
    ['Unkown command!', 'unknown-command'],
    [REFUSED.expectedConfig, 'expected-config'],
    [identifyFirst('10.0.0.1'), 'not-identified'],
  ])('%s', (text, kind) => {
    expect(classifyRefusal(text)).toEqual({ kind, errno: undefined });
  });

  test('system errors by their name', () => {
    expect(classifyRefusal('No space left on device')).toEqual({ kind: 'system', errno: 'ENOSPC' });
    expect(classifyRefusal('Etwas anderes')).toEqual({ kind: 'system', errno: undefined });
    // Not to be confused: the kernel's refusal and the protocol's.
    expect(classifyRefusal('Permission denied')).toEqual({ kind: 'system', errno: 'EACCES' });
    for (const errno of ['ENOENT', 'ENOTEMPTY', 'EACCES', 'EDQUOT']) expect(errnoOfText(strerror(errno))).toBe(errno);
    expect(strerror('ENOTHING')).toBe('Input/output error');
  });

  test('an error response is always one line and never looks like success', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.constantFrom('OK (x).', '\nOK (x).', 'a\nOK (x).')), (text) => {
        const line = writeErrorResponse(text).toString('latin1');
        expect(line.indexOf('\n')).toBe(line.length - 1);
        expect(line.startsWith('OK (')).toBe(false);
      }),
    );
  });
});
