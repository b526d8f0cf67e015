/** `--diff` against the real csync2: what would change within files, and what is never shown. */

import { readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { put, startCluster } from '../support/cluster.js';
import type { Cluster } from '../support/cluster.js';
import type { CsxResult } from '../support/csx.js';
import { readTree } from '../support/tree.js';

let cluster: Cluster;
let here: string;
let there: string;

const csx = (...args: string[]): Promise<CsxResult> => cluster.csx(...args);

beforeEach(async () => {
  cluster = await startCluster({ block: '127.36.2', peers: 1, verbose: 3 });
  [here, there] = cluster.trees as [string, string];
  // csync2.cfg has no word for it, and goes on serving csync2.
  writeFileSync(
    path.join(cluster.systemDirectory, 'csx.yaml'),
    "version: 1\ncsync2: csync2.cfg\ngroups: { g: { sensitive: ['*.secret', '%t%/private/**'] } }\n",
  );
  put(`${here}/hosts`, '127.0.0.1 localhost\n10.0.0.2 web2\n');
  put(`${here}/password.secret`, 'first secret\n');
  put(`${here}/private/deep/key`, 'second secret\n');
  put(`${here}/image`, 'GIF\0\x01');
  put(`${here}/gone`, 'gone');
  put(`${here}/large`, 'a line\n'.repeat(100_000));
  expect(await csx('apply', '--auto-approve')).toMatchObject({ status: 0 });
  put(`${here}/hosts`, '127.0.0.1 localhost\n10.0.0.2 web2 www\n');
  put(`${here}/password.secret`, 'third secret\n');
  put(`${here}/private/deep/key`, 'fourth secret\n');
  put(`${here}/image`, 'GIF\0\x02\x03');
  put(`${here}/large`, 'a line\n'.repeat(100_001));
  put(`${here}/new`, 'all of it is new');
  put(`${here}/new-image`, 'GIF\0\x02\x03');
  put(`${here}/new-large`, 'a line\n'.repeat(100_000));
  put(`${here}/new.secret`, 'fifth secret\n');
  unlinkSync(`${here}/gone`);
});
afterEach(async () => {
  await cluster.stop();
});

describe('--diff', () => {
  it('shows text line by line, anything else by size, and nothing of what is sensitive', async () => {
    const plan = await csx('plan', '--diff');
    expect(plan, plan.stderr).toMatchObject({ status: 0 });
    const [me, peer] = cluster.hosts as [string, string];
    expect(plan.stdout).toContain(
      `--- ${peer}:%t%/hosts\n+++ ${me}:%t%/hosts\n@@ -1,2 +1,2 @@\n 127.0.0.1 localhost\n-10.0.0.2 web2\n+10.0.0.2 web2 www\n`,
    );
    expect(plan.stdout).toMatch(/image\nBinary contents differ:\n.*5 bytes, sha256 .*\n.*6 bytes, sha256/);
    expect(plan.stdout).toMatch(/large\nThe contents differ and are too large to be shown: .* there, .* here\.\n/);
    expect(plan.stdout.match(/not shown because a sensitive pattern matches/g)).toHaveLength(3);
    expect(plan.stdout).not.toMatch(/(?:first|second|third|fourth|fifth) secret/);
    expect(plan.stdout).toContain(
      `--- /dev/null\n+++ ${me}:%t%/new\n@@ -0,0 +1 @@\n+all of it is new\n\\ No newline at end of file\n`,
    );
    expect(plan.stdout).toMatch(/new-image\nBinary contents differ:\n.*does not exist\n.*6 bytes, sha256/);
    expect(plan.stdout).toMatch(/new-large\nNew, and too large to be shown: .*\.\n/);
    // Not even fetched.
    const fetched = cluster.peers[0]!.log().match(/TYPE .*/g) ?? [];
    expect(fetched.join('\n')).toContain('hosts');
    expect(fetched.filter((line) => /secret|private|large/.test(line))).toEqual([]);
    // The summary is still the last thing said.
    expect(plan.stdout.indexOf('Plan: ')).toBeGreaterThan(plan.stdout.indexOf('@@'));
  });

  it('stands before the question of apply, and in conflicts', async () => {
    put(`${there}/hosts`, '127.0.0.1 localhost\n10.0.0.2 other\n');
    const applied = await csx('apply', '--auto-approve', '--diff');
    expect(applied).toMatchObject({ status: 3 });
    expect(applied.stdout).toContain('-10.0.0.2 other\n+10.0.0.2 web2 www\n');
    expect(applied.stdout).not.toMatch(/(?:first|second|third|fourth|fifth) secret/);
    expect(readTree(there)['new']).toEqual(readTree(here)['new']);
  });

  it('is never saved, and no part of what programs read', async () => {
    const file = path.join(cluster.root, 'saved.plan');
    expect(await csx('plan', '--diff', '--out', file)).toMatchObject({ status: 0 });
    const saved = gunzipSync(readFileSync(file)).toString();
    expect(saved).not.toMatch(/localhost|secret\\n/);
    for (const args of [
      ['plan', '--diff', '--json'],
      ['plan', '--diff', '--format', 'markdown'],
      ['plan', '--diff', '--offline'],
      ['apply', file, '--diff'],
    ]) {
      expect([args, (await csx(...args)).status]).toEqual([args, 64]);
    }
  });

  it('fetches some of very many, and says how many are left', async () => {
    for (let index = 0; index < 60; index++) put(`${here}/many/${index}`, 'one\n');
    expect(await csx('apply', '--auto-approve')).toMatchObject({ status: 0 });
    for (let index = 0; index < 60; index++) put(`${here}/many/${index}`, 'two\n');
    const plan = await csx('plan', '--diff', `${here}/many`);
    expect(plan.stdout.match(/^-one$/gm)).toHaveLength(50);
    expect(plan.stdout).toContain('10 more files would be changed');
  });
});
