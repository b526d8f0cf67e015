/**
 * Promises 1 and 3 against power failure: the system calls of a receiver, and of a sender, in order. What is not yet durable may be lost
 * with the power in any combination, so the rule for each operation is about order alone:
 *
 *   write, owner, mode, times < fsync of the file < rename < fsync of the directory < database on disk < answer
 *
 * and on the sender: answer < the row's removal.
 */

import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { literalDelta, RawClient } from '../engine/daemon/raw-client.js';
import { put } from '../support/cluster.js';
import { KEY, startHosts, stopHosts } from './hosts.js';
import type { Host } from './hosts.js';
import { listing } from './strace.js';
import { callsOf, isAnswer, isWal, SYNCS } from './trace.js';
import type { Call } from './trace.js';

let hosts: Host[] | undefined;

afterEach(async () => {
  await stopHosts(hosts);
  hosts = undefined;
});

const BACKUP = 'backup-directory ROOT/backups; backup-generations 2;';

async function tracedReceiver(block: string): Promise<{ client: RawClient; receiver: Host; calls: () => Call[] }> {
  const root = fs.mkdtempSync(path.join(fs.realpathSync('/dev/shm'), 'csx-order-'));
  hosts = await startHosts({
    block,
    kinds: ['csx', 'csx'],
    silent: [0, 1],
    root,
    group: BACKUP.replace('ROOT', root),
  });
  const [sender, receiver] = hosts as [Host, Host];
  const trace = path.join(root, 'trace');
  fs.mkdirSync(`${receiver.tree}/old-directory`);
  put(`${receiver.tree}/old`, 'what was there');
  put(`${receiver.tree}/gone`, 'what was there');
  expect(await receiver.run(['scan', '--init'])).toMatchObject({ status: 0 });
  await receiver.serve({ under: listing(trace, ['read', 'readv', 'recvfrom', 'openat', 'close']) });
  const client = await RawClient.introduced(receiver.address, sender.address);
  return { client, receiver, calls: () => callsOf(trace) };
}

/** One command, its answer awaited; the calls between the two. */
async function during(traced: Awaited<ReturnType<typeof tracedReceiver>>, command: string): Promise<Call[]> {
  // What strace still has to write of the commands before does not belong to this one.
  let before = -1;
  for (let now = traced.calls().length; now !== before; now = traced.calls().length) {
    before = now;
    await sleep(300);
  }
  const line = command.replace('KEY', KEY);
  if (line.startsWith('PATCH')) {
    const file = line.split(' ')[2] ?? '';
    expect(await traced.client.patch(line, literalDelta('x'.repeat(5000)))).toContain('\n--\nOK');
    for (const rest of [`SETOWN ${KEY} ${file} 1 2`, `SETMOD ${KEY} ${file} 33184`, `SETIME ${KEY} ${file} 1000`]) {
      expect(await traced.client.say(rest)).toMatch(/^OK/);
    }
  } else expect(await traced.client.say(line), command).toMatch(/^OK/);
  // strace writes a moment later.
  for (let round = 0; ; round += 1) {
    const calls = traced.calls().slice(before);
    const answers = line.startsWith('PATCH') ? 5 : 1;
    if (calls.filter(isAnswer).length >= answers || round > 500) return calls;
    await sleep(10);
  }
}

/** Where the last call that fits began; -1: there is none. */
function last(calls: readonly Call[], fits: (call: Call) => boolean): number {
  return calls.findLastIndex(fits);
}

/** The end of the change: durable in the database, then answered. */
function expectRecordedThenAnswered(calls: readonly Call[], changed: number): void {
  const wal = calls.findIndex((call, index) => index > changed && isWal(call) && call.name === 'pwrite64');
  expect(wal, 'the rows are written after the change').toBeGreaterThan(changed);
  const answer = last(calls, isAnswer);
  const written = last(calls.slice(0, answer), (call) => isWal(call) && call.name === 'pwrite64');
  const synced = calls.findIndex((call, index) => index > written && isWal(call) && SYNCS.has(call.name));
  expect(synced, 'the rows are durable').toBeGreaterThan(written);
  expect(calls[synced]!.ended, 'before the answer').toBeLessThan(calls[answer]!.began);
}

