import fs from 'node:fs';
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { commit, makeDirectory, remove } from '../../../src/engine/files/commit.js';
import { openDirectory } from '../../../src/engine/files/confined.js';
import { reservedName, sweep } from '../../../src/engine/files/reserved-name.js';
import { stageFile, stageLink, stageSpecial } from '../../../src/engine/files/stage.js';
import { errnoOf } from '../../../src/model/errors.js';
import type { Bytes, DiskPath } from '../../../src/model/names.js';
import { isReserved, RESERVED_PREFIX } from '../../../src/model/names.js';
import { at, temporaryDirectory } from './temporary-directory.js';

function staged(target: DiskPath, content: string) {
  const file = stageFile(target);
  file.write(Buffer.from(content));
  return file;
}

describe('a staged file', () => {
  it('shows nothing at the target before the commit, and everything after it', async () => {
    const directory = temporaryDirectory();
    const target = at(directory, 'caf\xe9');
    const file = staged(target, 'new');
    file.dress({ mode: 0o104751, uid: 12, gid: 34, mtime: 1000 });
    expect(fs.readdirSync(directory).every((name) => isReserved(name))).toBe(true);
    const [outcome] = await commit([file]);
    expect(outcome).toEqual({ target, error: undefined, replaced: true });
    const [name] = fs.readdirSync(directory, 'latin1');
    expect(name).toBe('caf\xe9');
    const stats = fs.statSync(Buffer.from(target, 'latin1'));
    expect([stats.mode & 0o7777, stats.uid, stats.gid, stats.mtimeMs]).toEqual([0o4751, 12, 34, 1_000_000]);
  });

  it.each([
    [
      'a file',
      (path: string) => {
        fs.writeFileSync(path, 'old');
      },
    ],
    [
      'a link',
      (path: string) => {
        fs.symlinkSync('/etc/passwd', path);
      },
    ],
    [
      'a FIFO',
      (path: string) => {
        spawnSync('mkfifo', [path]);
      },
    ],
    [
      'an empty directory',
      (path: string) => {
        fs.mkdirSync(path);
      },
    ],
    ['nothing', () => undefined],
  ])('replaces %s', async (_, make) => {
    const target = at(temporaryDirectory(), 'target');
    make(target);
    expect((await commit([staged(target, 'new')]))[0]?.error).toBeUndefined();
    expect(fs.lstatSync(target).isFile()).toBe(true);
    expect(fs.readFileSync(target, 'utf8')).toBe('new');
  });

  it('leaves a directory that is not empty as it is, and commits the rest of the group', async () => {
    const directory = temporaryDirectory();
    fs.mkdirSync(at(directory, 'full'));
    fs.writeFileSync(at(directory, 'full', 'inside'), 'x');
    const outcomes = await commit([staged(at(directory, 'full'), 'new'), staged(at(directory, 'other'), 'new')]);
    expect(errnoOf(outcomes[0]?.error)).toBe('ENOTEMPTY');
    expect(outcomes[1]?.error).toBeUndefined();
    expect(fs.readdirSync(directory).sort()).toEqual(['full', 'other']);
    expect(fs.readFileSync(at(directory, 'full', 'inside'), 'utf8')).toBe('x');
  });

  it('is not put in place when the guard refuses, and the old content stays', async () => {
    const directory = temporaryDirectory();
    fs.writeFileSync(at(directory, 'a'), 'old');
    const refusal = new Error('changed meanwhile');
    const outcomes = await commit([staged(at(directory, 'a'), 'new')], {
      guard: () => {
        throw refusal;
      },
    });
    expect(outcomes[0]).toMatchObject({ error: refusal, replaced: false });
    expect(fs.readFileSync(at(directory, 'a'), 'utf8')).toBe('old');
    expect(fs.readdirSync(directory)).toEqual(['a']);
  });

  it('leaves nothing behind when it is discarded, and closes what it opened', () => {
    const directory = temporaryDirectory();
    const before = fs.readdirSync('/proc/self/fd').length;
    staged(at(directory, 'a'), 'new').discard();
    stageLink(at(directory, 'l'), 'x' as Bytes).discard();
    expect(fs.readdirSync(directory)).toEqual([]);
    expect(fs.readdirSync('/proc/self/fd').length).toBe(before);
  });

  it('goes into the temporary directory when that is on the same file system, otherwise beside the target', () => {
    const directory = temporaryDirectory();
    const temporary = temporaryDirectory();
    const there = stageFile(at(directory, 'a'), { temporaryDirectory: temporary });
    expect(fs.readdirSync(temporary)).toHaveLength(1);
    there.discard();
    const other = stageFile(at(directory, 'a'), { temporaryDirectory: '/proc' as DiskPath });
    expect(fs.readdirSync(directory)).toHaveLength(1);
    other.discard();
    fs.chmodSync(temporary, 0o777);
    const unsafe = stageFile(at(directory, 'a'), { temporaryDirectory: temporary });
    expect(fs.readdirSync(temporary)).toHaveLength(0);
    unsafe.discard();
  });

  it('commits several hundred at once', async () => {
    const directory = temporaryDirectory();
    const group = Array.from({ length: 300 }, (_, index) => staged(at(directory, String(index)), String(index)));
    const outcomes = await commit(group);
    expect(outcomes.every((outcome) => outcome.error === undefined)).toBe(true);
    expect(fs.readdirSync(directory)).toHaveLength(300);
  });
});

