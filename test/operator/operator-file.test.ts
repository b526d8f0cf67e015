import fs from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CsxError } from '../../src/model/errors.js';
import { checkOperatorFile } from '../../src/operator/operator-file.js';
import type { OperatorFileOptions } from '../../src/operator/operator-file.js';
import { at, temporaryDirectory } from '../engine/files/temporary-directory.js';

const NOBODY = 65534;

function refusal(path: string, options: Partial<OperatorFileOptions> = {}): CsxError | undefined {
  try {
    checkOperatorFile(path, { what: 'key file', ...options });
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(CsxError);
    expect(error).toMatchObject({ code: 'FILE_UNSAFE', hint: expect.stringMatching(/./) as string });
    return error as CsxError;
  }
}

/** What the file really is; `unsafe` when it is refused. */
function verdict(path: string, options: Partial<OperatorFileOptions> = {}): string {
  return refusal(path, options) === undefined ? checkOperatorFile(path, { what: 'key file', ...options }) : 'unsafe';
}

/** DIRECTORY/d/file. */
function makeFile(mode = 0o600): { directory: string; inner: string; file: string } {
  const directory = temporaryDirectory();
  const inner = at(directory, 'd');
  const file = at(inner, 'file');
  fs.mkdirSync(inner);
  fs.writeFileSync(file, '');
  fs.chmodSync(file, mode);
  return { directory, inner, file };
}

