/** `csx explain --json` (schemas/explain.schema.json). Times are ISO 8601 in UTC; byte strings as model/json-value.ts says. */

import type { SourceRange } from '../../model/errors.js';
import type { Explanation } from '../../model/explanation.js';
import { bytesMember, optionalBytesMember } from '../../model/json-value.js';
import { optionalTime, time } from './time.js';

export function explanationJson(explanation: Explanation): object {
  return {
    format_version: '1.0',
    ...bytesMember('path', explanation.path),
    verdict: explanation.verdict,
    because: explanation.because,
    groups: explanation.groups.map((each) => ({
      ...bytesMember('file', each.file),
      group: each.group,
      ...place(each.range),
      included: each.included,
      auto: each.auto,
      key: each.key,
      ...optionalBytesMember('backup_directory', each.backup),
      slave: each.slave,
      tried: each.tried.map((tried) => ({
        kind: tried.kind,
        ...bytesMember('pattern', tried.text),
        ...place(tried.range),
        against: tried.against,
        matches: tried.matches,
        counts: tried.counts,
        decides: tried.decides,
      })),
    })),
    states: explanation.states.map((each) => ({
      ...bytesMember('file', each.file),
      ...bytesMember('disk', each.disk),
      prefix:
        each.prefix === undefined
          ? null
          : { name: each.prefix.name, ...optionalBytesMember('path', each.prefix.path), ...place(each.prefix.range) },
      ...bytesMember('here', each.here),
      ...optionalBytesMember('row', each.row),
      drift: each.drift ?? null,
    })),
    peers: explanation.peers.map((each) => ({
      ...bytesMember('file', each.file),
      peer: each.peer,
      me: each.me,
      group: each.group,
      receives_only: each.receivesOnly,
      marked:
        each.marked === undefined
          ? null
          : {
              forced: each.marked.forced,
              since: optionalTime(each.marked.since),
              refused: optionalTime(each.marked.refused),
              foreseen: optionalTime(each.marked.foreseen),
            },
      agreed:
        each.agreed === undefined
          ? null
          : { ...optionalBytesMember('state', each.agreed.checktxt), at: time(each.agreed.at) },
    })),
    actions: explanation.actions.map((each) => ({
      group: each.group,
      ...bytesMember('command', each.command),
      where: each.where,
      ...place(each.range),
    })),
  };
}

function place(range: SourceRange): { readonly file_name: string; readonly line: number; readonly column: number } {
  return { file_name: range.file, line: range.line, column: range.column };
}
