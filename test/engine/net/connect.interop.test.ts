/** Opening a session with the real csync2 daemon: plain, encrypted, and everything that can go wrong on the way. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectSocket } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { certificatePair, describeCertificate } from '../../../src/engine/net/certificate.js';
import type { CertificatePair } from '../../../src/engine/net/certificate.js';
import { connect } from '../../../src/engine/net/connect.js';
import type { ConnectOptions } from '../../../src/engine/net/connect.js';
import { CsxError } from '../../../src/model/errors.js';
import type { FileName, PeerName } from '../../../src/model/names.js';
import { makePair, startCsync2 } from '../../support/csync2-daemon.js';
import type { Csync2Host, Csync2Options } from '../../support/csync2-daemon.js';

const KEY = 'k'.repeat(64);
const ME = '127.22.4.1' as PeerName;
const PEER = '127.22.4.2' as PeerName;
const BASE: ConnectOptions = { peer: PEER, me: ME, bind: ME, deadlines: { connect: 5000, answer: 10_000 } };

let directory: string;
let host: Csync2Host | undefined;
const sockets: Socket[] = [];

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'csx-connect-'));
  writeFileSync(path.join(directory, 'file'), 'version 1\n');
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await host?.stop();
  host = undefined;
  rmSync(directory, { recursive: true, force: true });
});

async function start(options: Partial<Csync2Options> = {}): Promise<Csync2Host> {
  const nossl = options.tls === undefined ? 'nossl * *;' : '';
  const group = (name: string): string => `group ${name} { host ${ME} ${PEER}; key k; include ${directory}; }`;
  host = await startCsync2({
    address: PEER,
    config: `${nossl} ${group('g')} ${group('h')}`,
    keys: { k: KEY },
    ...options,
  });
  return host;
}

function pair(bits: number): CertificatePair {
  const { certificate, key } = makePair(bits);
  return certificatePair(certificate, key, { certificateFile: 'cert', keyFile: 'key' });
}

/** A file of the tree. */
function file(name = 'file'): { readonly key: string; readonly file: FileName } {
  return { key: KEY, file: path.join(directory, name) as FileName };
}

async function failure(options: Partial<ConnectOptions> = {}): Promise<CsxError> {
  const result = await connect({ ...BASE, ...options }).then(
    ({ connection }) => {
      connection.destroy();
      return undefined;
    },
    (error: unknown) => error,
  );
  if (!(result instanceof CsxError)) throw new Error('The connection had to fail with a CsxError.', { cause: result });
  expect(result.message).toContain(options.peer ?? PEER);
  expect(result.hint ?? '').not.toBe('');
  return result;
}

describe('without encryption', () => {
  test('CONFIG, GROUP and HELLO cost one round trip', async () => {
    await start();
    const { connection, certificate, cipher } = await connect({ ...BASE, groups: ['h'] });
    expect(connection.counters.roundTrips).toBe(1);
    expect([certificate, cipher]).toEqual([undefined, undefined]);
    expect(connection.address).toBe(`${PEER}:30865`);
    expect(await connection.request('GETSZ', file())).toEqual({ kind: 'decimal', value: 10 });
    await connection.bye();
    expect(await failure({ groups: ['h'], me: 'nobody.invalid' as PeerName })).toMatchObject({
      code: 'IDENTIFICATION_FAILED',
    });
  });

  test('a named configuration, and one that the peer does not have', async () => {
    await start({ configName: 'dmz' });
    const { connection } = await connect({ ...BASE, configName: 'dmz' });
    await connection.bye();
    const error = await failure({ configName: 'other' });
    expect(error.code).toBe('PEER_CLOSED');
    expect(error.message).toContain('CONFIG');
  });

  test('a peer that expects encryption', async () => {
    await start({ tls: { bits: 2048 } });
    const error = await failure();
    expect(error.code).toBe('PLAINTEXT_REFUSED');
    expect(error.hint).toContain('nossl');
  });
});

