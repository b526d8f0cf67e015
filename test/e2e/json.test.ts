/**
 * What csx prints under --json, from the program as built, against schemas/. Each document is valid, valid also where the schema is
 * closed (nothing is printed that the schema does not name), and invalid as soon as any member is left out (the schema asks for all).
 */

import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { ValidateFunction } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore } from '../../src/engine/state/open.js';
import { objectsIn, tighten } from '../model/schema.js';
import { put, startCluster } from '../support/cluster.js';
import type { Cluster } from '../support/cluster.js';
import type { CsxResult } from '../support/csx.js';

const SCHEMAS = new URL('../../schemas/', import.meta.url);
/** What csx reads, and does not print. */
const READ = ['config.schema.json', 'resolutions.schema.json'];
const NAMES = readdirSync(SCHEMAS).filter((name) => name.endsWith('.schema.json') && !READ.includes(name));
/** Members that are maps: their keys are data. */
const MAPS = /\.(?:by_peer|data)$/;

function compiler(closed: boolean): (name: string) => ValidateFunction {
  const ajv = new Ajv2020({ strict: true, strictTypes: false, formats: { 'date-time': true } });
  for (const name of NAMES) {
    const schema = JSON.parse(readFileSync(new URL(name, SCHEMAS), 'utf8')) as object;
    ajv.addSchema((closed ? tighten(schema, name) : schema) as object, name);
  }
  return (name) => {
    const validate = ajv.getSchema(name);
    if (validate === undefined) throw new Error(`no schema ${name}`);
    return validate as ValidateFunction;
  };
}
const TYPES = [
  ...['version', 'log', 'diagnostic', 'refresh_start', 'refresh_complete', 'resource_drift', 'planned_change'],
  ...['planned_action_invocation', 'change_summary', 'peer_connected', 'peer_unreachable', 'apply_start'],
  ...['apply_progress', 'apply_complete', 'apply_errored', 'conflict_detected', 'conflict_resolved', 'action_start'],
  ...['action_complete', 'action_errored', 'lock_waiting', 'interrupt', 'result'],
];
/** Types of records that runs of the program have shown. */
const seen = new Set<string>();
/** Arrays of plans, and the members of their rows, that runs of the program have filled. */
const filled = new Set<string>();
const published = compiler(false);
const exact = compiler(true);

let cluster: Cluster;
let here: string;
let there: string;

/** Runs csx with --json and checks what it prints against a schema; gives it back. */
async function printed(name: string, status: number, ...args: string[]): Promise<Record<string, unknown>> {
  const result = await cluster.csx(...args, '--json');
  expect([args, result.status, result.stderr]).toEqual([args, status, '']);
  const document = JSON.parse(result.stdout) as Record<string, unknown>;
  expectDescribed(`${name}.schema.json`, document);
  if (name === 'plan') noteFilled(document);
  return document;
}

function noteFilled(plan: Record<string, unknown>): void {
  for (const [member, rows] of Object.entries(plan)) {
    if (!Array.isArray(rows)) continue;
    for (const row of rows as Record<string, unknown>[])
      for (const [key, value] of Object.entries(row))
        if (value !== null && !(Array.isArray(value) && value.length === 0)) filled.add(`${member}.${key}`);
  }
}

/** Every array of a plan, with the members of its rows that say what it is about. */
const ROWS: Readonly<Record<string, string>> = {
  peers: 'name address groups reachable implementation protocol tls error',
  resource_drift: 'address path disk groups change reason',
  resource_changes: 'address peer path type groups bytes change action_reason precondition',
  conflicts: 'address peer path kind local remote base certainty auto_method resolution',
  action_invocations: 'host group command logfile when triggered_by',
  deferred_changes: 'address peer path change',
  checks: 'name status message',
  diagnostics: 'severity code summary detail',
};

function expectDescribed(name: string, document: unknown): void {
  const [open, closed] = [published(name), exact(name)];
  expect([name, open(document), open.errors]).toEqual([name, true, null]);
  expect([name, closed(document), closed.errors]).toEqual([name, true, null]);
  for (const { holder, path: place } of objectsIn(document)) {
    if (MAPS.test(place)) continue;
    for (const key of Object.keys(holder).filter((each) => !each.endsWith('_bytes'))) {
      const kept = holder[key];
      Reflect.deleteProperty(holder, key);
      expect([place, key, open(document)]).toEqual([place, key, false]);
      holder[key] = kept;
    }
  }
}

