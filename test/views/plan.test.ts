import { describe, expect, it } from 'vitest';
import type { FileName } from '../../src/model/names.js';
import { planView } from '../../src/views/human/plan.js';
import { summaryLine } from '../../src/views/summary.js';
import { textWidth } from '../../src/views/width.js';
import { expectGolden, fakeOutput, textOf } from '../support/golden.js';
import {
  calmPlan,
  change,
  directory,
  file,
  largePlan,
  makePlan,
  planPeer,
  samplePlan,
} from '../support/sample-plan.js';

const plain = (plan = samplePlan(), options = {}, columns = 80) => textOf(planView(fakeOutput(columns), plan, options));

describe('a plan on a terminal', () => {
  it.each([
    ['plan-80.txt', () => plain()],
    ['plan-40.txt', () => plain(samplePlan(), {}, 40)],
    ['plan-200.txt', () => plain(samplePlan(), {}, 200)],
    ['plan-full.txt', () => plain(samplePlan(), { full: true, verbose: true })],
    ['plan-color.txt', () => textOf(planView(fakeOutput(80, 1), samplePlan()))],
    ['plan-calm.txt', () => plain(calmPlan())],
    ['plan-saved.txt', () => plain(calmPlan(), { savedTo: "my plan's.csx" })],
    ['plan-large.txt', () => plain(largePlan(5_000, 250))],
    ['plan-in-sync.txt', () => plain(makePlan({ peers: [planPeer('web2')] }))],
  ])('looks as it did: %s', (golden, text) => {
    expectGolden(text(), golden);
  });

  it('keeps to the width wherever a word does not exceed it', () => {
    for (let columns = 40; columns <= 200; columns += 7) {
      for (const line of plain(samplePlan(), {}, columns).split('\n')) {
        if (textWidth(line) <= columns) continue;
        // The summary is one line by contract, a command stays in one piece to be copied.
        const isSummary = line.startsWith('Plan: ') || line.startsWith('  newaliases');
        const widest = Math.max(...line.trim().split('  ').at(-1)!.split(' ').map(textWidth));
        expect([columns, line, isSummary || widest > 16]).toEqual([columns, line, true]);
      }
    }
  });

  it('never lets a name write control characters', () => {
    expect(plain(samplePlan(), { full: true })).not.toMatch(/[^\n\P{Cc}]/u);
  });

  it('says nothing in colour when colours are off, and the same words when they are on', () => {
    const colored = textOf(planView(fakeOutput(80, 3), samplePlan()));
    expect(colored).toContain('\x1b[');
    expect(colored.replace(/\x1b\[[\d;]*m/g, '')).toBe(plain());
  });

  it('shows deletions before creations and does not let creations push them out of sight', () => {
    const plan = makePlan({
      peers: [planPeer('web2')],
      changes: [
        ...largePlan(3_000, 20).changes,
        ...Array.from({ length: 15 }, (_, index) =>
          change('web2', `/var/gone/f${String(index)}`, 'delete', file(1), undefined),
        ),
      ],
    });
    const text = plain(plan);
    expect(text.match(/^ +- +f\d+/gm)).toHaveLength(15);
    expect(text.indexOf('/var/gone')).toBeLessThan(text.indexOf('/srv/www'));
    expect(text.replace(/\s+/g, ' ')).toMatch(
      /\.\.\. and 2,8\d\d more to create in \d+ directories below \/srv\/www \(csx plan --full shows all\)/,
    );
  });

  it('lists of what changed here only what no peer is told of; all of it with --full', () => {
    const plan = samplePlan();
    const [first, ...others] = plan.drift;
    const lonely = { ...plan, drift: [{ ...first!, file: '/run/lonely.sock' as FileName }, ...others] };
    expect(plain(lonely)).toMatch(
      /\(1 new, 2 changed, 1 removed\)\n1 file of these goes to no peer:\n {2}\+ {3}\/run\/lonely\.sock/,
    );
    expect(plain(lonely)).not.toContain('/etc/old.conf  ');
    expect(plain(lonely, { full: true })).toContain('/etc/old.conf  ');
  });

  it('shows equal peers once and unequal ones apart', () => {
    const same = (peer: string, mode: number) =>
      change(peer, '/etc/x', 'update', file(3), file(3, { mode }), { aspects: ['mode'] });
    const text = plain(
      makePlan({
        peers: ['web2', 'web3', 'web4'].map((each) => planPeer(each)),
        changes: [same('web2', 0o100600), same('web3', 0o100600), same('web4', 0o100640)],
      }),
    );
    expect(text).toContain('web2 (10.0.0.2) and web3 (10.0.0.3)\n  the same on each of these 2');
    expect(text).toContain('web4 (10.0.0.4, csync2 over TLS, group web)\n');
    expect(text.match(/mode 0644 -> 0600/g)).toHaveLength(1);
  });

  it('shows peers once that are down and for whom the same waits, each with its reason', () => {
    const down = (each: string) =>
      planPeer(each, {
        reachable: false,
        problem: { severity: 'error', code: 'PEER_UNREACHABLE', summary: `Connecting to ${each} failed.` },
      });
    const waits = (each: string) =>
      ['/etc/a', '/etc/b'].map((path) => change(each, path, 'unknown', undefined, undefined));
    const text = plain(
      makePlan({
        peers: ['web2', 'web3', 'web4'].map(down),
        deferred: [...waits('web2'), ...waits('web3'), ...waits('web4').slice(1)],
      }),
    );
    expect(text).toContain(
      [
        'Peers that could not be asked',
        '  web2 and web3 (csync2 over TLS, group web): 2 changes wait for each',
        '      web2: Connecting to web2 failed.',
        '      web3: Connecting to web3 failed.',
        '    ?   /etc/a  removed here',
        '    ?   /etc/b  removed here',
        '  web4 (10.0.0.4, csync2 over TLS, group web): 1 change waits for it',
        '      Connecting to web4 failed.',
        '    ?   /etc/b  removed here',
        '',
      ].join('\n'),
    );
  });

  it('names no group for a command that was left waiting, since its row tells none', () => {
    const [action] = samplePlan().actions;
    const text = plain(makePlan({ actions: [{ ...action!, when: 'local', group: '' }] }));
    expect(text).toContain('on this host');
    expect(text).not.toMatch(/, group\b/);
  });

  it('yields a hundred thousand changes in small pieces, none left out', () => {
    let rows = 0;
    let longest = 0;
    for (const piece of planView(fakeOutput(), largePlan(100_000), { full: true })) {
      longest = Math.max(longest, piece.length);
      if (/^ {4}\+ {3}page-/.test(piece)) rows += 1;
    }
    expect(rows).toBe(100_000);
    expect(longest).toBeLessThan(1_000);
  });

  it('lists a root of the disk and of a prefix under itself', () => {
    const text = plain(
      makePlan({
        peers: [planPeer('web2')],
        changes: [
          change('web2', '%home%', 'create', undefined, directory()),
          change('web2', '/srv', 'create', undefined, directory()),
        ],
      }),
    );
    expect(text).toContain('  %home%\n    +   ./  directory, mode 0755\n  /\n    +   srv/  directory, mode 0755\n');
  });
});

describe('the summary line', () => {
  it.each([
    ['work', calmPlan(), 'Plan: 1 to create, 1 to update, 1 to delete, 0 conflicts, 0 actions, 14.6 kB to send.'],
    [
      'work, conflicts and peers that are down',
      samplePlan(),
      'Plan: 67 to create, 7 to update, 3 to delete, 1 conflict, 3 actions, 6.9 MB to send. 8 changes wait for 1 peer that could not be asked.',
    ],
    ['nothing', makePlan({ peers: [planPeer('web2'), planPeer('web3')] }), 'No changes. Nothing to send to 2 peers.'],
    ['no peers', makePlan({}), 'No changes. There is no peer to send to.'],
    [
      'nobody could be asked',
      makePlan({
        peers: [planPeer('web2', { reachable: false })],
        deferred: [change('web2', '/etc/x', 'unknown', undefined, file(1))],
      }),
      'No changes on the peers that could be asked. 1 change waits for 1 peer that could not be asked.',
    ],
    [
      'offline',
      makePlan({
        options: { ...calmPlan().options, offline: true },
        peers: [planPeer('web2', { reachable: 'unknown' })],
        deferred: [change('web2', '/etc/x', 'unknown', undefined, file(1))],
      }),
      'No peer was asked. 1 change waits for 1 peer.',
    ],
  ])('with %s', (_, plan, line) => {
    expect(summaryLine(plan)).toBe(line);
  });
});

describe('the next step', () => {
  const last = (plan = samplePlan(), options = {}) => plain(plan, options, 120).trimEnd().split('\n').slice(-2);
  const work = calmPlan();
  const undecided = { ...work, conflicts: samplePlan().conflicts };

  it.each([
    ['a plan', work, {}, 'Next: csx apply'],
    ['a saved plan', work, { savedTo: 'p.csx' }, 'Next: csx apply p.csx'],
    ['a name for the shell', work, { savedTo: "it's" }, `Next: csx apply 'it'\\''s'`],
    ['a failed check', samplePlan(), {}, 'Next: settle the failed check above; this plan cannot be applied'],
    [
      'a limited plan',
      { ...work, options: { ...work.options, peers: ['web2'] } },
      {},
      'Next: add --out FILE to keep this plan; csx apply FILE then carries out just this',
    ],
    ['an undecided conflict', undecided, {}, '      it asks about 1 conflict; --on-conflict decides it without asking'],
  ])('after %s', (_, plan, options, line) => {
    expect(last(plan, options)).toContain(line);
  });

  it('is what the command says, or nothing', () => {
    expect(plain(work, { next: [] })).not.toContain('Next:');
    expect(plain(work, { next: ['csx show'] })).toContain('Next: csx show\n');
  });
});
