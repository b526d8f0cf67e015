import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { CsxError } from '../../../src/model/errors.js';
import { connected, OK, target } from './scripted-peer.js';

const PLAIN_OK = { kind: 'ok', text: 'OK (cmd_finished).' };

describe('requests', () => {
  test('leave without waiting for answers, which come in their order', async () => {
    const { connection, peer } = await connected();
    const answers = Promise.all([
      connection.request('SIG', target('a')),
      connection.request('GETSZ', target('b')),
      connection.request('SETMOD', { ...target('c'), mode: 33188 }),
    ]);
    expect(connection.outstanding).toBe(3);
    expect([await peer.line(), await peer.line(), await peer.line()]).toEqual([
      'SIG secret-key /a',
      'GETSZ secret-key /b',
      'SETMOD secret-key /c 33188',
    ]);
    peer.send(`OK (path_not_found).\n---\noctet-stream 0\n${OK}OK (data_follows).\n17\n`);
    peer.send('Permission denied!\n');
    expect(await answers).toEqual([
      { kind: 'path-not-found' },
      { kind: 'decimal', value: 17 },
      { kind: 'error', text: 'Permission denied!', refusal: { kind: 'denied', errno: undefined } },
    ]);
    expect(connection.outstanding).toBe(0);
    expect(connection.counters.roundTrips).toBe(1);
    connection.destroy();
  });

  test('answers that come byte by byte', async () => {
    const { connection, peer } = await connected();
    const answer = connection.request('SIG', target('a'));
    await peer.line();
    for (const byte of `OK (data_follows).\nv1:type=dir\noctet-stream 3\nabc${OK}`) {
      peer.send(byte);
      await turn();
    }
    expect(await answer).toEqual({ kind: 'present', checktxt: 'v1:type=dir', signature: Buffer.from('abc') });
    connection.destroy();
  });

  test('reads on while nothing more can be written', async () => {
    const { connection, peer } = await connected();
    const count = 2000;
    const name = 'n'.repeat(10_000);
    const answers = Array.from({ length: count }, () => connection.request('SIG', target(name)));
    await peer.line();
    // The peer reads no more until all of a large answer is off its hands: 20 MB wait in either direction.
    peer.socket.pause();
    const signature = 'x'.repeat(20_000_000);
    const large = Buffer.from(`OK (data_follows).\nv1:type=dir\noctet-stream ${signature.length}\n${signature}${OK}`);
    await new Promise((resolve) => peer.socket.write(large, resolve));
    expect(connection.counters.sent).toBeLessThan(count * 5000);
    peer.socket.resume();
    for (let index = 1; index < count; index += 1) {
      await peer.line();
      peer.send('Parent dir missing.\n');
    }
    const [first, ...others] = await Promise.all(answers);
    expect(first).toMatchObject({ kind: 'present' });
    expect(new Set(others.map((answer) => answer.kind))).toEqual(new Set(['error']));
    connection.destroy();
  });

  test('room() waits while the window is full', async () => {
    const { connection, peer } = await connected({ window: { commands: 2, bytes: 1_000_000 } });
    await connection.room();
    void connection.request('GETSZ', target('a'));
    await connection.room();
    void connection.request('GETSZ', target('b'));
    let free = false;
    const room = connection.room().then(() => (free = true));
    await peer.line();
    await turn();
    expect(free).toBe(false);
    peer.send('OK (data_follows).\n1\n');
    await room;
    expect(connection.outstanding).toBe(1);
    connection.destroy();
  });

  test('a name that the protocol cannot carry concerns its file alone', async () => {
    const { connection, peer } = await connected();
    const bad = connection.request('MKLINK', { ...target('a'), target: '%'.repeat(6000) });
    await expect(bad).rejects.toMatchObject({ code: 'PATH_OUTSIDE' });
    const good = connection.request('DEL', target('b'));
    expect(await peer.line()).toBe('DEL secret-key /b');
    peer.send(OK);
    expect(await good).toEqual(PLAIN_OK);
    connection.destroy();
  });
});

