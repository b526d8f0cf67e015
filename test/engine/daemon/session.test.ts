/** The session as a machine without a socket: fed with bytes, in any pieces, it gives the same bytes. */

import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { ActionRunner } from '../../../src/engine/daemon/action-runner.js';
import { FileLocks } from '../../../src/engine/daemon/file-locks.js';
import type { Opened, Served } from '../../../src/engine/daemon/served.js';
import { Journal } from '../../../src/engine/daemon/journal.js';
import { Maker } from '../../../src/engine/daemon/maker.js';
import { ToldSignatures } from '../../../src/engine/daemon/told-signatures.js';
import { Session } from '../../../src/engine/daemon/session.js';
import { CsxError } from '../../../src/model/errors.js';
import type { FileName, PeerName } from '../../../src/model/names.js';
import type { Store, Write } from '../../../src/model/store.js';
import { prepareCsx } from './csx-daemon.js';
import { literalDelta } from './raw-client.js';

const KEY = 'a'.repeat(64);
const ADDRESS = '10.0.0.9';

interface Bench {
  readonly tree: string;
  readonly session: Session;
  readonly store: Store;
  /** Every transaction that was written, and waited for to be durable. */
  readonly transactions: (readonly Write[])[];
  readonly log: string[];
}

const cleanups: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function bench(): Promise<Bench> {
  const prepared = prepareCsx({
    address: 'server',
    config: `nossl * *; group g { host server client (slave); key k; include /TREE/t; }`,
    keys: { k: KEY },
  });
  cleanups.push(() => {
    fs.rmSync(prepared.directory, { recursive: true, force: true });
  });
  const tree = path.join(prepared.directory, 't');
  fs.mkdirSync(tree);
  const file = path.join(prepared.systemDirectory, 'csync2.cfg');
  fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace('/TREE/t', tree));
  const opened: Opened = await prepared.open();
  cleanups.push(() => opened.store.close());
  const transactions: (readonly Write[])[] = [];
  const write = opened.store.write.bind(opened.store);
  opened.store.write = async (writes, hasty) => {
    if (hasty === undefined) transactions.push(writes);
    await write(writes, hasty);
  };
  const log: string[] = [];
  const toLog = (entry: { readonly message: string }): void => {
    log.push(JSON.stringify(entry));
  };
  const actions = new ActionRunner({
    store: opened.store,
    environment: {},
    log: toLog,
    timeoutOf: () => undefined,
    now: Date.now,
  });
  const journal = new Journal(opened, () => 1_000_000);
  const served: Served = { ...opened, locks: new FileLocks(), actions, journal, signatures: new ToldSignatures() };
  const session = new Session({
    address: ADDRESS,
    services: {
      serve: (name) =>
        name === '' ? Promise.resolve(served) : Promise.reject(new CsxError('CONFIG_NOT_FOUND', `No ${name}.`)),
      maker: new Maker(),
      resolvesTo: (name, address) => Promise.resolve(['client', 'slave'].includes(name) && address === ADDRESS),
      log: toLog,
      now: () => 1_000_000,
      tls: true,
    },
  });
  return { tree, session, store: opened.store, transactions, log };
}

