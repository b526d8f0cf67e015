/** Who decides a conflict, in which order; decisions as a document. */

import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import type { Digest } from '../../src/model/entry.js';
import type { FileName } from '../../src/model/names.js';
import type { Conflict } from '../../src/model/plan.js';
import { decideWith, voidResolutions } from '../../src/planner/decisions.js';
import type { Deciding, OnConflict } from '../../src/planner/decisions.js';
import type { Verdict } from '../../src/planner/method.js';
import { reconcile } from '../../src/planner/reconcile.js';
import { appliesTo, parseResolutions, resolutionOf, resolutionsJson } from '../../src/planner/resolutions.js';
import type { Keep, Resolution } from '../../src/planner/resolutions.js';
import type { Met } from '../../src/planner/settle.js';
import { absent, agreed, auto, candidate, group, name, peerName, there } from './make.js';
import type { Look } from './make.js';

const F = name('/d/f');
const v1: Look = { content: 'one', mtime: 1000 };
const v2: Look = { content: 'two two', mtime: 2000 };
const v3: Look = { content: 'three three three', mtime: 3000 };

/** A conflict over /d/f. */
function conflict(here: Look | undefined, remote: Look | undefined, peer = 'b'): Met {
  const outcome = reconcile(
    candidate(F, here, { peer: peerName(peer) }),
    remote === undefined ? absent(F) : there(F, remote, here),
    agreed(F, v1, peerName(peer)),
  );
  if (outcome.kind !== 'conflict') throw new Error(outcome.kind);
  return outcome.met;
}

const deciding = (onConflict: OnConflict, resolutions: readonly Resolution[] = []): Deciding => ({
  onConflict,
  resolutions,
  contents: new Map(),
});
const lost: Verdict = { winner: 'peer', because: '' };
const open: Verdict = { winner: 'none', because: '' };
const won: Verdict = { winner: 'local', because: '' };

describe('the rule of the run', () => {
  it.each<[OnConflict, Verdict, Conflict['resolution'] | undefined]>([
    ['fail', open, undefined],
    ['fail', lost, undefined],
    ['skip', won, undefined],
    ['auto', open, undefined],
    ['auto', lost, 'peer'],
    ['auto', won, undefined],
    ['local', open, 'local'],
    ['local', lost, 'local'],
    ['peer', open, 'peer'],
    ['peer', won, 'peer'],
  ])('%s, when the method says %o, makes it %s', (rule, verdict, expected) => {
    expect(decideWith(deciding(rule))(conflict(v2, v3).conflict, verdict)).toBe(expected);
  });

  it('never overrules what was forced, nor takes the version of a slave', () => {
    const verdicts: (string | undefined)[] = [];
    const spy = decideWith(deciding('peer'));
    for (const options of [{ forced: true }, { group: group({ peerSlave: true }) }, { group: auto('first') }]) {
      reconcile(candidate(F, v2, options), there(F, v3, v2), agreed(F, v1), (each, verdict) => {
        verdicts.push(spy(each, verdict));
        return undefined;
      });
    }
    expect(verdicts).toEqual([undefined, undefined, 'peer']);
  });
});