function records(result: CsxResult): { type: string; exit_code?: number }[] {
  const lines = result.stdout.trimEnd().split('\n');
  const parsed = lines.map((line) => JSON.parse(line) as { type: string });
  for (const record of parsed) {
    expectDescribed('events.schema.json', record);
    seen.add(record.type);
  }
  return parsed;
}

beforeAll(async () => {
  cluster = await startCluster({
    block: '127.36.1',
    peers: 1,
    tls: true,
    group: `action { pattern %t%/b; exec "true"; do-local; }
      action { pattern %t%/large; exec "exit 3"; do-local; }`,
  });
  [here, there] = cluster.trees as [string, string];
  for (const name of ['a', 'b', 'c', 'gr\xfc\xdf', 'd/e']) put(`${here}/${name}`, name);
});
afterAll(async () => {
  await cluster.stop();
});

describe('every schema', () => {
  it.each(NAMES)('%s names itself, describes every member, and compiles', (name) => {
    const text = readFileSync(new URL(name, SCHEMAS), 'utf8');
    const schema = JSON.parse(text) as { $id?: string; $schema?: string; title?: string; description?: string };
    expect(schema).toMatchObject({ $schema: 'https://json-schema.org/draft/2020-12/schema', $id: expect.any(String) });
    expect([schema.title, schema.description].every((each) => typeof each === 'string' && each !== '')).toBe(true);
    expect(() => published(name)).not.toThrow();
    for (const { holder, path: place } of objectsIn(schema)) {
      const properties = holder['properties'];
      if (typeof properties !== 'object' || properties === null || !('type' in holder)) continue;
      for (const [key, member] of Object.entries(properties as Record<string, object>)) {
        // It says the same everywhere.
        if (key === 'format_version') continue;
        expect([place, key, 'description' in member || '$ref' in member || 'const' in member]).toEqual([
          place,
          key,
          true,
        ]);
      }
    }
  });
});

