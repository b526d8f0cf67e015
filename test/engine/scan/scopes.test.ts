import fs from 'node:fs';
import { describe, expect, it } from 'vitest';
import { resolveScopes } from '../../../src/engine/scan/scopes.js';
import { CsxError } from '../../../src/model/errors.js';
import type { DiskPath } from '../../../src/model/names.js';
import { selecting, Table, temporary } from './support.js';
import type { Rules } from './support.js';

interface Case {
  readonly root: DiskPath;
  readonly table: Table;
  readonly resolve: (...paths: string[]) => Promise<readonly string[]>;
  readonly fail: (...paths: string[]) => Promise<CsxError>;
}

/** `ROOT/t` is selected, and `ROOT/p` as `%p%`. */
function setUp(more: Partial<Rules> = {}): Case {
  const root = temporary();
  for (const name of ['t', 't/dir', 'p', 'other']) fs.mkdirSync(`${root}/${name}`);
  for (const name of ['t/hosts', 't/dir/a.conf', 't/dir/b.conf', 'p/x.conf', 'other/f']) {
    fs.writeFileSync(`${root}/${name}`, '');
  }
  const selection = selecting({ roots: [`${root}/t`, '%p%'], prefixes: { p: `${root}/p` }, ...more });
  const table = new Table();
  const resolve = async (...paths: string[]): Promise<readonly string[]> => {
    const scopes = await resolveScopes(paths, `${root}/t` as DiskPath, selection, table.files);
    expect(scopes.every((scope) => scope.recursive)).toBe(true);
    return scopes.map((scope) => scope.file.replace(root, 'ROOT'));
  };
  const fail = async (...paths: string[]): Promise<CsxError> => {
    const error: unknown = await resolve(...paths).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(CsxError);
    expect((error as CsxError).code).toBe('UNKNOWN_TARGET');
    return error as CsxError;
  };
  return { root, table, resolve, fail };
}

describe('path arguments', () => {
  it('may be absolute, relative, configured, and untidy', async () => {
    const { root, resolve } = setUp();
    expect(await resolve(`${root}/t/hosts`)).toEqual(['ROOT/t/hosts']);
    expect(await resolve('hosts', './dir/', 'dir/../hosts')).toEqual(['ROOT/t/hosts', 'ROOT/t/dir']);
    expect(await resolve('%p%', '%p%/', '%p%/./x.conf')).toEqual(['%p%', '%p%/x.conf']);
    expect(await resolve('.')).toEqual(['ROOT/t']);
  });

  it('are looked up under every prefix that contains them, and hold the prefixes inside them', async () => {
    const { root, resolve } = setUp();
    expect(await resolve(`${root}/p/x.conf`)).toEqual(['%p%/x.conf']);
    expect(await resolve(`${root}/p`)).toEqual(['%p%']);
    expect(await resolve(root)).toEqual(['ROOT', '%p%']);
    expect(await resolve('/')).toEqual(['/', '%p%']);
  });

  it('may name what was removed, and what was below a removed directory', async () => {
    const { root, table, resolve } = setUp();
    table.put(`${root}/t/gone/f`, 'v1:type=fifo');
    table.put('%p%/gone', 'v1:type=fifo');
    expect(await resolve('gone/f', 'gone', `${root}/p/gone`)).toEqual(['ROOT/t/gone/f', 'ROOT/t/gone', '%p%/gone']);
  });

  it('may be patterns over the disk and the known names', async () => {
    const { root, table, resolve } = setUp();
    table.put(`${root}/t/dir/gone.conf`, 'v1:type=fifo');
    table.put(`${root}/t/old.d/f`, 'v1:type=fifo');
    table.put('%p%/gone.conf', 'v1:type=fifo');
    expect((await resolve('dir/*.conf')).toSorted()).toEqual([
      'ROOT/t/dir/a.conf',
      'ROOT/t/dir/b.conf',
      'ROOT/t/dir/gone.conf',
    ]);
    expect(await resolve('dir/[b-c]*')).toEqual(['ROOT/t/dir/b.conf']);
    expect(await resolve('*.d')).toEqual(['ROOT/t/old.d']);
    expect((await resolve(`${root}/*/x*`)).toSorted()).toEqual(['%p%/x.conf']);
    expect((await resolve('%p%/*.conf')).toSorted()).toEqual(['%p%/gone.conf', '%p%/x.conf']);
    expect((await resolve(`${root}/**.conf`)).toSorted()).toEqual([
      '%p%/gone.conf',
      '%p%/x.conf',
      'ROOT/t/dir/a.conf',
      'ROOT/t/dir/b.conf',
      'ROOT/t/dir/gone.conf',
    ]);
  });

  it('may hold pattern characters as they are', async () => {
    const { root, resolve } = setUp();
    fs.writeFileSync(`${root}/t/a[1]*`, '');
    fs.writeFileSync(`${root}/t/a1`, '');
    expect(await resolve('a[1]*')).toEqual(['ROOT/t/a[1]*']);
    expect(await resolve('a\\[1\\]\\*')).toEqual(['ROOT/t/a[1]*']);
  });

  it('that match nothing suggest the nearest', async () => {
    const { root, table, fail } = setUp();
    table.put(`${root}/t/services`, 'v1:type=fifo');
    expect(await fail('hsots')).toMatchObject({
      message: 'hsots matches no file on disk and none in the database.',
      hint: `Did you mean ${root}/t/hosts?`,
    });
    expect((await fail('servcies')).hint).toBe(`Did you mean ${root}/t/services?`);
    expect((await fail('dri/a.conf')).hint).toBe(`Did you mean ${root}/t/dir?`);
    expect((await fail('%p%/y.conf')).hint).toBe('Did you mean %p%/x.conf?');
    expect((await fail('%q%/x.conf')).code).toBe('UNKNOWN_TARGET');
    expect((await fail('/nowhere/at/all')).hint).toBe('`csx db list files` shows what is known.');
    expect((await fail('*.nothing')).message).toContain('*.nothing matches no file');
    expect((await fail('hosts', 'hsots')).data).toEqual({ path: 'hsots', suggestion: `${root}/t/hosts` });
    await fail('');
    await fail('x'.repeat(300));
  });

  it('that no group holds, or that lie behind a link, say so', async () => {
    const { root, fail } = setUp();
    expect((await fail(`${root}/other/f`)).message).toBe(`${root}/other/f is in no group, and nothing below it is.`);
    expect((await fail(`${root}/other`)).message).toContain('is in no group');
    fs.symlinkSync('dir', `${root}/t/link`);
    expect((await fail('link/a.conf')).message).toBe(`link/a.conf lies behind the symbolic link ${root}/t/link.`);
  });

  it('may stand for single files alone', async () => {
    const { root } = setUp();
    const selection = selecting({ roots: [`${root}/t`] });
    const resolve = (word: string): Promise<unknown> =>
      resolveScopes([word], root, selection, new Table().files, false);
    expect(await resolve('t')).toEqual([{ file: `${root}/t`, recursive: false }]);
    await expect(resolve('.')).rejects.toThrow('is in no group');
  });
});
