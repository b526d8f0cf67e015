import fs from 'node:fs';
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { openSource, SNAPSHOT_BYTES } from '../../../src/engine/files/source.js';
import { CsxError } from '../../../src/model/errors.js';
import { at, temporaryDirectory } from './temporary-directory.js';

function failureOf(work: () => unknown): CsxError {
  try {
    work();
  } catch (error) {
    if (error instanceof CsxError) return error;
    throw error;
  }
  throw new Error('It did not fail.');
}

describe('openSource', () => {
  it.each([0, 1, 1000, SNAPSHOT_BYTES, SNAPSHOT_BYTES + 1])(
    'reads %i bytes, whole, in pieces and in chunks',
    (size) => {
      const file = at(temporaryDirectory(), 'file');
      const content = Buffer.alloc(size, 'abcdefg');
      fs.writeFileSync(file, content);
      const source = openSource(file);
      try {
        expect(source.size).toBe(size);
        expect(source.content === undefined).toBe(size > SNAPSHOT_BYTES);
        const whole = Buffer.concat(Array.from(source.chunks(100_000), (chunk) => Buffer.from(chunk)));
        expect(whole.equals(content)).toBe(true);
        const piece = Buffer.alloc(10);
        const offset = Math.max(0, size - 5);
        const count = source.read(offset, piece);
        expect(piece.subarray(0, count).equals(content.subarray(offset))).toBe(true);
        expect(source.unchanged()).toBe(true);
      } finally {
        source.close();
      }
    },
  );

  it.each([10, SNAPSHOT_BYTES + 1])(
    'notices a file of %i bytes that is rewritten with the same size and time',
    (size) => {
      const file = at(temporaryDirectory(), 'file');
      fs.writeFileSync(file, Buffer.alloc(size, 'a'));
      fs.utimesSync(file, 1000, 1000);
      const source = openSource(file);
      try {
        fs.writeFileSync(file, Buffer.alloc(size, 'b'));
        fs.utimesSync(file, 1000, 1000);
        expect(source.unchanged()).toBe(false);
      } finally {
        source.close();
      }
    },
  );

  it.each(['replaced', 'removed', 'behind a link'])('notices a file that is %s', (how) => {
    const directory = temporaryDirectory();
    fs.mkdirSync(at(directory, 'd'));
    const file = at(directory, 'd', 'file');
    fs.writeFileSync(file, 'one');
    const source = openSource(file);
    fs.writeFileSync(at(directory, 'other'), 'one');
    if (how === 'replaced') fs.renameSync(at(directory, 'other'), file);
    if (how === 'removed') fs.unlinkSync(file);
    if (how === 'behind a link') {
      fs.renameSync(at(directory, 'd'), at(directory, 'moved'));
      fs.symlinkSync('moved', at(directory, 'd'));
    }
    expect(source.unchanged()).toBe(false);
    source.close();
  });

  it('refuses links, directories and FIFOs without waiting', () => {
    const directory = temporaryDirectory();
    fs.writeFileSync(at(directory, 'file'), '');
    fs.symlinkSync('file', at(directory, 'link'));
    spawnSync('mkfifo', [at(directory, 'fifo')]);
    expect(failureOf(() => openSource(at(directory, 'link')))).toMatchObject({
      code: 'READ_FAILED',
      data: { errno: 'ELOOP' },
    });
    expect(failureOf(() => openSource(at(directory, 'fifo'))).code).toBe('CHANGED_MEANWHILE');
    expect(failureOf(() => openSource(directory)).code).toBe('CHANGED_MEANWHILE');
    expect(failureOf(() => openSource(at(directory, 'none')))).toMatchObject({
      code: 'READ_FAILED',
      data: { errno: 'ENOENT' },
    });
  });

  it('says so when a large file becomes shorter while it is read', () => {
    const file = at(temporaryDirectory(), 'file');
    fs.writeFileSync(file, Buffer.alloc(SNAPSHOT_BYTES + 100_000));
    const source = openSource(file);
    try {
      const chunks = source.chunks(65_536)[Symbol.iterator]();
      chunks.next();
      fs.truncateSync(file, 10);
      expect(failureOf(() => chunks.next()).code).toBe('CHANGED_MEANWHILE');
    } finally {
      source.close();
    }
  });
});
