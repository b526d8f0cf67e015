/** Short ways to write down what the planner is given: a file on a disk, a peer's answer, a group. */

import { formatCheckText } from '../../src/model/checktxt.js';
import type { CheckText } from '../../src/model/checktxt.js';
import type { ActionRule, AutoMethod, Group } from '../../src/model/config.js';
import type { Digest, Entry, FileType, SignatureDigest, Stamp } from '../../src/model/entry.js';
import type { Bytes, DiskPath, FileName, PeerName } from '../../src/model/names.js';
import { atOnce } from '../../src/model/paced.js';
import type { ActionInvocation, Plan, PlanPeer, RemoteState } from '../../src/model/plan.js';
import type { Drift, DriftReason, LocalState } from '../../src/model/scan.js';
import type { Baseline, DirtyRow } from '../../src/model/store.js';
import * as actions from '../../src/planner/actions.js';
import * as candidates from '../../src/planner/candidates.js';
import type { Candidate, Membership, Route } from '../../src/planner/candidates.js';
import { stateThere } from '../../src/planner/differences.js';
import * as plans from '../../src/planner/plan.js';

/** The planner's long computations, without their pauses. */
export const findCandidates = (inputs: candidates.CandidateInputs): candidates.Candidates =>
  atOnce(candidates.findCandidates(inputs));
export const makePlan = (inputs: plans.PlanInputs): Plan => atOnce(plans.makePlan(inputs));
export const expectActions = (inputs: actions.ActionInputs): readonly ActionInvocation[] =>
  atOnce(actions.expectActions(inputs));

export const name = (text: string): FileName => text as FileName;
export const peerName = (text: string): PeerName => text as PeerName;

/** What a file is like; content is one letter or word that stands for its bytes. */
export interface Look {
  readonly type?: FileType;
  readonly content?: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly mtime?: number;
  readonly target?: string;
}

const TYPE_BITS: Readonly<Record<FileType, number>> = {
  file: 0o100000,
  directory: 0o040000,
  link: 0o120000,
  fifo: 0o010000,
  'character-device': 0o020000,
  'block-device': 0o060000,
  socket: 0o140000,
};

export function entry(look: Look): Entry {
  const type = look.type ?? 'file';
  const timed = type !== 'directory' && type !== 'link';
  return {
    type,
    mode: TYPE_BITS[type] | (look.mode ?? 0o644),
    uid: look.uid ?? 0,
    gid: 0,
    mtime: timed ? (look.mtime ?? 1000) : undefined,
    size: type === 'file' ? (look.content ?? '').length : undefined,
    target: type === 'link' ? ((look.target ?? 'x') as Bytes) : undefined,
    device: type.endsWith('device') ? 259 : undefined,
  };
}

const digestOf = (look: Look): Digest | undefined =>
  (look.type ?? 'file') === 'file' ? (`d:${look.content ?? ''}` as Digest) : undefined;
const signatureOf = (look: Look): SignatureDigest | undefined =>
  (look.type ?? 'file') === 'file' ? (`s:${look.content ?? ''}` as SignatureDigest) : undefined;

/** `%p%/...`: csync2 and csx leave a link's target out of the check text. */
const blurred = (file: FileName) => file.startsWith('%');

export function text(file: FileName, look: Look): CheckText {
  return formatCheckText(entry(look), { emptyTarget: blurred(file) });
}

export function here(file: FileName, look: Look): LocalState {
  return {
    entry: entry(look),
    checktxt: text(file, look),
    stamp: `stamp-${JSON.stringify(look)}` as Stamp,
    digest: digestOf(look),
  };
}

/** What SIG and GETTM say where `look` stands, to a host that has `local`. */
export function there(
  file: FileName,
  look: Look,
  local?: Look,
  row: Look | 'none' | 'unasked' = 'unasked',
): RemoteState {
  const state = stateThere(
    formatCheckText(entry(look), { emptyTarget: blurred(file), zeroMtime: true }),
    entry(look).mtime,
    signatureOf(look),
  );
  if (state === undefined) throw new Error('no state');
  const bothFiles = (look.type ?? 'file') === 'file' && local !== undefined && (local.type ?? 'file') === 'file';
  return {
    kind: 'present',
    state,
    content: bothFiles ? (look.content === local.content ? 'same' : 'different') : 'not-compared',
    row: rowText(file, row),
  };
}

