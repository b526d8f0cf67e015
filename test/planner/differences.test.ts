import { describe, expect, it } from 'vitest';
import type { Entry } from '../../src/model/entry.js';
import { compareEntries, differences, stateThere } from '../../src/planner/differences.js';
import type { RemotePresent } from '../../src/planner/differences.js';
import { agreed, entry, here, name, text, there } from './make.js';
import type { Look } from './make.js';

const F = name('/d/f');

function present(look: Look, local: Look, content?: RemotePresent['content']): RemotePresent {
  const state = there(F, look, local);
  if (state.kind !== 'present') throw new Error(state.kind);
  return content === undefined ? state : { ...state, content };
}

describe('compareEntries', () => {
  const link = (mode: number): Entry => ({ ...entry({ type: 'link', target: 't' }), mode });
  it.each<[string, Entry, Entry, readonly string[]]>([
    ['equal', entry({}), entry({}), []],
    ['types: nothing else counts', entry({ content: 'x', mode: 0o600 }), entry({ type: 'fifo' }), ['type']],
    ['sizes', entry({ content: 'x' }), entry({}), ['content']],
    ['owners', entry({ uid: 1 }), entry({}), ['owner']],
    ['groups', { ...entry({}), gid: 9 }, entry({}), ['owner']],
    ['modes', entry({ mode: 0o600 }), entry({}), ['mode']],
    ['set-user-id bits', entry({ mode: 0o4644 }), entry({}), ['mode']],
    ['times', entry({ mtime: 1 }), entry({ mtime: 2 }), ['mtime']],
    ['times of fifos', entry({ type: 'fifo', mtime: 1 }), entry({ type: 'fifo', mtime: 2 }), ['mtime']],
    ['targets', entry({ type: 'link', target: 'a' }), entry({ type: 'link', target: 'b' }), ['target']],
    ['modes of links mean nothing', link(0o120777), link(0o120755), []],
    ['owners of links', { ...link(0o120777), uid: 5 }, link(0o120777), ['owner']],
    ['devices', { ...entry({ type: 'block-device' }), device: 1 }, entry({ type: 'block-device' }), ['device']],
    ['what one side ignores', { ...entry({ uid: 1, mode: 0o600 }), uid: undefined, mode: undefined }, entry({}), []],
    ['what the other ignores', entry({ uid: 1 }), { ...entry({}), uid: undefined }, []],
    ['a target one side does not tell', entry({ type: 'link', target: '' }), entry({ type: 'link', target: 'b' }), []],
    ['several', entry({ uid: 1, mode: 0o600, mtime: 2 }), entry({}), ['owner', 'mode', 'mtime']],
  ])('%s', (_, a, b, aspects) => {
    expect(compareEntries(a, b)).toEqual(aspects);
    expect(compareEntries(b, a)).toEqual(aspects);
  });
});

describe('differences: content', () => {
  const mine: Look = { content: 'abc' };
  const theirs: Look = { content: 'xyz' };
  it('the peer says that it is the same', () => {
    expect(differences(here(F, mine), present(mine, mine), undefined)).toEqual([]);
  });
  it('the peer says that it is not, though the size is the same', () => {
    expect(differences(here(F, mine), present(theirs, mine), undefined)).toEqual(['content']);
  });
  it('not compared, and nothing known: it is taken to differ, so that it is sent', () => {
    expect(differences(here(F, mine), present(mine, mine, 'not-compared'), undefined)).toEqual(['content']);
  });
  it('not compared, but there as here when both agreed', () => {
    expect(differences(here(F, mine), present(mine, mine, 'not-compared'), agreed(F, mine))).toEqual([]);
    expect(differences(here(F, mine), present(theirs, mine, 'not-compared'), agreed(F, mine))).toEqual(['content']);
    expect(differences(here(F, theirs), present(mine, theirs, 'not-compared'), agreed(F, mine))).toEqual(['content']);
  });
  it('not compared by signature, but by digest', () => {
    const local = here(F, mine);
    const remote = present(mine, mine, 'not-compared');
    const digest = local.digest;
    expect(differences(local, { ...remote, state: { ...remote.state, digest } }, undefined)).toEqual([]);
  });
});

describe('stateThere', () => {
  it('takes the time from GETTM, never the zero of the check text', () => {
    const line = text(F, { mtime: 0 });
    expect(stateThere(line, undefined, undefined)?.entry.mtime).toBeUndefined();
    expect(stateThere(line, 77, undefined)?.entry.mtime).toBe(77);
  });
  it('is nothing when the line is no check text', () => {
    expect(stateThere('---' as never, 1, undefined)).toBeUndefined();
  });
});
