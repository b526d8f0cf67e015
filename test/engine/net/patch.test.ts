import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { CsxError } from '../../../src/model/errors.js';
import type { Body } from '../../../src/engine/net/connection.js';
import { connected, OK, target } from './scripted-peer.js';

const ACCEPTED = 'OK (send_data).\noctet-stream 4\nsig!';
const PLAIN_OK = { kind: 'ok', text: 'OK (cmd_finished).' };
const body = (text: string): Body => ({ length: text.length, chunks: [Buffer.from(text)] });
const mode = (name: string) => ({ verb: 'SETMOD', args: { ...target(name), mode: 33188 } }) as const;
const mtime = (name: string) => ({ verb: 'SETIME', args: { ...target(name), mtime: 1 } }) as const;

describe('PATCH accepted', () => {
  test('nothing is sent before the answer; then body, followers and all that waits leave together', async () => {
    const { connection, peer } = await connected();
    const signatures: (Buffer | undefined)[] = [];
    const first = connection.patch(
      target('a'),
      (signature) => {
        signatures.push(signature);
        return body('delta of a');
      },
      [mode('a'), mtime('a')],
    );
    const later = connection.request('SIG', target('c'));
    const second = connection.patch(target('b'), () => body('b'), [mode('b')]);
    expect(await peer.line()).toBe('PATCH secret-key /a');
    await turn();
    await turn();
    expect(peer.pending).toBe('');
    const trips = connection.counters.roundTrips;
    peer.send(ACCEPTED);
    expect(await peer.line()).toBe('octet-stream 10');
    const rest =
      'delta of aSETMOD secret-key /a 33188\nSETIME secret-key /a 1\nSIG secret-key /c\nPATCH secret-key /b\n';
    expect(await peer.bytes(rest.length)).toBe(rest);
    expect(connection.counters.roundTrips).toBe(trips + 1);
    peer.send(`${OK}${OK}${OK}Parent dir missing.\n${ACCEPTED}`);
    expect(await first).toEqual({ answer: PLAIN_OK, followers: [PLAIN_OK, PLAIN_OK] });
    expect((await later).kind).toBe('error');
    expect(await peer.line()).toBe('octet-stream 1');
    expect(await peer.bytes(1)).toBe('b');
    expect(await peer.line()).toBe('SETMOD secret-key /b 33188');
    peer.send(`${OK}${OK}`);
    expect((await second).followers).toEqual([PLAIN_OK]);
    expect(signatures).toEqual([Buffer.from('sig!')]);
    connection.destroy();
  });

  test('late followers leave with the next body, once their own has been taken', async () => {
    const { connection, peer } = await connected();
    const first = connection.patch(target('a'), () => body('a'), [mode('a'), mtime('a')], { late: true });
    const second = connection.patch(target('b'), () => body('b'), [mode('b')], { late: true });
    const later = connection.request('SIG', target('c'));
    await peer.line();
    peer.send(ACCEPTED);
    expect(await peer.line()).toBe('octet-stream 1');
    expect(await peer.bytes(1)).toBe('a');
    expect(await peer.line()).toBe('PATCH secret-key /b');
    await turn();
    expect(peer.pending, 'nothing more before the answer').toBe('');
    const trips = connection.counters.roundTrips;
    peer.send(`${OK}${ACCEPTED}`);
    expect(await peer.line()).toBe('octet-stream 1');
    const rest = 'bSETMOD secret-key /a 33188\nSETIME secret-key /a 1\nSIG secret-key /c\n';
    expect(await peer.bytes(rest.length)).toBe(rest);
    expect(connection.counters.roundTrips).toBe(trips + 1);
    peer.send(`No space left on device\n${OK}${OK}Parent dir missing.\n`);
    expect(await first).toEqual({ answer: PLAIN_OK, followers: [PLAIN_OK, PLAIN_OK] });
    expect(await second).toMatchObject({ answer: { refusal: { errno: 'ENOSPC' } }, followers: [] });
    expect((await later).kind).toBe('error');
    await turn();
    expect(peer.pending, 'no attributes for what was not taken').toBe('');
    connection.destroy();
  });

  test.each(['before the answer', 'after it'])('late followers fail with the connection, %s', async (when) => {
    const { connection, peer } = await connected();
    const patch = connection.patch(target('a'), () => body('a'), [mode('a')], { late: true });
    const lost = expect(patch).rejects.toMatchObject({ code: 'PEER_CLOSED' });
    await peer.line();
    peer.send(ACCEPTED);
    expect(await peer.line()).toBe('octet-stream 1');
    await peer.bytes(1);
    if (when === 'after it') {
      peer.send(OK);
      expect(await peer.line()).toBe('SETMOD secret-key /a 33188');
    }
    peer.socket.destroy();
    await lost;
  });

  test('a body in many pieces, larger than all buffers, while answers come', async () => {
    const { connection, peer } = await connected();
    const piece = Buffer.alloc(50_000, 'x');
    const count = 400;
    const patch = connection.patch(target('a'), () => ({
      length: piece.length * count,
      chunks: (async function* () {
        for (let index = 0; index < count; index += 1) {
          if (index % 100 === 0) await turn();
          yield piece;
        }
      })(),
    }));
    await peer.line();
    peer.send(ACCEPTED);
    expect(await peer.line()).toBe(`octet-stream ${piece.length * count}`);
    await peer.bytes(piece.length * count);
    peer.send(OK);
    expect((await patch).answer).toEqual(PLAIN_OK);
    expect(peer.pending).toBe('');
    connection.destroy();
  });

  test('an empty body', async () => {
    const { connection, peer } = await connected();
    const patch = connection.patch(target('a'), () => ({ length: 0, chunks: [] }));
    await peer.line();
    peer.send(ACCEPTED);
    expect(await peer.line()).toBe('octet-stream 0');
    peer.send('Input/output error\n');
    expect((await patch).answer.kind).toBe('error');
    connection.destroy();
  });

  test('the signature of a file that the peer cannot read', async () => {
    const { connection, peer } = await connected();
    const seen: unknown[] = [];
    const patch = connection.patch(target('a'), (signature) => {
      seen.push(signature);
      return undefined;
    });
    await peer.line();
    peer.send('OK (send_data).\noctet-stream -1\n');
    expect(await peer.line()).toBe('ERROR');
    peer.send('Input/output error\n');
    expect((await patch).answer).toMatchObject({ kind: 'error', refusal: { errno: 'EIO' } });
    expect(seen).toEqual([undefined]);
    connection.destroy();
  });

  test('a peer that answers before it has all of the body', async () => {
    const { connection, peer } = await connected();
    let finish = (): void => undefined;
    const slow = new Promise<void>((resolve) => (finish = resolve));
    const patch = connection.patch(
      target('a'),
      () => ({
        length: 100_001,
        chunks: (async function* () {
          yield Buffer.alloc(100_000, 'x');
          await slow;
          yield Buffer.from('y');
        })(),
      }),
      [mode('a')],
    );
    await peer.line();
    peer.send(ACCEPTED);
    await peer.line();
    await peer.bytes(100_000);
    peer.send('No space left on device\n');
    await turn();
    finish();
    expect(await peer.bytes(1)).toBe('y');
    expect(await peer.line()).toBe('SETMOD secret-key /a 33188');
    peer.send('No such file or directory\n');
    const outcome = await patch;
    expect(outcome.answer).toMatchObject({ refusal: { errno: 'ENOSPC' } });
    expect(outcome.followers).toHaveLength(1);
    connection.destroy();
  });
});

