import { describe, expect, it } from 'vitest';
import type { Limit } from '../../src/model/config.js';
import { reconcile } from '../../src/planner/reconcile.js';
import { runChecks } from '../../src/planner/checks.js';
import type { CheckInputs } from '../../src/planner/checks.js';
import { agreed, candidate, group, name, planPeer, there } from './make.js';

const deletions = (count: number) =>
  Array.from({ length: count }, (_, index) => {
    const file = name(`/d/${index}`);
    const outcome = reconcile(candidate(file, undefined), there(file, {}), agreed(file, {}));
    if (outcome.kind !== 'change') throw new Error(outcome.kind);
    return outcome.change;
  });

const check = (options: Partial<CheckInputs>) =>
  runChecks({
    peers: [planPeer('b')],
    changes: [],
    roots: [],
    groups: [group()],
    groupFiles: new Map([['g', 10]]),
    maxDelete: undefined,
    ...options,
  });

const percent = (value: number): Limit => ({ value, unit: 'percent' });
const files = (value: number): Limit => ({ value, unit: 'files' });

describe('max-delete', () => {
  it.each<[string, number, Partial<CheckInputs>, 'pass' | 'fail']>([
    ['none', 0, {}, 'pass'],
    ['half of the group, as the default allows', 5, {}, 'pass'],
    ['more than half', 6, {}, 'fail'],
    ['as many as the command line allows', 6, { maxDelete: files(6) }, 'pass'],
    ['more than the command line allows', 2, { maxDelete: files(1) }, 'fail'],
    ['a percentage on the command line', 2, { maxDelete: percent(10) }, 'fail'],
    ['more than the group allows', 3, { groups: [group({ maxDelete: files(2) })] }, 'fail'],
    [
      'the command line before the group',
      3,
      { groups: [group({ maxDelete: files(2) })], maxDelete: percent(100) },
      'pass',
    ],
    ['all of a group', 10, { maxDelete: percent(100) }, 'pass'],
    ['a group nobody counted', 1, { groupFiles: new Map() }, 'fail'],
    ['nothing allowed', 1, { maxDelete: files(0) }, 'fail'],
  ])('%s', (_, count, options, status) => {
    const [found] = check({ changes: deletions(count), ...options }).filter((each) => each.name === 'max-delete');
    expect(found?.status).toBe(status);
  });
  it('counts for each peer and group by itself, and says the numbers', () => {
    const found = check({
      changes: deletions(6),
      peers: [planPeer('b', { groups: ['g', 'h'] }), planPeer('c')],
      groups: [group(), group({ name: 'h' })],
      groupFiles: new Map([
        ['g', 10],
        ['h', 4],
      ]),
    });
    expect(found.filter((each) => each.name === 'max-delete').map((each) => `${each.status}: ${each.message}`)).toEqual(
      [
        'pass: 0 of 10 files of group g would be deleted on c; the limit is 50%.',
        'pass: 0 of 4 files of group h would be deleted on b; the limit is 50%.',
        'fail: 6 of 10 files of group g would be deleted on b, more than 50%. If that is meant, raise --max-delete.',
      ],
    );
  });
});

describe('root', () => {
  it.each(['missing', 'emptied', 'retyped'] as const)('%s fails', (state) => {
    const [found] = check({ roots: [{ kind: 'root', file: name('/d'), state, known: 7 }] }).filter(
      (each) => each.name === 'root',
    );
    expect(found?.status).toBe('fail');
    expect(found?.message).toMatch(/^\/d (does not exist|is empty|is of another type than before), though 7 files/);
  });
  it('passes when all is there', () => {
    expect(
      check({})
        .filter((each) => each.name === 'root')
        .map((each) => each.status),
    ).toEqual(['pass']);
  });
});

describe('plaintext', () => {
  it.each([
    [true, []],
    [false, ['warn']],
    ['unknown', []],
  ] as const)('tls %s', (tls, statuses) => {
    const found = check({ peers: [planPeer('b', { tls })] }).filter((each) => each.name === 'plaintext');
    expect(found.map((each) => each.status)).toEqual(statuses);
  });
});
