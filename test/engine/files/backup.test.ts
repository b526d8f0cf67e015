import fs from 'node:fs';
import { describe, expect, it } from 'vitest';
import { backUp } from '../../../src/engine/files/backup.js';
import type { DiskPath } from '../../../src/model/names.js';
import { at, temporaryDirectory } from './temporary-directory.js';

function below(root: DiskPath): string[] {
  return fs
    .readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => !fs.statSync(at(root, name)).isDirectory())
    .sort();
}

describe('backUp', () => {
  it.each([1, 2, 3, 5])('keeps exactly the last %i generations, newest first', async (generations) => {
    const directory = temporaryDirectory();
    const root = at(directory, 'backups');
    const file = at(directory, 'tree', 'file');
    fs.mkdirSync(at(directory, 'tree'));
    for (let version = 1; version <= 7; version += 1) {
      fs.writeFileSync(file, `version ${String(version)}`);
      expect(await backUp(file, { directory: root, generations })).toBe(at(root, file.slice(1)));
      const expected = Array.from({ length: Math.min(version, generations) }, (_, age) => [
        age === 0 ? file.slice(1) : `${file.slice(1)}.${String(age)}`,
        `version ${String(version - age)}`,
      ]);
      expect(below(root).map((name) => [name, fs.readFileSync(at(root, name), 'utf8')])).toEqual(expected);
    }
  });

  it('keeps owner, mode and time of the file, owner and mode of its directories', async () => {
    const directory = temporaryDirectory();
    const root = at(directory, 'backups');
    const file = at(directory, 'tree', 'caf\xe9');
    const bytes = Buffer.from(file, 'latin1');
    fs.mkdirSync(at(directory, 'tree'));
    fs.chmodSync(at(directory, 'tree'), 0o2751);
    fs.chownSync(at(directory, 'tree'), 12, 34);
    fs.chmodSync(at(directory, 'tree'), 0o2751);
    fs.writeFileSync(bytes, 'content');
    fs.chownSync(bytes, 56, 78);
    fs.chmodSync(bytes, 0o640);
    fs.utimesSync(bytes, 1000, 1000);
    await backUp(file, { directory: root, generations: 3 });
    const copy = fs.statSync(Buffer.from(at(root, file.slice(1)), 'latin1'));
    expect([copy.uid, copy.gid, copy.mode & 0o7777, copy.mtimeMs]).toEqual([56, 78, 0o640, 1_000_000]);
    const parent = fs.statSync(at(root, directory.slice(1), 'tree'));
    expect([parent.uid, parent.gid, parent.mode & 0o7777]).toEqual([12, 34, 0o2751]);
  });

  it('has nothing to do for links, directories and what does not exist', async () => {
    const directory = temporaryDirectory();
    const backup = { directory: at(directory, 'backups'), generations: 3 };
    fs.symlinkSync('/etc/passwd', at(directory, 'link'));
    fs.mkdirSync(at(directory, 'd'));
    for (const name of ['link', 'd', 'none']) expect(await backUp(at(directory, name), backup)).toBeUndefined();
    expect(fs.existsSync(backup.directory)).toBe(false);
  });

  it('closes a gap in the generations before it gives one up', async () => {
    const directory = temporaryDirectory();
    const root = at(directory, 'backups');
    const file = at(directory, 'file');
    const copy = at(root, file.slice(1));
    for (const version of [1, 2, 3]) {
      fs.writeFileSync(file, `version ${String(version)}`);
      await backUp(file, { directory: root, generations: 3 });
    }
    fs.unlinkSync(copy);
    fs.writeFileSync(file, 'version 4');
    await backUp(file, { directory: root, generations: 3 });
    expect(['', '.1', '.2'].map((suffix) => fs.readFileSync(copy + suffix, 'utf8'))).toEqual([
      'version 4',
      'version 2',
      'version 1',
    ]);
  });

  it('fails, with the older generations unmoved, when a link stands in its way', async () => {
    const directory = temporaryDirectory();
    const root = at(directory, 'backups');
    const file = at(directory, 'tree', 'file');
    fs.mkdirSync(at(directory, 'tree'));
    fs.writeFileSync(file, 'one');
    await backUp(file, { directory: root, generations: 3 });
    const parent = at(root, directory.slice(1), 'tree');
    fs.renameSync(parent, at(directory, 'moved'));
    fs.symlinkSync(at(directory, 'moved'), parent);
    await expect(backUp(file, { directory: root, generations: 3 })).rejects.toMatchObject({ code: 'PATH_UNSAFE' });
    expect(fs.readdirSync(at(directory, 'moved'))).toEqual(['file']);
  });

  it('refuses a backup directory that another user can write', async () => {
    const directory = temporaryDirectory();
    const root = at(directory, 'backups');
    fs.writeFileSync(at(directory, 'file'), 'one');
    fs.mkdirSync(root);
    fs.chmodSync(root, 0o777);
    await expect(backUp(at(directory, 'file'), { directory: root, generations: 3 })).rejects.toMatchObject({
      code: 'FILE_UNSAFE',
    });
    expect(fs.readdirSync(root)).toEqual([]);
  });
});
