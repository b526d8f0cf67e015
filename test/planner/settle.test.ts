/** One file and several peers with versions of their own: what each gets, and what stands in the end. */

import { describe, expect, it } from 'vitest';
import type { AutoMethod } from '../../src/model/config.js';
import { decideWith } from '../../src/planner/decisions.js';
import type { OnConflict } from '../../src/planner/decisions.js';
import type { Observation } from '../../src/planner/plan.js';
import { resolutionOf } from '../../src/planner/resolutions.js';
import type { Keep } from '../../src/planner/resolutions.js';
import { takenConflicts } from '../../src/planner/taken.js';
import {
  absent,
  agreed,
  auto,
  candidate,
  dirty,
  group,
  makePlan,
  membership,
  name,
  peerName,
  planPeer,
  there,
} from './make.js';
import type { Look } from './make.js';

const F = name('/d/f');
const base: Look = { content: 'base', mtime: 500 };
const mine: Look = { content: 'mine', mtime: 1000 };
const second: Look = { content: 'second', mtime: 2000 };
const third: Look = { content: 'third version', mtime: 3000 };

interface Peer {
  readonly has: Look | undefined;
  /** What both last agreed on. */
  readonly base?: Look;
  /** Nothing is marked for it: it was asked because of the others. */
  readonly beside?: true;
  readonly keep?: Keep;
  readonly reachable?: false;
  readonly slave?: true;
}

interface Case {
  readonly here?: Look | undefined;
  readonly method?: AutoMethod;
  readonly rule?: OnConflict;
  readonly peers: Readonly<Record<string, Peer>>;
}

/** `peer: resolution | action size`, a line for each peer, then what is deferred. */
function told({ method = 'none', rule = 'fail', peers, ...rest }: Case): readonly string[] {
  const here = 'here' in rest ? rest.here : mine;
  const names = Object.keys(peers);
  const of = auto(method, `a ${names.join(' ')}`);
  const plan = makePlan({
    timestamp: '2026-11-22T13:00:00Z',
    id: 'id-1',
    csxVersion: '0.1.0',
    lineage: 'lineage',
    serial: 3,
    host: 'a',
    configHash: 'c0ffee',
    options: { targets: [], excludes: [], peers: [], groups: [], offline: false, configName: undefined },
    drift: [],
    observations: names.map((each): Observation => {
      const peer = peers[each]!;
      const { members } = of;
      const its = group({
        ...of,
        members: members.map((one) => ({ ...one, slave: peer.slave === true && one.name === each })),
      });
      return {
        peer: planPeer(each, { reachable: peer.reachable ?? true }),
        candidates: [
          candidate(F, here, {
            peer: peerName(each),
            group: its,
            groups: [its],
            ...(peer.beside === true ? { origin: 'settlement' } : { dirty: dirty(F, { peer: peerName(each) }) }),
          }),
        ],
        states: new Map([[F, peer.has === undefined ? absent(F) : there(F, peer.has, here)]]),
        baselines: new Map([[F, agreed(F, peer.base ?? base, peerName(each))]]),
      };
    }),
    roots: [],
    problems: [],
    membership: membership('/d', [of]),
    groups: [of],
    groupFiles: new Map([['g', 100]]),
    maxDelete: undefined,
    pendingActions: [],
    decide: (conflict, verdict) => {
      const keep = peers[conflict.peer]?.keep;
      const resolutions = keep === undefined ? [] : [resolutionOf(conflict, keep, new Map())];
      return decideWith({ onConflict: rule, resolutions, contents: new Map() })(conflict, verdict);
    },
  });
  expect(takenConflicts(plan.conflicts).length).toBeLessThanOrEqual(1);
  return [
    ...names.map((each) => {
      const conflict = plan.conflicts.find(({ peer }) => peer === each);
      const change = plan.changes.find(({ peer }) => peer === each);
      const brings = change === undefined ? 'nothing' : `${change.action} ${change.after?.entry.size ?? 'gone'}`;
      return `${each}: ${conflict?.resolution ?? 'willing'} | ${brings}${change?.force === true ? ' flush' : ''}`;
    }),
    ...plan.deferred.map(({ peer }) => `${peer} later`),
  ];
}

