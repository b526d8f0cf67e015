/**
 * Conversations with the real csync2 daemon, as files in fixtures/wire: `#` comments, `> "bytes"` what the client sent,
 * `< "bytes"` what the daemon answered before the client went on. Bytes are JSON strings, one char for each byte.
 */

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

export interface Step {
  readonly sent: string;
  readonly answered: string;
}

export interface Transcript {
  readonly name: string;
  readonly steps: readonly Step[];
}

export const DIRECTORY = path.join(import.meta.dirname, '../../../fixtures/wire');

export function readTranscripts(): readonly Transcript[] {
  return readdirSync(DIRECTORY)
    .filter((file) => file.endsWith('.txt'))
    .sort()
    .map((file) => ({
      name: path.basename(file, '.txt'),
      steps: parse(readFileSync(path.join(DIRECTORY, file), 'utf8')),
    }));
}

export function formatTranscript(comment: string, steps: readonly Step[]): string {
  const lines = steps.flatMap((step) => [`> ${quote(step.sent)}`, `< ${quote(step.answered)}`]);
  return [`# ${comment}`, ...lines, ''].join('\n');
}

function quote(bytes: string): string {
  return JSON.stringify(bytes).replace(/[\x7f-\xff]/g, (byte) => `\\u00${byte.charCodeAt(0).toString(16)}`);
}

function parse(text: string): readonly Step[] {
  const steps: Step[] = [];
  let sent = '';
  for (const line of text.split('\n')) {
    if (line.startsWith('> ')) sent = JSON.parse(line.slice(2)) as string;
    if (line.startsWith('< ')) steps.push({ sent, answered: JSON.parse(line.slice(2)) as string });
  }
  return steps;
}
