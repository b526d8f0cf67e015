import { mkdtempSync, realpathSync, renameSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ToldSignatures } from '../../../src/engine/daemon/told-signatures.js';
import { openSource, SNAPSHOT_BYTES } from '../../../src/engine/files/source.js';
import type { Source } from '../../../src/engine/files/source.js';
import type { DiskPath } from '../../../src/model/names.js';

const SIGNATURE = Buffer.from('a signature');
const MEBIBYTE = 1024 * 1024;

let directory: string;
let file: DiskPath;

beforeEach(() => {
  directory = realpathSync(mkdtempSync(path.join(tmpdir(), 'csx-told-')));
  file = path.join(directory, 'large') as DiskPath;
  write(file, 'x');
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

/** A large file, mostly a hole. */
function write(name: string, content: string, size = SNAPSHOT_BYTES + 1): void {
  writeFileSync(name, content);
  truncateSync(name, size);
}

/** The file as it stands now. */
function opened<T>(use: (source: Source) => T): T {
  const source = openSource(file);
  try {
    return use(source);
  } finally {
    source.close();
  }
}

function tell(told: ToldSignatures, rested = 3000, signature = SIGNATURE): void {
  opened((source) => {
    told.keep(source, signature, Number(source.stats.ctimeMs) + rested);
  });
}

function take(told: ToldSignatures): Buffer | undefined {
  return opened((source) => told.take(source));
}

it('gives back once what was told of a file that is as it was', () => {
  const told = new ToldSignatures();
  tell(told);
  expect([take(told), take(told)]).toEqual([SIGNATURE, undefined]);
});

it.each([
  [
    'written to',
    (): void => {
      utimesSync(file, 1, 1);
    },
  ],
  [
    'replaced',
    (): void => {
      write(`${file}.new`, 'y');
      renameSync(`${file}.new`, file);
    },
  ],
])('says nothing of a file that was %s since', (_, change) => {
  const told = new ToldSignatures();
  tell(told);
  change();
  expect(take(told)).toBeUndefined();
});

it('keeps nothing of a file that was changed a moment before, or while it was read', () => {
  const told = new ToldSignatures();
  tell(told, 1000);
  expect(take(told)).toBeUndefined();
  opened((source) => {
    utimesSync(file, 1, 1);
    told.keep(source, SIGNATURE, Number(source.stats.ctimeMs) + 3000);
  });
  expect(take(told)).toBeUndefined();
});

it('keeps nothing of a small file, and the latest of many large ones', () => {
  const told = new ToldSignatures();
  const large = Buffer.alloc(12 * MEBIBYTE);
  const names = ['a', 'b', 'c', 'd'].map((name) => path.join(directory, name) as DiskPath);
  for (const name of names) {
    write(name, name);
    file = name;
    tell(told, 3000, large);
  }
  const kept = names.map((name) => {
    file = name;
    return take(told) !== undefined;
  });
  expect(kept).toEqual([false, false, true, true]);
  write(file, 'small', SNAPSHOT_BYTES);
  tell(told);
  expect(take(told)).toBeUndefined();
});