/** Pushes and runs; the bytes that come out, and the other effects in angle brackets. */
async function feed(session: Session, bytes: Buffer | string): Promise<string> {
  session.push(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  let out = '';
  for await (const effect of session.run()) {
    out += effect.kind === 'write' ? effect.bytes.toString('latin1') : `<${effect.kind}>`;
  }
  while (session.packing.oldest !== undefined) {
    for (const bytes of await session.packing.answer()) out += bytes.toString('latin1');
  }
  return out;
}

const OK = 'OK (cmd_finished).\n';

describe('the opening', () => {
  it('asks for the handshake and goes on from the start with the certificate', async () => {
    const { session, store } = await bench();
    expect(await feed(session, 'SSL\n')).toBe('OK (activating_ssl).\n<start-tls>');
    session.secured(Buffer.from('certificate'));
    expect(await feed(session, 'SSL\n')).toBe('Expecting SSL (optional) and CONFIG as first commands.\n<close>');
    await session.end();
    expect(await store.certificates()).toEqual([]);
  });

  it('pins what the first HELLO shows', async () => {
    const { session, store } = await bench();
    await feed(session, 'SSL\n');
    session.secured(Buffer.from('certificate'));
    expect(await feed(session, 'CONFIG\nHELLO client\n')).toBe(OK + OK);
    expect(session.client).toEqual({ name: 'client', address: ADDRESS });
    expect(await store.certificates()).toMatchObject([{ peer: 'client', certificate: Buffer.from('certificate') }]);
    await session.end();
  });

  it('closes when something came with SSL', async () => {
    const { session } = await bench();
    expect(await feed(session, 'SSL\nCONFIG\n')).toBe('This host does not encrypt.\n<close>');
    await session.end();
  });

  it('closes on a configuration that cannot be served, and says nothing of the reason', async () => {
    const { session, log } = await bench();
    expect(await feed(session, 'CONFIG nosuch\n')).toBe('The configuration of this host cannot be used.\n<close>');
    expect(log.join()).toContain('No nosuch.');
    await session.end();
  });

  it('takes a name in any case, and lets it change', async () => {
    const { session } = await bench();
    expect(await feed(session, 'CONFIG\nHELLO CLIENT\n')).toBe(OK + OK);
    expect(await feed(session, 'HELLO Slave\n')).toBe(OK);
    expect(session.client?.name).toBe('slave');
    expect(await feed(session, 'HELLO other\nSIG k /x\n')).toBe(
      `Identification failed!\nDear ${ADDRESS}, please identify first.\n`,
    );
    await session.end();
  });

  it('never logs a key', async () => {
    const { session, log, tree } = await bench();
    await feed(session, `CONFIG\nHELLO client\nSIG ${KEY} /elsewhere\nDEL ${KEY} ${tree}/none\nPATCH ${KEY}\n`);
    await session.end();
    expect(log.length).toBeGreaterThan(2);
    expect(log.join()).not.toContain('aaaa');
  });
});

function script(tree: string): { readonly request: Buffer; readonly answer: string } {
  const delta = literalDelta('content');
  const f = `${KEY} ${tree}/f`;
  const d = `${KEY} ${tree}/d`;
  const request = Buffer.concat([
    Buffer.from(`CONFIG \nHELLO client\nMKDIR ${d}\nSETOWN ${d} 1 2\nSETMOD ${d} 16877\nnonsense\nPATCH ${f}\n`),
    Buffer.from(`octet-stream ${String(delta.length)}\n`),
    delta,
    Buffer.from(`SETOWN ${f} 3 4\nSETMOD ${f} 33188\nSETIME ${f} 1000\nGETTM ${f}\nBYE\n`),
  ]);
  const absent = 'octet-stream 12\nrs\x016\x00\x00\x08\x00\x00\x00\x00\x08';
  const answer = `${OK.repeat(5)}Unknown command!\nOK (send_data).\n${absent}${OK.repeat(4)}OK (data_follows).\n1000\nOK (cu_later).\n<close>`;
  return { request, answer };
}

describe('a whole session', () => {
  it.each([1, 2, 3, 7, 64, 100_000])('in pieces of %i bytes gives the same answers and the same disk', async (size) => {
    const { session, tree, store } = await bench();
    const { request, answer } = script(tree);
    let out = '';
    for (let at = 0; at < request.length; at += size) out += await feed(session, request.subarray(at, at + size));
    await session.end();
    expect(out).toBe(answer);
    const stats = fs.statSync(`${tree}/f`);
    expect([stats.uid, stats.gid, stats.mode & 0o7777, stats.mtimeMs]).toEqual([3, 4, 0o644, 1_000_000]);
    expect(fs.readFileSync(`${tree}/f`, 'utf8')).toBe('content');
    const file = `${tree}/f` as FileName;
    const row = (await store.file([file])).get(file);
    expect(row?.checktxt).toBe('v1:mtime=1000:mode=33188:uid=3:gid=4:type=reg:size=7');
    expect(row?.digest).toBe('ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73');
    const baseline = (await store.baselines('client' as PeerName, [file])).get(file);
    expect(baseline).toMatchObject({ checktxt: row?.checktxt, digest: row?.digest, at: 1_000_000 });
    expect(baseline?.signature).toMatch(/^[0-9a-f]{64}$/);
  });

  it('cut after any byte leaves the file whole or absent, and nothing else', async () => {
    const { request } = script('/x');
    const starts = [...request.keys()].filter((at) => at > 100 && at % 9 === 0);
    for (const cut of starts) {
      const { session, tree } = await bench();
      const whole = script(tree).request;
      await feed(session, whole.subarray(0, Math.round((cut / request.length) * whole.length)));
      await session.end();
      expect(fs.readdirSync(tree).filter((name) => name !== 'd' && name !== 'f')).toEqual([]);
      if (fs.existsSync(`${tree}/f`)) {
        expect(fs.readFileSync(`${tree}/f`, 'utf8')).toBe('content');
        expect(fs.statSync(`${tree}/f`).uid).toBe(3);
      }
    }
  });
});

describe('group commit', () => {
  it('writes what comes together in one transaction, and what comes one by one in one each', async () => {
    const { session, tree, transactions } = await bench();
    await feed(session, 'CONFIG\nHELLO client\n');
    const lines = Array.from({ length: 50 }, (_, index) => `MKDIR ${KEY} ${tree}/d${String(index)}\n`);
    await feed(session, lines.join(''));
    expect(transactions).toHaveLength(1);
    for (const index of [1, 2, 3]) await feed(session, `DEL ${KEY} ${tree}/d${String(index)}\n`);
    expect(transactions).toHaveLength(4);
    await session.end();
  });

  it('turns the answers into refusals when the database cannot be written', async () => {
    const { session, tree, store } = await bench();
    await feed(session, 'CONFIG\nHELLO client\n');
    const write = store.write.bind(store);
    const locked = (): CsxError => new CsxError('STATE_LOCKED', 'The database is locked by another.');
    store.write = (writes, hasty) => (hasty === undefined ? Promise.reject(locked()) : write(writes, hasty));
    const answer = await feed(
      session,
      `MKDIR ${KEY} ${tree}/d\nSETMOD ${KEY} ${tree}/d 16877\nSIG ${KEY} ${tree}/none\n`,
    );
    expect(answer).toMatch(
      /^The database is locked by another\.\nThe database is locked by another\.\nOK \(path_not_found\)/,
    );
    store.write = write;
    // It was made all the same, by csx itself: no local change when it is sent again.
    expect(await feed(session, `HELLO client\nMKDIR ${KEY} ${tree}/d\n`)).toBe(OK + OK);
    expect(await store.dirty()).toEqual([]);
    expect(await store.intents()).toEqual([]);
    await session.end();
  });

  it('changes nothing when the database cannot even be told what will be changed', async () => {
    const { session, tree, store } = await bench();
    fs.writeFileSync(`${tree}/f`, 'old');
    await store.write([]);
    await feed(session, 'CONFIG\nHELLO client\n');
    const write = store.write.bind(store);
    store.write = () => Promise.reject(new CsxError('STATE_LOCKED', 'The database is locked by another.'));
    const digest = createHash('sha256').update('new').digest('hex');
    const body = `f ${tree}/new 0 0 33188 500 3 ${digest}\n\nnew`;
    const pack = `PACK ${KEY}\noctet-stream ${String(body.length)}\n${body}`;
    const locked = 'The database is locked by another.\n';
    const refusal = `0 ${locked}`;
    expect(await feed(session, `MKDIR ${KEY} ${tree}/d\n${pack}`)).toBe(
      `${locked}OK (data_follows).\noctet-stream ${String(refusal.length)}\n${refusal}`,
    );
    expect(fs.readdirSync(tree)).toEqual(['f']);
    store.write = write;
    await session.end();
  });
});

describe('a PATCH that waits for its attributes', () => {
  async function held(): Promise<Bench & { readonly file: string }> {
    const made = await bench();
    const file = `${made.tree}/f`;
    await feed(made.session, `CONFIG\nHELLO client\nPATCH ${KEY} ${file}\n`);
    const delta = literalDelta('new');
    expect(await feed(made.session, `octet-stream ${String(delta.length)}\n${delta.toString('latin1')}`)).toBe(OK);
    return { ...made, file };
  }

  it('is invisible until SETIME', async () => {
    const { session, file } = await held();
    expect(await feed(session, `SETOWN ${KEY} ${file} 1 1\nSETMOD ${KEY} ${file} 33188\n`)).toBe(OK + OK);
    expect(fs.existsSync(file)).toBe(false);
    expect(await feed(session, `SETIME ${KEY} ${file} 1000\n`)).toBe(OK);
    expect(fs.readFileSync(file, 'utf8')).toBe('new');
    await session.end();
  });

  it('is put in place by a command about another file', async () => {
    const { session, file, tree } = await held();
    expect(await feed(session, `GETSZ ${KEY} ${tree}/none\n`)).toBe('OK (data_follows).\n-1\n');
    expect(fs.readFileSync(file, 'utf8')).toBe('new');
    await session.end();
  });

  it('is a conflict when the file was made here meanwhile', async () => {
    const { session, file, store } = await held();
    fs.writeFileSync(file, 'mine');
    expect(await feed(session, `SETIME ${KEY} ${file} 1000\n`)).toBe('File is also marked dirty here!\n');
    expect(fs.readFileSync(file, 'utf8')).toBe('mine');
    expect((await store.dirty()).map((row) => row.peer)).toEqual(['client', 'slave']);
    await session.end();
  });

  it('is given up when the connection ends', async () => {
    const { session, tree } = await held();
    await session.end();
    expect(fs.readdirSync(tree)).toEqual([]);
  });
});
