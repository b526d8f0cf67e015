/** What `csx doctor` finds: one judgement of one thing, and its cure where one is needed. */

import type { CsxError, Problem } from './errors.js';

/**
 * What was looked at. configuration: the files. name: this host's name. addresses: look-ups of names. keys: pre-shared keys.
 * certificate: this host's and the peers'. pins: who is believed. encryption: whether both sides mean the same. port:
 * who listens, here and there. peer: a session with a peer. clock, database, trees, versions: as they say.
 */
export type CheckName =
  | 'configuration'
  | 'name'
  | 'addresses'
  | 'keys'
  | 'certificate'
  | 'pins'
  | 'encryption'
  | 'port'
  | 'peer'
  | 'clock'
  | 'database'
  | 'trees'
  | 'versions';

export interface Finding {
  readonly check: CheckName;
  /** error: something does not work. warning: it works and will surprise somebody. */
  readonly status: 'ok' | 'warning' | 'error';
  /** One sentence for a person, on one line. */
  readonly message: string;
  /** What to do, a sentence; undefined when nothing is to be done. */
  readonly cure: string | undefined;
}

/** All is well. */
export function good(check: CheckName, message: string): Finding {
  return { check, status: 'ok', message, cure: undefined };
}

/** Something works and will surprise somebody. */
export function caution(check: CheckName, message: string, cure: string): Finding {
  return { check, status: 'warning', message, cure };
}

/** Something does not work. */
export function wrong(check: CheckName, message: string, cure: string | undefined): Finding {
  return { check, status: 'error', message, cure };
}

/** An error that was thrown, as a finding: its hint is the cure. */
export function fromError(check: CheckName, error: CsxError): Finding {
  return wrong(check, error.message, error.hint);
}

/** A problem, with the place it was found at. */
export function fromProblem(check: CheckName, problem: Problem): Finding {
  const { range } = problem;
  const place = range === undefined ? '' : `${range.file}:${range.line}:${range.column}: `;
  return { check, status: problem.severity, message: place + problem.summary, cure: problem.hint };
}
