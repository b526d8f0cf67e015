import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Bytes } from '../../src/model/names.js';
import { planPage } from '../../src/views/html/plan.js';
import { budgetOf } from '../../src/views/markdown/budget.js';
import { code } from '../../src/views/markdown/escape.js';
import { planMarkdown } from '../../src/views/markdown/plan.js';
import { expectGolden, textOf } from '../support/golden.js';
import {
  calmPlan,
  change,
  conflict,
  file,
  largePlan,
  makePlan,
  name,
  peer,
  planPeer,
  samplePlan,
} from '../support/sample-plan.js';

const NASTY = '</td><script>alert(1)</script>"\'`|`` *x* [a](b) &amp; \x1b[31m\n\u202e';

/** A plan in which everything that can be a text is hostile. */
function nastyPlan() {
  const problem = { severity: 'error', code: 'PEER_UNREACHABLE', summary: NASTY, hint: NASTY } as const;
  return makePlan({
    host: NASTY,
    id: NASTY,
    csxVersion: NASTY,
    peers: [planPeer(NASTY, { problem, address: NASTY, groups: [NASTY] })],
    changes: [
      change(NASTY, `/etc/${NASTY}`, 'create', undefined, file(1)),
      change(NASTY, `/etc/${NASTY}x`, 'delete', file(1), undefined),
    ],
    conflicts: [conflict(NASTY, `/etc/${NASTY}`, { because: NASTY })],
    actions: [
      {
        host: peer(NASTY),
        group: NASTY,
        command: NASTY as Bytes,
        logfile: NASTY as Bytes,
        when: 'remote',
        triggeredBy: [name(`/etc/${NASTY}`)],
      },
    ],
    deferred: [change(NASTY, `/etc/${NASTY}`, 'unknown', undefined, file(1))],
    checks: [{ name: NASTY, status: 'fail', message: NASTY }],
    diagnostics: [problem],
  });
}

describe('a plan as Markdown', () => {
  const markdown = (plan = samplePlan(), maxChars?: number) => textOf(planMarkdown(plan, { maxChars }));

  it.each([
    ['plan.md', () => markdown()],
    ['plan-cut.md', () => markdown(samplePlan(), 4_000)],
    ['plan-calm.md', () => markdown(calmPlan())],
  ])('looks as it did: %s', (golden, text) => {
    expectGolden(text(), golden);
  });

  it('never exceeds its limit, is cut at rows, and keeps counts, conflicts and deletions', () => {
    const whole = new Set(markdown().split('\n'));
    for (let maxChars = 3_200; maxChars < markdown().length + 500; maxChars += 97) {
      const text = markdown(samplePlan(), maxChars);
      expect(text.length).toBeLessThanOrEqual(maxChars);
      const lines = text.split('\n').filter((line) => !line.startsWith('> **Cut to '));
      expect(lines.filter((line) => !whole.has(line))).toEqual([]);
      expect(text).toContain('67 to create, 7 to update, 3 to delete');
      expect(text.match(/^\| `-(\/\+)?` \|/gm)).toHaveLength(3);
      expect(text).toContain('| `/etc/hosts` | `web4` |');
      expect(text.includes('Cut to ')).toBe(text !== markdown());
    }
  });

  it('says how much was cut', () => {
    const text = markdown(largePlan(5_000), 65_536);
    const rows = text.match(/^\| `\+` \|/gm)!.length;
    expect(rows).toBeGreaterThan(500);
    expect(text.length).toBeGreaterThan(65_000);
    expect(text).toContain(`Cut to 65,536 characters: ${(5_000 - rows).toLocaleString('en-US')} rows left out.`);
  });

  it('keeps deletions also where the headings of many unlike peers would take all the room', () => {
    const peers = Array.from({ length: 300 }, (_, index) => `web${String(index)}`);
    const plan = makePlan({
      peers: peers.map((each) => planPeer(each)),
      changes: peers.flatMap((each, index) => [
        change(each, `/etc/new-${String(index)}`, 'create', undefined, file(index)),
        ...(index % 20 === 0 ? [change(each, `/etc/old-${String(index)}`, 'delete', file(1), undefined)] : []),
      ]),
    });
    const text = markdown(plan, 12_000);
    expect(text.length).toBeLessThanOrEqual(12_000);
    expect(text.match(/^\| `-` \| `web\d+` \| `\/etc\/old-/gm)).toHaveLength(15);
  });

  it.each([1, 10, 100, 500, 1_000, 2_000])('keeps even to %i characters', (maxChars) => {
    expect(markdown(nastyPlan(), maxChars).length).toBeLessThanOrEqual(maxChars);
    expect(markdown(samplePlan(), maxChars).length).toBeLessThanOrEqual(maxChars);
  });

  it('keeps its tables whole and its markup its own, whatever the names', () => {
    const text = markdown(nastyPlan());
    expect(text).not.toMatch(/[^\n\P{Cc}]|\u202e/u);
    for (const line of text.split('\n').filter((each) => each.startsWith('|'))) {
      // Cells: bars that no backslash escapes.
      const bars = line.replace(/\\[\\|]/g, '').match(/\|/g)!.length;
      expect([4, 7, 9]).toContain(bars);
    }
    const outsideCode = text.replaceAll('\\`', '').replace(/(`+)(?!`)[^]*?[^`]\1(?!`)/g, '');
    expect(outsideCode).not.toContain('<script');
  });

  it('wraps any text in a code span that holds it and nothing else', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('`', 'a', ' ', '|', '\\'), minLength: 1, maxLength: 12 }),
        (shown) => {
          const span = code(shown);
          const fence = /^`+/.exec(span)![0];
          expect(span.endsWith(fence)).toBe(true);
          const inside = span.slice(fence.length, -fence.length);
          expect(inside.match(new RegExp(`(?<!\`)${fence}(?!\`)`))).toBeNull();
          const stripped = /^ .*[^ ].* $/.test(inside) ? inside.slice(1, -1) : inside;
          if (shown.trim() !== '') expect(stripped).toBe(shown);
        },
      ),
    );
  });
});

