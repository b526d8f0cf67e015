/** Promise 14: whatever bytes come, in whatever pieces, a session answers or closes; it neither fails nor hangs, and harms nothing. */

import fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ActionRunner } from '../../src/engine/daemon/action-runner.js';
import { FileLocks } from '../../src/engine/daemon/file-locks.js';
import type { Opened } from '../../src/engine/daemon/served.js';
import { Journal } from '../../src/engine/daemon/journal.js';
import { Maker } from '../../src/engine/daemon/maker.js';
import { ToldSignatures } from '../../src/engine/daemon/told-signatures.js';
import { Session } from '../../src/engine/daemon/session.js';
import { VERB_NAMES } from '../../src/engine/wire/verbs.js';
import { prepareCsx } from '../engine/daemon/csx-daemon.js';

const KEY = 'a'.repeat(64);
let directory = '';
let tree = '';
let opened: Opened;

beforeAll(async () => {
  const prepared = prepareCsx({
    address: 'server',
    config: 'nossl * *; group g { host server client; key k; include /nowhere; }',
    keys: { k: KEY },
  });
  directory = prepared.directory;
  tree = path.join(directory, 't');
  fs.mkdirSync(tree);
  const file = path.join(prepared.systemDirectory, 'csync2.cfg');
  fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace('/nowhere', tree));
  opened = await prepared.open();
});

afterAll(async () => {
  await opened.store.close();
  fs.rmSync(directory, { recursive: true, force: true });
});

function newSession(): Session {
  const log = () => undefined;
  const actions = new ActionRunner({
    store: opened.store,
    environment: {},
    log,
    timeoutOf: () => undefined,
    now: Date.now,
  });
  const journal = new Journal(opened, () => 1_000_000);
  return new Session({
    address: '10.0.0.9',
    services: {
      serve: () =>
        Promise.resolve({ ...opened, locks: new FileLocks(), actions, journal, signatures: new ToldSignatures() }),
      maker: new Maker(),
      resolvesTo: (name) => Promise.resolve(name === 'client'),
      log,
      now: () => 1_000_000,
      tls: false,
    },
  });
}

const word = fc.oneof(
  fc.constant(KEY),
  fc.constantFrom('a', 'b', 'd/x', '..', '%2e%2e', 'a%00', '%25d%25', '-', '').map((name) => `${tree}/${name}`),
  fc.constantFrom('0', '-1', '511', '99999999999999999999', '4294967295', 'x', '%', '%zz'),
  fc.string({ unit: 'binary', maxLength: 20 }),
);
const command = fc
  .tuple(
    fc.constantFrom<string>(...VERB_NAMES.filter((verb) => verb !== 'BYE'), 'octet-stream', 'ERROR'),
    fc.array(word, { maxLength: 6 }),
  )
  .map(([verb, words]) => Buffer.from(`${[verb, ...words].join(' ')}\n`, 'latin1'));
const likely = fc
  .tuple(
    fc.constantFrom(
      'PATCH',
      'MKDIR',
      'DEL',
      'MKLINK',
      'SETOWN',
      'SETMOD',
      'SETIME',
      'SIG',
      'FLUSH',
      'MARK',
      'GETSZ',
      'MKSOCK',
    ),
    fc.constantFrom('a', 'b', 'a/c'),
    fc.constantFrom('', ' 1', ' 1 1', ' a'),
  )
  .map(([verb, name, rest]) => Buffer.from(`${verb} ${KEY} ${tree}/${name}${rest}\n`));
const body = fc
  .tuple(fc.integer({ min: -2, max: 40 }), fc.uint8Array({ maxLength: 40 }), fc.boolean())
  .map(([length, bytes, magic]) =>
    Buffer.concat([
      Buffer.from(`octet-stream ${String(length)}\n`),
      magic ? Buffer.from('72730236', 'hex') : Buffer.alloc(0),
      bytes,
    ]),
  );
const rubbish = fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes));
const opening = fc.constantFrom('CONFIG \nHELLO client\n', 'CONFIG\n', '').map((text) => Buffer.from(text));

it('sessions of any bytes', async () => {
  await fc.assert(
    fc.asyncProperty(
      opening,
      fc.array(fc.oneof({ weight: 4, arbitrary: likely }, command, body, rubbish), { maxLength: 25 }),
      fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 5 }),
      async (start, parts, sizes) => {
        const session = newSession();
        const bytes = Buffer.concat([start, ...parts]);
        try {
          for (let at = 0, turn = 0; at < bytes.length && !session.closed; turn += 1) {
            const size = sizes[turn % sizes.length] ?? 1;
            session.push(bytes.subarray(at, at + size));
            at += size;
            for await (const effect of session.run()) expect(effect.kind).not.toBe('start-tls');
          }
        } finally {
          await session.end();
        }
        const names = fs.readdirSync(tree, { recursive: true, encoding: 'latin1' });
        expect(names.filter((name) => name.includes('.csx-stage-'))).toEqual([]);
        expect(fs.readdirSync(directory).sort()).toEqual(['db', 'etc', 't']);
      },
    ),
    { numRuns: 400 },
  );
  expect(fs.readdirSync('/proc/self/fd').length).toBeLessThan(100);
}, 20_000);