export function absent(file: FileName, row: Look | 'none' | 'unasked' = 'unasked'): RemoteState {
  return { kind: 'absent', row: rowText(file, row) };
}

function rowText(file: FileName, row: Look | 'none' | 'unasked'): CheckText | undefined | 'unasked' {
  return row === 'unasked' ? row : row === 'none' ? undefined : text(file, row);
}

export function agreed(file: FileName, look: Look | 'absent', peer = peerName('b')): Baseline {
  if (look === 'absent') {
    return { file, peer, checktxt: undefined, target: undefined, digest: undefined, signature: undefined, at: 5 };
  }
  return {
    file,
    peer,
    checktxt: text(file, look),
    target: entry(look).target,
    digest: digestOf(look),
    signature: signatureOf(look),
    at: 5,
  };
}

/** One object, so that groups made alike are equal. */
const KEY = { file: 'key', secret: () => 'k' };

export function group(options: Partial<Group> & { hosts?: string; peerSlave?: boolean } = {}): Group {
  const { hosts = 'a b c', peerSlave = false, ...rest } = options;
  return {
    name: 'g',
    range: { file: 'csync2.cfg', line: 1, column: 1 },
    me: peerName('a'),
    slave: false,
    members: hosts.split(' ').map((host) => ({
      host,
      name: peerName(host),
      slave: peerSlave && host !== 'a',
      self: host === 'a',
    })),
    key: KEY,
    patterns: [],
    auto: 'none',
    backup: undefined,
    actions: [],
    maxDelete: undefined,
    sensitive: [],
    ...rest,
  };
}

export const auto = (method: AutoMethod, hosts = 'a b c'): Group => group({ auto: method, hosts });

export function drift(file: FileName, before: Look | undefined, after: Look | undefined, reason?: DriftReason): Drift {
  return {
    file,
    disk: (file.startsWith('%') ? file.replace(/^%[^%]+%/, '/mnt') : file) as DiskPath,
    reason: reason ?? (before === undefined ? 'new' : after === undefined ? 'removed' : 'content'),
    before: before && text(file, before),
    after: after && here(file, after),
  };
}

export function dirty(file: FileName, options: Partial<DirtyRow> = {}): DirtyRow {
  return {
    file,
    peer: peerName('b'),
    me: peerName('a'),
    forced: false,
    since: undefined,
    refused: undefined,
    foreseen: undefined,
    ...options,
  };
}

export function candidate(file: FileName, look: Look | undefined, options: Partial<Candidate> = {}): Candidate {
  const only = options.group ?? group();
  return {
    peer: peerName('b'),
    me: peerName('a'),
    group: only,
    groups: [only],
    slave: false,
    file,
    origin: 'marked',
    forced: false,
    local: look && here(file, look),
    drift: undefined,
    dirty: undefined,
    ...options,
  };
}

export function planPeer(peer: string, options: Partial<PlanPeer> = {}): PlanPeer {
  return {
    name: peerName(peer),
    address: '127.0.0.1',
    groups: ['g'],
    reachable: true,
    implementation: 'csync2',
    protocol: undefined,
    tls: true,
    problem: undefined,
    ...options,
  };
}

/** All files below `tree` belong to the group and go to all its other members. */
export function membership(tree = '/d', groups: readonly Group[] = [group()]): Membership {
  return {
    peersOf(file): readonly Route[] {
      if (file !== tree && !file.startsWith(`${tree}/`)) return [];
      const peers = new Set(groups.flatMap((each) => each.members.filter((member) => !member.self)).map((m) => m.name));
      return [...peers].flatMap((peer) => {
        const shared = groups.filter((each) => each.members.some((member) => member.name === peer));
        const first = shared[0];
        return first === undefined ? [] : [{ peer, me: first.me, group: first, groups: shared, slave: first.slave }];
      });
    },
    groupsOf: (file) => (file === tree || file.startsWith(`${tree}/`) ? groups : []),
    actionRules: (file, of) =>
      of.actions.filter((rule) => rule.patterns.length === 0 || rule.patterns.some((each) => file.startsWith(each))),
  };
}

export function rule(options: Partial<ActionRule> & { run: string; on?: string }): ActionRule {
  const { run, on, ...rest } = options;
  return {
    patterns: on === undefined ? [] : [on as Bytes],
    commands: [run as Bytes],
    logfile: '/dev/null' as Bytes,
    where: 'peers',
    timeout: undefined,
    range: { file: 'csync2.cfg', line: 1, column: 1 },
    ...rest,
  };
}
