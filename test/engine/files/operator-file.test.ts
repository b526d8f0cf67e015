import fs from 'node:fs';
import { describe, expect, it } from 'vitest';
import { checkOperatorFile } from '../../../src/engine/files/operator-file.js';
import { CsxError } from '../../../src/model/errors.js';
import type { DiskPath } from '../../../src/model/names.js';
import { at, temporaryDirectory } from './temporary-directory.js';

const NOBODY = 65534;

function verdict(path: DiskPath, options: { secret?: boolean; guarded?: boolean } = {}): string {
  try {
    return checkOperatorFile(path, { what: 'The file', ...options });
  } catch (error) {
    if (error instanceof CsxError && error.code === 'FILE_UNSAFE' && error.hint !== undefined) return 'unsafe';
    throw error;
  }
}

describe('checkOperatorFile, as root', () => {
  it('accepts what only root can write, what does not exist yet, and /dev/null', () => {
    const directory = temporaryDirectory();
    fs.writeFileSync(at(directory, 'file'), '');
    expect(verdict(at(directory, 'file'))).toBe(at(directory, 'file'));
    expect(verdict(at(directory, 'none', 'file'))).toBe(at(directory, 'none', 'file'));
    expect(verdict('/dev/null' as DiskPath)).toBe('/dev/null');
  });

  it.each([
    [
      'a file of another user',
      (directory: string) => {
        fs.chownSync(`${directory}/d/file`, NOBODY, NOBODY);
      },
    ],
    [
      'a file that all can write',
      (directory: string) => {
        fs.chmodSync(`${directory}/d/file`, 0o646);
      },
    ],
    [
      'a file that a group can write',
      (directory: string) => {
        fs.chownSync(`${directory}/d/file`, 0, NOBODY);
        fs.chmodSync(`${directory}/d/file`, 0o664);
      },
    ],
    [
      'a directory of another user',
      (directory: string) => {
        fs.chownSync(`${directory}/d`, NOBODY, NOBODY);
      },
    ],
    [
      'a directory that all can write',
      (directory: string) => {
        fs.chmodSync(`${directory}/d`, 0o777);
      },
    ],
    [
      'a link in a sticky directory that another user made',
      (directory: string) => {
        fs.chmodSync(directory, 0o1777);
        fs.renameSync(`${directory}/d`, `${directory}/real`);
        fs.symlinkSync('real', `${directory}/d`);
        fs.lchownSync(`${directory}/d`, NOBODY, NOBODY);
      },
    ],
    [
      'a link into such a directory',
      (directory: string) => {
        fs.mkdirSync(`${directory}/open`);
        fs.renameSync(`${directory}/d/file`, `${directory}/open/file`);
        fs.chmodSync(`${directory}/open`, 0o777);
        fs.symlinkSync('../open/file', `${directory}/d/file`);
      },
    ],
  ])('refuses %s', (_, spoil) => {
    const directory = temporaryDirectory();
    fs.mkdirSync(at(directory, 'd'));
    fs.writeFileSync(at(directory, 'd', 'file'), '');
    expect(verdict(at(directory, 'd', 'file'))).toBe(at(directory, 'd', 'file'));
    spoil(directory);
    expect(verdict(at(directory, 'd', 'file'))).toBe('unsafe');
  });

  it('follows links that only root could have made, and says where they lead', () => {
    const directory = temporaryDirectory();
    fs.mkdirSync(at(directory, 'real'));
    fs.writeFileSync(at(directory, 'real', 'file'), '');
    fs.symlinkSync('../real/./file', at(directory, 'real', 'link'));
    fs.symlinkSync(at(directory, 'real'), at(directory, 'there'));
    expect(verdict(at(directory, 'there', 'link'))).toBe(at(directory, 'real', 'file'));
    fs.symlinkSync('loop', at(directory, 'loop'));
    expect(verdict(at(directory, 'loop'))).toBe('unsafe');
  });

  it('refuses a secret that others can read', () => {
    const file = at(temporaryDirectory(), 'key');
    fs.writeFileSync(file, '', { mode: 0o644 });
    expect(verdict(file, { secret: true })).toBe('unsafe');
    fs.chmodSync(file, 0o600);
    expect(verdict(file, { secret: true })).toBe(file);
  });

  it('lets a guarded file lie in a directory that others can write, not behind their links', () => {
    const directory = temporaryDirectory();
    fs.mkdirSync(at(directory, 'logs'));
    fs.chmodSync(at(directory, 'logs'), 0o777);
    expect(verdict(at(directory, 'logs', 'log'), { guarded: true })).toBe(at(directory, 'logs', 'log'));
    fs.symlinkSync('/etc/passwd', at(directory, 'logs', 'log'));
    fs.lchownSync(at(directory, 'logs', 'log'), NOBODY, NOBODY);
    expect(verdict(at(directory, 'logs', 'log'), { guarded: true })).toBe('unsafe');
  });
});
