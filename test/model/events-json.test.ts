import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EventRecord } from '../../src/model/event-record.js';
import type { Event } from '../../src/model/events.js';
import { eventRecord } from '../../src/model/events-json.js';
import { resultRecord, planRecords, resultSummaryJson, versionRecord } from '../../src/model/run-records.js';
import { summaryJson, toPlanJson } from '../../src/model/plan-json.js';
import { action, bytes, change, conflict, fileName, peerName, plan, problem } from './arbitrary-plan.js';
import { objectsIn, tighten } from './schema.js';

const read = (name: string): object =>
  JSON.parse(readFileSync(new URL(`../../schemas/${name}`, import.meta.url), 'utf8')) as object;
const compile = (close: boolean) => {
  const ajv = new Ajv2020({ strict: true, strictTypes: false, formats: { 'date-time': true } });
  const use = (name: string) => (close ? (tighten(read(name), name) as object) : read(name));
  ajv.addSchema(use('plan.schema.json'));
  return ajv.compile(use('events.schema.json'));
};
const published = compile(false);
const exact = compile(true);

const AT = '2026-11-22T13:00:00.000Z';
const nat = fc.nat();
const file = { peer: peerName, path: fileName };
const does = change.map((each) => each.action);

/** One arbitrary for each type of event: a type without one does not compile. */
const EVENTS: { readonly [Type in Event['type']]: fc.Arbitrary<Extract<Event, { readonly type: Type }>> } = {
  lock_waiting: fc.record({
    type: fc.constant('lock_waiting' as const),
    owner: fc.record({ pid: nat, command: fc.string(), since: nat }),
  }),
  scan_start: fc.record({ type: fc.constant('scan_start' as const), known: nat }),
  scan_progress: fc.record({ type: fc.constant('scan_progress' as const), entries: nat, at: fileName }),
  scan_complete: fc.record({ type: fc.constant('scan_complete' as const), entries: nat, drift: nat }),
  peer_connecting: fc.record({ type: fc.constant('peer_connecting' as const), peer: peerName, address: fc.string() }),
  peer_connected: fc.record({ type: fc.constant('peer_connected' as const), peer: peerName, tls: fc.boolean() }),
  peer_unreachable: fc.record({ type: fc.constant('peer_unreachable' as const), peer: peerName, problem }),
  refresh_start: fc.record({ type: fc.constant('refresh_start' as const), peer: peerName, files: nat }),
  refresh_progress: fc.record({ type: fc.constant('refresh_progress' as const), peer: peerName, files: nat }),
  refresh_complete: fc.record({ type: fc.constant('refresh_complete' as const), peer: peerName, files: nat }),
  apply_start: fc.record({ type: fc.constant('apply_start' as const), peer: peerName, changes: nat, bytes: nat }),
  change_start: fc.record({ type: fc.constant('change_start' as const), ...file, action: does, bytes: nat }),
  apply_progress: fc.record({ type: fc.constant('apply_progress' as const), ...file, bytes: nat }),
  change_complete: fc.record({ type: fc.constant('change_complete' as const), ...file, action: does, bytes: nat }),
  change_skipped: fc.record({ type: fc.constant('change_skipped' as const), ...file, action: does, problem }),
  change_errored: fc.record({ type: fc.constant('change_errored' as const), ...file, action: does, problem }),
  apply_complete: fc.record({ type: fc.constant('apply_complete' as const), peer: peerName, changes: nat, bytes: nat }),
  conflict_detected: fc.record({ type: fc.constant('conflict_detected' as const), conflict }),
  conflict_resolved: fc.record({ type: fc.constant('conflict_resolved' as const), conflict }),
  action_start: fc.record({ type: fc.constant('action_start' as const), action }),
  action_complete: fc.record({ type: fc.constant('action_complete' as const), action, status: nat, milliseconds: nat }),
  action_errored: fc.record({
    type: fc.constant('action_errored' as const),
    action,
    status: fc.option(nat, { nil: undefined }),
    milliseconds: nat,
    output: bytes(40),
  }),
  problem: fc.record({ type: fc.constant('problem' as const), problem }),
  interrupt: fc.record({ type: fc.constant('interrupt' as const), signal: fc.constantFrom('SIGINT', 'SIGTERM') }),
};

/** What becomes of each event. */
const BECOMES: Readonly<Record<Event['type'], EventRecord['type'] | undefined>> = {
  lock_waiting: 'lock_waiting',
  scan_start: 'log',
  scan_progress: undefined,
  scan_complete: 'log',
  peer_connecting: undefined,
  peer_connected: 'peer_connected',
  peer_unreachable: 'peer_unreachable',
  refresh_start: 'refresh_start',
  refresh_progress: undefined,
  refresh_complete: 'refresh_complete',
  apply_start: 'log',
  change_start: 'apply_start',
  apply_progress: 'apply_progress',
  change_complete: 'apply_complete',
  change_skipped: 'apply_errored',
  change_errored: 'apply_errored',
  apply_complete: 'log',
  conflict_detected: 'conflict_detected',
  conflict_resolved: 'conflict_resolved',
  action_start: 'action_start',
  action_complete: 'action_complete',
  action_errored: 'action_errored',
  problem: 'diagnostic',
  interrupt: 'interrupt',
};

