/** `csx scan --json` (schemas/scan.schema.json). */

import { bytesMember } from '../../model/json-value.js';
import { diagnosticJson } from '../../model/plan-json.js';
import type { ScanResult } from '../../model/result.js';

export function scanJson(result: ScanResult): object {
  return {
    format_version: '1.0',
    entries: result.entries,
    new: result.new,
    changed: result.changed,
    removed: result.removed,
    marked: result.marked,
    changes: result.shown.map((drift) => ({ ...bytesMember('path', drift.file), reason: drift.reason })),
    roots: result.roots.map((root) => ({ ...bytesMember('path', root.file), state: root.state, known: root.known })),
    problems: result.problems.map(diagnosticJson),
  };
}
