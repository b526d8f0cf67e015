/** What runs leave for `csx status`: carried from run to run, and void where it cannot be read. */

import { describe, expect, it } from 'vitest';
import type { PeerName } from '../../src/model/names.js';
import type { Problem } from '../../src/model/errors.js';
import { NO_STANDING, nextStanding, readStanding, standingJson } from '../../src/model/standing.js';
import type { Standing } from '../../src/model/standing.js';

const WEB2 = 'web2' as PeerName;
const problem: Problem = {
  severity: 'error',
  code: 'PEER_UNREACHABLE',
  summary: 'It refuses connections.',
  peer: WEB2,
};

/** A run at `at` that found the peer so; undefined: it was stopped before. */
function after(before: Standing, at: number, reached: boolean | undefined, plannedAt = at): Standing {
  const facts = { name: WEB2, address: undefined, tls: 'unknown' as const };
  const found = { ...facts, reached: reached ?? false, problem: reached === false ? problem : undefined };
  return nextStanding(before, {
    planned: [],
    results: [found],
    plannedAt,
    finishedAt: at,
    succeeded: reached === true,
    complete: new Set(reached === true ? [WEB2] : []),
  });
}

describe('the standing', () => {
  it('keeps since when a peer is as it is, and when a run last did all', () => {
    const up = after(after(NO_STANDING, 10, true), 20, true);
    expect(up).toMatchObject({ succeededAt: 20, contacts: [{ reached: true, since: 10, at: 20, succeededAt: 20 }] });
    const down = after(after(up, 30, false), 40, false);
    expect(down).toMatchObject({
      succeededAt: 20,
      contacts: [{ reached: false, since: 30, at: 40, problem, succeededAt: 20 }],
    });
    expect(after(down, 50, undefined)).toEqual(down);
    expect(after(down, 60, true)).toMatchObject({ contacts: [{ since: 60, problem: undefined }] });
  });

  it('does not take from an old plan what a later run has seen otherwise', () => {
    const down = after(NO_STANDING, 100, false);
    const planned = {
      name: WEB2,
      address: undefined,
      groups: [],
      reachable: true,
      implementation: 'unknown',
      protocol: undefined,
      tls: 'unknown',
      problem: undefined,
    } as const;
    const run = {
      planned: [planned],
      results: [],
      plannedAt: 50,
      finishedAt: 200,
      succeeded: false,
      complete: new Set<PeerName>(),
    };
    expect(nextStanding(down, run)).toEqual(down);
    expect(nextStanding(down, { ...run, plannedAt: 150 })).toMatchObject({ contacts: [{ reached: true, since: 150 }] });
  });

  it('comes back from JSON as it was', () => {
    for (const standing of [NO_STANDING, after(NO_STANDING, 5, false), after(NO_STANDING, 5, true)])
      expect(readStanding(JSON.stringify({ create: 1, standing: standingJson(standing) }))).toEqual(standing);
  });

  it.each(['', '{}', 'null', '[]', '{"standing":{"succeeded":"yes","contacts":[]}}'])('knows nothing of %j', (text) => {
    expect(readStanding(text)).toEqual(NO_STANDING);
  });
});
