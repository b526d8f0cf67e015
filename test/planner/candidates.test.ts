import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FileName } from '../../src/model/names.js';
import { mustAsk } from '../../src/planner/candidates.js';
import type { CandidateInputs } from '../../src/planner/candidates.js';
import { dirty, drift, findCandidates, group, here, membership, name, peerName } from './make.js';

const v1 = { content: '1' };
const v2 = { content: 'two' };

function inputs(options: Partial<CandidateInputs>): CandidateInputs {
  return {
    drift: [],
    dirty: [],
    roots: [],
    membership: membership(),
    local: (file) => here(file, v1),
    knownPeers: new Set([peerName('b'), peerName('c')]),
    peers: undefined,
    limitedGroups: false,
    ...options,
  };
}

/** `b: /d/x forced; c: /d/x`. */
function tell(options: Partial<CandidateInputs>): string {
  const { byPeer } = findCandidates(inputs(options));
  return [...byPeer]
    .map(([peer, list]) => `${peer}: ${list.map((each) => each.file + (each.forced ? ' forced' : '')).join(', ')}`)
    .join('; ');
}

describe('findCandidates', () => {
  it('sends drift to every peer of its file', () => {
    expect(tell({ drift: [drift(name('/d/x'), v1, v2)] })).toBe('b: /d/x; c: /d/x');
  });
  it('joins a row with the drift of its file, the drift telling the state', () => {
    const { byPeer } = findCandidates(
      inputs({ drift: [drift(name('/d/x'), v1, v2)], dirty: [dirty(name('/d/x'), { forced: true })] }),
    );
    const [only, ...more] = byPeer.get(peerName('b')) ?? [];
    expect(more).toEqual([]);
    expect(only).toMatchObject({ forced: true, dirty: { forced: true }, drift: { reason: 'content' } });
    expect(only?.local?.entry.size).toBe(3);
    expect(byPeer.get(peerName('c'))?.[0]).toMatchObject({ forced: false, dirty: undefined });
  });
  it('looks up the state of a file that has only a row; nothing there is a removal', () => {
    const { byPeer } = findCandidates(inputs({ dirty: [dirty(name('/d/gone'))], local: () => undefined }));
    expect(byPeer.get(peerName('b'))?.[0]?.local).toBeUndefined();
  });
  it('leaves files of nobody alone', () => {
    expect(tell({ drift: [drift(name('/elsewhere'), v1, v2)] })).toBe('');
  });
  it('limits itself to the peers of the run, silently', () => {
    const limited = { drift: [drift(name('/d/x'), v1, v2)], peers: new Set([peerName('c')]) };
    expect(tell(limited)).toBe('c: /d/x');
    const { diagnostics } = findCandidates(inputs({ ...limited, dirty: [dirty(name('/gone/y'))] }));
    expect(diagnostics).toEqual([]);
  });
  it('takes no new socket, and settles a marked one without asking', () => {
    const socket = { type: 'socket' } as const;
    expect(tell({ drift: [drift(name('/d/s'), undefined, socket)] })).toBe('');
    const { byPeer } = findCandidates(inputs({ dirty: [dirty(name('/d/s'))], local: (file) => here(file, socket) }));
    const [only] = byPeer.get(peerName('b')) ?? [];
    expect(only && mustAsk(only)).toBe(false);
  });
  it('takes nothing for removed where the whole tree is gone', () => {
    const found = findCandidates(
      inputs({
        roots: [{ kind: 'root', file: name('/d'), state: 'emptied', known: 9 }],
        drift: [drift(name('/d/x'), v1, undefined), drift(name('/d/new'), undefined, v1)],
        dirty: [dirty(name('/d/x')), dirty(name('/d/y'))],
        local: () => undefined,
      }),
    );
    expect([...found.byPeer.values()].flat().map((each) => each.file)).toEqual(['/d/new', '/d/new']);
    expect(found.diagnostics.map((each) => each.summary)).toEqual([
      '2 files are marked for b as removed, but the tree they were in is gone as a whole: /d/x, /d/y.',
    ]);
  });

  it.each([
    [
      'a peer that is no longer configured',
      dirty(name('/d/x'), { peer: peerName('old') }),
      'PATH_OUTSIDE',
      /no host of that name|has a host of that name/,
    ],
    ['a file that left the group', dirty(name('/left/x')), 'PATH_OUTSIDE', /sends nothing of that name/],
    ['a name that can be no file', dirty(name('/d/../x')), 'STATE_CORRUPT', /can be no file/],
  ])('reports a row for %s', (_, row, code, summary) => {
    const { byPeer, diagnostics } = findCandidates(inputs({ dirty: [row] }));
    expect([...byPeer]).toEqual([]);
    expect(diagnostics).toHaveLength(1);
    expect(diagnostics[0]).toMatchObject({ severity: 'warning', code, hint: expect.stringContaining('db clean') });
    expect(diagnostics[0]?.summary).toMatch(summary);
  });
  it('reports a row whose file cannot be read, as an error', () => {
    const { diagnostics } = findCandidates(inputs({ dirty: [dirty(name('/d/x'))], local: () => 'unreadable' }));
    expect(diagnostics).toMatchObject([{ severity: 'error', code: 'READ_FAILED', path: '/d/x', peer: 'b' }]);
  });
  it('gathers rows of one kind into one sentence', () => {
    const rows = ['/l/5', '/l/1', '/l/3', '/l/2', '/l/4'].map((each) => dirty(name(each)));
    const { diagnostics } = findCandidates(inputs({ dirty: rows }));
    expect(diagnostics.map((each) => each.summary)).toEqual([
      '5 files are marked for b, but this host sends nothing of that name to it any more: /l/1, /l/2, /l/3 and 2 more.',
    ]);
  });
  it('says nothing of rows outside of the groups a run is limited to', () => {
    expect(findCandidates(inputs({ dirty: [dirty(name('/l/1'))], limitedGroups: true })).diagnostics).toEqual([]);
  });
  it('sends nothing where this host is a slave, and says so once for each peer', () => {
    const { byPeer, diagnostics } = findCandidates(
      inputs({
        membership: membership('/d', [group({ slave: true, hosts: 'a b' })]),
        drift: [drift(name('/d/x'), v1, v2)],
        dirty: [dirty(name('/d/x')), dirty(name('/d/y'))],
      }),
    );
    expect([...byPeer]).toEqual([]);
    expect(diagnostics.map((each) => `${each.severity} ${each.summary}`)).toEqual([
      'warning 2 files changed here where this host is a slave, so b gets nothing of it: /d/x, /d/y.',
    ]);
  });
  it('keeps two groups of one peer together', () => {
    const both = membership('/d', [group(), group({ name: 'h' })]);
    const { byPeer } = findCandidates(inputs({ drift: [drift(name('/d/x'), v1, v2)], membership: both }));
    expect(byPeer.get(peerName('b'))?.map((each) => each.groups.map((of) => of.name))).toEqual([['g', 'h']]);
  });

  it('gives the same whatever the order it is told in', () => {
    const files = fc.constantFrom<FileName[]>(name('/d/a'), name('/d/b'), name('/d/b/c'), name('/x'), name('/d/../y'));
    const rows = fc.uniqueArray(fc.tuple(files, fc.constantFrom('b', 'c', 'z'), fc.boolean()), {
      selector: ([file, peer]) => `${file} ${peer}`,
    });
    const shuffled = <T>(list: readonly T[]) => fc.shuffledSubarray([...list], { minLength: list.length });
    fc.assert(
      fc.property(
        fc
          .tuple(fc.uniqueArray(files), rows)
          .chain(([drifts, marks]) =>
            fc.tuple(fc.constant(drifts), fc.constant(marks), shuffled(drifts), shuffled(marks)),
          ),
        ([drifts, marks, drifts2, marks2]) => {
          const make = (first: readonly FileName[], second: typeof marks) =>
            findCandidates(
              inputs({
                drift: first.map((file) => drift(file, v1, v2)),
                dirty: second.map(([file, peer, forced]) => dirty(file, { peer: peerName(peer), forced })),
              }),
            );
          const a = make(drifts, marks);
          const b = make(drifts2, marks2);
          expect([...a.byPeer]).toEqual([...b.byPeer]);
          expect(a.diagnostics).toEqual(b.diagnostics);
        },
      ),
    );
  });
});
