import { describe, expect, it } from 'vitest';
import { nearest } from '../../src/model/nearest.js';

describe('nearest', () => {
  it.each([
    ['paln', ['plan', 'apply'], 'plan'],
    ['aply', ['plan', 'apply'], 'apply'],
    ['incldue', ['include', 'exclude'], 'include'],
    ['lpna', ['plan', 'apply'], undefined],
    ['dri', ['dir', 'dry'], 'dir'],
    ['PLAN', ['apply', 'plan'], 'plan'],
    ['hostt', ['hosts', 'host'], 'hosts'],
    ['confilct', ['conflicts', 'conflict'], 'conflict'],
    ['cofnlitc', ['conflict'], 'conflict'],
    ['x', ['y', 'xylophone'], 'y'],
    ['', ['a', 'abc'], 'a'],
    ['frobnicate', ['plan', 'apply'], undefined],
    ['plan', [], undefined],
    ['apach', ['apache2', 'apt'], 'apache2'],
    ['apach', ['apache2', 'apache-old'], undefined],
    ['ap', ['apache2'], undefined],
  ])('of %j among %j is %j', (word, candidates, expected) => {
    expect(nearest(word, candidates)).toBe(expected);
  });
});
