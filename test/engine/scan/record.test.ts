import { describe, expect, it } from 'vitest';
import { recordWrites } from '../../../src/engine/scan/record.js';
import type { Membership } from '../../../src/engine/scan/record.js';
import type { CheckText } from '../../../src/model/checktxt.js';
import type { ActionRule, Group } from '../../../src/model/config.js';
import type { Digest, Stamp } from '../../../src/model/entry.js';
import type { Bytes, DiskPath, FileName, PeerName } from '../../../src/model/names.js';
import type { Drift, Finding, LocalState } from '../../../src/model/scan.js';

const file = '/t/f' as FileName;
const state: LocalState = {
  entry: {
    type: 'link',
    mode: 0o120777,
    uid: 0,
    gid: 0,
    mtime: undefined,
    size: undefined,
    target: 'x' as Bytes,
    device: undefined,
  },
  checktxt: 'v1:mode=41471:uid=0:gid=0:type=lnk:target=x' as CheckText,
  stamp: 's' as Stamp,
  digest: 'd' as Digest,
};
const put = { kind: 'put-file', file, checktxt: state.checktxt, stamp: 's', target: 'x', digest: 'd' };

const drift = (after: LocalState | undefined): Finding => {
  const found: Drift = { file, disk: file as string as DiskPath, reason: 'new', before: undefined, after };
  return { kind: 'drift', drift: found };
};

const rule = (where: ActionRule['where'], ...commands: string[]): ActionRule => ({
  patterns: [],
  commands: commands as Bytes[],
  logfile: '/log' as Bytes,
  where,
  timeout: undefined,
  range: { file: 'x', line: 1, column: 1 },
});

const rules = [rule('here', 'one', 'two'), rule('peers', 'three'), rule('everywhere', 'four')];
const membership: Membership = {
  peersOf: () => [
    { peer: 'b' as PeerName, me: 'a' as PeerName },
    { peer: 'c-net' as PeerName, me: 'a-net' as PeerName },
  ],
  groupsOf: () => [{ name: 'g' } as Group],
  actionRules: () => rules,
};

describe('recording', () => {
  it('writes the row, marks every peer and schedules what is done locally', () => {
    expect(recordWrites([drift(state)], membership, { mark: true, now: 7 })).toEqual([
      put,
      { kind: 'mark', file, peer: 'b', me: 'a', forced: false, since: 7 },
      { kind: 'mark', file, peer: 'c-net', me: 'a-net', forced: false, since: 7 },
      { kind: 'put-action', action: { file, command: 'one', logfile: '/log' } },
      { kind: 'put-action', action: { file, command: 'two', logfile: '/log' } },
      { kind: 'put-action', action: { file, command: 'four', logfile: '/log' } },
    ]);
  });

  it('marks a removal too', () => {
    const writes = recordWrites([drift(undefined)], membership, { mark: true, now: 7 });
    expect(writes[0]).toEqual({ kind: 'remove-file', file });
    expect(writes.filter((write) => write.kind === 'mark')).toHaveLength(2);
    expect(writes.filter((write) => write.kind === 'put-action')).toHaveLength(3);
  });

  it('marks nothing when it is told to record only', () => {
    const writes = recordWrites([drift(state), drift(undefined)], membership, { mark: false, now: 7 });
    expect(writes).toEqual([put, { kind: 'remove-file', file }]);
  });

  it('writes only the row for what has not changed, and nothing for what could not be read', () => {
    const findings: Finding[] = [
      { kind: 'root', file, state: 'missing', known: 3 },
      { kind: 'refresh', file, state },
      { kind: 'problem', problem: { severity: 'error', code: 'READ_FAILED', summary: '' } },
    ];
    expect(recordWrites(findings, membership, { mark: true, now: 7 })).toEqual([put]);
  });
});