function expectSyncedBetween(calls: readonly Call[], file: string, after: number, before: number): void {
  const synced = calls.some(
    (call) => SYNCS.has(call.name) && call.path === file && call.began > after && call.ended < before,
  );
  expect(synced, `${file} is made durable between call ${String(after)} and ${String(before)}`).toBe(true);
}

/** A staged file is whole, dressed and durable before it takes its place; afterwards the directory is made durable. */
function expectReplacedDurably(calls: readonly Call[], target: string): void {
  const renamed = last(calls, (call) => call.name.startsWith('rename') && call.to === target);
  expect(renamed, `${target} is renamed into its place`).toBeGreaterThanOrEqual(0);
  const rename = calls[renamed]!;
  const staged = rename.path ?? '';
  expect(path.basename(staged)).toMatch(/^\.csx-stage-/);
  const touching = calls.filter(
    (call) =>
      call.path === staged &&
      /^(?:write|writev|pwrite64|copy_file_range|fchmod|fchown|utimensat|ftruncate)$/.test(call.name),
  );
  const names = new Set(touching.map((call) => call.name));
  for (const name of ['fchown', 'fchmod', 'utimensat']) {
    expect([...names], `${target}: content and attributes come before the rename`).toContain(name);
  }
  const touched = Math.max(...touching.map((call) => call.ended));
  expect(touched).toBeLessThan(rename.began);
  expectSyncedBetween(calls, staged, touched, rename.began);
  const answer = calls[last(calls, isAnswer)]!;
  expectSyncedBetween(calls, path.dirname(target), rename.ended, answer.began);
}

describe('promise 3: the order of writes on the receiver', () => {
  it('PATCH: content and attributes, fsync, rename, fsync of the directory, database, answer; and the backup before it', async () => {
    const traced = await tracedReceiver('127.34.3');
    const { receiver } = traced;
    for (const name of ['new', 'old']) {
      const calls = await during(traced, `PATCH KEY %25t%25/${name}`);
      expectReplacedDurably(calls, `${receiver.tree}/${name}`);
      const renamed = last(calls, (call) => call.to === `${receiver.tree}/${name}`);
      expectRecordedThenAnswered(calls, renamed);
      if (name === 'new') continue;
      const backup = `${path.dirname(receiver.directory)}/backups${receiver.tree}/old`;
      expectReplacedDurably(calls, backup);
      const kept = calls.find((call) => call.to === backup)!;
      expectSyncedBetween(calls, path.dirname(backup), kept.ended, calls[renamed]!.began);
    }
    traced.client.close();
  });

  // Large packs are made in a thread of their own.
  it.each([
    ['PACK', 0],
    ['a large PACK', 200],
  ])(
    '%s: of all files content and attributes, fsync, rename; fsync of each directory, database, answer',
    async (_, more) => {
      const traced = await tracedReceiver('127.34.7');
      const { tree } = traced.receiver;
      const digest = createHash('sha256').update('x'.repeat(5000)).digest('hex');
      const file = (name: string) => `f %25t%25/${name} 1 2 33184 1000 5000 ${digest}\n`;
      const others = Array.from({ length: more }, (_, index) => file(`made/${String(index)}`)).join('');
      const content = 'x'.repeat(5000 * (more + 2));
      const body = `d %25t%25/made 1 2 16877 1000\n${file('made/a')}${others}${file('b')}\n${content}`;
      const calls = await during(traced, `PACK KEY\noctet-stream ${String(body.length)}\n${body}`);
      for (const name of ['made/a', 'b']) expectReplacedDurably(calls, `${tree}/${name}`);
      const renamed = last(calls, (call) => call.name.startsWith('rename') && (call.to ?? '').startsWith(tree));
      expectSyncedBetween(calls, `${tree}/made`, calls[renamed]!.ended, calls[last(calls, isAnswer)]!.began);
      expectSyncedBetween(calls, tree, calls[renamed]!.ended, calls[last(calls, isAnswer)]!.began);
      expectRecordedThenAnswered(calls, renamed);
      traced.client.close();
    },
  );

  it.each([
    ['DEL KEY %25t%25/gone', /^unlink/, 'gone'],
    ['DEL KEY %25t%25/old-directory', /^(?:rmdir|unlinkat)/, 'old-directory'],
    ['MKDIR KEY %25t%25/d', /^mkdir/, 'd'],
    ['MKLINK KEY %25t%25/l target', /^rename/, 'l'],
    ['MKFIFO KEY %25t%25/f', /^rename/, 'f'],
  ])('%s: the change, fsync of the directory, database, answer', async (command, call, name) => {
    const traced = await tracedReceiver('127.34.4');
    const { receiver } = traced;
    const calls = await during(traced, command);
    const target = `${receiver.tree}/${name}`;
    const changed = last(calls, (each) => call.test(each.name) && (each.to ?? each.path) === target);
    expect(changed, calls.map((each) => `${each.name} ${each.path ?? ''}`).join('\n')).toBeGreaterThanOrEqual(0);
    expectSyncedBetween(calls, receiver.tree, calls[changed]!.ended, calls[last(calls, isAnswer)]!.began);
    expectRecordedThenAnswered(calls, changed);
    traced.client.close();
  });

  it.each([
    ['SETOWN KEY %25t%25/gone 1 2', /chown/],
    ['SETMOD KEY %25t%25/gone 33152', /chmod/],
    ['SETIME KEY %25t%25/gone 1000', /utimensat/],
  ])('%s: the attribute, fsync of the file, database, answer', async (command, call) => {
    const traced = await tracedReceiver('127.34.5');
    const calls = await during(traced, command);
    const file = `${traced.receiver.tree}/gone`;
    const changed = last(calls, (each) => call.test(each.name) && each.path === file);
    expect(changed).toBeGreaterThanOrEqual(0);
    expectSyncedBetween(calls, file, calls[changed]!.ended, calls[last(calls, isAnswer)]!.began);
    expectRecordedThenAnswered(calls, changed);
    traced.client.close();
  });
});

