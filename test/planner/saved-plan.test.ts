import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CsxError } from '../../src/model/errors.js';
import type { Plan } from '../../src/model/plan.js';
import { matchSavedPlan, requireMatch } from '../../src/planner/saved-plan.js';
import type { Place } from '../../src/planner/saved-plan.js';
import { plan as plans } from '../model/arbitrary-plan.js';

const [some] = fc.sample(plans(), { numRuns: 1, seed: 1 });
if (some === undefined) throw new Error('no plan');
const plan: Plan = { ...some, host: 'a', configHash: 'c', lineage: 'l', serial: 5 };
const place: Place = { host: 'a', configHash: 'c', identity: { lineage: 'l', serial: 5 }, run: undefined };
const run = {
  id: 'i',
  planHash: plan.hash,
  startedAt: 0,
  finishedAt: 9,
  exitStatus: 0,
  summary: '{}',
};

describe('matchSavedPlan', () => {
  it.each<[string, Partial<Plan>, Partial<Place>, readonly string[]]>([
    ['the same place', {}, {}, []],
    ['a database that went on', {}, { identity: { lineage: 'l', serial: 99 } }, []],
    ['a database that went back', {}, { identity: { lineage: 'l', serial: 4 } }, ['serial']],
    ['another database', {}, { identity: { lineage: 'm', serial: 1 } }, ['lineage']],
    ['a database csx never wrote', {}, { identity: { lineage: undefined, serial: 0 } }, ['lineage']],
    ['made before csx first wrote', { lineage: undefined, serial: 0 }, {}, []],
    ['still never written', { lineage: undefined, serial: 0 }, { identity: { lineage: undefined, serial: 0 } }, []],
    ['another host', {}, { host: 'b' }, ['host']],
    ['another configuration', {}, { configHash: 'd' }, ['config']],
    ['applied', {}, { run }, ['applied']],
    ['begun and not finished', {}, { run: { ...run, finishedAt: undefined } }, ['applied']],
    [
      'all at once',
      {},
      { host: 'b', configHash: 'd', identity: { lineage: 'm', serial: 9 }, run },
      ['host', 'lineage', 'config', 'applied'],
    ],
  ])('%s', (_, of, at, what) => {
    expect(matchSavedPlan({ ...plan, ...of }, { ...place, ...at }).map((each) => each.what)).toEqual(what);
  });
});

describe('requireMatch', () => {
  it('lets a plan through that matches', () => {
    requireMatch(plan, place);
  });
  it('says in one sentence what does not match, and what to do', () => {
    const refused = () => {
      requireMatch(plan, { ...place, host: 'b', run });
    };
    expect(refused).toThrow(CsxError);
    expect(refused).toThrow(
      'Saved plan does not match: it was made on a, and this is b; it was applied at 1970-01-01T00:00:00.000Z, and a plan can be applied once. Nothing was done.',
    );
    expect(refused).toThrow(
      expect.objectContaining({ code: 'PLAN_MISMATCH', hint: 'Apply it on a, or make a plan of this host.' }),
    );
  });
});