describe('a file that several peers changed', () => {
  it.each<[string, Case, readonly string[]]>([
    [
      'undecided, it stays with everybody, also with who was asked beside',
      { peers: { b: { has: second }, c: { has: third, beside: true }, d: { has: base, beside: true } } },
      ['b: none | nothing', 'c: none | nothing', 'd: willing | nothing'],
    ],
    [
      'local: this version goes to everybody who holds another',
      { rule: 'local', peers: { b: { has: second }, c: { has: third, beside: true }, d: { has: base, beside: true } } },
      ['b: local | update 4 flush', 'c: local | update 4 flush', 'd: willing | update 4'],
    ],
    [
      'local for one, nothing said of another with the same version: it is decided with it',
      { peers: { b: { has: second, keep: 'local' }, c: { has: second, beside: true }, d: { has: second } } },
      ['b: local | update 4 flush', 'c: local | update 4 flush', 'd: local | update 4 flush'],
    ],
    [
      'local for one, nothing said of a third version: that stays to be decided',
      { peers: { b: { has: second, keep: 'local' }, c: { has: third, beside: true }, d: { has: third } } },
      ['b: local | update 4 flush', 'c: none | nothing', 'd: none | nothing'],
    ],
    [
      'skipped for one by name: the others are settled without it',
      { rule: 'local', peers: { b: { has: second }, c: { has: second, keep: 'skip' } } },
      ['b: local | update 4 flush', 'c: none | nothing'],
    ],
    [
      'the version of a peer goes to all others, whatever they hold',
      {
        peers: {
          b: { has: second, keep: 'peer' },
          c: { has: third, keep: 'local' },
          d: { has: base, beside: true },
          e: { has: mine, base: mine, beside: true },
          f: { has: second, beside: true },
        },
      },
      [
        'b: peer | nothing',
        'c: local | update 6 flush',
        'd: willing | update 6',
        'e: willing | update 6',
        'f: peer | no-op 6 flush',
      ],
    ],
    [
      'the version of a peer where it is removed: it goes from all others',
      {
        peers: {
          b: { has: undefined, keep: 'peer' },
          c: { has: third, keep: 'local' },
          d: { has: mine, beside: true },
        },
      },
      ['b: peer | nothing', 'c: local | delete gone flush', 'd: willing | delete gone'],
    ],
    [
      'peer, of several versions: none is taken by chance',
      { rule: 'peer', peers: { b: { has: second }, c: { has: third } } },
      ['b: none | nothing', 'c: none | nothing'],
    ],
    [
      'auto, of several versions that win over this one: the method chooses',
      {
        method: 'younger',
        rule: 'auto',
        peers: { b: { has: second }, c: { has: third }, d: { has: base, beside: true } },
      },
      ['b: local | update 13 flush', 'c: peer | nothing', 'd: willing | update 13'],
    ],
    [
      'auto right: the rightmost host wins',
      {
        method: 'right',
        rule: 'auto',
        peers: { b: { has: second }, c: { has: third } },
      },
      ['b: local | update 13 flush', 'c: peer | nothing'],
    ],
    [
      'auto smaller',
      {
        here: { content: 'a very long version', mtime: 1 },
        method: 'smaller',
        rule: 'auto',
        peers: { b: { has: second }, c: { has: third } },
      },
      ['b: peer | nothing', 'c: local | update 6 flush'],
    ],
    [
      'a method decides one beside the others only when they are decided',
      { method: 'older', peers: { b: { has: { ...second, mtime: 100 } }, c: { has: third, beside: true } } },
      ['b: none | nothing', 'c: none | nothing'],
    ],
    [
      'and then it does',
      { method: 'older', peers: { b: { has: second }, c: { has: third, beside: true } } },
      ['b: local | update 4 flush', 'c: local | update 4 flush'],
    ],
    [
      'a slave that was asked beside waits for the decision, and follows it',
      { peers: { b: { has: second }, c: { has: third, beside: true, slave: true } } },
      ['b: none | nothing', 'c: none | nothing'],
    ],
    [
      'a slave gets what stands in the end',
      { peers: { b: { has: second, keep: 'peer' }, c: { has: third, beside: true, slave: true } } },
      ['b: peer | nothing', 'c: local | update 6 flush'],
    ],
    [
      'both: each other version is saved once, and this one goes to all',
      {
        peers: { b: { has: second, keep: 'both' }, c: { has: second, beside: true }, d: { has: third, keep: 'both' } },
      },
      ['b: both | update 4 flush', 'c: local | update 4 flush', 'd: both | update 4 flush'],
    ],
    [
      'both, where it is removed here: one is taken and the others are saved beside it',
      { here: undefined, peers: { b: { has: second, keep: 'both' }, c: { has: third, keep: 'both' } } },
      ['b: peer | nothing', 'c: both | update 6 flush'],
    ],
    [
      'who cannot be reached gets it later',
      { rule: 'local', peers: { b: { has: second }, c: { has: third, beside: true, reachable: false } } },
      ['b: local | update 4 flush', 'c: willing | nothing', 'c later'],
    ],
    [
      'who cannot be reached is no matter while it is undecided',
      { peers: { b: { has: second }, c: { has: third, beside: true, reachable: false } } },
      ['b: none | nothing', 'c: willing | nothing'],
    ],
  ])('%s', (_, each, expected) => {
    expect(told(each)).toEqual(expected);
  });
});
