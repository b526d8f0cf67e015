import { describe, expect, it } from 'vitest';
import type { FileName } from '../../src/model/names.js';
import type { RemoteState } from '../../src/model/plan.js';
import { ancestorsToAsk, joinMissing, missingTrees } from '../../src/planner/parents.js';
import { absent, here, membership, name, peerName, there } from './make.js';

const missing: RemoteState = { kind: 'parent-missing' };
const directory = there(name('/d'), { type: 'directory' });
const states = (of: Readonly<Record<string, RemoteState>>) =>
  new Map(Object.entries(of).map(([file, state]) => [name(file), state]));
const inGroup = (file: FileName) => file === '/d' || file.startsWith('/d/');

describe('ancestorsToAsk', () => {
  it.each<[string, Record<string, RemoteState>, readonly string[]]>([
    ['nothing when no directory is missing', { '/d/a/f': absent(name('/d/a/f')) }, []],
    ['all ancestors in the group, in one go', { '/d/a/b/f': missing }, ['/d', '/d/a', '/d/a/b']],
    ['each once', { '/d/a/f': missing, '/d/a/g': missing, '/d/b/h': missing }, ['/d', '/d/a', '/d/b']],
    ['none that answered already', { '/d/a/b/f': missing, '/d/a/b': missing, '/d/a': absent(name('/d/a')) }, ['/d']],
    ['none outside of the group', { '/d/f': missing }, ['/d']],
  ])('%s', (_, of, asked) => {
    expect(ancestorsToAsk(states(of), inGroup)).toEqual(asked);
  });
  it('stops at a bare prefix', () => {
    expect(ancestorsToAsk(states({ '%p%/a/f': missing }), () => true)).toEqual(['%p%', '%p%/a']);
  });
});

describe('missingTrees', () => {
  it.each<[string, Record<string, RemoteState>, readonly string[]]>([
    [
      'the topmost missing directory',
      { '/d/a/b/f': missing, '/d/a/b': missing, '/d/a': absent(name('/d/a')), '/d': directory },
      ['/d/a'],
    ],
    [
      'two of them apart',
      {
        '/d/a/f': missing,
        '/d/b/f': missing,
        '/d/a': absent(name('/d/a')),
        '/d/b': absent(name('/d/b')),
        '/d': directory,
      },
      ['/d/a', '/d/b'],
    ],
    ['not what is missing above the group', { '/d/f': missing, '/d': missing }, ['/d']],
    ['none below a directory that is there', { '/d/f': missing, '/d': directory }, []],
    ['none where nobody was asked', { '/elsewhere/f': missing }, []],
  ])('%s', (_, of, trees) => {
    expect(missingTrees(states(of))).toEqual(trees);
  });
});

describe('joinMissing', () => {
  it('makes candidates of what stands here and goes to the peer', () => {
    const local = (file: FileName) =>
      file === '/d/gone'
        ? undefined
        : file === '/d/locked'
          ? 'unreadable'
          : here(file, file === '/d/s' ? { type: 'socket' } : {});
    const files = ['/d', '/d/known', '/d/gone', '/d/locked', '/d/s', '/elsewhere'].map(name);
    const joined = joinMissing(peerName('b'), files, new Set([name('/d/known')]), membership(), local);
    expect(joined.map((each) => [each.file, each.origin, each.peer])).toEqual([['/d', 'missing-parent', 'b']]);
  });
});
