/**
 * Promise 7: a full disk, an I/O error, a limit, a read-only mount leave the old file whole, say so, and end with a status that is not 0;
 * once the cause is gone, one run brings the hosts together. And what a database that is locked, read-only or damaged does.
 */

import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import Database from 'better-sqlite3';
import { afterEach, describe, expect, it } from 'vitest';
import { put } from '../support/cluster.js';
import { readTree } from '../support/tree.js';
import { staged, startHosts, stopHosts } from './hosts.js';
import type { Host, HostsOptions, Result } from './hosts.js';
import { failing } from './strace.js';

let hosts: Host[] | undefined;
const mounts: string[] = [];

afterEach(async () => {
  for (const host of hosts ?? []) await host.kill();
  for (const mount of mounts.splice(0).reverse()) command('umount', '-l', mount);
  await stopHosts(hosts);
  hosts = undefined;
});

function command(program: string, ...args: string[]): void {
  const run = spawnSync(program, args, { encoding: 'latin1' });
  if (run.status !== 0) throw new Error(`${program} ${args.join(' ')}: ${run.stderr}`);
}

function mount(directory: string, options: string): void {
  command('mount', '-t', 'tmpfs', '-o', `mode=0755,${options}`, 'csx-test', directory);
  mounts.push(directory);
}

async function pair(block: string, options: Partial<HostsOptions> = {}): Promise<[Host, Host]> {
  hosts = await startHosts({ block, kinds: ['csx', 'csx'], silent: [0, 1], ...options });
  return hosts as [Host, Host];
}

const SMALL = 'small and old';
const LARGE = Buffer.alloc(3_000_000, 'abcdefghijklmnop!').toString('latin1');

/** Both hosts have the small file; the sender now has a large one there. */
async function grown(sender: Host): Promise<void> {
  put(`${sender.tree}/file`, SMALL);
  expect(await sender.apply()).toMatchObject({ status: 0 });
  put(`${sender.tree}/file`, LARGE);
}

function expectOldWhole(receiver: Host, failed: Result): void {
  expect(failed.status, failed.stdout + failed.stderr).toBe(4);
  expect(fs.readFileSync(`${receiver.tree}/file`, 'utf8')).toBe(SMALL);
  expect(staged(receiver.tree)).toEqual([]);
}

async function expectConverged(sender: Host, receiver: Host): Promise<void> {
  const again = await sender.apply();
  expect(again.status, again.stdout + again.stderr).toBe(0);
  expect(readTree(receiver.tree)).toEqual(readTree(sender.tree));
  expect(staged(receiver.tree, sender.tree)).toEqual([]);
}

describe('promise 7: what goes wrong on the receiver leaves the old file whole', () => {
  it('a full disk', async () => {
    const [sender, receiver] = await pair('127.34.10');
    mount(receiver.tree, 'size=1m');
    await receiver.serve();
    await grown(sender);
    const failed = await sender.apply();
    expectOldWhole(receiver, failed);
    expect(failed.stdout).toContain('No space left on device');
    command('mount', '-o', 'remount,size=16m', receiver.tree);
    await expectConverged(sender, receiver);
  });

  it('a limit of file sizes, which is a signal besides', async () => {
    const [sender, receiver] = await pair('127.34.11');
    await receiver.serve();
    put(`${sender.tree}/file`, SMALL);
    expect(await sender.apply()).toMatchObject({ status: 0 });
    await receiver.kill();
    await receiver.serve({ under: ['prlimit', '--fsize=1000000'] });
    put(`${sender.tree}/file`, LARGE);
    const failed = await sender.apply();
    expectOldWhole(receiver, failed);
    expect(failed.stdout).toContain('File too large');
    expect(receiver.serving, 'one file is no reason for the daemon to die').toBe(true);
    await receiver.kill();
    await receiver.serve();
    await expectConverged(sender, receiver);
  });

  it('a read-only mount', async () => {
    const [sender, receiver] = await pair('127.34.12');
    mount(receiver.tree, 'size=16m');
    await receiver.serve();
    await grown(sender);
    put(`${sender.tree}/new/file`, 'new');
    command('mount', '-o', 'remount,ro', receiver.tree);
    const failed = await sender.apply();
    expectOldWhole(receiver, failed);
    expect(failed.stdout).toContain('Read-only file system');
    command('mount', '-o', 'remount,rw', receiver.tree);
    await expectConverged(sender, receiver);
  });

  it.each([
    // Of every file, the database's too: whichever comes first is told.
    ['fsync', 'EIO', /Input\/output\s+error|i\/o\s+error/],
    ['fsync', 'EDQUOT', /Disk\s+quota\s+exceeded|the\s+disk\s+is\s+full/],
    ['rename', 'EIO', /Input\/output error/],
    ['fchown', 'EPERM', /Operation not permitted/],
    ['utimensat', 'EIO', /Input\/output error/],
  ])('%s fails with %s', async (call, errno, text) => {
    const [sender, receiver] = await pair('127.34.13');
    await receiver.serve();
    await grown(sender);
    await receiver.kill();
    await receiver.serve({ under: failing(call, errno, '1+') });
    const failed = await sender.apply();
    expectOldWhole(receiver, failed);
    expect(failed.stdout).toMatch(text);
    await receiver.kill();
    await receiver.serve();
    await expectConverged(sender, receiver);
  });

  it.each(['write', 'fsync', 'openat'])('%s is interrupted (EINTR) now and then: nothing is lost', async (call) => {
    const [sender, receiver] = await pair('127.34.14');
    await receiver.serve({ under: failing(call, 'EINTR', '300+7') });
    put(`${sender.tree}/file`, LARGE);
    for (let index = 0; index < 20; index += 1)
      put(`${sender.tree}/d${String(index % 3)}/f${String(index)}`, LARGE.slice(0, 100_000));
    const applied = await sender.apply();
    expect([0, 4]).toContain(applied.status);
    await receiver.kill();
    await receiver.serve();
    await expectConverged(sender, receiver);
  });
});

