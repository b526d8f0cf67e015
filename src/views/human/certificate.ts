/** This host's certificate: what peers pin, and how long it lasts. */

import type { CertificateFacts } from '../../model/certificate.js';
import type { Problem } from '../../model/errors.js';
import { screenOf } from '../terminal.js';
import type { Output } from '../terminal.js';
import { padEnd } from '../width.js';
import { humanProblems, safe } from './problem.js';

export interface ShownCertificate {
  readonly file: string;
  readonly facts: CertificateFacts;
  readonly problems: readonly Problem[];
}

export function* certificateView(output: Output, shown: ShownCertificate): Generator<string> {
  const { facts } = shown;
  const rows: readonly (readonly [string, string])[] = [
    ['File', shown.file],
    ['Subject', facts.subject],
    ['Key', `${facts.keyType.toUpperCase()}${facts.keyBits === undefined ? '' : ` ${facts.keyBits} bits`}`],
    ['Valid', `${day(facts.notBefore)} to ${day(facts.notAfter)}`],
    ['SHA-256', facts.fingerprint],
  ];
  for (const [name, value] of rows) yield `${padEnd(name, 9)}${safe(value)}\n`;
  if (shown.problems.length === 0) return;
  yield '\n';
  yield* humanProblems(shown.problems, screenOf(output));
}

function day(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(0, 10);
}