describe('checkOperatorFile, as root', () => {
  it('accepts what only root can write, what does not exist, what lies below a file, and /dev/null', () => {
    const { directory, file } = makeFile(0o644);
    expect(verdict(file)).toBe(file);
    expect(verdict(at(directory, 'none', 'file'))).toBe(at(directory, 'none', 'file'));
    expect(verdict(at(file, 'below'))).toBe(at(file, 'below'));
    expect(verdict('/dev/null')).toBe('/dev/null');
    expect(verdict('/')).toBe('/');
  });

  it.each<[string, (directory: string) => void, culprit: string, what: RegExp, cure: string]>([
    [
      'a file of another user',
      (directory) => {
        fs.chownSync(`${directory}/d/file`, NOBODY, NOBODY);
      },
      '/d/file',
      /belongs to the user 65534/,
      'chown root',
    ],
    [
      'a file that all can write',
      (directory) => {
        fs.chmodSync(`${directory}/d/file`, 0o646);
      },
      '/d/file',
      /can be written by every user/,
      'chmod go-w',
    ],
    [
      'such a file with the sticky bit',
      (directory) => {
        fs.chmodSync(`${directory}/d/file`, 0o1666);
      },
      '/d/file',
      /can be written by every user/,
      'chmod go-w',
    ],
    [
      'a file that a group can write',
      (directory) => {
        fs.chownSync(`${directory}/d/file`, 0, NOBODY);
        fs.chmodSync(`${directory}/d/file`, 0o664);
      },
      '/d/file',
      /can be written by the group 65534/,
      'chmod g-w',
    ],
    [
      'a directory of another user',
      (directory) => {
        fs.chownSync(`${directory}/d`, NOBODY, NOBODY);
      },
      '/d',
      /belongs to the user/,
      'chown root',
    ],
    [
      'a directory that all can write',
      (directory) => {
        fs.chmodSync(`${directory}/d`, 0o777);
      },
      '/d',
      /can be written by every user/,
      'chmod go-w',
    ],
    [
      'a link in a sticky directory that another user made',
      (directory) => {
        fs.chmodSync(directory, 0o1777);
        fs.renameSync(`${directory}/d`, `${directory}/real`);
        fs.symlinkSync('real', `${directory}/d`);
        fs.lchownSync(`${directory}/d`, NOBODY, NOBODY);
      },
      '/d',
      /belongs to the user/,
      'chown root',
    ],
    [
      'a link into such a directory',
      (directory) => {
        fs.mkdirSync(`${directory}/open`);
        fs.renameSync(`${directory}/d/file`, `${directory}/open/file`);
        fs.chmodSync(`${directory}/open`, 0o777);
        fs.symlinkSync('../open/file', `${directory}/d/file`);
      },
      '/open',
      /can be written by every user/,
      'chmod go-w',
    ],
    [
      'a link to itself',
      (directory) => {
        fs.rmSync(`${directory}/d/file`);
        fs.symlinkSync('file', `${directory}/d/file`);
      },
      '/d/file',
      /is a link to itself/,
      'Name the file',
    ],
  ])('refuses %s and says what to do', (_, spoil, culprit, what, cure) => {
    const { directory, file } = makeFile();
    expect(verdict(file)).toBe(file);
    spoil(directory);
    const error = refusal(file, { range: { file: 'csync2.cfg', line: 3, column: 7 } });
    expect(error?.message.startsWith(`The key file ${file} is not safe: ${directory}${culprit} `)).toBe(true);
    expect(error?.message).toMatch(what);
    expect(error?.hint).toContain(cure);
    expect(error?.data).toEqual({ path: file, culprit: `${directory}${culprit}` });
    expect(error?.range).toMatchObject({ line: 3, column: 7 });
  });

  it('trusts a sticky directory on the way to what belongs to root, not as the place itself', () => {
    const { inner, file } = makeFile();
    fs.chmodSync(inner, 0o1777);
    expect(verdict(file)).toBe(file);
    expect(refusal(inner)?.hint).toContain('Choose a directory');
    expect(refusal(at(inner, 'e', '..'))).toBeUndefined();
    fs.mkdirSync(at(inner, 'e'));
    expect(refusal(at(inner, 'e', '..'))?.data['culprit']).toBe(inner);
  });

  it('takes the group root for root', () => {
    const { file } = makeFile(0o660);
    expect(verdict(file, { secret: true })).toBe(file);
  });

  it('follows links that only root could have made, and says where they lead', () => {
    const directory = temporaryDirectory();
    fs.mkdirSync(at(directory, 'real'));
    fs.writeFileSync(at(directory, 'real', 'file'), '');
    fs.symlinkSync('../real/./file', at(directory, 'real', 'link'));
    fs.symlinkSync(at(directory, 'real'), at(directory, 'there'));
    expect(verdict(at(directory, 'there', 'link'))).toBe(at(directory, 'real', 'file'));
    fs.symlinkSync('there/../real/file', at(directory, 'around'));
    expect(verdict(at(directory, 'around'))).toBe(at(directory, 'real', 'file'));
  });

  it('goes up from where a link leads, not from where it stands', () => {
    const directory = temporaryDirectory();
    fs.mkdirSync(at(directory, 'far', 'deep'), { recursive: true });
    fs.symlinkSync('far/deep', at(directory, 'near'));
    fs.writeFileSync(at(directory, 'file'), '');
    fs.writeFileSync(at(directory, 'far', 'file'), '', { mode: 0o666 });
    fs.chmodSync(at(directory, 'far', 'file'), 0o666);
    expect(refusal(`${directory}/near/../file`)?.data['culprit']).toBe(at(directory, 'far', 'file'));
  });

  it('reads names as bytes', () => {
    const directory = temporaryDirectory();
    const file = `${directory}/f\xff\n`;
    fs.writeFileSync(Buffer.from(file, 'latin1'), '');
    fs.chmodSync(Buffer.from(file, 'latin1'), 0o666);
    expect(refusal(file)?.data['culprit']).toBe(`${directory}/f\\xff\\n`);
  });
});

