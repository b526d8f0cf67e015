/** Versions that do not go together, told by a program that says it is one of them. */

import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { CSX_VERSION } from '../../src/model/version.js';
import { csync2Version, judgeVersions } from '../../src/setup/doctor/versions.js';

it('an old csync2 is told by its version', async () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'csx-versions-'));
  try {
    const program = path.join(directory, 'csync2');
    writeFileSync(
      program,
      '#!/bin/sh\necho "csync2 1.34 - cluster synchronization tool, 2nd generation" >&2\nexit 1\n',
    );
    chmodSync(program, 0o755);
    const version = await csync2Version(program);
    expect(version).toBe('1.34');
    const [finding] = judgeVersions({ csx: '1', node: '24.1.0', csync2: version });
    expect(finding).toMatchObject({ status: 'warning', check: 'versions' });
    expect(finding?.message).toContain('csync2 1.34');
  } finally {
    rmSync(directory, { recursive: true });
  }
});

it('no csync2 at all is no fault', async () => {
  const csync2 = await csync2Version('/nonexistent/csync2');
  expect(judgeVersions({ csx: '1', node: '24.1.0', csync2 })).toMatchObject([{ status: 'ok' }]);
});

it('a runtime that is too old is an error', () => {
  expect(judgeVersions({ csx: '1', node: '20.19.2', csync2: undefined })).toMatchObject([{ status: 'error' }]);
});

it('csx knows its own', () => {
  const manifest = JSON.parse(readFileSync(path.resolve('package.json'), 'utf8')) as { version: string };
  expect(CSX_VERSION).toBe(manifest.version);
});