describe('the end of a connection', () => {
  test.each([
    ['closes', 'PEER_CLOSED', '', true],
    ['closes in the middle of an answer', 'PEER_CLOSED', 'OK (data_follows).\nv1:', true],
    ['sends garbage', 'PEER_PROTOCOL', 'OK (data_follows).\nv1:type=dir\nHTTP/1.1 400\n', false],
    ['sends more than was asked for', 'PEER_PROTOCOL', `${OK}${OK}${OK}`, false],
  ] as const)('a peer that %s: everything outstanding gets the same error', async (_, code, said, close) => {
    const { connection, peer } = await connected();
    const all = [connection.request('SIG', target('a')), connection.request('DEL', target('b'))];
    await peer.line();
    peer.send(said);
    if (close) peer.socket.destroy();
    const results = await Promise.allSettled([...all, turn().then(() => connection.request('DEL', target('c')))]);
    const errors = results.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
    expect(errors.length).toBeGreaterThan(0);
    expect(new Set(errors).size).toBe(1);
    const [error] = errors;
    expect(error).toBeInstanceOf(CsxError);
    expect(error).toMatchObject({
      code,
      hint: expect.any(String),
      data: { peer: 'host-b', address: '10.0.0.2:30865' },
    });
    expect((error as CsxError).message).toContain('host-b (10.0.0.2:30865)');
    expect((error as CsxError).message).not.toContain('secret-key');
    expect(connection.failure).toBe(error);
    await peer.closed();
  });

  test('a message names the command and the file, never the key', async () => {
    const { connection, peer } = await connected();
    const answer = connection.request('SIG', target('a\nb'));
    await peer.line();
    peer.socket.destroy();
    await expect(answer).rejects.toThrow(
      'host-b (10.0.0.2:30865) closed the connection while csx was waiting for the answer to SIG /a\\nb.',
    );
  });

  test('a peer that stalls is left at the deadline, which counts from the last progress', async () => {
    const { connection, peer } = await connected({ answerDeadline: 1500 });
    const answer = connection.request('SIG', target('a'));
    answer.catch(() => undefined);
    await peer.line();
    for (const byte of 'OK (data') {
      peer.send(byte);
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
    await expect(answer).rejects.toMatchObject({ code: 'PEER_TIMEOUT' });
    // Longer than the deadline in all, yet none was lost.
    expect(connection.counters.received).toBe(8);
    await peer.closed();
  });

  test('an idle connection may stay idle', async () => {
    const { connection, peer } = await connected({ answerDeadline: 400 });
    const first = connection.request('DEL', target('a'));
    await peer.line();
    peer.send(OK);
    await first;
    await new Promise((resolve) => setTimeout(resolve, 900));
    expect(connection.failure).toBeUndefined();
    const second = connection.request('DEL', target('b'));
    await expect(second).rejects.toMatchObject({ code: 'PEER_TIMEOUT' });
  });

  test('an AbortSignal ends everything at once', async () => {
    const abort = new AbortController();
    const { connection, peer } = await connected({ signal: abort.signal });
    const answer = connection.request('SIG', target('a'));
    await peer.line();
    abort.abort();
    await expect(answer).rejects.toMatchObject({ code: 'INTERRUPTED' });
    await peer.closed();
    const late = await connected({ signal: abort.signal });
    await expect(late.connection.request('SIG', target('a'))).rejects.toMatchObject({ code: 'INTERRUPTED' });
  });

  test('bye ends in order, and never fails', async () => {
    const { connection, peer } = await connected();
    const bye = connection.bye();
    expect(await peer.line()).toBe('BYE');
    peer.send('OK (cu_later).\n');
    await bye;
    await peer.closed();
    await connection.bye();
    const other = await connected();
    other.peer.socket.destroy();
    await other.connection.bye();
  });
});

describe('identity', () => {
  test.each([
    ['Identification failed!', 'IDENTIFICATION_FAILED'],
    ['SSL encrypted connection expected!', 'PLAINTEXT_REFUSED'],
    ['Something else', 'PEER_REFUSED'],
  ])('HELLO answered "%s" is %s', async (text, code) => {
    const { connection, peer } = await connected();
    const hello = connection.hello(connection.peer);
    expect(await peer.line()).toBe('HELLO host-b');
    peer.send(`${text}\n`);
    await expect(hello).rejects.toMatchObject({ code, hint: expect.stringContaining('host-b') });
    // The connection is still good: another name may be tried.
    const again = connection.hello(connection.peer);
    await peer.line();
    peer.send(OK);
    await again;
    connection.destroy();
  });

  test('CONFIG and GROUP refused', async () => {
    const { connection, peer } = await connected();
    const steps = [connection.config('x'), connection.group(['a', 'b'])];
    expect([await peer.line(), await peer.line()]).toEqual(['CONFIG x', 'GROUP a,b']);
    peer.send('Config not found\nGroup list already set!\n');
    for (const step of steps) await expect(step).rejects.toMatchObject({ code: 'PEER_REFUSED' });
    connection.destroy();
  });
});

describe('streams', () => {
  test('LIST in batches, with an answer behind it', async () => {
    const { connection, peer } = await connected();
    const list = connection.list({ peer: 'host-b', file: '-', keys: ['k'] });
    const next = connection.request('DEL', target('a'));
    expect(await peer.line()).toBe('LIST host-b - k');
    const count = 100_000;
    peer.send('v1%3Atype=dir\t/some%20dir\n'.repeat(count) + OK + OK);
    let rows = 0;
    for await (const batch of list) {
      rows += batch.length;
      expect(batch[0]).toEqual({ stored: '/some%20dir', checktxt: 'v1:type=dir' });
      await turn();
    }
    expect(rows).toBe(count);
    expect(await next).toEqual(PLAIN_OK);
    connection.destroy();
  });

  test('a consumer that leaves LIST early harms nobody', async () => {
    const { connection, peer } = await connected();
    const list = connection.list({ peer: 'host-b', file: '-', keys: ['k'] });
    const next = connection.request('DEL', target('a'));
    await peer.line();
    peer.send('v1%3Atype=dir\t/some%20dir\n'.repeat(20_000));
    for await (const batch of list) if (batch.length > 0) break;
    peer.send('v1%3Atype=dir\t/some%20dir\n'.repeat(20_000) + OK + OK);
    expect(await next).toEqual(PLAIN_OK);
    connection.destroy();
  });

  test('a consumer that does not take lets the peer wait, beyond any deadline', async () => {
    const { connection, peer } = await connected({ answerDeadline: 700 });
    const list = connection.list({ peer: 'host-b', file: '-', keys: ['k'] });
    await peer.line();
    peer.send('v1%3Atype=dir\t/some%20dir\n'.repeat(50_000) + OK);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(connection.counters.received).toBeLessThan(500_000);
    let rows = 0;
    for await (const batch of list) rows += batch.length;
    expect(rows).toBe(50_000);
    connection.destroy();
  });

  test('LIST refused, and LIST cut off', async () => {
    const { connection, peer } = await connected();
    const take = async (): Promise<number> => {
      let rows = 0;
      for await (const batch of connection.list({ peer: 'host-b', file: '-', keys: ['k'] })) rows += batch.length;
      return rows;
    };
    const first = take();
    await peer.line();
    peer.send('Permission denied!\n');
    await expect(first).rejects.toMatchObject({ code: 'PEER_REFUSED' });
    const second = take();
    await peer.line();
    peer.send('v1%3Atype=dir\t/a\n');
    peer.socket.end();
    await expect(second).rejects.toMatchObject({ code: 'PEER_CLOSED' });
  });

  test('TYPE until the peer closes', async () => {
    const { connection, peer } = await connected();
    const content = connection.type(target('a'));
    expect(await peer.line()).toBe('TYPE secret-key /a');
    peer.send('OK (data_follows).\nOK (');
    peer.send('x\n');
    peer.socket.end();
    const pieces: Buffer[] = [];
    for await (const batch of content) pieces.push(...batch);
    expect(Buffer.concat(pieces).toString()).toBe('OK (x\n');
  });

  test('TYPE refused leaves the connection; left early it ends it', async () => {
    const { connection, peer } = await connected();
    const refused = connection.type(target('a'))[Symbol.asyncIterator]().next();
    await peer.line();
    peer.send('Permission denied!\n');
    await expect(refused).rejects.toMatchObject({ code: 'PEER_REFUSED' });
    expect(connection.failure).toBeUndefined();
    const content = connection.type(target('b'));
    await peer.line();
    peer.send('OK (data_follows).\nsome');
    for await (const batch of content) if (batch.length > 0) break;
    await peer.closed();
    expect(connection.failure?.code).toBe('PEER_CLOSED');
  });
});