describe('links and special files', () => {
  it('replace what is there at once', async () => {
    const directory = temporaryDirectory();
    for (const name of ['l', 'f', 'c']) fs.writeFileSync(at(directory, name), 'old');
    const group = [
      stageLink(at(directory, 'l'), 'tar\xffget' as Bytes),
      stageSpecial(at(directory, 'f'), 'fifo', 0),
      stageSpecial(at(directory, 'c'), 'character-device', fs.statSync('/dev/null').rdev),
    ];
    const outcomes = await commit(group);
    expect(outcomes.map((outcome) => outcome.error)).toEqual([undefined, undefined, undefined]);
    expect(fs.readlinkSync(at(directory, 'l'), 'latin1')).toBe('tar\xffget');
    expect(fs.lstatSync(at(directory, 'f')).isFIFO()).toBe(true);
    expect(fs.lstatSync(at(directory, 'f')).mode & 0o777).toBe(0o600);
    expect(fs.lstatSync(at(directory, 'c')).rdev).toBe(fs.statSync('/dev/null').rdev);
    expect(fs.readdirSync(directory).sort()).toEqual(['c', 'f', 'l']);
  });
});

describe('directories and removal', () => {
  it('makes a directory in place of a file, and keeps the one that is there', () => {
    const directory = temporaryDirectory();
    const target = at(directory, 'd');
    fs.writeFileSync(target, 'old');
    expect(makeDirectory(target, 0o700)).toBe(true);
    fs.writeFileSync(at(target, 'inside'), '');
    expect(makeDirectory(target, 0o700)).toBe(false);
    expect(fs.readdirSync(directory)).toEqual(['d']);
    expect(fs.readdirSync(target)).toEqual(['inside']);
  });

  it('removes files, links and empty directories, and no others', () => {
    const directory = temporaryDirectory();
    fs.writeFileSync(at(directory, 'f'), '');
    fs.symlinkSync('f', at(directory, 'l'));
    fs.mkdirSync(at(directory, 'd'));
    fs.mkdirSync(at(directory, 'full', 'x'), { recursive: true });
    expect(['l', 'f', 'd', 'none'].map((name) => remove(at(directory, name)))).toEqual([true, true, true, false]);
    expect(() => remove(at(directory, 'full'))).toThrow(/ENOTEMPTY/);
    expect(fs.readdirSync(directory)).toEqual(['full']);
  });
});

describe('what a dead process left behind', () => {
  it('is removed; what belongs to a living one stays', () => {
    const directory = temporaryDirectory();
    const mine = reservedName();
    const world = mine.slice(RESERVED_PREFIX.length).split('-')[0] ?? '';
    const dead = `${RESERVED_PREFIX}${world}-${String(2 ** 22 + 1)}-77-0123456789ab`;
    const reused = `${RESERVED_PREFIX}${world}-${String(process.pid)}-1-0123456789ab`;
    const elsewhere = `${RESERVED_PREFIX}00000000-1-1-0123456789ab`;
    for (const name of [mine, dead, reused, elsewhere, 'file']) fs.writeFileSync(at(directory, name), '');
    const held = openDirectory(directory);
    try {
      expect(sweep(held, Date.now()).sort()).toEqual([dead, reused].sort());
      expect(sweep(held, Date.now() + 7_200_000)).toEqual([elsewhere]);
    } finally {
      held.close();
    }
    expect(fs.readdirSync(directory).sort()).toEqual([mine, 'file'].sort());
  });

  it('keeps no directory from being removed or replaced; what belongs to a living one does', async () => {
    const directory = temporaryDirectory();
    const mine = reservedName();
    const dead = mine.replace(/-\d+-\d+-/, `-${String(2 ** 22 + 1)}-77-`);
    for (const name of ['gone', 'replaced', 'kept']) fs.mkdirSync(at(directory, name));
    for (const name of ['gone', 'replaced', 'kept']) fs.writeFileSync(at(directory, name, dead), '');
    fs.writeFileSync(at(directory, 'kept', mine), '');
    expect(remove(at(directory, 'gone'))).toBe(true);
    const [outcome] = await commit([staged(at(directory, 'replaced'), 'new')]);
    expect(outcome?.error).toBeUndefined();
    expect(() => remove(at(directory, 'kept'))).toThrow(/ENOTEMPTY/);
    expect(fs.readdirSync(directory)).toEqual(['kept', 'replaced']);
    expect(fs.readdirSync(at(directory, 'kept'))).toEqual([mine]);
  });
});
