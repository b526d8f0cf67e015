/** csx sends to the real csync2 daemon: everything a tree can hold, changes, removals, changes of type. */

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  lchownSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { put, startCluster } from '../support/cluster.js';
import type { Cluster } from '../support/cluster.js';
import { readTree } from '../support/tree.js';

describe('csx against the csync2 daemon', () => {
  let cluster: Cluster;
  let here: string;
  let there: string;

  beforeAll(async () => {
    cluster = await startCluster({ block: '127.30.1', peers: 1 });
    [here, there] = cluster.trees as [string, string];
  });
  afterAll(async () => {
    await cluster.stop();
  });

  /** Applies, and holds both sides equal in tree, and the next plan empty. */
  async function apply(): Promise<void> {
    const applied = await cluster.csx('apply', '--auto-approve', '--max-delete', '100%');
    expect(applied, applied.stdout + applied.stderr).toMatchObject({ status: 0 });
    expect(readTree(there)).toEqual(readTree(here));
    const again = await cluster.csx('plan', '--detailed-exitcode');
    expect(again, again.stdout + again.stderr).toMatchObject({ status: 0 });
  }

  /** The same, and csync2 finds both databases equal, from either side (its status for that is 2). */
  async function converge(): Promise<void> {
    await apply();
    const [mine, theirs] = cluster.hosts as [string, string];
    const fromHere = await cluster.csync2('-T', mine, theirs);
    expect(fromHere, fromHere.stderr).toMatchObject({ status: 2, stdout: '' });
    // The csx host runs no daemon: csync2 serves its database for the other direction.
    const fromThere = await cluster.servingCsync2(() => cluster.peers[0]!.run(['-T', theirs, mine]));
    expect(fromThere, fromThere.stderr).toMatchObject({ status: 2, stdout: '' });
  }

  it('sends a first tree with every kind of file', async () => {
    put(`${here}/file`, 'content\n');
    put(`${here}/empty`, '');
    put(`${here}/deep/er/and/deeper`, 'x', 0o600);
    put(`${here}/script`, '#!/bin/sh\n', 0o755);
    chmodSync(`${here}/script`, 0o4755);
    symlinkSync('file', `${here}/link`);
    symlinkSync('/nowhere/at all', `${here}/dangling`);
    lchownSync(`${here}/dangling`, 12, 34);
    execFileSync('mkfifo', ['-m', '640', `${here}/fifo`]);
    mkdirSync(`${here}/private`, { mode: 0o700 });
    chownSync(`${here}/private`, 1234, 5678);
    chownSync(`${here}/file`, 1, 2);
    utimesSync(`${here}/file`, 1_000_000_000, 1_000_000_000);
    await converge();
  });

  it('sends nothing a second time', async () => {
    const before = readFileSync(cluster.peers[0]!.database);
    const applied = await cluster.csx('apply', '--auto-approve');
    expect(applied.status).toBe(0);
    expect(readFileSync(cluster.peers[0]!.database).equals(before)).toBe(true);
  });

  it('sends changes of content, mode, owner, time and target, each by itself', async () => {
    writeFileSync(`${here}/file`, 'changed\n');
    chmodSync(`${here}/script`, 0o700);
    chownSync(`${here}/empty`, 42, 42);
    utimesSync(`${here}/deep/er/and/deeper`, 5, 1_234_567_890);
    unlinkSync(`${here}/dangling`);
    symlinkSync('elsewhere', `${here}/dangling`);
    chmodSync(`${here}/private`, 0o711);
    await converge();
  });

  it('sends a link under a prefix that was pointed elsewhere once, and only once', async () => {
    unlinkSync(`${here}/link`);
    symlinkSync('empty', `${here}/link`);
    await converge();
  });

  it('sends a second change within the same second that keeps the size', async () => {
    writeFileSync(`${here}/file`, 'aaaa');
    utimesSync(`${here}/file`, 1_500_000_000, 1_500_000_000);
    await converge();
    writeFileSync(`${here}/file`, 'bbbb');
    utimesSync(`${here}/file`, 1_500_000_000, 1_500_000_000);
    await converge();
    expect(readFileSync(`${there}/file`, 'utf8')).toBe('bbbb');
  });

  it('sends removals, of whole trees too', async () => {
    unlinkSync(`${here}/empty`);
    rmSync(`${here}/deep`, { recursive: true });
    await converge();
  });

  it('turns files into directories, directories into files, and links into both', async () => {
    put(`${here}/becomes-directory`, 'file');
    put(`${here}/becomes-file/a/b`, 'file');
    symlinkSync('file', `${here}/becomes-real`);
    await converge();
    unlinkSync(`${here}/becomes-directory`);
    put(`${here}/becomes-directory/with/children`, 'x');
    rmSync(`${here}/becomes-file`, { recursive: true });
    put(`${here}/becomes-file`, 'now a file');
    unlinkSync(`${here}/becomes-real`);
    put(`${here}/becomes-real/child`, 'x');
    await converge();
  });

  it('follows renames', async () => {
    put(`${here}/old/name`, 'renamed');
    await converge();
    renameSync(`${here}/old`, `${here}/new`);
    await converge();
  });

  it('sends names with every byte', async () => {
    for (let byte = 1; byte < 256; byte++) {
      if (byte !== 0x2f) put(`${here}/bytes/b${String.fromCharCode(byte)}b`, String(byte));
    }
    put(`${here}/bytes/${'n'.repeat(255)}`, 'long');
    put(`${here}/bytes/-`, 'dash');
    put(`${here}/bytes/...`, 'dots');
    put(`${here}/bytes/ %20 %2F "q" $(x) \`y\` ;`, 'shell');
    put(`${here}/bytes/\xc3\xa4\xff`, 'half utf-8');
    await converge();
  });

  it('sends paths of 4,000 bytes', async () => {
    let directory = here;
    while (directory.length + 200 < 4000) directory = path.join(directory, 'd'.repeat(150));
    put(`${directory}/${'f'.repeat(4000 - directory.length - 1)}`, 'deep');
    await apply();
    // csync2 -T gives up on lines over 2,048 bytes: its lists are compared instead.
    const [mine, theirs] = [await cluster.csync2('-L'), await cluster.peers[0]!.run(['-L'])];
    expect(theirs).toEqual(mine);
    expect(mine.stdout).toContain('f'.repeat(100));
    rmSync(`${here}/${'d'.repeat(150)}`, { recursive: true });
    await converge();
  });

  it('sends 100 MB, and then a change in the middle as a small delta', async () => {
    const block = createHash('sha512').update('seed').digest();
    const big = Buffer.alloc(100_000_000);
    for (let offset = 0; offset + 64 <= big.length; offset += 64) {
      big.writeUInt32LE(offset, offset);
      block.copy(big, offset + 4, 0, 60);
    }
    writeFileSync(`${here}/big`, big);
    await converge();
    big.write('changed in the middle', 50_000_000);
    writeFileSync(`${here}/big`, big);
    const applied = await cluster.csx('apply', '--auto-approve', '--json');
    const result = JSON.parse(applied.stdout.trim().split('\n').at(-1)!) as { summary: { bytes: number } };
    expect(result.summary.bytes).toBeLessThan(1_000_000);
    await converge();
    unlinkSync(`${here}/big`);
    await converge();
  });

  it('makes directories that the peer never had, with their own attributes and what belongs into them', async () => {
    put(`${here}/unsent/a`, 'a');
    put(`${here}/unsent/deeper/b`, 'b');
    chmodSync(`${here}/unsent/deeper`, 0o750);
    expect(await cluster.csx('scan', '--init')).toMatchObject({ status: 0 });
    expect((await cluster.csx('plan', '--detailed-exitcode')).status).toBe(0);
    writeFileSync(`${here}/unsent/deeper/b`, 'changed');
    await converge();
    expect(readdirSync(`${there}/unsent`)).toEqual(['a', 'deeper']);
  });

  it('takes a directory that was removed on the peer for a conflict, as the peer does', async () => {
    put(`${here}/gone-there/a`, 'a');
    await converge();
    rmSync(`${there}/gone-there`, { recursive: true });
    writeFileSync(`${here}/gone-there/a`, 'changed');
    const plan = await cluster.csx('plan', '--detailed-exitcode');
    expect(plan.status).toBe(3);
    expect(plan.stdout).toMatch(/gone-there\/a {2}changed here, removed on 127\.30\.1\.2/);
    expect((await cluster.csx('apply', '--auto-approve')).status).toBe(3);
    // csync2 itself comes to the same.
    const csync2 = await cluster.csync2('-uv');
    expect(csync2.status).toBe(1);
    expect(csync2.stderr).toContain('File stays in dirty state.');
    expect((await cluster.csx('force', '-r', `${here}/gone-there`)).status).toBe(0);
    await converge();
  });
});
