import { describe, expect, it } from 'vitest';
import { EXIT, exitStatusOf, worstStatus } from '../../src/cli/exit-status.js';
import { parseLimit } from '../../src/cli/plan-flags.js';
import { CsxError } from '../../src/model/errors.js';
import type { ErrorCode } from '../../src/model/errors.js';

describe('exit statuses', () => {
  it.each<[ErrorCode, number]>([
    ['CONFIG_INVALID', 1],
    ['USAGE', 64],
    ['NEEDS_INPUT', 64],
    ['CONFLICTS', 3],
    ['PARTIAL', 4],
    ['CHECK_FAILED', 5],
    ['PLAN_MISMATCH', 6],
    ['DECLINED', 8],
    ['STATE_LOCKED', 9],
    ['PEER_TIMEOUT', 9],
    ['INTERRUPTED', 130],
  ])('%s ends with %i', (code, status) => {
    expect(exitStatusOf(new CsxError(code, 'x'))).toBe(status);
  });

  it('anything unexpected ends with 1', () => {
    expect(exitStatusOf(new Error('x'))).toBe(1);
  });

  it('where several apply the order is 6, 5, 1, 4, 9, 3, 2', () => {
    const order = [
      EXIT.planMismatch,
      EXIT.checkFailed,
      EXIT.error,
      EXIT.partial,
      EXIT.timedOut,
      EXIT.conflicts,
      EXIT.changes,
    ];
    for (let first = 0; first < order.length; first++) {
      expect(worstStatus(order.slice(first).reverse())).toBe(order[first]);
    }
    expect(worstStatus([])).toBe(0);
  });
});

describe('--max-delete', () => {
  it.each([
    [undefined, undefined],
    ['20', { value: 20, unit: 'files' }],
    ['25%', { value: 25, unit: 'percent' }],
    ['0', { value: 0, unit: 'files' }],
  ])('%j is %j', (text, limit) => {
    expect(parseLimit(text)).toEqual(limit);
  });
  it.each(['-1', '101%', 'many', '', '1.5', '5 %'])('%j is refused', (text) => {
    expect(() => parseLimit(text)).toThrow(CsxError);
  });
});
