/** With which peers a run left nothing to do. */

import { describe, expect, it } from 'vitest';
import { completePeers } from '../../../src/engine/update/complete-peers.js';
import type { Problem } from '../../../src/model/errors.js';
import type { Plan } from '../../../src/model/plan.js';
import type { ApplyResult } from '../../../src/model/result.js';
import { change, conflict, file, makePlan, peer, planPeer } from '../../support/sample-plan.js';
import { resultOf } from '../../support/sample-result.js';

const problem: Problem = { severity: 'error', code: 'PEER_UNREACHABLE', summary: 'It refuses connections.' };

/** One new file each for web2 and web3; nothing for web4, which answered. */
const plan = makePlan({
  peers: ['web2', 'web3', 'web4'].map((name) => planPeer(name)),
  changes: ['web2', 'web3'].map((name) => change(name, '/etc/hosts', 'create', undefined, file(5))),
  deferred: [],
  conflicts: [],
});

function complete(parts: Partial<Omit<ApplyResult, 'summary'>> = {}, of: Plan = plan): string[] {
  return [...completePeers(of, resultOf(of, parts))];
}

/** The result in which web3's one property is another. */
function web3(more: Partial<ApplyResult['peers'][number]>): string[] {
  const { peers } = resultOf(plan, {});
  return complete({ peers: peers.map((each) => (each.name === 'web3' ? { ...each, ...more } : each)) });
}

describe('a run is complete with a peer', () => {
  it('that has taken all changes, or needed none', () => {
    expect(complete()).toEqual(['web2', 'web3', 'web4']);
  });

  it('but not with one that was not reached, or whose session ended early', () => {
    expect(web3({ reached: false })).toEqual(['web2', 'web4']);
    expect(web3({ problem })).toEqual(['web2', 'web4']);
  });

  it.each(['failed', 'not-attempted', 'skipped'] as const)(
    'but not with one that has a change that is %s',
    (status) => {
      const { changes } = resultOf(plan, {});
      const left = changes.map((each) => (each.change.peer === 'web3' ? { ...each, status } : each));
      expect(complete({ changes: left })).toEqual(['web2', 'web4']);
    },
  );

  it('but not with one that has a conflict left open', () => {
    expect(complete({ conflicts: [conflict('web4', '/etc/motd')] })).toEqual(['web2', 'web3']);
  });

  it('that the plan had nothing for, only where it answered while the plan was made', () => {
    const peers = resultOf(plan, {}).peers.map((each) => ({ ...each, reached: 'not-needed' as const }));
    const answered = (reachable: boolean | 'unknown'): string[] =>
      complete(
        { peers },
        { ...plan, peers: plan.peers.map((each) => (each.name === 'web4' ? { ...each, reachable } : each)) },
      );
    expect(answered(true)).toContain(peer('web4'));
    expect(answered(false)).not.toContain(peer('web4'));
    expect(answered('unknown')).not.toContain(peer('web4'));
  });
});
