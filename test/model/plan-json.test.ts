import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CsxError } from '../../src/model/errors.js';
import { fromPlanJson } from '../../src/model/plan-json-read.js';
import { toPlanJson } from '../../src/model/plan-json.js';
import { atOnce } from '../../src/model/paced.js';
import { PlanTextReader } from '../../src/model/plan-text-read.js';
import { planText } from '../../src/model/plan-text.js';
import type { Plan } from '../../src/model/plan.js';
import { plan as plans } from './arbitrary-plan.js';
import { objectsIn, tighten } from './schema.js';

const schema: unknown = JSON.parse(readFileSync(new URL('../../schemas/plan.schema.json', import.meta.url), 'utf8'));
const ajv = new Ajv2020({ allErrors: false, strict: true, strictTypes: false });
const published = ajv.compile(schema as object);
const exact = ajv.compile(tighten(schema, 'exact') as object);

/** As it comes out of a file. */
const reparse = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

function readText(text: string, sizes: readonly number[]): Plan {
  const reader = new PlanTextReader();
  for (let at = 0, turn = 0; at < text.length; turn++) {
    const size = sizes[turn % sizes.length] ?? text.length;
    reader.push(text.slice(at, at + size));
    at += size;
  }
  return atOnce(reader.finish());
}

const whole = (plan: Plan) => [...planText(plan)].join('');

describe('a plan as JSON', () => {
  it('comes back the same, whatever bytes its names are made of', () => {
    fc.assert(
      fc.property(plans(), (plan) => {
        expect(fromPlanJson(reparse(toPlanJson(plan)))).toEqual(plan);
      }),
    );
  });
  it('is the same as text', () => {
    fc.assert(
      fc.property(plans(), (plan) => {
        expect(JSON.parse(whole(plan))).toEqual(reparse(toPlanJson(plan)));
      }),
    );
  });
  it('comes back from text cut anywhere, in any layout', () => {
    fc.assert(
      fc.property(
        plans(),
        fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1 }),
        fc.nat(3),
        (plan, sizes, indent) => {
          expect(readText(whole(plan), sizes)).toEqual(plan);
          expect(readText(JSON.stringify(toPlanJson(plan), undefined, indent), sizes)).toEqual(plan);
        },
      ),
      { numRuns: 60 },
    );
  });
  it('comes back from text cut in two anywhere', () => {
    const [plan] = fc.sample(plans(1), { numRuns: 1, seed: 7 });
    if (plan === undefined) throw new Error('no plan');
    const text = whole(plan);
    for (let at = 1; at < text.length; at += 29) {
      const reader = new PlanTextReader();
      reader.push(text.slice(0, at));
      reader.push(text.slice(at));
      expect(atOnce(reader.finish()).hash).toBe(plan.hash);
    }
  });
  it('keeps its members in the order of the contract, every array there', () => {
    const [plan] = fc.sample(plans(), { numRuns: 1, seed: 1 });
    if (plan === undefined) throw new Error('no plan');
    expect(Object.keys(toPlanJson(plan)).join(' ')).toBe(
      'format_version csx_version timestamp plan_id plan_hash mode lineage serial host config_hash options ' +
        'applyable complete errored peers resource_drift resource_changes conflicts action_invocations ' +
        'deferred_changes checks diagnostics summary',
    );
  });
});

describe('plan.schema.json', () => {
  it('describes every plan, and leaves nothing out', () => {
    fc.assert(
      fc.property(plans(), (plan) => {
        const json = reparse(toPlanJson(plan));
        expect([published(json), published.errors]).toEqual([true, null]);
        expect([exact(json), exact.errors]).toEqual([true, null]);
      }),
    );
  });
  it('lets later releases add members, and misses each that is left out', () => {
    for (const plan of fc.sample(plans(2), { numRuns: 5, seed: 3 })) {
      const json = reparse(toPlanJson(plan));
      for (const { holder, path } of objectsIn(json)) {
        // The peers' names are keys of by_peer: one more or less is no change of format.
        if (path.endsWith('.by_peer')) continue;
        holder['one_more'] = 1;
        expect([path, published(json), exact(json)]).toEqual([path, true, false]);
        Reflect.deleteProperty(holder, 'one_more');
        for (const key of Object.keys(holder).filter((each) => !each.endsWith('_bytes'))) {
          const kept = holder[key];
          Reflect.deleteProperty(holder, key);
          expect([path, key, published(json)]).toEqual([path, key, false]);
          holder[key] = kept;
        }
      }
      expect(exact(json)).toBe(true);
    }
  });
});

/** A plan with at least one of everything, as JSON, to be spoilt. */
function sample(): unknown {
  const [plan] = fc.sample(plans(1), { numRuns: 1, seed: 11 });
  if (plan === undefined) throw new Error('no plan');
  return reparse(toPlanJson(plan));
}

function refusal(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    if (error instanceof CsxError && error.code === 'PLAN_INVALID' && error.hint !== undefined) return error.message;
    throw error;
  }
  throw new Error('it was accepted');
}