// One story, told in order: each step makes what the next one shows.
describe('what is printed', () => {
  it('config check, cert and keygen', async () => {
    expect(await printed('config-check', 0, 'config', 'check')).toMatchObject({ valid: true });
    await printed('cert', 0, 'cert');
    await printed('keygen', 0, 'keygen', path.join(cluster.root, 'fresh-key'));
  });

  it('a plan, and the records of applying it', async () => {
    expect(await printed('plan', 0, 'plan')).toMatchObject({
      applyable: true,
      complete: true,
      errored: false,
      peers: [{ implementation: 'csync2', tls: true }],
    });
    // The same inputs make the same plan.
    const hashes = [await printed('plan', 0, 'plan'), await printed('plan', 0, 'plan')].map(
      (each) => each['plan_hash'],
    );
    expect(hashes[0]).toBe(hashes[1]);
    const lines = records(await cluster.csx('apply', '--auto-approve', '--json'));
    expect([lines[0]?.type, lines.at(-1)?.type, lines.at(-1)?.exit_code]).toEqual(['version', 'result', 0]);
    const types = new Set(lines.map((line) => line.type));
    for (const type of [
      'planned_change',
      'change_summary',
      'peer_connected',
      'apply_start',
      'apply_complete',
      'action_complete',
    ])
      expect([...types]).toContain(type);
    await printed('status', 0, 'status');
  });

  it('scan, marks and hints, and the tables they leave', async () => {
    put(`${here}/a`, 'a, changed');
    put(`${here}/new`, 'new');
    unlinkSync(`${here}/c`);
    expect(await printed('scan', 0, 'scan')).toMatchObject({ new: 1, changed: 1, removed: 1, marked: true });
    expect(await printed('marking', 0, 'mark', `${here}/gr\xfc\xdf`.replace(/[^/]*$/, '*'))).toMatchObject({
      rows: expect.any(Number),
    });
    expect(await printed('marking', 0, 'force', `${here}/a`)).toMatchObject({ files: ['%t%/a'], forced: true });
    await printed('marking', 0, 'hint', '-r', `${here}/d`);
    for (const table of ['files', 'dirty', 'hints', 'actions']) {
      const { rows } = await printed('db-list', 0, 'db', 'list', table);
      if (table !== 'actions') expect(rows).not.toEqual([]);
    }
    expect(await printed('status', 2, 'status', '--detailed-exitcode')).toMatchObject({ hints: 1 });
  });

  it('names that are no UTF-8, without losing a byte', async () => {
    const { rows } = (await printed('db-list', 0, 'db', 'list', 'files')) as { rows: Record<string, string>[] };
    expect(rows.map((row) => row['path_bytes'] ?? '')).toContain(
      Buffer.from('%t%/gr\xfc\xdf', 'latin1').toString('base64'),
    );
  });

  it('conflicts, in a plan, in the records and in status', async () => {
    put(`${here}/b`, 'here');
    put(`${there}/b`, 'there, longer');
    // Both sides as they are, what the two agreed on, and what the group's method would decide.
    const attributes = { type: 'file', mode: '100644', uid: process.getuid?.(), gid: process.getgid?.() };
    const side = (size: number): object => ({ ...attributes, size, mtime: expect.any(Number) });
    expect(await printed('plan', 3, 'plan', '--error-on-conflict')).toMatchObject({
      summary: { conflict: 1 },
      conflicts: [
        {
          address: `${cluster.hosts[1]!}:%t%/b`,
          kind: 'both-changed',
          local: {
            ...side(4),
            digest: expect.stringContaining(createHash('sha256').update('here').digest('hex')),
            signature: expect.any(String),
          },
          // All that a csync2 peer shows of its content.
          remote: { ...side(13), signature: expect.any(String) },
          base: { size: 1 },
          certainty: 'predicted',
          auto_method: 'none',
          resolution: 'none',
        },
      ],
    });
    const lines = records(await cluster.csx('apply', '--auto-approve', '--json'));
    expect(lines.map((line) => line.type)).toContain('conflict_detected');
    expect(lines.at(-1)).toMatchObject({ type: 'result', exit_code: 3 });
    await printed('status', 0, 'status');
    expect(await printed('conflicts', 3, 'conflicts')).toMatchObject({ conflicts: [{ path: '%t%/b' }] });
    for (const side of ['peer', 'local']) {
      const settled = records(await cluster.csx('apply', '--auto-approve', '--on-conflict', side, '--json'));
      expect(settled).toContainEqual(
        expect.objectContaining({ type: 'conflict_resolved', conflict: expect.objectContaining({ resolution: side }) }),
      );
      expect(readFileSync(`${there}/b`, 'utf8')).toBe(side === 'peer' ? 'there, longer' : 'here again');
      put(`${here}/b`, 'here again');
      put(`${there}/b`, 'there, longer still');
    }
  });

  it('a run that waits for another, takes its time, and whose command fails', async () => {
    put(`${here}/large`, 'large'.repeat(1_000_000));
    const store = await openStore({ database: cluster.database, host: 'h', access: 'write', lockTimeout: 5 });
    try {
      const lock = await store.lock('apply', { pid: process.pid, command: 'csx apply', since: Date.now() });
      const lines = records(
        await cluster.csxWith(
          {
            started: (child) => {
              child.stdout?.on('data', (chunk: Buffer) => {
                if (chunk.includes('lock_waiting')) void lock.release();
              });
            },
          },
          ...['apply', '--auto-approve', '--target', `${here}/large`, '--json'],
        ),
      );
      expect(lines.at(-1)).toMatchObject({ type: 'result', exit_code: 4 });
      expect(lines.map(({ type }) => type)).toEqual(
        expect.arrayContaining(['lock_waiting', 'apply_progress', 'action_errored']),
      );
      const again = await store.lock('apply', { pid: process.pid, command: 'csx apply', since: Date.now() });
      const stopped = records(
        await cluster.csxWith(
          {
            started: (child) => {
              child.stdout?.on('data', (chunk: Buffer) => {
                if (chunk.includes('lock_waiting')) child.kill('SIGINT');
              });
            },
          },
          ...['apply', '--auto-approve', '--json'],
        ),
      );
      await again.release();
      expect(stopped.map(({ type }) => type)).toContain('interrupt');
      expect(stopped.at(-1)).toMatchObject({ type: 'result', exit_code: 130 });
    } finally {
      await store.close();
    }
  });

  it('a saved plan that is stale', async () => {
    const file = path.join(cluster.root, 'stale.plan');
    put(`${here}/a`, 'a, for the plan');
    expect((await cluster.csx('plan', '--out', file, '--target', `${here}/a`)).status).toBe(0);
    put(`${there}/a`, 'a, behind its back');
    const lines = records(await cluster.csx('apply', file, '--json'));
    expect(lines.map(({ type }) => type)).toContain('apply_errored');
    // csync2 finds its own change first, and refuses.
    expect(lines.at(-1)).toMatchObject({ type: 'result', exit_code: 3 });
  });

  it('comparisons', async () => {
    await printed('compare', 2, 'compare', '--detailed-exitcode');
    expect(await printed('compare', 0, 'compare', '--mark')).toMatchObject({ marked: expect.any(Number) });
    await printed('diff', 0, 'diff', here);
  });

  it('pins', async () => {
    const peer = cluster.hosts[1]!;
    expect(await printed('trust', 0, 'trust', 'list')).toMatchObject({ pins: [{ peer }] });
    expect(await printed('trust', 0, 'trust', 'verify')).toMatchObject({ peers: [{ peer, status: 'same' }] });
    expect(await printed('trust', 0, 'trust', 'remove', peer)).toMatchObject({ peer, removed: true });
    const certificate = path.join(cluster.peers[0]!.systemDirectory, 'csync2_ssl_cert.pem');
    await printed('trust', 0, 'trust', 'add', peer, certificate);
  });

  it('what goes wrong', async () => {
    await printed('error', 1, 'plan', `${here}/nowhere`);
    await printed('error', 64, 'plan', '--max-delete', 'many');
    await printed('error', 64, 'status', '--no-such-flag');
    const usage = records(await cluster.csx('apply', '--json', '--no-such-flag'));
    expect(usage.map((line) => line.type)).toEqual(['version', 'diagnostic', 'result']);
    expect(usage.at(-1)).toMatchObject({ exit_code: 64 });
    await printed('error', 1, 'show', path.join(cluster.root, 'no.plan'));
    put(`${here}/unsent`, 'unsent');
    const lines = records(await cluster.csx('apply', '--json'));
    expect(lines.at(-1)).toMatchObject({ type: 'result', exit_code: 64 });
    await cluster.peers[0]!.kill();
    expect(await printed('plan', 4, 'plan')).toMatchObject({ complete: false, peers: [{ reachable: false }] });
    expect(await printed('plan', 0, 'plan', '--offline')).toMatchObject({ mode: 'offline' });
    expect(records(await cluster.csx('apply', '--auto-approve', '--json')).at(-1)).toMatchObject({ exit_code: 4 });
    expect(await printed('trust', 4, 'trust', 'verify')).toMatchObject({ peers: [{ status: 'unreachable' }] });
    expect(await printed('doctor', 1, 'doctor')).toMatchObject({ healthy: false });
  });

  it('a vanished tree, stale rows, and a configuration with errors', async () => {
    rmSync(here, { recursive: true });
    expect(await printed('scan', 5, 'scan')).toMatchObject({ roots: [{ state: 'missing' }] });
    expect(await printed('plan', 5, 'plan')).toMatchObject({ applyable: false });
    const config = path.join(cluster.systemDirectory, 'csync2.cfg');
    writeFileSync(config, cluster.config.replace('include %t%;', 'include %t%/d;'));
    expect(await printed('db-clean', 0, 'db', 'clean', '--dry-run')).toMatchObject({ removed: false });
    expect(await printed('db-clean', 0, 'db', 'clean')).toMatchObject({ removed: true });
    writeFileSync(config, 'group g {\n  hots a b;\n}\n');
    expect(await printed('config-check', 1, 'config', 'check')).toMatchObject({ valid: false });
    expect(await printed('error', 1, 'plan')).toMatchObject({ error: { code: 'CONFIG_INVALID', range: { line: 2 } } });
  });

  it('every array of a plan, and every member of its rows, with something in it', () => {
    const wanted = Object.entries(ROWS).flatMap(([array, members]) =>
      members.split(' ').map((member) => `${array}.${member}`),
    );
    expect(wanted.filter((each) => !filled.has(each))).toEqual([]);
  });

  it('every type of record there is', () => {
    expect([...seen].sort()).toEqual([...TYPES].sort());
  });
});
