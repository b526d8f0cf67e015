/** csx compare and csx diff against real csync2 peers: the same differences csync2 -T and -TT find. */

import { chmodSync, symlinkSync, unlinkSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { expectDescribed } from '../support/described.js';
import { put, startCluster } from '../support/cluster.js';
import type { Cluster } from '../support/cluster.js';
import { readTree } from '../support/tree.js';

let cluster: Cluster;
let here: string;

beforeAll(async () => {
  cluster = await startCluster({ block: '127.30.7', peers: 2 });
  [here] = cluster.trees as [string, ...string[]];
  for (const name of ['same', 'content', 'mode', 'link-to', 'gone-here'])
    put(`${here}/${name}`, `${name}\nsecond line\n`);
  symlinkSync('same', `${here}/link`);
  expect((await cluster.csx('apply', '--auto-approve')).status).toBe(0);
  expect((await cluster.csx('compare', '--detailed-exitcode')).status).toBe(0);
  const [, there] = cluster.trees as [string, string, string];
  put(`${there}/content`, 'content\nchanged there\n');
  chmodSync(`${there}/mode`, 0o600);
  put(`${there}/only-there`, 'x');
  unlinkSync(`${there}/link`);
  symlinkSync('mode', `${there}/link`);
  put(`${here}/only-here`, 'y');
  unlinkSync(`${here}/gone-here`);
  expect((await cluster.csx('scan')).status).toBe(0);
  expect((await cluster.peers[0]!.run(['-cr', '/'])).status).toBe(0);
});
afterAll(async () => {
  await cluster.stop();
});

it('compare finds what csync2 -T finds', async () => {
  const [me, peer] = cluster.hosts as [string, string, string];
  const compared = await cluster.csx('compare', '--json', '--peer', peer, '--detailed-exitcode');
  expect(compared.status).toBe(2);
  const kinds: Record<string, string> = { different: 'X', 'only-here': 'L', 'only-there': 'R' };
  const { peers } = JSON.parse(compared.stdout) as { peers: { differences: { path: string; kind: string }[] }[] };
  const mine = peers[0]!.differences.map(({ path, kind }) => `${kinds[kind]!}\t${me}\t${peer}\t${path}`);
  const theirs = (await cluster.csync2('-T', me, peer)).stdout.trimEnd().split('\n');
  expect(mine.sort()).toEqual(theirs.sort());
});

it('compare shows a matrix of files and peers', async () => {
  const { stdout } = await cluster.csx('compare');
  const [, second, third] = cluster.hosts as [string, string, string];
  expect(stdout.split('\n')[0]).toMatch(new RegExp(`^File +${second} +${third}`));
  expect(stdout).toMatch(/%t%\/content +mtime, content|%t%\/content +content/);
  expect(stdout).toMatch(/%t%\/mode +mode +same/);
  expect(stdout).toMatch(/%t%\/only-here +only here +only here/);
  expect(stdout).toMatch(/%t%\/gone-here +only there +only there/);
  expect(stdout).toMatch(/Compared: 5 files: /);
});

it('diff shows contents, attributes and what is missing', async () => {
  const [, peer] = cluster.hosts as [string, string, string];
  const { stdout, status } = await cluster.csx('diff', here, '--peer', peer, '--detailed-exitcode');
  expect(status).toBe(2);
  expect(stdout).toContain(`--- ${peer}:%t%/content`);
  expect(stdout).toMatch(/^-changed there$/m);
  expect(stdout).toMatch(/^\+second line$/m);
  expect(stdout).toMatch(/differ in mode/);
  expect(stdout).toMatch(/%t%\/only-here[^]*there: does not exist/);
  // What only the peer has, and a link that points elsewhere there, which nobody tells.
  expect(stdout).toMatch(/%t%\/only-there\n +here: does not exist\n +there: 1 B/);
  expect(stdout).toContain(`%t%/link\n  here: link to same\n  there: link\n  target not told by ${peer}`);
  expect(stdout).toMatch(/^5 different in 9 comparisons with 1 peer, 1 not told\.$/m);
  const only = await cluster.csx('diff', '%t%/only-there', '--json', '--detailed-exitcode');
  expect(only.status).toBe(2);
  const found = JSON.parse(only.stdout) as { files: { peer: string; here: unknown; there: object | null }[] };
  expectDescribed('diff', found);
  expect(found.files.map((file) => [file.peer, file.here, file.there === null])).toEqual([[peer, null, false]]);
  const link = await cluster.csx('diff', `${here}/link`, '--peer', peer, '--json', '--detailed-exitcode');
  expect([link.status, JSON.parse(link.stdout)]).toMatchObject([2, { files: [{ aspects: [], untold: ['target'] }] }]);
  expect((await cluster.csx('diff', `${here}/same`, '--detailed-exitcode')).status).toBe(0);
  expect((await cluster.csx('diff', '%t%/nowhere')).status).toBe(1);
  const json = JSON.parse((await cluster.csx('diff', `${here}/content`, '--json')).stdout) as {
    files: { aspects: string[] }[];
  };
  expect(json.files.map(({ aspects }) => aspects.includes('content'))).toEqual([true, false]);
  expect(JSON.stringify(json)).not.toContain('second line');
});

it('compare --mark schedules what differs, and --removals what is only there', async () => {
  // What no host tells, nobody can repair: it is put right by hand.
  const link = `${cluster.trees[1]!}/link`;
  unlinkSync(link);
  symlinkSync('same', link);
  expect((await cluster.csx('compare', '--mark', '--removals')).status).toBe(0);
  expect((await cluster.csx('force', '-r', here)).status).toBe(0);
  const applied = await cluster.csx('apply', '--auto-approve', '--max-delete', '100%');
  expect(applied, applied.stdout + applied.stderr).toMatchObject({ status: 0 });
  for (const tree of cluster.trees.slice(1)) expect(readTree(tree)).toEqual(readTree(here));
  expect((await cluster.csx('compare', '--detailed-exitcode')).status).toBe(0);
});

it('a peer that cannot be asked is told in its place', async () => {
  await cluster.peers[1]!.kill();
  const compared = await cluster.csx('compare');
  expect(compared.status).toBe(4);
  expect(compared.stdout).toContain(cluster.hosts[2]);
  const diff = await cluster.csx('diff', `${here}/same`, '--detailed-exitcode');
  expect(diff.status).toBe(4);
  expect(diff.stdout).toMatch(/Nothing different in 1 comparison with 1 peer, 1 peer not asked\.\n$/);
});