describe('a budget', () => {
  it('serves classes by weight and closes one with its first row that does not fit', () => {
    const budget = budgetOf([['a', 30] as const, ['b', 40] as const, ['c', 5] as const], 50);
    expect([
      budget.take('b', 15),
      budget.take('a', 30),
      budget.take('b', 20),
      budget.take('b', 1),
      budget.take('c', 5),
    ]).toEqual([true, true, false, false, false]);
    expect(budget.left()).toBe(3);
  });
});

describe('a plan as a page', () => {
  const page = (plan = samplePlan()) => textOf(planPage(plan));

  it.each([
    ['plan.html', () => page()],
    ['plan-calm.html', () => page(calmPlan())],
  ])('looks as it did: %s', (golden, text) => {
    expectGolden(text(), golden);
  });

  it('stands alone and runs nothing, whatever the names', () => {
    const text = page(nastyPlan());
    expect(text).not.toMatch(/<script|<img|<link|src=|href=|url\(|javascript:|\son\w+=/i);
    expect(text).not.toMatch(/[^\n\P{Cc}]|\u202e/u);
    const tags = text.replace(/<style>[^]*<\/style>/, '').match(/<[^>]*>/g)!;
    const known = 'doctype html head meta title style body h1 h2 p code table tr th td span br b ul li details summary';
    const used = new Set(tags.map((tag) => /^<[!/]?(\w+)/.exec(tag)?.[1]));
    expect([...used].filter((tag) => !known.split(' ').includes(tag ?? ''))).toEqual([]);
  });

  it('closes every element it opens', () => {
    for (const text of [page(), page(nastyPlan()), page(makePlan({}))]) {
      const open: string[] = [];
      for (const [, slash, tag] of text.replace(/<style>[^]*<\/style>/, '').matchAll(/<(\/?)(\w+)[^>]*>/g)) {
        if (tag === 'meta' || tag === 'br') continue;
        if (slash === '') open.push(tag!);
        else expect(open.pop()).toBe(tag);
      }
      expect(open).toEqual([]);
    }
  });

  it('of fifty thousand changes comes in small pieces', () => {
    let rows = 0;
    let longest = 0;
    for (const piece of planPage(largePlan(50_000))) {
      longest = Math.max(longest, piece.length);
      if (piece.startsWith('<tr><td class="mark create">')) rows += 1;
    }
    expect(rows).toBe(50_000);
    expect(longest).toBeLessThan(6_000);
  });
});