describe('promise 7: a csync2 peer', () => {
  it('with a full disk keeps the attributes of the old file too', async () => {
    const [sender, receiver] = await pair('127.34.21', { kinds: ['csx', 'csync2'] });
    mount(receiver.tree, 'size=16m');
    await receiver.serve();
    // The delta is small and arrives; the file made with it does not fit beside the old one.
    const large = LARGE.slice(0, 700_000);
    put(`${sender.tree}/before`, 'old');
    put(`${sender.tree}/file`, large);
    expect(await sender.apply()).toMatchObject({ status: 0 });
    command('mount', '-o', 'remount,size=1m', receiver.tree);
    put(`${sender.tree}/before`, 'new content');
    put(`${sender.tree}/file`, `${large}, and more`);
    for (const name of ['before', 'file']) {
      fs.chownSync(`${sender.tree}/${name}`, 7, 8);
      fs.chmodSync(`${sender.tree}/${name}`, 0o751);
      fs.utimesSync(`${sender.tree}/${name}`, 1_000_000, 1_000_000);
    }
    const { mode, uid, gid, mtimeMs } = fs.statSync(`${receiver.tree}/file`);
    const failed = await sender.apply();
    expect(failed.status, failed.stdout + failed.stderr).toBe(4);
    expect(fs.readFileSync(`${receiver.tree}/file`, 'utf8')).toBe(large);
    expect(fs.statSync(`${receiver.tree}/file`)).toMatchObject({ mode, uid, gid, mtimeMs });
    const here = readTree(sender.tree);
    expect(readTree(receiver.tree)['before'], 'the attributes of one that was taken have come').toEqual(here['before']);
    command('mount', '-o', 'remount,size=16m', receiver.tree);
    const again = await sender.apply();
    expect(again.status, again.stdout + again.stderr).toBe(0);
    expect(readTree(receiver.tree)['file']).toEqual(here['file']);
  });
});

