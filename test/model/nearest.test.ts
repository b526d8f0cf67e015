import { describe, expect, it } from 'vitest';
import { nearest } from '../../src/model/nearest.js';

describe('nearest', () => {
  it.each([
    ['paln', ['plan', 'apply'], 'plan'],
    ['aply', ['plan', 'apply'], 'apply'],
    ['incldue', ['include', 'exclude'], 'include'],
    ['frobnicate', ['plan', 'apply'], undefined],
    ['plan', [], undefined],
  ])('of %j among %j is %j', (word, candidates, expected) => {
    expect(nearest(word, candidates)).toBe(expected);
  });
});