describe('PATCH refused', () => {
  test('no body, no followers; what waited goes on', async () => {
    const { connection, peer } = await connected();
    let asked = 0;
    const respond = (): Body => {
      asked += 1;
      return body('never');
    };
    const patch = connection.patch(target('a'), respond, [mode('a'), mtime('a')]);
    const next = connection.request('DEL', target('b'));
    expect(await peer.line()).toBe('PATCH secret-key /a');
    peer.send('File is also marked dirty here!\n');
    expect(await patch).toEqual({
      answer: {
        kind: 'error',
        text: 'File is also marked dirty here!',
        refusal: { kind: 'marked-dirty', errno: undefined },
      },
      followers: [],
    });
    expect(await peer.line()).toBe('DEL secret-key /b');
    expect(peer.pending).toBe('');
    expect(asked).toBe(0);
    peer.send(OK);
    expect(await next).toEqual(PLAIN_OK);
    connection.destroy();
  });

  test('answered with another OK: nothing is risked', async () => {
    const { connection, peer } = await connected();
    const patch = connection.patch(target('a'), () => body('never'));
    await peer.line();
    peer.send(OK);
    await expect(patch).rejects.toMatchObject({ code: 'PEER_PROTOCOL' });
    await peer.closed();
    expect(peer.pending).toBe('');
  });
});