/** As the line is read again. */
const line = (record: EventRecord): unknown => JSON.parse(JSON.stringify(record));

function expectValid(record: EventRecord): void {
  const json = line(record);
  expect([record.type, published(json), published.errors]).toEqual([record.type, true, null]);
  expect([record.type, exact(json), exact.errors]).toEqual([record.type, true, null]);
}

function expectClosed(record: EventRecord): void {
  const json = line(record);
  for (const { holder, path } of objectsIn(json)) {
    if (path.endsWith('.by_peer')) continue;
    holder['one_more'] = 1;
    expect([path, published(json), exact(json)]).toEqual([path, true, false]);
    Reflect.deleteProperty(holder, 'one_more');
    for (const key of Object.keys(holder).filter((each) => !each.endsWith('_bytes'))) {
      const kept = holder[key];
      Reflect.deleteProperty(holder, key);
      expect([path, key, published(json)]).toEqual([path, key, false]);
      holder[key] = kept;
    }
  }
}

describe('eventRecord', () => {
  it.each(Object.keys(EVENTS) as Event['type'][])('%s', (type) => {
    const events: fc.Arbitrary<Event> = EVENTS[type];
    fc.assert(
      fc.property(events, (event) => {
        const record = eventRecord(event, AT);
        expect(record?.type).toBe(BECOMES[type]);
        if (record !== undefined) expectValid(record);
      }),
      { numRuns: 30 },
    );
    for (const event of fc.sample(events, { numRuns: 2, seed: 1 })) {
      const record = eventRecord(event, AT);
      if (record !== undefined) expectClosed(record);
    }
  });
  it('says in one sentence what happened, without control characters', () => {
    const told = eventRecord(
      { type: 'change_start', peer: 'web1' as never, path: '/a\x1b[2J\n' as never, action: 'create', bytes: 3 },
      AT,
    );
    expect(told).toEqual({
      '@level': 'info',
      '@message': 'web1:/a\\x1b[2J\\n: create...',
      '@timestamp': AT,
      type: 'apply_start',
      hook: { address: 'web1:/a\\x1b[2J\\n', peer: 'web1', path: '/a\x1b[2J\n', action: 'create', bytes: 3 },
    });
  });
});

describe('the records of a run', () => {
  it('tell the whole plan, and end with its counts', () => {
    fc.assert(
      fc.property(plan(), (each) => {
        const records = [...planRecords(each, 'Plan: nothing.', AT)];
        for (const one of records) expectValid(one);
        const json = toPlanJson(each);
        expect(records.flatMap((one) => (one.type === 'planned_change' ? [one.change] : []))).toEqual([
          ...json.resource_changes,
          ...json.deferred_changes,
        ]);
        expect(records.flatMap((one) => (one.type === 'resource_drift' ? [one.drift] : []))).toEqual(
          json.resource_drift,
        );
        expect(records.flatMap((one) => (one.type === 'conflict_detected' ? [one.conflict] : []))).toEqual(
          json.conflicts,
        );
        expect(records.at(-1)).toMatchObject({ type: 'change_summary', changes: json.summary });
      }),
      { numRuns: 40 },
    );
  });
  it('begin with the version and end with the result', () => {
    const counts = {
      create: 1,
      update: 2,
      delete: 3,
      noOp: 4,
      failed: 5,
      skipped: 6,
      notAttempted: 7,
      unreachable: 8,
      conflicts: 9,
      actions: 10,
      actionsFailed: 11,
      bytes: 12,
      milliseconds: 13,
    };
    const [some] = fc.sample(plan(), { numRuns: 1, seed: 1 });
    if (some === undefined) throw new Error('no plan');
    const records = [
      versionRecord('0.1.0', AT),
      resultRecord(0, undefined, AT),
      resultRecord(4, resultSummaryJson(counts), AT),
      resultRecord(2, summaryJson(some.summary), AT),
      resultRecord(64, undefined, AT),
    ];
    for (const record of records) expectValid(record);
    expect(records.map((record) => record['@level'])).toEqual(['info', 'info', 'warn', 'info', 'error']);
    const [first] = records;
    if (first !== undefined) expectClosed(first);
  });
  it('are of no type the schema does not know', () => {
    expect(published({ ...versionRecord('1', AT), type: 'other' })).toBe(false);
  });
});
