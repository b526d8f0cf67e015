/** Saved plans come back as they were, are private, and replace each other whole. */

import {
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  readFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readPlanFile, writePlanFile } from '../../src/cli/plan-file.js';
import { planText } from '../../src/model/plan-text.js';
import { atOnce } from '../../src/model/paced.js';
import { hashPlan } from '../../src/model/plan-summary.js';
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

  it('that are cut off, absent or no plans are told apart, and leave nothing', async () => {
    await writePlanFile(file, samplePlan());
    truncateSync(file, statSync(file).size - 20);
    await expect(readPlanFile(file)).rejects.toMatchObject({ code: 'PLAN_INVALID' });
    await expect(readPlanFile(path.join(directory, 'none'))).rejects.toMatchObject({ code: 'READ_FAILED' });
    await expect(writePlanFile(path.join(directory, 'no', 'such', 'directory'), samplePlan())).rejects.toMatchObject({
      code: 'WRITE_FAILED',
    });
    expect(readdirSync(directory)).toEqual(['today.plan']);
  });
});
