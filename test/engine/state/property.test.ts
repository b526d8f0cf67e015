/** Random lists of Writes against a model of the tables in memory. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { storedName } from '../../../src/model/encoding.js';
import type { Digest, SignatureDigest } from '../../../src/model/entry.js';
import { compareBytes, isWithin, type Bytes, type FileName, type PeerName } from '../../../src/model/names.js';
import type { ActionRun, Baseline, Intent, Store, Write } from '../../../src/model/store.js';
import { checktxt, directory, open, rows, stamp } from './support.js';

const name = fc
  .array(fc.constantFrom('a', 'b', 'a b', '%', 'a!', '0', '.x', '\xff', '\xc3\xa9', "'"), {
    minLength: 1,
    maxLength: 3,
  })
  .map((parts) => `/${parts.join('/')}` as FileName);
const who = fc.constantFrom('p1', 'fe80::1', 'host.example') as fc.Arbitrary<PeerName>;
const text = fc.constantFrom('v1:type=dir', 'v1:mtime=1:type=reg:size=0', 'v1:type=lnk:target=%20\xe9').map(checktxt);
const bytes = fc.constantFrom('t', '%41', 'a b\xfe', '\n').map((value) => value as Bytes);
const time = fc.integer({ min: 0, max: 4_000_000_000_000 });
const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined });

const write: fc.Arbitrary<Write> = fc.oneof(
  fc.record({
    kind: fc.constant('put-file' as const),
    file: name,
    checktxt: text,
    stamp: maybe(fc.constantFrom('1.2.3', '4.5.6').map(stamp)),
    target: maybe(bytes),
    digest: maybe(fc.constant('d'.repeat(64) as Digest)),
  }),
  fc.record({ kind: fc.constant('remove-file' as const), file: name }),
  fc.record({ kind: fc.constant('mark' as const), file: name, peer: who, me: who, forced: fc.boolean(), since: time }),
  fc.record({ kind: fc.constant('force' as const), file: name, forced: fc.boolean() }),
  fc.record({
    kind: fc.constant('settle' as const),
    file: name,
    peer: who,
    checktxt: maybe(text),
    stamp: maybe(fc.constantFrom('1.2.3', '4.5.6').map(stamp)),
  }),
  fc.record({ kind: fc.constant('clear-dirty' as const), file: name, peer: maybe(who) }),
  fc.record({ kind: fc.constant('refused' as const), file: name, peer: who, at: time }),
  fc.record({ kind: fc.constant('foreseen' as const), file: name, peer: who, at: maybe(time) }),
  fc.record({ kind: fc.constant('put-hint' as const), file: name, recursive: fc.boolean() }),
  fc.record({ kind: fc.constant('remove-hint' as const), file: name, recursive: fc.boolean() }),
  fc.record({
    kind: fc.constantFrom('put-action' as const, 'remove-action' as const),
    action: fc.record({ file: name, command: bytes, logfile: bytes }),
  }),
  fc.record({
    kind: fc.constant('pin' as const),
    peer: who,
    certificate: fc.uint8Array({ minLength: 1, maxLength: 4 }).map((value) => Buffer.from(value)),
    since: time,
  }),
  fc.record({ kind: fc.constant('unpin' as const), peer: who }),
  fc.record({
    kind: fc.constant('put-baseline' as const),
    baseline: fc.record({
      file: name,
      peer: who,
      checktxt: maybe(text),
      target: maybe(bytes),
      digest: maybe(fc.constant('d'.repeat(64) as Digest)),
      signature: maybe(fc.constant('s'.repeat(64) as SignatureDigest)),
      at: time,
    }),
  }),
  fc.record({ kind: fc.constant('remove-baseline' as const), file: name, peer: who }),
  fc.record({
    kind: fc.constant('intend' as const),
    batch: fc.constantFrom('one', 'two'),
    peer: who,
    intents: fc.array(
      fc.record({
        file: name,
        checktxt: maybe(text),
        digest: maybe(fc.constant('d'.repeat(64) as Digest)),
        signature: maybe(fc.constant('s'.repeat(64) as SignatureDigest)),
        actions: fc.boolean(),
      }),
      { maxLength: 3 },
    ),
  }),
  fc.record({ kind: fc.constant('fulfil' as const), batch: fc.constantFrom('one', 'two') }),
  fc.record({
    kind: fc.constant('put-action-run' as const),
    run: fc.record({
      command: bytes,
      startedAt: time,
      milliseconds: fc.nat(),
      status: maybe(fc.nat({ max: 255 })),
      signal: maybe(fc.constant('SIGKILL')),
      timedOut: fc.boolean(),
      files: fc.nat(),
    }),
  }),
);

/** The tables as maps, and the obvious meaning of each Write. */
class Model {
  readonly files = new Map<FileName, Extract<Write, { kind: 'put-file' }>>();
  readonly dirty = new Map<
    string,
    {
      file: FileName;
      peer: PeerName;
      me: PeerName;
      forced: boolean;
      since?: number;
      refused?: number;
      foreseen?: number | undefined;
    }
  >();
  readonly hints = new Map<string, { file: FileName; recursive: boolean }>();
  readonly actions = new Map<string, { file: FileName; command: Bytes; logfile: Bytes }>();
  readonly pins = new Map<PeerName, { peer: PeerName; certificate: Buffer; since: number }>();
  readonly baselines = new Map<string, Baseline>();
  intents: { batch: string; peer: PeerName; intents: readonly Intent[]; alive: boolean }[] = [];
  readonly actionRuns = new Map<Bytes, ActionRun>();

