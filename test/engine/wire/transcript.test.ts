/** What csync2 says is understood, however it is cut, and written the same by csx's own daemon side. */

import { describe, expect, test } from 'vitest';
import { RequestReader } from '../../../src/engine/wire/request-reader.js';
import { ResponseReader } from '../../../src/engine/wire/response.js';
import type { Answer } from '../../../src/engine/wire/response.js';
import * as write from '../../../src/engine/wire/response-writer.js';
import type { OK } from '../../../src/engine/wire/answers.js';
import { verbRow } from '../../../src/engine/wire/verbs.js';
import type { AnswerShape } from '../../../src/engine/wire/verbs.js';
import { readTranscripts } from './transcript.js';
import type { Step } from './transcript.js';

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');

/** Reads both sides of a conversation, the daemon's in pieces of `size` bytes, and writes the daemon's side again. */
function replay(steps: readonly Step[], size: number): { answers: number; rewritten: string } {
  const requests = new RequestReader();
  const responses = new ResponseReader();
  const queue: AnswerShape[] = [];
  let rewritten = '';
  let answers = 0;
  const onAnswer = (answer: Answer): void => {
    answers += 1;
    rewritten += rewrite(answer);
    queue.shift();
    if (answer.kind !== 'send-data') return;
    requests.expectBody();
    queue.unshift('line');
    responses.expect('line');
  };
  for (const step of steps) {
    requests.push(bytes(step.sent));
    for (let event = requests.next(); event !== undefined; event = requests.next()) {
      if (event.kind !== 'line' || event.parsed.kind === 'blank') continue;
      const shape = event.parsed.kind === 'request' ? verbRow(event.parsed.request.verb).answer : 'line';
      queue.push(shape);
      responses.expect(shape);
    }
    for (let at = 0; at < step.answered.length; at += size) {
      responses.push(bytes(step.answered.slice(at, at + size)));
      for (let event = responses.next(); event !== undefined; event = responses.next()) {
        if (event.kind === 'answer') onAnswer(event.answer);
        if (event.kind === 'row') rewritten += write.writeRows([event.row]).toString('latin1');
        if (event.kind === 'content') rewritten += event.bytes.toString('latin1');
      }
    }
    expect(responses.buffered).toBe(0);
  }
  return { answers, rewritten };
}

function rewrite(answer: Answer): string {
  switch (answer.kind) {
    case 'ok':
      return write.writeOkResponse(answer.text as (typeof OK)[keyof typeof OK]).toString('latin1');
    case 'error':
      return write.writeErrorResponse(answer.text).toString('latin1');
    case 'present':
      return write.writePresentResponse(answer.checktxt, answer.signature).toString('latin1');
    case 'path-not-found':
    case 'not-found':
      return write.writeAbsentResponse(answer.kind).toString('latin1');
    case 'send-data':
      return write.writeSendDataResponse(answer.signature).toString('latin1');
    case 'decimal':
      return write.writeDecimalResponse(answer.value).toString('latin1');
    case 'counted':
      return write.writeCountedResponse(answer.bytes).toString('latin1');
  }
}

describe.each(readTranscripts())('$name', ({ name, steps }) => {
  const said = steps.map((step) => step.answered).join('');

  test.each([1, 2, 3, 7, 64, 100_000])('in pieces of %i bytes', (size) => {
    const { answers, rewritten } = replay(steps, size);
    expect(answers).toBeGreaterThan(0);
    // TYPE ends with the connection: its head is not an answer of its own before that.
    expect(name === 'content' ? rewritten.replace('version', 'OK (data_follows).\nversion') : rewritten).toBe(said);
  });
});
