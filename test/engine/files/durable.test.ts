/** What is made durable, and what need not be because it is gone. */

import fs from 'node:fs';
import { describe, expect, it } from 'vitest';
import { syncDirectories, syncFiles } from '../../../src/engine/files/durable.js';
import { at, temporaryDirectory } from './temporary-directory.js';

describe.each([
  ['directories', syncDirectories],
  ['files', syncFiles],
])('making %s durable', (_, sync) => {
  it('takes what is gone, alone or with its parents, for done: a tree may be removed within one group', async () => {
    const directory = temporaryDirectory();
    fs.mkdirSync(at(directory, 'there'));
    fs.writeFileSync(at(directory, 'file-now'), '');
    fs.symlinkSync('there', at(directory, 'link-now'));
    const gone = [at(directory, 'gone'), at(directory, 'gone', 'too')];
    const below = [at(directory, 'file-now', 'was'), at(directory, 'file-now', 'was', 'deeper', 'too')];
    const paths = [at(directory, 'there'), ...gone, at(directory, 'file-now'), at(directory, 'link-now'), ...below];
    expect([...(await sync(paths))]).toEqual([]);
  });

  it('tells of what is there and cannot be', async () => {
    const directory = temporaryDirectory();
    fs.mkdirSync(at(directory, 'real'));
    fs.symlinkSync('real', at(directory, 'link'));
    const behind = at(directory, 'link', 'x');
    expect([...(await sync([behind])).keys()]).toEqual([behind]);
  });
});
