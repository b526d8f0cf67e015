import { describe, expect, it } from 'vitest';
import type { Conflict, SideState } from '../../src/model/plan.js';
import { untakeable } from '../../src/planner/takeable.js';
import { entry, name, text } from './make.js';
import type { Look } from './make.js';

const FILE: Look = { content: 'x' };
const DIRECTORY: Look = { type: 'directory' };

/** `there`: whose version is taken; left out: the file stays as it is here. */
interface Case {
  readonly it: string;
  readonly files: Readonly<Record<string, { readonly here?: Look; readonly there?: Look | 'removed' }>>;
  readonly withheld: readonly string[];
}

const CASES: readonly Case[] = [
  {
    it: 'a directory, and what it holds, in the place of a file',
    files: { '/d': { here: FILE, there: DIRECTORY }, '/d/e': { there: FILE } },
    withheld: [],
  },
  {
    it: 'what lies below a file that stays',
    files: { '/d': { here: FILE }, '/d/e': { there: FILE }, '/d/s': { there: DIRECTORY }, '/d/s/f': { there: FILE } },
    withheld: ['/d/e', '/d/s', '/d/s/f'],
  },
  {
    it: 'a file in the place of a directory that goes as a whole',
    files: { '/d': { here: DIRECTORY, there: FILE }, '/d/e': { here: FILE, there: 'removed' } },
    withheld: [],
  },
  {
    it: 'a file in the place of a directory of which something stays, deep below',
    files: {
      '/d': { here: DIRECTORY, there: FILE },
      '/d/e': { here: FILE, there: 'removed' },
      '/d/s': { here: DIRECTORY, there: 'removed' },
      '/d/s/f': { here: FILE },
    },
    withheld: ['/d', '/d/s'],
  },
  {
    it: 'a directory that is taken as a directory keeps what it holds',
    files: { '/d': { here: DIRECTORY, there: DIRECTORY }, '/d/e': { here: FILE } },
    withheld: [],
  },
  {
    it: 'a removal of a directory in which something stays',
    files: { '/d': { here: DIRECTORY, there: 'removed' }, '/d/e': { here: FILE } },
    withheld: ['/d'],
  },
];

describe('versions that cannot stand here beside the other decisions', () => {
  it.each(CASES.map((each) => [each.it, each] as const))('%s', (_, { files, withheld }) => {
    const side = (file: string, look: Look | undefined): SideState | undefined =>
      look && { entry: entry(look), checktxt: text(name(file), look), digest: undefined, signature: undefined };
    const local = new Map(Object.entries(files).map(([file, { here }]) => [name(file), side(file, here)]));
    const taken = new Map(
      Object.entries(files).flatMap(([file, { there }]) =>
        there === undefined
          ? []
          : [[name(file), { remote: there === 'removed' ? undefined : side(file, there) } as Conflict] as const],
      ),
    );
    expect([...untakeable(local, taken).keys()].sort()).toEqual(withheld);
  });
});
