import fs from 'node:fs';
import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Walk } from '../../../src/engine/scan/walk.js';
import { storedName } from '../../../src/model/encoding.js';
import type { DiskPath, FileName } from '../../../src/model/names.js';
import { compareBytes, toBuffer } from '../../../src/model/names.js';
import { selecting, temporary } from './support.js';
import type { TestSelection } from './support.js';

function walked(selection: TestSelection, during?: (file: string) => void): { names: string[]; walk: Walk } {
  const starts = selection.roots().map((root) => ({ ...root, recursive: true }));
  const walk = new Walk(selection, starts);
  const names: string[] = [];
  while (walk.next()) {
    expect(walk.stored).toBe(storedName(walk.file));
    names.push(walk.file);
    during?.(walk.file);
  }
  return { names, walk };
}

function byStoredName(a: string, b: string): number {
  return compareBytes(storedName(a as FileName), storedName(b as FileName));
}

describe('the walk', () => {
  it('gives a directory its own place among its siblings and what it holds another', () => {
    const root = temporary();
    for (const name of ['a', 'a b', 'a%b', 'a-b', 'a.b', 'a0']) {
      fs.mkdirSync(`${root}/${name}`);
      fs.writeFileSync(`${root}/${name}/x`, '');
    }
    expect(walked(selecting({ roots: [root] })).names.map((name) => name.slice(root.length))).toEqual([
      '',
      '/a',
      '/a b',
      '/a b/x',
      '/a%b',
      '/a%b/x',
      '/a-b',
      '/a-b/x',
      '/a.b',
      '/a.b/x',
      '/a/x',
      '/a0',
      '/a0/x',
    ]);
  });

  it('emits any tree in the order of stored names, each file once', () => {
    const letter = fc.constantFrom('a', 'b', ' ', '!', '%', '-', '.a', '0', '~', '\x01', '\x7f', '\xff', '\\', '$');
    const name = fc.array(letter, { minLength: 1, maxLength: 3 }).map((letters) => letters.join(''));
    const paths = fc.array(fc.array(name, { minLength: 1, maxLength: 4 }), { maxLength: 25 });
    fc.assert(
      fc.property(paths, (list) => {
        const root = temporary('/dev/shm');
        const expected = new Set<string>([root]);
        for (const parts of list) {
          fs.mkdirSync(toBuffer(`${root}/${parts.join('/')}`), { recursive: true });
          for (let length = 1; length <= parts.length; length++) {
            expected.add(`${root}/${parts.slice(0, length).join('/')}`);
          }
        }
        expect(walked(selecting({ roots: [root] })).names).toEqual([...expected].sort(byStoredName));
        fs.rmSync(root, { recursive: true });
      }),
      { numRuns: 60 },
    );
  });

  it('keeps every byte a name can hold', () => {
    const root = temporary();
    const expected: string[] = [root];
    for (let byte = 1; byte < 256; byte++) {
      if (byte === 0x2f) continue;
      const name = `x${String.fromCharCode(byte)}`;
      fs.writeFileSync(toBuffer(`${root}/${name}`), '');
      fs.mkdirSync(toBuffer(`${root}/d${name}`));
      fs.writeFileSync(toBuffer(`${root}/d${name}/${name}`), '');
      expected.push(`${root}/${name}`, `${root}/d${name}`, `${root}/d${name}/${name}`);
    }
    expect(walked(selecting({ roots: [root] })).names).toEqual(expected.sort(byStoredName));
  });

  it('starts in several places and prefixes and joins them in order', () => {
    const root = temporary();
    for (const name of ['t', 't/a', 't/a-b', 't/z', 'p', 'p/q']) fs.mkdirSync(`${root}/${name}`);
    fs.writeFileSync(`${root}/t/a/x`, '');
    const selection = selecting({ roots: [`${root}/t/a`, '%p%', `${root}/t/a-b`], prefixes: { p: `${root}/p` } });
    expect(walked(selection).names).toEqual(['%p%', '%p%/q', `${root}/t/a`, `${root}/t/a-b`, `${root}/t/a/x`]);
  });

  it('enters what is not selected only where it leads to what is', () => {
    const root = temporary();
    fs.mkdirSync(`${root}/no/deep/yes`, { recursive: true });
    fs.mkdirSync(`${root}/other/yes`, { recursive: true });
    const only = selecting({ roots: [`${root}/no/deep/yes`] });
    const selection = { ...only, roots: () => [{ file: '/' as FileName, disk: '/' as DiskPath }] };
    expect(walked(selection).names).toEqual([`${root}/no/deep/yes`]);
  });

  it('follows no link', () => {
    const root = temporary();
    fs.mkdirSync(`${root}/real`);
    fs.writeFileSync(`${root}/real/x`, '');
    fs.symlinkSync('real', `${root}/link`);
    fs.symlinkSync('nowhere', `${root}/dangling`);
    const { names } = walked(selecting({ roots: [root] }));
    expect(names.map((name) => name.slice(root.length + 1))).toEqual(['', 'dangling', 'link', 'real', 'real/x']);
  });

  it("does not see csx's own files", () => {
    const root = temporary();
    fs.writeFileSync(`${root}/.csx-stage-1`, '');
    fs.mkdirSync(`${root}/.csx-stage-2`);
    fs.writeFileSync(`${root}/.csx-stag`, '');
    expect(walked(selecting({ roots: [root] })).names).toEqual([root, `${root}/.csx-stag`]);
  });

  it('takes paths up to the 4,095 bytes the system allows and reports longer ones', () => {
    const root = temporary('/dev/shm');
    let directory: string = root;
    const part = 'd'.repeat(200);
    while (4095 - directory.length > 201 + 110) {
      directory = `${directory}/${part}`;
      fs.mkdirSync(directory);
    }
    const fits = 4095 - directory.length - 1;
    fs.mkdirSync(`${directory}/${'e'.repeat(fits - 100)}`);
    fs.mkdirSync(`${directory}/${'e'.repeat(fits - 100)}/${'f'.repeat(99)}`);
    // One byte more than a path can have is reached from inside only.
    const made = spawnSync('sh', [
      '-c',
      `cd "$1" && cd "$2" && touch ${'g'.repeat(100)}`,
      'sh',
      directory,
      'e'.repeat(fits - 100),
    ]);
    expect(made.status).toBe(0);
    const { names, walk } = walked(selecting({ roots: [root] }));
    expect(names.at(-1)).toHaveLength(4095);
    expect(walk.problems).toMatchObject([{ code: 'PATH_UNSAFE', severity: 'error' }]);
    expect([...walk.unread].map((file) => file.length)).toEqual([4096]);
  });

  it('takes what vanishes under its feet as never there', () => {
    const root = temporary();
    for (let index = 0; index < 50; index++) {
      fs.mkdirSync(`${root}/d${index}/sub`, { recursive: true });
      fs.writeFileSync(`${root}/d${index}/file`, '');
    }
    let seen = 0;
    const { names, walk } = walked(selecting({ roots: [root] }), (file) => {
      if (!/\/d\d+$/.test(file) || seen++ % 2 === 0) return;
      fs.rmSync(file, { recursive: true });
      // A directory that turns into a file is just as little there.
      if (seen % 4 === 0) fs.writeFileSync(file, '');
    });
    expect(walk.problems).toEqual([]);
    expect(names.filter((name) => name.endsWith('/file'))).toHaveLength(25);
  });

  it('goes through a directory of 100,000 names', () => {
    const root = temporary('/dev/shm');
    for (let index = 0; index < 100_000; index++) fs.closeSync(fs.openSync(`${root}/${(index * 7919) % 100_000}`, 'w'));
    const { names } = walked(selecting({ roots: [root] }));
    expect(names).toHaveLength(100_001);
    expect(names.every((name, index) => index === 0 || (names[index - 1] ?? '') < name)).toBe(true);
  });
});
