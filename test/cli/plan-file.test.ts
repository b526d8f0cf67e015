/** Saved plans come back as they were, are private, and replace each other whole. */

import { mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readPlanFile, writePlanFile } from '../../src/cli/plan-file.js';
import { planText } from '../../src/model/plan-text.js';
import { atOnce } from '../../src/model/paced.js';
import { hashPlan } from '../../src/model/plan-summary.js';
import type { CsxError } from '../../src/model/errors.js';
import { samplePlan } from '../support/sample-plan.js';

let directory: string;
let file: string;

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'csx-plan-file-'));
  file = path.join(directory, 'today.plan');
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

describe('plan files', () => {
  it('come back as they were saved, with mode 0600', async () => {
    const sample = samplePlan();
    const plan = { ...sample, hash: atOnce(hashPlan(sample)) };
    await writePlanFile(file, plan);
    const read = await readPlanFile(file);
    expect([...planText(read)].join('')).toBe([...planText(plan)].join(''));
    expect(read.hash).toBe(plan.hash);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(directory)).toEqual(['today.plan']);
  });

  it('replace a link, not what it points to', async () => {
    const victim = path.join(directory, 'victim');
    writeFileSync(victim, 'precious');
    symlinkSync(victim, file);
    await writePlanFile(file, samplePlan());
    expect(readFileSync(victim, 'utf8')).toBe('precious');
  });

  it('that are cut off, absent or no plans are told apart in plain words, and leave nothing', async () => {
    await writePlanFile(file, samplePlan());
    const whole = readFileSync(file);
    const garbled = Buffer.from(whole);
    garbled.fill(0x4d, 30, 60);
    const cases: readonly [content: Buffer, says: RegExp][] = [
      [whole.subarray(0, -20), /is damaged: it was cut short/],
      [garbled, /is damaged/],
      [Buffer.alloc(0), /is damaged/],
      [Buffer.from('{"format_version":"1.0"}'), /is no saved plan: it is not what csx plan --out writes/],
      [gzipSync('no JSON'), /not valid/],
      [gzipSync('{"format_version":"1.0"'), /not valid/],
    ];
    for (const [content, says] of cases) {
      writeFileSync(file, content);
      const error: unknown = await readPlanFile(file).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'PLAN_INVALID', message: expect.stringMatching(says) });
      expectPlain(error);
    }
    for (const name of [path.join(directory, 'none'), path.join(file, 'below'), directory]) {
      const error: unknown = await readPlanFile(name).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'READ_FAILED' });
      expectPlain(error);
    }
    for (const name of [path.join(directory, 'no', 'such', 'directory'), path.join(file, 'below'), directory]) {
      const error: unknown = await writePlanFile(name, samplePlan()).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'WRITE_FAILED' });
      expectPlain(error);
    }
    expect(readdirSync(directory)).toEqual(['today.plan']);
  });
});

/** A sentence for a person, with the next step: no words of the system's. */
function expectPlain(error: unknown): void {
  const { message, hint } = error as CsxError;
  expect(message).toMatch(/^[^]*\.$/);
  expect(message).not.toMatch(/\bE[A-Z]{3,}\b|Z_|JSON\.parse|Unexpected|header check|end of file/);
  expect(hint).toBeTruthy();
}
