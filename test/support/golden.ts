/**
 * Golden files: what a view printed when somebody last looked at it and found it good. `UPDATE_GOLDEN=1 vitest run ...`
 * writes them anew; then read the difference.
 */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'vitest';
import type { ColorLevel, Output } from '../../src/views/terminal.js';

const ROOT = path.join(import.meta.dirname, '../../fixtures/views');

/** Expects the text to be that of fixtures/views/NAME. */
export function expectGolden(text: string, name: string): void {
  const file = path.join(ROOT, name);
  if (process.env['UPDATE_GOLDEN'] === '1') {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  expect(text).toBe(readFileSync(file, 'utf8'));
}

/** An output that nothing is written to: views only ask it for its width, colours and zone. */
export function fakeOutput(columns = 80, color: ColorLevel = 0, isTTY = true): Output {
  return { write: () => undefined, columns, isTTY, color, timeZone: 'UTC' };
}

/** All a view yields. */
export function textOf(pieces: Iterable<string>): string {
  return Array.from(pieces).join('');
}
