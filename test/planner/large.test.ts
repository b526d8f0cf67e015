import { describe, expect, it } from 'vitest';
import type { Digest } from '../../src/model/entry.js';
import type { FileName } from '../../src/model/names.js';
import { planText } from '../../src/model/plan-text.js';
import type { RemoteState } from '../../src/model/plan.js';
import type { Drift } from '../../src/model/scan.js';
import { makePlan } from '../../src/planner/plan.js';
import { absent, drift, findCandidates, group, membership, name, peerName, planPeer, rule } from './make.js';

const FILES = 100_000;

/** Files in a few hundred directories, each with a content of its own. */
function driftOf(index: number): Drift {
  const file = name(`/d/some-directory-${index % 300}/file-${index}.conf`);
  const found = drift(file, undefined, { content: 'x'.repeat(index % 9) });
  const digest = index.toString(16).padStart(64, '0') as Digest;
  return { ...found, after: found.after && { ...found.after, digest } };
}

describe('100,000 changes', () => {
  it('are planned and written within 500 MB', () => {
    const groups = [group({ hosts: 'a b', actions: [rule({ run: 'reload %%' })] })];
    const files = Array.from({ length: FILES }, (_, index) => driftOf(index));
    const { byPeer } = findCandidates({
      drift: files,
      dirty: [],
      roots: [],
      membership: membership('/d', groups),
      local: () => undefined,
      knownPeers: new Set([peerName('b')]),
      peers: undefined,
      limitedGroups: false,
    });
    const candidates = byPeer.get(peerName('b')) ?? [];
    const states = new Map<FileName, RemoteState>(candidates.map((each) => [each.file, absent(each.file, 'none')]));
    const work = makePlan({
      timestamp: '2026-11-22T13:00:00Z',
      id: 'id',
      csxVersion: '0.1.0',
      lineage: undefined,
      serial: 0,
      host: 'a',
      configHash: '',
      options: { targets: [], excludes: [], peers: [], groups: [], offline: false, configName: undefined },
      drift: files,
      observations: [{ peer: planPeer('b'), candidates, states, baselines: new Map() }],
      roots: [],
      problems: [],
      membership: membership('/d', groups),
      groups,
      groupFiles: new Map([['g', FILES]]),
      maxDelete: undefined,
      pendingActions: [],
    });
    let pauses = 0;
    let step = work.next();
    for (; step.done !== true; step = work.next()) pauses += 1;
    const plan = step.value;
    // What is asked of it meanwhile, progress and Ctrl-C, is answered: reconciling, what is feasible, actions and the hash pause.
    expect(pauses).toBeGreaterThan((10 * FILES) / 300);
    expect(plan.summary.create).toBe(FILES);

    let length = 0;
    for (const piece of planText(plan)) length += piece.length;
    expect(length).toBeGreaterThan(100_000_000);
    // Kilobytes. All of it counts: the runtime, the test runner, the inputs, the plan.
    expect(process.resourceUsage().maxRSS).toBeLessThan(500 * 1024);
  });
});
