import { describe, expect, it } from 'vitest';
import { applyResultView, resultLine } from '../../src/views/human/apply-result.js';
import { statusView } from '../../src/views/human/status.js';
import type { Status } from '../../src/model/status.js';
import { expectGolden, fakeOutput, textOf } from '../support/golden.js';
import { calmPlan } from '../support/sample-plan.js';
import { calmResult, calmStatus, resultOf, sampleResult, sampleStatus } from '../support/sample-result.js';

describe('the result of an apply', () => {
  it.each([
    ['result-80.txt', () => textOf(applyResultView(fakeOutput(80), sampleResult()))],
    ['result-40.txt', () => textOf(applyResultView(fakeOutput(40), sampleResult()))],
    ['result-full.txt', () => textOf(applyResultView(fakeOutput(80), sampleResult(), { full: true }))],
    ['result-color.txt', () => textOf(applyResultView(fakeOutput(80, 1), sampleResult()))],
    ['result-calm.txt', () => textOf(applyResultView(fakeOutput(80), calmResult()))],
  ])('looks as it did: %s', (golden, text) => {
    expectGolden(text(), golden);
  });

  it('lets no output of a command and no answer of a peer write control characters', () => {
    expect(textOf(applyResultView(fakeOutput(), sampleResult()))).not.toMatch(/[^\n\P{Cc}]/u);
  });

  it('counts what was done and what was not', () => {
    expect(resultLine(sampleResult().summary)).toBe(
      'Applied: 7 created, 5 updated, 3 deleted, 1 failed, 1 skipped, 68 not attempted, 1 conflict, 6.9 MB sent in 1 min 12 s.',
    );
  });

  it('shows a handful of many failures, and all of them in full', () => {
    const [one] = calmPlan().changes;
    const problem = { severity: 'error', code: 'WRITE_FAILED', summary: 'No.' } as const;
    const failed = { change: one!, status: 'failed', problem, bytes: 0 } as const;
    const result = resultOf(calmPlan(), { changes: Array.from({ length: 500 }, () => failed) });
    const short = textOf(applyResultView(fakeOutput(), result));
    expect(short.match(/failed {2}delete/g)).toHaveLength(10);
    expect(short).toContain('... and 490 more failed');
    expect(textOf(applyResultView(fakeOutput(), result, { full: true })).match(/failed {2}delete/g)).toHaveLength(500);
  });

  it('says nothing about a next step when all is done', () => {
    expect(textOf(applyResultView(fakeOutput(), calmResult()))).not.toContain('Next');
  });
});

describe('the status', () => {
  it.each([
    ['status-80.txt', () => textOf(statusView(fakeOutput(80), sampleStatus(), { verbose: true }))],
    ['status-40.txt', () => textOf(statusView(fakeOutput(40), sampleStatus()))],
    ['status-calm.txt', () => textOf(statusView(fakeOutput(80), calmStatus()))],
  ])('looks as it did: %s', (golden, text) => {
    expectGolden(text(), golden);
  });

  it('tells when a peer answered, where that was not in the latest run', () => {
    const { now, peers } = sampleStatus();
    const status = { ...sampleStatus(), peers: peers.map((each) => ({ ...each, asked: now - 2 * 86_400_000 })) };
    expect(textOf(statusView(fakeOutput(120), status))).toMatch(
      /^web3 +nothing +yes, 2 days ago +6 minutes ago +web$/m,
    );
    const just = { ...status, peers: peers.map((each) => ({ ...each, since: now - 1_000 })) };
    expect(textOf(statusView(fakeOutput(120), just))).toMatch(/^mirror .* NO, just now /m);
  });

  it('ends with one command to type next', () => {
    const last = (status: Status): string | undefined =>
      textOf(statusView(fakeOutput(), status)).trimEnd().split('\n').at(-1);
    const status = sampleStatus();
    expect(last(status)).toBe('Next: csx resolve');
    const settled = { ...status, conflicts: [] };
    expect(last(settled)).toBe('Next: csx plan');
    const lost = { ...settled, actions: [], peers: status.peers.filter(({ reachable }) => reachable === false) };
    expect(last(lost)).toBe('Next: csx doctor');
    expect(last({ ...calmStatus(), drift: undefined })).toBe('Next: csx plan');
    for (const each of [status, settled, lost, calmStatus()])
      expect(
        textOf(statusView(fakeOutput(), each)).match(/csx (?:apply|plan|doctor|resolve)$/gm)?.length ?? 0,
      ).toBeLessThan(2);
  });

  it('tells a run that never finished from one that did', () => {
    const status = { ...calmStatus(), lastRun: { ...calmStatus().lastRun!, finishedAt: undefined } };
    expect(textOf(statusView(fakeOutput(), status))).toContain('not finished: it still runs or was killed');
    expect(textOf(statusView(fakeOutput(), { ...status, lastRun: undefined }))).toContain('Nothing was applied');
  });
});