describe('promise 7: what goes wrong with the database', () => {
  it('full, on the sender: nothing is sent that could not be remembered, or it is sent again', async () => {
    const [sender, receiver] = await pair('127.34.15');
    mount(sender.databaseDirectory, 'size=8m');
    await receiver.serve();
    put(`${sender.tree}/file`, 'one');
    expect(await sender.apply()).toMatchObject({ status: 0 });
    const ballast = `${sender.databaseDirectory}/ballast`;
    for (let index = 0; index < 2000; index += 1)
      put(`${sender.tree}/d/some-long-name-of-a-file-${String(index)}`, 'x');
    fs.writeFileSync(ballast, Buffer.alloc(freeBytes(sender.databaseDirectory) - 16_384));
    const failed = await sender.apply();
    expect(failed.status, failed.stdout + failed.stderr).toBe(1);
    expect(failed.stderr).toMatch(/the\s+disk\s+is\s+full/);
    fs.unlinkSync(ballast);
    await expectConverged(sender, receiver);
  });

  it('full, on the receiver: nothing is answered OK that is not recorded', async () => {
    const [sender, receiver] = await pair('127.34.16');
    mount(receiver.databaseDirectory, 'size=2m');
    await receiver.serve();
    put(`${sender.tree}/file`, 'one');
    expect(await sender.apply()).toMatchObject({ status: 0 });
    const ballast = `${receiver.databaseDirectory}/ballast`;
    for (let index = 0; index < 300; index += 1) put(`${sender.tree}/some-long-name-of-a-file-${String(index)}`, 'x');
    fs.writeFileSync(ballast, Buffer.alloc(freeBytes(receiver.databaseDirectory) - 16_384));
    const failed = await sender.apply();
    expect(failed.status, failed.stdout + failed.stderr).toBe(4);
    fs.unlinkSync(ballast);
    await expectConverged(sender, receiver);
    const recorded = await receiver.run(['plan', '--detailed-exitcode']);
    expect(recorded.status, recorded.stdout + receiver.log).toBe(0);
  });

  it('locked, on the receiver: the sender is told, and nothing is lost', async () => {
    const [sender, receiver] = await pair('127.34.17', { top: 'lock-timeout 1;' });
    await receiver.serve();
    await grown(sender);
    const holder = new Database(receiver.database);
    holder.exec('BEGIN IMMEDIATE');
    const failed = await sender.apply();
    holder.exec('ROLLBACK');
    holder.close();
    expect(failed.status, failed.stdout + failed.stderr).toBe(4);
    await expectConverged(sender, receiver);
  });

  it('read-only, on either side: said, with the old file whole', async () => {
    const [sender, receiver] = await pair('127.34.18');
    for (const host of [sender, receiver]) mount(host.databaseDirectory, 'size=16m');
    await receiver.serve();
    await grown(sender);
    await receiver.kill();
    command('mount', '-o', 'remount,ro', sender.databaseDirectory);
    const here = await sender.apply();
    expect(here.status).toBe(1);
    expect(here.stderr).toMatch(/read-only|not writable/);
    command('mount', '-o', 'remount,rw', sender.databaseDirectory);
    command('mount', '-o', 'remount,ro', receiver.databaseDirectory);
    await expect(receiver.serve()).rejects.toThrow(/read-only|not writable/);
    command('mount', '-o', 'remount,rw', receiver.databaseDirectory);
    await receiver.serve();
    command('mount', '-o', 'remount,ro', receiver.databaseDirectory);
    expectOldWhole(receiver, await sender.apply());
    command('mount', '-o', 'remount,rw', receiver.databaseDirectory);
    await expectConverged(sender, receiver);
  });

  it('damaged: refused with the cure on both sides; after the cure conflicts are seen, and nothing is overwritten', async () => {
    const [sender, receiver] = await pair('127.34.19');
    await receiver.serve();
    for (let index = 0; index < 300; index += 1) put(`${sender.tree}/f${String(index)}`, `content ${String(index)}`);
    expect(await sender.apply()).toMatchObject({ status: 0 });
    await receiver.kill();
    for (const host of [sender, receiver]) {
      const descriptor = fs.openSync(host.database, 'r+');
      fs.writeSync(descriptor, Buffer.alloc(4096, 0xa5), 0, 4096, 4096 * 2);
      fs.writeSync(descriptor, Buffer.alloc(4096, 0xa5), 0, 4096, 4096 * 5);
      fs.closeSync(descriptor);
    }
    put(`${sender.tree}/f1`, 'changed by the sender');
    put(`${receiver.tree}/f1`, 'changed by the receiver too');
    const damaged = await sender.apply();
    expect(damaged.status, damaged.stdout).toBe(1);
    expect(damaged.stderr).toMatch(/is\s+damaged/);
    expect(damaged.stderr).toMatch(/csx\s+scan/);
    for (const host of [sender, receiver]) fs.renameSync(host.database, `${host.database}.damaged`);
    for (const host of [sender, receiver]) {
      for (const suffix of ['-wal', '-shm']) fs.rmSync(host.database + suffix, { force: true });
    }
    // Both begin anew and mark all they have: what is equal is found equal, what differs was changed on both.
    await receiver.serve();
    expect((await receiver.run(['scan'])).status).toBe(0);
    const applied = await sender.apply();
    expect(applied.status, applied.stdout).toBe(3);
    expect(applied.stdout).toMatch(/! %t%\/f1 /);
    expect(fs.readFileSync(`${receiver.tree}/f1`, 'utf8')).toBe('changed by the receiver too');
    expect(fs.readFileSync(`${sender.tree}/f1`, 'utf8')).toBe('changed by the sender');
  });
});

describe('promise 6: a vanished tree is not a deletion', () => {
  it('not mounted, emptied, replaced by a file or a link: nothing is removed anywhere, status 5', async () => {
    const [sender, receiver] = await pair('127.34.20');
    await receiver.serve();
    mount(sender.tree, 'size=4m');
    for (let index = 0; index < 5; index += 1) put(`${sender.tree}/f${String(index)}`, 'content');
    expect(await sender.apply()).toMatchObject({ status: 0 });
    const before = readTree(receiver.tree);
    const aside = `${sender.tree}-aside`;
    const refused = async (what: string): Promise<void> => {
      // The limit of deletions would stop it too; here it must be the guard of roots.
      const applied = await sender.apply({ flags: ['--max-delete', '100%'] });
      expect(applied.status, `${what}\n${applied.stdout}${applied.stderr}`).toBe(5);
      expect(readTree(receiver.tree), what).toEqual(before);
    };
    command('umount', mounts.pop()!);
    await refused('not mounted');
    fs.rmdirSync(sender.tree);
    await refused('gone');
    fs.writeFileSync(sender.tree, 'a file');
    await refused('a file');
    fs.unlinkSync(sender.tree);
    fs.mkdirSync(aside);
    put(`${aside}/other`, 'content');
    fs.symlinkSync(aside, sender.tree);
    await refused('a link');
    fs.unlinkSync(sender.tree);
  });
});

function freeBytes(directory: string): number {
  const stats = fs.statfsSync(directory);
  return stats.bavail * stats.bsize;
}
