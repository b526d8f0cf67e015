/** `csx config check --json` (schemas/config-check.schema.json). */

import type { Problem } from '../../model/errors.js';
import { diagnosticJson } from '../../model/plan-json.js';

export interface CheckedConfig {
  readonly valid: boolean;
  /** The files that were read, the main one first. */
  readonly files: readonly string[];
  readonly problems: readonly Problem[];
}

export function configCheckJson(check: CheckedConfig): object {
  return {
    format_version: '1.0',
    valid: check.valid,
    files: check.files,
    problems: check.problems.map(diagnosticJson),
  };
}
