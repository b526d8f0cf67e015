/** Trees of files: the same at every call, whatever the machine. */

import { createCipheriv } from 'node:crypto';
import { closeSync, mkdirSync, openSync, utimesSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';

export interface Tree {
  readonly files: number;
  /** Bytes of each file. */
  readonly size: number;
}

const MEGABYTE = 2 ** 20;
const FILES_IN_DIRECTORY = 100;
/** Second of the files' times: the past, so that no program takes them for files being written. */
const THEN = 1_700_000_000;

/** Makes the tree below an existing directory; 100 files a directory, 100 directories a directory. */
export function makeTree(root: string, { files, size }: Tree): void {
  const content = noise(1);
  const bytes = content(Math.max(size, 1));
  for (let index = 0; index < files; index++) {
    const directory = path.join(root, directoryOf(index));
    if (index % FILES_IN_DIRECTORY === 0) mkdirSync(directory, { recursive: true });
    // Different in each file, so that nothing can take one for another.
    if (size >= 8) bytes.writeUIntBE(index, 0, 6);
    const file = path.join(directory, `file-${String(index).padStart(7, '0')}.dat`);
    writeFileSync(file, bytes.subarray(0, size));
    utimesSync(file, THEN + (index % 1000), THEN + (index % 1000));
  }
}

/** Changes every so many-th file: other bytes of the same number. */
export function changeFiles(root: string, { files, size }: Tree, every: number): void {
  for (let index = 0; index < files; index += every) {
    const file = path.join(root, directoryOf(index), `file-${String(index).padStart(7, '0')}.dat`);
    writeFileSync(file, noise(2)(size));
  }
}

function directoryOf(index: number): string {
  const directory = Math.floor(index / FILES_IN_DIRECTORY);
  return path.join(
    `part-${String(Math.floor(directory / 100)).padStart(3, '0')}`,
    `dir-${String(directory % 100).padStart(3, '0')}`,
  );
}

/** One file that nothing compresses. Another seed: other bytes. */
export function makeLarge(file: string, megabytes: number, seed: number): void {
  const next = noise(seed);
  const output = openSync(file, 'w');
  for (let done = 0; done < megabytes; done++) writeSync(output, next(MEGABYTE));
  closeSync(output);
  utimesSync(file, THEN, THEN);
}

/** Overwrites a megabyte in the middle of a file. */
export function changeMegabyte(file: string, megabytes: number, seed: number): void {
  const middle = openSync(file, 'r+');
  writeSync(middle, noise(seed)(MEGABYTE), 0, MEGABYTE, Math.floor(megabytes / 2) * MEGABYTE);
  closeSync(middle);
  utimesSync(file, THEN + seed, THEN + seed);
}

function noise(seed: number): (bytes: number) => Buffer {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16, seed), Buffer.alloc(16));
  return (bytes) => cipher.update(Buffer.alloc(bytes));
}