describe('a decision on one conflict', () => {
  const made = conflict(v2, v3).conflict;

  it.each<[Keep, Conflict['resolution']]>([
    ['local', 'local'],
    ['peer', 'peer'],
    ['both', 'both'],
    ['skip', 'none'],
  ])('%s counts before the rule', (keep, expected) => {
    const resolution = resolutionOf(made, keep, new Map());
    for (const rule of ['local', 'peer'] as const) {
      expect(decideWith(deciding(rule, [resolution]))(made, open)).toBe(expected);
    }
  });

  it('keeps the one version there is, when both are to be kept', () => {
    const removedThere = conflict(v2, undefined).conflict;
    const removedHere = conflict(undefined, v3).conflict;
    const both = (each: Conflict) => decideWith(deciding('fail', [resolutionOf(each, 'both', new Map())]))(each, open);
    expect(both(removedThere)).toBe('local');
    expect(both(removedHere)).toBe('both');
  });

  it('leaves what cannot be taken or saved', () => {
    const P = name('%p%/f');
    const outcome = reconcile(candidate(P, v2), there(P, { type: 'link', target: 'x' }, v2), agreed(P, v1));
    if (outcome.kind !== 'conflict') throw new Error(outcome.kind);
    expect(decideWith(deciding('peer'))(outcome.met.conflict, open)).toBe('none');
    const directory = conflict(v2, { type: 'directory' }).conflict;
    expect(decideWith(deciding('fail', [resolutionOf(directory, 'both', new Map())]))(directory, open)).toBe('none');
    expect(decideWith(deciding('peer'))(directory, open)).toBe('peer');
  });

  it('is void when either side has moved, but for its time', () => {
    const contents = new Map<FileName, Digest>([[F, 'a'.repeat(64) as Digest]]);
    const resolution = resolutionOf(made, 'peer', contents);
    const moved: readonly [Conflict, typeof contents][] = [
      [conflict({ ...v2, mode: 0o600 }, v3).conflict, contents],
      [conflict(v2, { ...v3, content: 'THREE three three' }).conflict, contents],
      [conflict(v2, { ...v3, uid: 7 }).conflict, contents],
      [conflict(v2, undefined).conflict, contents],
      [conflict(v2, v3, 'c').conflict, contents],
      [made, new Map([[F, 'b'.repeat(64) as Digest]])],
    ];
    for (const [now, found] of moved) expect(appliesTo(resolution, now, found)).toBe(false);
    const touched = conflict({ ...v2, mtime: 9999 }, { ...v3, mtime: 8888 }).conflict;
    expect(appliesTo(resolution, touched, contents)).toBe(true);
    const gone = deciding('fail', [resolution]);
    expect(voidResolutions({ ...gone, contents }, [made])).toEqual([]);
    expect(voidResolutions(gone, [conflict(v2, undefined).conflict])).toEqual([resolution]);
  });

  it('of a merge overwrites the version that went into it, and no other', () => {
    const merged = { ...deciding('fail'), merged: [made] };
    expect(decideWith(merged)(conflict({ content: 'merged' }, v3).conflict, open)).toBe('local');
    expect(decideWith(merged)(conflict({ content: 'merged' }, { content: 'newer' }).conflict, open)).toBeUndefined();
  });
});

describe('the document', () => {
  const validate = new Ajv2020().compile(
    JSON.parse(readFileSync(new URL('../../schemas/resolutions.schema.json', import.meta.url), 'utf8')) as object,
  );
  const version = fc.option(
    fc.record({
      state: fc
        .string({ unit: fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code)) })
        .map((text) => `v1:${text}`),
      content: fc.option(fc.stringMatching(/^[0-9a-f]{64}$/), { nil: undefined }),
    }),
    { nil: undefined },
  );
  const resolution = fc.record({
    path: fc
      .array(
        fc.integer({ min: 1, max: 255 }).filter((code) => code !== 0x2f),
        { minLength: 1, maxLength: 20 },
      )
      .map((codes) => `/x${String.fromCharCode(...codes)}` as FileName),
    peer: fc.constantFrom(peerName('b'), peerName('web2')),
    keep: fc.constantFrom<Keep>('local', 'peer', 'both', 'skip'),
    local: version,
    remote: version,
  });

  it('comes back as it was, through JSON and YAML, and fits its schema', () => {
    fc.assert(
      fc.property(fc.array(resolution, { maxLength: 5 }), (resolutions) => {
        const text = JSON.stringify(resolutionsJson(resolutions), undefined, 2);
        const sorted = (all: readonly Resolution[]) =>
          all.map((each) => JSON.stringify(each, Object.keys(each).sort())).sort();
        for (const value of [JSON.parse(text) as unknown, load(text)]) {
          expect(validate(value), JSON.stringify(validate.errors)).toBe(true);
          expect(sorted(parseResolutions(value, 'f'))).toEqual(sorted(resolutions));
        }
      }),
    );
  });

  it.each<[string, unknown]>([
    ['no object', 'text'],
    ['another format', { format_version: '2.0', resolutions: [] }],
    ['a path that leads elsewhere', entry({ path: '/a/../b' })],
    ['a relative path', entry({ path: 'a' })],
    ['an unknown choice', entry({ keep: 'theirs' })],
    ['a side that is missing', entry({ local: undefined })],
  ])('is refused: %s', (_, value) => {
    expect(() => parseResolutions(JSON.parse(JSON.stringify(value)), 'f')).toThrow(/^f is not valid/);
  });

  function entry(changed: object): object {
    return {
      format_version: '1.0',
      resolutions: [{ path: '/a', peer: 'b', keep: 'local', local: null, remote: null, ...changed }],
    };
  }
});
