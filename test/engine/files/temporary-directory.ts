/** A real directory for each test, removed afterwards. Its path holds no link. */

import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach } from 'vitest';
import type { DiskPath } from '../../../src/model/names.js';

const made: string[] = [];

afterEach(() => {
  for (const directory of made.splice(0)) rmSync(directory, { recursive: true, force: true });
});

export function temporaryDirectory(): DiskPath {
  const directory = mkdtempSync(path.join(realpathSync(tmpdir()), 'csx-files-'));
  made.push(directory);
  return directory as DiskPath;
}

export function at(directory: string, ...names: readonly string[]): DiskPath {
  return [directory, ...names].join('/') as DiskPath;
}