describe('a delta that cannot be sent', () => {
  test('respond fails: the peer is told, the connection goes on', async () => {
    const { connection, peer } = await connected();
    const failure = new CsxError('CHANGED_MEANWHILE', 'The file changed.');
    const patch = connection.patch(target('a'), () => Promise.reject(failure), [mode('a')]);
    const next = connection.request('DEL', target('b'));
    await peer.line();
    peer.send(ACCEPTED);
    expect(await peer.line()).toBe('ERROR');
    expect(await peer.line()).toBe('DEL secret-key /b');
    peer.send(`Input/output error\n${OK}`);
    await expect(patch).rejects.toBe(failure);
    expect(await next).toEqual(PLAIN_OK);
    expect(connection.failure).toBeUndefined();
    connection.destroy();
  });

  const failure = new CsxError('READ_FAILED', 'The disk is gone.');
  const broken: readonly [string, () => Body, string][] = [
    [
      'fails midway',
      () => ({
        length: 100,
        chunks: (function* (): Generator<Buffer> {
          throw failure;
        })(),
      }),
      'READ_FAILED',
    ],
    ['ends early', () => ({ length: 100, chunks: [Buffer.alloc(99, 'x')] }), 'INTERNAL'],
    ['is too long', () => ({ length: 100, chunks: [Buffer.alloc(70, 'x'), Buffer.alloc(31, 'x')] }), 'INTERNAL'],
  ];
  test.each(broken)('a body that %s: the connection is gone before the body is whole', async (_, make, code) => {
    const { connection, peer } = await connected();
    const patch = connection.patch(target('a'), make, [mode('a')]);
    const next = connection.request('DEL', target('b'));
    await peer.line();
    peer.send(ACCEPTED);
    await expect(patch).rejects.toMatchObject({ code });
    await expect(next).rejects.toMatchObject({ code: 'PEER_CLOSED' });
    expect(connection.failure?.cause).toMatchObject({ code });
    await peer.closed();
    expect(peer.pending.replace('octet-stream 100\n', '').length).toBeLessThan(100);
    expect(peer.pending).not.toContain('SETMOD');
  });
});

describe('deadlines around a body', () => {
  test('making the delta takes as long as it takes', async () => {
    const { connection, peer } = await connected({ answerDeadline: 500 });
    const patch = connection.patch(target('a'), async () => {
      await new Promise((resolve) => setTimeout(resolve, 1200));
      return body('late');
    });
    await peer.line();
    peer.send(ACCEPTED);
    expect(await peer.line()).toBe('octet-stream 4');
    peer.send(OK);
    expect((await patch).answer).toEqual(PLAIN_OK);
    connection.destroy();
  });

  test('a peer that works on a large file may be silent for longer, and with the next answer not', async () => {
    const { connection, peer } = await connected({ answerDeadline: 200 });
    const large = connection.patch(target('a'), () => body('a'), [], { work: 200_000_000 });
    await peer.line();
    await sleep(500);
    peer.send(ACCEPTED);
    await peer.line();
    await peer.bytes(1);
    await sleep(500);
    peer.send(OK);
    expect((await large).answer).toEqual(PLAIN_OK);
    await expect(connection.request('SIG', target('b'))).rejects.toMatchObject({ code: 'PEER_TIMEOUT' });
  });

  test('and is left when that time has passed too', async () => {
    const { connection } = await connected({ answerDeadline: 100 });
    const patch = connection.patch(target('a'), () => body('a'), [], { work: 2_000_000 });
    await expect(patch).rejects.toMatchObject({ code: 'PEER_TIMEOUT' });
  });

  test.each(['', OK])('a peer that stops reading the body is left (having said %j)', async (said) => {
    const { connection, peer } = await connected({ answerDeadline: 1000 });
    const patch = connection.patch(target('a'), () => ({
      length: 1_000_000_000,
      chunks: (function* () {
        for (let index = 0; index < 1000; index += 1) yield Buffer.alloc(1_000_000);
      })(),
    }));
    await peer.line();
    peer.send(ACCEPTED);
    await peer.line();
    peer.socket.pause();
    peer.send(said);
    await expect(patch).rejects.toMatchObject({ code: 'PEER_TIMEOUT' });
    peer.socket.destroy();
  });

  test('a connection lost while the delta is made, and while the body leaves', async () => {
    const { connection, peer } = await connected();
    const patch = connection.patch(target('a'), async () => {
      peer.socket.destroy();
      await new Promise((resolve) => setTimeout(resolve, 50));
      return body('too late');
    });
    const next = connection.request('DEL', target('b'));
    await peer.line();
    peer.send(ACCEPTED);
    await expect(patch).rejects.toMatchObject({ code: 'PEER_CLOSED' });
    await expect(next).rejects.toMatchObject({ code: 'PEER_CLOSED' });

    const other = await connected();
    let closed = false;
    const large = other.connection.patch(target('a'), () => ({
      length: 100_000_000,
      chunks: (function* () {
        try {
          for (let index = 0; index < 100; index += 1) yield Buffer.alloc(1_000_000);
        } finally {
          closed = true;
        }
      })(),
    }));
    await other.peer.line();
    other.peer.send(ACCEPTED);
    await other.peer.bytes(100_000);
    other.peer.socket.destroy();
    await expect(large).rejects.toMatchObject({ code: 'PEER_CLOSED' });
    await vi.waitFor(() => {
      expect(closed).toBe(true);
    });
  });
});
