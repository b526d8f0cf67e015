/**
 * Promise 14: saved plans, configurations and database rows of any bytes are read or refused with a CsxError; nothing crashes, hangs or
 * grows. (Wire lines and sessions: daemon-fuzz.test.ts and test/engine/wire; deltas and signatures: test/engine/delta.)
 */

import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readPlanFile } from '../../src/cli/plan-file.js';
import { loadConfig } from '../../src/config/load.js';
import { openStore } from '../../src/engine/state/open.js';
import { CsxError } from '../../src/model/errors.js';
import type { FileName, PeerName } from '../../src/model/names.js';
import { toPlanJson } from '../../src/model/plan-json.js';
import { samplePlan } from '../support/sample-plan.js';
import { LONG, times } from './hosts.js';

let base = '';

beforeAll(() => {
  base = fs.mkdtempSync(path.join(fs.realpathSync(tmpdir()), 'csx-fuzz-'));
});

afterAll(() => {
  fs.rmSync(base, { recursive: true, force: true });
});

const TIME = LONG ? 1_800_000 : 60_000;

/** It succeeds, or says properly why not. */
async function succeedsOrSays(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof CsxError)) throw error;
    expect(error.message).not.toMatch(/undefined|\[object/);
    expect(error.code).not.toBe('INTERNAL');
  }
}

/** A value in place of any one of a JSON document's. */
function replaceAt(value: unknown, at: number, by: unknown): unknown {
  let count = 0;
  const visit = (node: unknown): unknown => {
    count += 1;
    if (count === at + 1) return by;
    if (Array.isArray(node)) return node.map(visit);
    if (node !== null && typeof node === 'object') {
      return Object.fromEntries(Object.entries(node).map(([name, each]) => [name, visit(each)]));
    }
    return node;
  };
  return visit(value);
}

const PLAN: unknown = toPlanJson(samplePlan());

it(
  'promise 14: saved plans with any value in any place',
  async () => {
    const file = path.join(base, 'plan');
    await fc.assert(
      fc.asyncProperty(fc.nat(3000), fc.jsonValue({ maxDepth: 2 }), async (at, by) => {
        fs.writeFileSync(file, gzipSync(JSON.stringify(replaceAt(PLAN, at, by)), { level: 1 }));
        await succeedsOrSays(() => readPlanFile(file));
      }),
      { numRuns: times(300, 20_000) },
    );
  },
  TIME,
);

it(
  'promise 14: saved plans of damaged text, and of damaged gzip',
  async () => {
    const file = path.join(base, 'plan');
    const text = Buffer.from(JSON.stringify(PLAN));
    await fc.assert(
      fc.asyncProperty(
        fc.nat(text.length - 1),
        fc.nat(200),
        fc.uint8Array({ maxLength: 40 }),
        fc.boolean(),
        async (at, cut, bytes, packed) => {
          const source = packed ? text : gzipSync(text, { level: 1 });
          const place = at % source.length;
          const damaged = Buffer.concat([source.subarray(0, place), bytes, source.subarray(place + cut)]);
          fs.writeFileSync(file, packed ? gzipSync(damaged, { level: 1 }) : damaged);
          await succeedsOrSays(() => readPlanFile(file));
        },
      ),
      { numRuns: times(300, 20_000) },
    );
  },
  TIME,
);

it('promise 14: a small plan file that unpacks to hundreds of megabytes is refused, and memory stays bounded', async () => {
  const file = path.join(base, 'bomb');
  const head = '{"format_version":"1.0","csx_version":"';
  const members = [Buffer.from(head)];
  for (let part = 0; part < 24; part += 1) members.push(Buffer.alloc(16 * 1024 * 1024, 'a'));
  // Members of a gzip file that are unpacked one after the other.
  fs.writeFileSync(file, Buffer.concat(members.map((member) => gzipSync(member, { level: 1 }))));
  expect(fs.statSync(file).size).toBeLessThan(4_000_000);
  const before = process.memoryUsage().rss;
  await expect(readPlanFile(file)).rejects.toBeInstanceOf(CsxError);
  expect(process.memoryUsage().rss - before).toBeLessThan(1_200 * 1024 * 1024);
});