describe('fromPlanJson refuses', () => {
  const first = 'resource_changes.0';
  /** Where, and what is put there; undefined takes it away. */
  it.each<[string, string, unknown, RegExp]>([
    ['another major version', 'format_version', '2.0', /format_version is 2\.0, and this csx reads 1\.0/],
    ['a version that is none', 'format_version', 'one', /format_version is no format version/],
    ['a missing member', 'serial', undefined, /it lacks "serial"/],
    ['a missing array', 'checks', undefined, /it lacks "checks"/],
    ['an array that is none', 'checks', {}, /checks is no array/],
    ['a name with ..', `${first}.path`, '/a/../b', /resource_changes\[0\]\.path is no file name/],
    ['a relative name', `${first}.path`, 'etc/x', /resource_changes\[0\]\.path is no file name/],
    ['a name with NUL', `${first}.path`, '/a\0b', /resource_changes\[0\]\.path is no file name/],
    ['half a surrogate pair', `${first}.path`, '/a\ud800', /resource_changes\[0\]\.path is no valid Unicode/],
    ['bytes that are no base64', `${first}.path_bytes`, '%%', /resource_changes\[0\]\.path_bytes is no base64/],
    [
      'hidden bytes with ..',
      `${first}.path_bytes`,
      Buffer.from('/a/../b').toString('base64'),
      /resource_changes\[0\]\.path is no file name/,
    ],
    ['an unknown action', `${first}.change.actions`, ['chmod'], /actions\[0\] is none of/],
    ['create and delete', `${first}.change.actions`, ['create', 'delete'], /is none of delete/],
    ['three actions', `${first}.change.actions`, ['a', 'b', 'c'], /neither one action nor two/],
    ['negative bytes', `${first}.bytes`, -1, /bytes is no whole number from 0/],
    ['half a byte', `${first}.bytes`, 0.5, /bytes is no whole number/],
    ['a number as text', `${first}.bytes`, '1', /bytes is no whole number/],
    [
      'a check text that is none',
      `${first}.precondition.local`,
      { checktxt: 'v2', stamp: '' },
      /precondition\.local\.checktxt is no check text/,
    ],
    ['a peer that is not listed', 'peers', [], /resource_changes\[0\] is for a host that is not among the peers/],
    [
      'a change twice',
      'resource_changes',
      twice(at(sample(), 'resource_changes')),
      /is for a file that stands there twice/,
    ],
    ['a text without end', 'checks.0.message', 'x'.repeat(70_000), /is longer than 65536/],
    ['any other change of what counts', 'config_hash', 'another', /plan_hash does not fit the rest/],
    ['changes that were taken out', 'resource_changes', [], /plan_hash does not fit the rest/],
  ])('%s', (_, where, what, message) => {
    const json = put(put(sample(), `${first}.path_bytes`, undefined), where, what);
    expect(refusal(() => fromPlanJson(json))).toMatch(message);
    expect(refusal(() => readText(JSON.stringify(json), [997]))).toMatch(/^The plan is not valid: /);
  });
  it.each([null, 1, 'x', [], true, {}])('%j', (value) => {
    expect(refusal(() => fromPlanJson(value))).toMatch(/is no object|lacks/);
  });
  it('nothing that a later minor version added', () => {
    const added = { list: [1, { '}': ']' }], text: '"\\' };
    const json = [
      ['format_version', '1.7'],
      ['added', added],
      ['more', [[[1]], '[', ']']],
      [`${first}.added`, true],
    ].reduce((each, [where, what]) => put(each, where as string, what), sample());
    const changes = (at(json, 'resource_changes') as readonly unknown[]).length;
    expect(fromPlanJson(json).changes).toHaveLength(changes);
    expect(readText(JSON.stringify(json), [13]).changes).toHaveLength(changes);
  });
});

/** What stands at `a.0.b` in a JSON value. */
function at(json: unknown, where: string): unknown {
  return where.split('.').reduce((value, key) => (value as Readonly<Record<string, unknown>>)[key], json);
}

/** The value with something else there; undefined: nothing. */
function put(json: unknown, where: string, what: unknown): unknown {
  const copy = structuredClone(json);
  const keys = where.split('.');
  const holder = at(copy, keys.slice(0, -1).join('.') || 'itself') ?? copy;
  (holder as Record<string, unknown>)[keys.at(-1) ?? ''] = what;
  return reparse(copy);
}

function twice(list: unknown): unknown {
  const [each] = list as readonly unknown[];
  return [each, each];
}

describe('PlanTextReader refuses', () => {
  const text = JSON.stringify(sample());
  it.each([
    ['no text at all', '', /ends in the middle/],
    ['text that ends early', text.slice(0, -1), /ends in the middle/],
    ['text that goes on', `${text} x`, /goes on after its end/],
    ['an array', '[]', /has "\[" where \{ belongs/],
    ['junk between members', text.replace(',"serial"', ';"serial"'), /is no JSON/],
    ['a bracket too many', '{"a": ]', /has a bracket too many/],
    ['a member twice', text.replace('{', '{"serial":1,'), /serial stands there twice/],
    ['an array twice', text.replace('{', '{"checks":[],'), /checks stands there twice/],
    ['a key that is no text', '{1: 2}', /without a name/],
    ['a comma before nothing', '{"checks": [1,]}', /checks\[0\] is no object/],
    ['a comma after nothing', '{"peers": [,]}', /is no JSON/],
    ['a comma at the end', '{"a": 1,}', /too many|is no JSON/],
  ])('%s', (_, broken, message) => {
    expect(refusal(() => readText(broken, [64]))).toMatch(message);
  });
  it('whatever else is thrown at it, with an error that says so', () => {
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.string({ maxLength: 3 }), fc.nat(5), (at, put, cut) => {
        const broken = text.slice(0, at) + put + text.slice(at + cut);
        try {
          readText(broken, [512]);
        } catch (error) {
          expect(error).toBeInstanceOf(CsxError);
          expect((error as CsxError).code).toBe('PLAN_INVALID');
        }
      }),
      { numRuns: 300 },
    );
  });
});