  apply(write: Write): void {
    switch (write.kind) {
      case 'put-file':
        this.files.set(write.file, write);
        return;
      case 'remove-file':
        this.files.delete(write.file);
        return;
      case 'mark': {
        const key = `${write.peer} ${write.file}`;
        const { kind: _, ...row } = write;
        const old = this.dirty.get(key);
        this.dirty.set(key, { ...old, ...row, forced: write.forced || old?.forced === true });
        return;
      }
      case 'force':
        for (const row of this.dirty.values()) if (row.file === write.file) row.forced = write.forced;
        return;
      case 'settle': {
        const now = this.files.get(write.file);
        const sameStamp = now?.stamp === undefined || write.stamp === undefined || now.stamp === write.stamp;
        if (now?.checktxt === write.checktxt && sameStamp) this.dirty.delete(`${write.peer} ${write.file}`);
        return;
      }
      case 'clear-dirty':
        for (const [key, row] of this.dirty) {
          if (row.file === write.file && (write.peer === undefined || write.peer === row.peer)) this.dirty.delete(key);
        }
        return;
      case 'refused': {
        const row = this.dirty.get(`${write.peer} ${write.file}`);
        if (row !== undefined) row.refused = write.at;
        return;
      }
      case 'foreseen': {
        const row = this.dirty.get(`${write.peer} ${write.file}`);
        if (row !== undefined) row.foreseen = write.at;
        return;
      }
      case 'put-hint':
        this.hints.set(`${String(write.recursive)} ${write.file}`, { file: write.file, recursive: write.recursive });
        return;
      case 'remove-hint':
        this.hints.delete(`${String(write.recursive)} ${write.file}`);
        return;
      case 'put-action':
        this.actions.set(`${write.action.file} ${write.action.command}`, write.action);
        return;
      case 'remove-action': {
        const key = `${write.action.file} ${write.action.command}`;
        if (this.actions.get(key)?.logfile === write.action.logfile) this.actions.delete(key);
        return;
      }
      case 'pin':
        this.pins.set(write.peer, { peer: write.peer, certificate: write.certificate, since: write.since });
        return;
      case 'unpin':
        this.pins.delete(write.peer);
        return;
      case 'put-baseline':
        this.baselines.set(`${write.baseline.peer} ${write.baseline.file}`, write.baseline);
        return;
      case 'remove-baseline':
        this.baselines.delete(`${write.peer} ${write.file}`);
        return;
      case 'put-run':
        return;
      case 'intend':
        this.intents.push({ batch: write.batch, peer: write.peer, intents: write.intents, alive: true });
        return;
      case 'fulfil':
        this.intents = this.intents.filter((each) => each.batch !== write.batch);
        return;
      case 'put-action-run':
        this.actionRuns.set(write.run.command, write.run);
        return;
    }
  }
}