describe('encrypted', () => {
  test.each([
    [2048, 2048, false],
    [2048, 1024, false],
    [1024, 2048, true],
    [1024, 1024, true],
  ])('this host with %i bits, the peer with %i', async (mine, theirs, weak) => {
    await start({ tls: { bits: theirs } });
    const { connection, certificate, cipher, problems } = await connect({ ...BASE, tls: pair(mine) });
    expect(cipher).toContain('TLSv1.3');
    expect(describeCertificate(certificate ?? Buffer.alloc(0)).keyBits).toBe(theirs);
    expect(problems.map((problem) => problem.hint?.includes('csx cert'))).toEqual(weak ? [true] : []);
    expect(await connection.request('GETSZ', file())).toEqual({ kind: 'decimal', value: 10 });
    await connection.bye();
  });

  test('TLS 1.2', async () => {
    const priorities = path.join(directory, 'gnutls.conf');
    writeFileSync(priorities, '[overrides]\ndisabled-version = tls1.3\n');
    await start({ tls: { bits: 2048 }, env: { GNUTLS_SYSTEM_PRIORITY_FILE: priorities } });
    for (const bits of [2048, 1024]) {
      const { connection, cipher } = await connect({
        ...BASE,
        tls: pair(bits),
        me: bits === 2048 ? ME : PEER,
        bind: bits === 2048 ? ME : PEER,
      });
      expect(cipher).toContain('TLSv1.2');
      await connection.bye();
    }
  });

  test('the pinned certificate is accepted, another is refused before anything is told', async () => {
    const server = await start({ tls: { bits: 2048 }, verbose: 3 });
    const tls = pair(2048);
    const first = await connect({ ...BASE, tls });
    await first.connection.bye();
    const again = await connect({ ...BASE, tls, pinned: first.certificate });
    await again.connection.bye();
    const before = server.log().split('HELLO').length;
    const error = await failure({ tls, pinned: tls.der });
    expect(error.code).toBe('CERTIFICATE_CHANGED');
    expect(error.hint).toContain(`csx trust remove ${PEER}`);
    expect(error.message).toContain(describeCertificate(tls.der).fingerprint);
    expect(server.log().split('HELLO')).toHaveLength(before);
  });

  test('a certificate of this host that the peer has not pinned', async () => {
    await start({ tls: { bits: 2048 } });
    const { connection } = await connect({ ...BASE, tls: pair(2048) });
    await connection.bye();
    const error = await failure({ tls: pair(2048) });
    expect(error.code).toBe('IDENTIFICATION_FAILED');
    expect(error.hint).toContain('certificate');
  });

  test('a peer without a certificate', async () => {
    await start();
    expect((await failure({ tls: pair(2048) })).code).toBe('TLS_FAILED');
  });
});

describe('no session', () => {
  test('nobody listens', async () => {
    const error = await failure();
    expect(error.code).toBe('PEER_UNREACHABLE');
    expect(error.message).toContain('refuses connections');
  });

  test('a name that does not resolve', async () => {
    const error = await failure({ peer: 'no-such-host.invalid' as PeerName });
    expect(error.code).toBe('PEER_UNREACHABLE');
    expect(error.message).toContain('does not resolve');
  });

  test('-N resolves to an address of another host', async () => {
    const error = await failure({ bind: '192.0.2.7' });
    expect(error.code).toBe('PEER_UNREACHABLE');
    expect(error.hint).toContain('-N');
  });

  test('-N that does not resolve binds to nothing', async () => {
    await start();
    // Then the connection comes from some other address, which the peer does not take for this host.
    expect((await failure({ bind: 'no-such-host.invalid' })).code).toBe('IDENTIFICATION_FAILED');
  });

  test('a daemon that hangs: first it answers nothing, then it accepts nothing', async () => {
    const server = await start({ tls: { bits: 2048 } });
    process.kill(server.pid ?? 0, 'SIGSTOP');
    const deadlines = { connect: 300, answer: 300 };
    expect((await failure({ deadlines })).code).toBe('PEER_TIMEOUT');
    expect((await failure({ deadlines, tls: pair(2048) })).code).toBe('PEER_TIMEOUT');
    for (let index = 0; index < 20; index += 1) {
      const socket = connectSocket({ host: PEER, port: 30865 });
      socket.on('error', () => undefined);
      sockets.push(socket);
    }
    const error = await failure({ deadlines });
    expect(error.code).toBe('PEER_TIMEOUT');
    expect(error.message).toContain('did not accept');
  });

  test.each([true, false])('interrupted (encrypted: %s)', async (encrypted) => {
    const server = await start({ tls: { bits: 2048 } });
    process.kill(server.pid ?? 0, 'SIGSTOP');
    const abort = new AbortController();
    const error = connect({ ...BASE, signal: abort.signal, ...(encrypted ? { tls: pair(2048) } : {}) });
    setTimeout(() => {
      abort.abort();
    }, 100);
    await expect(error).rejects.toMatchObject({ code: 'INTERRUPTED' });
    await expect(connect({ ...BASE, signal: abort.signal })).rejects.toMatchObject({ code: 'INTERRUPTED' });
  });
});
