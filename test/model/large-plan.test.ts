import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { changeJson, toPlanJson } from '../../src/model/plan-json.js';
import { atOnce } from '../../src/model/paced.js';
import { PlanTextReader } from '../../src/model/plan-text-read.js';
import { change, plan } from './arbitrary-plan.js';

const CHANGES = 100_000;

describe('a plan of 100,000 changes', () => {
  it('is read within 500 MB', () => {
    const [empty] = fc.sample(plan(), { numRuns: 1, seed: 1 });
    const changes = fc.sample(change, { numRuns: 50, seed: 1 });
    if (empty === undefined) throw new Error('no plan');
    const peers = [...new Set(changes.map((each) => each.peer))].map((name) => ({
      name,
      address: undefined,
      groups: [],
      reachable: true,
      implementation: 'csync2' as const,
      protocol: undefined,
      tls: true,
      problem: undefined,
    }));
    // A later minor version: nobody worked out the hash of what is made up here, and it is not asked for.
    const head = {
      ...toPlanJson({ ...empty, peers, changes: [], conflicts: [], deferred: [] }),
      format_version: '1.999',
    };
    const [before, after] = JSON.stringify(head).split('"resource_changes":[]');
    const reader = new PlanTextReader();
    reader.push(`${before ?? ''}"resource_changes":[`);
    for (let index = 0; index < CHANGES; index++) {
      const json = changeJson({ ...(changes[index % changes.length] ?? fail()), path: `/d/file-${index}` as never });
      reader.push((index === 0 ? '' : ',\n') + JSON.stringify(json));
    }
    reader.push(`]${after ?? ''}`);
    const read = atOnce(reader.finish());
    expect(read.changes).toHaveLength(CHANGES);
    expect(read.changes.at(-1)?.path).toBe(`/d/file-${CHANGES - 1}`);
    // Kilobytes, the test runner included.
    expect(process.resourceUsage().maxRSS).toBeLessThan(500 * 1024);
  });
});

function fail(): never {
  throw new Error('no change');
}