function byName(a: { readonly file: FileName }, b: { readonly file: FileName }): number {
  return compareBytes(storedName(a.file), storedName(b.file));
}

async function expectSame(store: Store, model: Model): Promise<void> {
  const files = [...model.files.values()].sort(byName);
  const expected = files.map(({ file, checktxt: recorded, stamp: seen, target, digest }) => ({
    stored: storedName(file),
    checktxt: recorded,
    stamp: seen,
    target,
    digest,
  }));
  expect(await rows(store)).toEqual(expected);
  expect([...(await store.file(files.map((each) => each.file))).values()]).toEqual(expected);
  expect(await store.countFiles()).toBe(files.length);
  const dirty = [...model.dirty.values()].sort((a, b) => compareBytes(a.peer, b.peer) || byName(a, b));
  expect(await store.dirty()).toEqual(
    dirty.map((row) => ({ refused: undefined, foreseen: undefined, since: undefined, ...row })),
  );
  const hints = [...model.hints.values()].sort((a, b) => byName(a, b) || Number(a.recursive) - Number(b.recursive));
  expect(await store.hints()).toEqual(hints);
  const actions = new Set((await store.actions()).map((row) => JSON.stringify(row)));
  expect(actions).toEqual(new Set([...model.actions.values()].map((row) => JSON.stringify(row))));
  expect(await store.certificates()).toEqual([...model.pins.values()].sort((a, b) => compareBytes(a.peer, b.peer)));
  expect(await store.intents()).toEqual(model.intents);
  const latest = [...model.actionRuns.values()].sort(
    (a, b) => b.startedAt - a.startedAt || compareBytes(a.command, b.command),
  );
  const runs = await store.actionRuns();
  expect(runs.map((run) => run.startedAt)).toEqual(latest.map((run) => run.startedAt));
  expect(new Set(runs.map((run) => JSON.stringify(run)))).toEqual(new Set(latest.map((run) => JSON.stringify(run))));
  for (const [, baseline] of model.baselines) {
    expect((await store.baselines(baseline.peer, [baseline.file])).get(baseline.file)).toEqual(baseline);
  }
}

describe('any list of writes', () => {
  test('leaves what a model in memory says, through closing and opening again', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(write, { minLength: 1, maxLength: 30 }), { minLength: 1, maxLength: 4 }),
        async (lists) => {
          const where = directory();
          const model = new Model();
          let store = await open(where);
          for (const [index, list] of lists.entries()) {
            await store.write(list);
            for (const each of list) model.apply(each);
            await expectSame(store, model);
            expect((await store.identity()).serial).toBe(index + 1);
          }
          await store.close();
          store = await open(where, { access: 'read' });
          await expectSame(store, model);
          await store.close();
        },
      ),
      { numRuns: 60 },
    );
  });

  test('scopes select a file, or it and what lies below it', async () => {
    const where = directory();
    const store = await open(where);
    const names = ['/', '/a', '/a b', '/a!', '/a/b', '/a/b/c', '/a0', '/b', '%p%', '%p%/x', '/a/\xff'] as FileName[];
    await store.write(
      names.flatMap((each) => [
        {
          kind: 'put-file',
          file: each,
          checktxt: checktxt('v1:type=dir'),
          stamp: undefined,
          target: undefined,
          digest: undefined,
        },
        { kind: 'mark', file: each, peer: 'p' as PeerName, me: 'm' as PeerName, forced: false, since: 1 },
      ]),
    );
    const scope = fc.record({ file: fc.constantFrom(...names), recursive: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(scope, { maxLength: 4 }), async (scopes) => {
        const inside = names.filter((each) =>
          scopes.some((one) => (one.recursive ? isWithin(each, one.file) : each === one.file)),
        );
        const stored = inside.map(storedName).sort(compareBytes);
        expect((await rows(store, scopes)).map((row) => row.stored)).toEqual(stored);
        expect(await store.countFiles(scopes)).toBe(stored.length);
        expect((await store.dirty({ scopes })).map((row) => storedName(row.file))).toEqual(stored);
      }),
      { numRuns: 100 },
    );
  });
});