const WORDS = [
  ...[
    'group',
    'host',
    'key',
    'include',
    'exclude',
    'auto',
    'action',
    'pattern',
    'exec',
    'logfile',
    'do-local',
    'prefix',
    'on',
  ],
  ...[
    'nossl',
    'ignore',
    'backup-directory',
    'backup-generations',
    'lock-timeout',
    'tempdir',
    'database',
    '{',
    '}',
    '(',
    ')',
  ],
  ...[
    ';',
    ':',
    '"',
    '\\',
    '%',
    '%p%',
    '*',
    '**',
    '[a-',
    '[!',
    '@',
    '/',
    '//',
    '..',
    '#',
    '\n',
    '\0',
    '\xff',
    'a',
    'h1',
    'k',
  ],
];

it(
  'promise 14: configurations of any words and bytes',
  async () => {
    const systemDirectory = fs.mkdtempSync(path.join(base, 'etc-'));
    fs.writeFileSync(path.join(systemDirectory, 'k'), `${'k'.repeat(64)}\n`, { mode: 0o600 });
    const word = fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom(...WORDS) },
      { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }) },
      { weight: 1, arbitrary: fc.integer().map(String) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(word, { maxLength: 60 }), fc.boolean(), async (words, wrapped) => {
        const text = words.join(' ');
        const whole = wrapped ? `group g { host h1 h2; key ${systemDirectory}/k; include /x; ${text} }` : text;
        fs.writeFileSync(path.join(systemDirectory, 'csync2.cfg'), whole, 'latin1');
        await succeedsOrSays(() => loadConfig({ systemDirectory, host: 'h1' }));
      }),
      { numRuns: times(500, 50_000) },
    );
  },
  TIME,
);

const cell = fc.oneof(
  fc.constant(null),
  fc.integer(),
  fc.double({ noNaN: true }),
  fc.string({ maxLength: 30 }),
  fc.constantFrom(
    '%',
    '%2',
    '%00',
    '/x',
    '/x/../y',
    '%25t%25/a',
    'v1:mtime=1:type=reg:size=3',
    'v1:type=lnk:target=',
    'v2:',
    '1',
    '-1',
  ),
  fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes)),
);

it(
  'promise 14: database rows of any values in every table',
  async () => {
    const database = fs.mkdtempSync(path.join(base, 'db-'));
    const made = await openStore({ database, host: 'h1', access: 'write', lockTimeout: 5 });
    await made.write([
      { kind: 'put-action', action: { file: '/x' as FileName, command: 'c' as never, logfile: 'l' as never } },
    ]);
    await made.close();
    const file = path.join(database, 'h1.db3');
    const tables = [
      'file',
      'dirty',
      'hint',
      'action',
      'x509_cert',
      'csx_file',
      'csx_dirty',
      'csx_baseline',
      'csx_certificate',
      'csx_run',
      'csx_lock',
    ];
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.constantFrom(...tables), fc.array(cell, { minLength: 12, maxLength: 12 })), {
          maxLength: 8,
        }),
        async (rows) => {
          const db = new Database(file);
          for (const table of tables) db.exec(`DELETE FROM ${table}`);
          for (const [table, cells] of rows) {
            const columns = db.prepare(`SELECT * FROM ${table}`).columns().length;
            try {
              db.prepare(`INSERT INTO ${table} VALUES (${Array(columns).fill('?').join(',')})`).run(
                ...cells.slice(0, columns),
              );
            } catch {
              // A value the table itself refuses.
            }
          }
          db.close();
          const store = await openStore({ database, host: 'h1', access: 'write', lockTimeout: 5 });
          try {
            const reads: readonly (() => Promise<unknown>)[] = [
              async () => {
                for await (const batch of store.files()) expect(batch.length).toBeGreaterThan(0);
              },
              () => store.dirty(),
              () => store.hints(),
              () => store.actions(),
              () => store.certificates(),
              () => store.runs(10),
              () => store.baselines('h2' as PeerName, ['/x' as FileName]),
              () =>
                store.write([
                  {
                    kind: 'mark',
                    file: '/x' as FileName,
                    peer: 'h2' as PeerName,
                    me: 'h1' as PeerName,
                    forced: false,
                    since: 1,
                  },
                ]),
            ];
            for (const read of reads) await succeedsOrSays(read);
          } finally {
            await store.close();
          }
        },
      ),
      { numRuns: times(40, 5_000) },
    );
  },
  TIME,
);