describe('checkOperatorFile, of a secret', () => {
  it.each([0o644, 0o604, 0o601, 0o602])('refuses mode %o, to any user', (mode) => {
    const { file } = makeFile(mode);
    for (const uid of [0, 1000]) expect(refusal(file, { secret: true, uid })?.hint).toMatch(/chmod (600|go-w)/);
    expect(verdict(file, { uid: 1000 })).toBe(file);
    fs.chmodSync(file, 0o600);
    expect(verdict(file, { secret: true })).toBe(file);
  });

  it('refuses a group that is not root', () => {
    const { file } = makeFile(0o640);
    expect(verdict(file, { secret: true })).toBe(file);
    fs.chownSync(file, 0, NOBODY);
    expect(refusal(file, { secret: true })?.message).toContain('is open to other users (mode 0640)');
  });
});

describe('checkOperatorFile, of a guarded file', () => {
  it('lets it lie in a directory that others can write, not behind their links', () => {
    const directory = temporaryDirectory();
    const log = at(directory, 'logs', 'log');
    fs.mkdirSync(at(directory, 'logs'));
    fs.chmodSync(at(directory, 'logs'), 0o777);
    expect(verdict(log, { guarded: true })).toBe(log);
    fs.symlinkSync('/etc/passwd', log);
    fs.lchownSync(log, NOBODY, NOBODY);
    expect(verdict(log, { guarded: true })).toBe('unsafe');
  });

  it("refuses another user's file in a sticky directory", () => {
    const { inner, file } = makeFile();
    fs.chmodSync(inner, 0o1777);
    expect(verdict(file, { guarded: true })).toBe(file);
    fs.chownSync(file, NOBODY, NOBODY);
    expect(verdict(file, { guarded: true })).toBe('unsafe');
  });
});

describe('checkOperatorFile, with a home', () => {
  it('refuses a directory that others can write, sticky or not, with the file or without', () => {
    const { inner, file } = makeFile();
    expect(verdict(file, { home: true })).toBe(file);
    for (const mode of [0o777, 0o1777]) {
      fs.chmodSync(inner, mode);
      for (const name of [file, at(inner, 'none')]) {
        const error = refusal(name, { home: true, elsewhere: 'Choose another place with -D' });
        expect(error?.data['culprit']).toBe(inner);
        expect(error?.hint).toMatch(/^Choose another place with -D\. /);
      }
    }
    fs.chownSync(inner, 0, NOBODY);
    fs.chmodSync(inner, 0o1770);
    expect(refusal(file, { home: true })?.data['culprit']).toBe(inner);
  });

  it('looks at both ends of a link', () => {
    const { directory, inner, file } = makeFile();
    fs.mkdirSync(at(directory, 'links'));
    const link = at(directory, 'links', 'link');
    fs.symlinkSync('../d/file', link);
    expect(verdict(link, { home: true })).toBe(file);
    fs.chmodSync(at(directory, 'links'), 0o1777);
    expect(refusal(link, { home: true })?.data['culprit']).toBe(at(directory, 'links'));
    fs.chmodSync(at(directory, 'links'), 0o755);
    fs.chmodSync(inner, 0o1777);
    expect(refusal(link, { home: true })?.data['culprit']).toBe(inner);
  });
});

describe('checkOperatorFile, without links', () => {
  it('refuses a link as the file, not on the way to it', () => {
    const { directory, inner, file } = makeFile();
    fs.symlinkSync('d', at(directory, 'way'));
    fs.symlinkSync('file', at(inner, 'link'));
    expect(verdict(at(directory, 'way', 'file'), { links: 'refuse' })).toBe(file);
    for (const uid of [0, 1000]) {
      expect(refusal(at(inner, 'link'), { links: 'refuse', uid })?.hint).toBe('Put the file itself there.');
    }
  });
});

describe('checkOperatorFile, as another user', () => {
  it('refuses nothing that only root has to fear', () => {
    const { inner, file } = makeFile(0o666);
    fs.chmodSync(inner, 0o777);
    fs.chownSync(inner, NOBODY, NOBODY);
    expect(verdict(file, { uid: 1000, home: true })).toBe(file);
    expect(verdict(file, { uid: 0 })).toBe('unsafe');
  });
});