describe('promise 3: the order of writes on the sender', () => {
  it('marks are durable before anything is sent, and go only after the answer to it has come', async () => {
    const root = fs.mkdtempSync(path.join(fs.realpathSync('/dev/shm'), 'csx-order-'));
    hosts = await startHosts({ block: '127.34.6', kinds: ['csx', 'csx'], silent: [0], root });
    const [sender] = hosts as [Host, Host];
    put(`${sender.tree}/first`, 'first');
    expect(await sender.apply()).toMatchObject({ status: 0 });
    put(`${sender.tree}/unmistakable`, 'changed');
    const trace = path.join(root, 'trace');
    const more = ['read', 'readv', 'recvfrom', 'openat', 'close'];
    expect(await sender.apply({ under: listing(trace, more) })).toMatchObject({ status: 0 });
    const calls = callsOf(trace);
    const sent = calls.findIndex(
      (call) => call.socket && /PATCH|PACK/.test(call.text) && call.text.includes('unmistakable'),
    );
    expect(sent).toBeGreaterThan(0);
    const marked = calls.findIndex(
      (call) => isWal(call) && call.name === 'pwrite64' && call.text.includes('unmistakable'),
    );
    expect(marked, 'the mark is written before the change is sent').toBeLessThan(sent);
    const durable = calls.some(
      (call, index) => index > marked && isWal(call) && SYNCS.has(call.name) && call.ended < calls[sent]!.began,
    );
    expect(durable, 'and durable').toBe(true);
    const answered = calls.findLastIndex(
      (call) => call.socket && /read|recv/.test(call.name) && /OK \((cmd_finished|data_follows)/.test(call.text),
    );
    const between = calls.slice(sent, answered).filter((call) => isWal(call) && call.name === 'pwrite64');
    expect(between, 'nothing is taken for done before the answer').toEqual([]);
    expect(calls.slice(answered).some((call) => isWal(call) && call.name === 'pwrite64')).toBe(true);
  });
});
