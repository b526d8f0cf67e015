/** csx compare and csx diff where the peers are csx, too. What they find at csync2 peers: compare.test.ts. */

import { chmodSync, symlinkSync, unlinkSync, utimesSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startHosts, stopHosts } from '../safety/hosts.js';
import type { Host } from '../safety/hosts.js';
import { put } from '../support/cluster.js';
import { readTree } from '../support/tree.js';

let hosts: readonly Host[] = [];
let here: Host;
let second: Host;
let third: Host;

beforeAll(async () => {
  hosts = await startHosts({ block: '127.30.8', kinds: ['csx', 'csx', 'csx'] });
  [here, second, third] = hosts as [Host, Host, Host];
  for (const name of ['same', 'content', 'mode', 'gone-here', 'unreadable'])
    put(`${here.tree}/${name}`, `${name}\nsecond line\n`);
  symlinkSync('same', `${here.tree}/link`);
  expect(await here.apply()).toMatchObject({ status: 0 });
  expect(await here.run(['compare', '--detailed-exitcode'])).toMatchObject({ status: 0 });
  put(`${second.tree}/content`, 'content\nchanged there\n');
  utimesSync(`${second.tree}/content`, 1_700_000_000, 1_700_000_000);
  put(`${second.tree}/only-there`, 'x');
  unlinkSync(`${second.tree}/link`);
  symlinkSync('mode', `${second.tree}/link`);
  chmodSync(`${third.tree}/mode`, 0o600);
  put(`${here.tree}/only-here`, 'y');
  unlinkSync(`${here.tree}/gone-here`);
  for (const host of hosts) expect(await host.run(['scan'])).toMatchObject({ status: 0 });
});
afterAll(async () => {
  await stopHosts(hosts);
});

/** The file's contents cannot be read; all else can. */
function unreadable(file: string): readonly string[] {
  const reading = 'read,pread64,readv,preadv';
  return [
    'strace',
    '-f',
    '-qq',
    '-o',
    '/dev/null',
    '-P',
    file,
    '-e',
    `trace=${reading}`,
    '-e',
    `inject=${reading}:error=EIO`,
  ];
}

it('compare shows how each file differs at which peer', async () => {
  const { stdout, status } = await here.run(['compare', '--detailed-exitcode']);
  expect(status).toBe(2);
  expect(
    stdout
      .split('\n\n')[0]
      ?.split('\n')
      .map((line) => line.split(/ {2,}/)),
  ).toEqual([
    ['File', second.address, third.address],
    ['%t%/content', 'content, mtime (20 B here, 22 B there)', 'same'],
    ['%t%/gone-here', 'only there', 'only there'],
    ['%t%/mode', 'same', 'mode'],
    ['%t%/only-here', 'only here', 'only here'],
    ['%t%/only-there', 'only there', 'same'],
  ]);
  expect(stdout).toContain('Compared: 5 files: 2 different, 2 only here, 3 only there, on 2 peers.\n');
});

it('diff shows contents, attributes, what only the peer has, and what it does not tell', async () => {
  const { stdout, status } = await here.run(['diff', here.tree, '--peer', second.address, '--detailed-exitcode']);
  expect(status).toBe(2);
  expect(stdout).toContain(`--- ${second.address}:%t%/content\n`);
  expect(stdout).toMatch(/^-changed there\n\+second line$/m);
  expect(stdout).toMatch(/%t%\/only-there\n +here: does not exist\n +there: 1 B/);
  expect(stdout).toMatch(/%t%\/gone-here\n +here: does not exist\n +there: 22 B/);
  expect(stdout).toMatch(/%t%\/only-here[^]*there: does not exist/);
  expect(stdout).toContain(`  here: link to same\n  there: link\n  target not told by ${second.address}\n`);
  expect(stdout).toMatch(/, 1 not told\.\n$/);
  const mode = await here.run(['diff', '%t%/mode', '--detailed-exitcode']);
  expect(mode.status).toBe(2);
  expect(mode.stdout).toMatch(/differ in mode\n\n1 different in 2 comparisons with 2 peers\.\n$/);
});

it('diff does not call a file the same that it cannot read', async () => {
  const under = unreadable(`${here.tree}/unreadable`);
  const found = await here.run(['diff', '%t%/unreadable', '--detailed-exitcode'], { under });
  expect(found.status).toBe(2);
  expect(found.stdout).toContain('  there: 23 B, mode 0644\n  content cannot be read here\n');
  expect(found.stdout).toMatch(/Nothing different in 2 comparisons with 2 peers, 2 not told\.\n$/);
});

it('compare --mark schedules what differs, and with --removals what is only there', async () => {
  // Named, though only a peer has it.
  const only = ['compare', '%t%/only-there', '--mark'];
  expect((await here.run(only)).stdout).toContain('Marked: 0 rows.\n');
  expect((await here.run([...only, '--removals'])).stdout).toContain('Marked: 1 row.\n');
  expect(await here.run(['compare', '%t%/nowhere'])).toMatchObject({ status: 1 });
  // Two peers have another version of a file each, and none has only-here.
  expect((await here.run(['compare', '--mark'])).stdout).toContain('Marked: 4 rows.\n');
  expect((await here.run(['compare', '--mark', '--removals'])).stdout).toContain('Marked: 7 rows.\n');
  // A csx peer tells no more of a link's target than csync2: put right by hand.
  for (const host of [second, third]) {
    unlinkSync(`${host.tree}/link`);
    symlinkSync('same', `${host.tree}/link`);
  }
  const applied = await here.apply({ flags: ['--max-delete', '100%', '--on-conflict', 'local'] });
  expect(applied.status, applied.stdout + applied.stderr).toBe(0);
  for (const each of [second, third]) expect(readTree(each.tree)).toEqual(readTree(here.tree));
  expect(await here.run(['compare', '--detailed-exitcode'])).toMatchObject({ status: 0 });
});
