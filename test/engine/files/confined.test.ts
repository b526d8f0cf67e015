import fs from 'node:fs';
import { spawn } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { openDirectory, openParent, within } from '../../../src/engine/files/confined.js';
import { CsxError, errnoOf } from '../../../src/model/errors.js';
import type { Bytes, DiskPath } from '../../../src/model/names.js';
import { toBuffer } from '../../../src/model/names.js';
import { at, temporaryDirectory } from './temporary-directory.js';

function codeOf(work: () => unknown): string | undefined {
  try {
    work();
  } catch (error) {
    return error instanceof CsxError ? error.code : errnoOf(error);
  }
  return undefined;
}

describe('opening', () => {
  it.each(['link/file', 'real/link/file', 'link/sub/file', 'file/below'])(
    'refuses a parent that is a link or a file: %s',
    (path) => {
      const directory = temporaryDirectory();
      fs.mkdirSync(at(directory, 'real', 'sub'), { recursive: true });
      fs.symlinkSync('real', at(directory, 'link'));
      fs.symlinkSync('.', at(directory, 'real', 'link'));
      fs.writeFileSync(at(directory, 'file'), '');
      expect(codeOf(() => openParent(at(directory, path)))).toBe('PATH_UNSAFE');
    },
  );

  it.each(['/a/../b', '/a//b', 'a/b', '/a/./b', '/a/b/', '/a/b\0'])(
    'refuses a name that is not canonical: %j',
    (path) => {
      expect(codeOf(() => openParent(path as DiskPath))).toBe('PATH_UNSAFE');
    },
  );

  it('says ENOENT when a parent does not exist', () => {
    expect(codeOf(() => openParent(at(temporaryDirectory(), 'a', 'b')))).toBe('ENOENT');
  });

  it('keeps to the directory it opened when that is moved and a link takes its place', () => {
    const directory = temporaryDirectory();
    fs.mkdirSync(at(directory, 'tree'));
    fs.mkdirSync(at(directory, 'elsewhere'));
    const held = openDirectory(at(directory, 'tree'));
    try {
      fs.renameSync(at(directory, 'tree'), at(directory, 'moved'));
      fs.symlinkSync('elsewhere', at(directory, 'tree'));
      held.mkdir('made', 0o755);
      expect(fs.readdirSync(at(directory, 'elsewhere'))).toEqual([]);
      expect(fs.readdirSync(at(directory, 'moved'))).toEqual(['made']);
    } finally {
      held.close();
    }
  });

  it('opens what has bytes in its name that are no UTF-8, and `/` itself', () => {
    const directory = temporaryDirectory();
    const name = 'caf\xe9\n' as Bytes;
    fs.mkdirSync(toBuffer(at(directory, name)));
    within(at(directory, name, 'f\xff'), (parent, last) => {
      parent.symlink(last, '\x80target' as Bytes);
      expect(parent.readlink(last)).toBe('\x80target');
      expect(parent.list()).toEqual(['f\xff']);
    });
    within('/' as DiskPath, (parent, last) => {
      expect(parent.lstat(last)?.ino).toBe(fs.statSync('/', { bigint: true }).ino);
    });
  });

  it('leaves no descriptor open', () => {
    const directory = temporaryDirectory();
    fs.mkdirSync(at(directory, 'a'));
    fs.symlinkSync('a', at(directory, 'link'));
    const before = fs.readdirSync('/proc/self/fd').length;
    for (let count = 0; count < 50; count += 1) {
      within(at(directory, 'a', 'x'), () => undefined);
      codeOf(() => openParent(at(directory, 'link', 'x')));
      codeOf(() => openParent(at(directory, 'none', 'x')));
    }
    expect(fs.readdirSync('/proc/self/fd').length).toBe(before);
  });
});

describe('operations on a name that is a link', () => {
  it('touch the link and never what it points to', () => {
    const directory = temporaryDirectory();
    const outside = at(directory, 'outside');
    fs.writeFileSync(outside, 'secret', { mode: 0o600 });
    fs.utimesSync(outside, 1000, 1000);
    fs.mkdirSync(at(directory, 'tree'));
    const link = at(directory, 'tree', 'link');
    fs.symlinkSync(outside, link);
    within(link, (parent, name) => {
      expect(codeOf(() => parent.open(name, fs.constants.O_RDONLY))).toBe('ELOOP');
      expect(codeOf(() => parent.open(name, fs.constants.O_WRONLY | fs.constants.O_CREAT))).toBe('ELOOP');
      expect(
        codeOf(() => {
          parent.chmod(name, 0o777);
        }),
      ).toBe('ENOTSUP');
      expect(codeOf(() => parent.enter(name))).toBe('PATH_UNSAFE');
      expect(
        codeOf(() => {
          parent.mkdir(name, 0o777);
        }),
      ).toBe('EEXIST');
      parent.chown(name, process.geteuid?.() ?? 0, process.getegid?.() ?? 0);
      parent.utimes(name, 2000);
      expect(Number(parent.lstat(name)?.mtimeMs)).toBe(2_000_000);
    });
    expect(fs.statSync(outside).mtimeMs).toBe(1_000_000);
    expect(fs.statSync(outside).mode & 0o777).toBe(0o600);
    within(link, (parent, name) => {
      parent.unlink(name);
    });
    expect(fs.readFileSync(outside, 'utf8')).toBe('secret');
  });

  it('chmod, chown and times reach files, directories and FIFOs without opening them', () => {
    const directory = temporaryDirectory();
    within(at(directory, 'd'), (parent) => {
      parent.mkdir('d', 0o700);
      parent.chmod('d', 0o100755);
      parent.utimes('d', 5);
      expect(fs.statSync(at(directory, 'd')).mode & 0o7777).toBe(0o755);
      expect(fs.statSync(at(directory, 'd')).mtimeMs).toBe(5000);
    });
  });
});

describe('a racing attacker', () => {
  it('who swaps a directory for a link all the time gets nothing written outside', async () => {
    const directory = temporaryDirectory();
    fs.mkdirSync(at(directory, 'tree'));
    fs.mkdirSync(at(directory, 'outside'));
    const attacker = spawn('/bin/sh', [
      '-c',
      'cd "$1"; while :; do mv tree aside; ln -s outside tree; rm tree; mv aside tree; done',
      'sh',
      directory,
    ]);
    try {
      let inside = 0;
      const seen = new Set<string | undefined>();
      for (let count = 0; count < 3000; count += 1) {
        const code = codeOf(() => {
          within(at(directory, 'tree', `f${String(count)}`), (parent, name) => {
            fs.closeSync(parent.open(name, fs.constants.O_WRONLY | fs.constants.O_CREAT));
            inside += 1;
          });
        });
        seen.add(code);
        if (count % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      expect(inside).toBeGreaterThan(0);
      expect(fs.readdirSync(at(directory, 'outside'))).toEqual([]);
      expect([...seen].filter((code) => code !== undefined && code !== 'ENOENT' && code !== 'PATH_UNSAFE')).toEqual([]);
    } finally {
      attacker.kill('SIGKILL');
      await new Promise((resolve) => attacker.once('close', resolve));
    }
  });
});
