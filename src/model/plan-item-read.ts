/** The elements of a plan's arrays out of their JSON. plan-json-read.ts puts them together. */

import { parseCheckText } from './checktxt.js';
import type { CheckText } from './checktxt.js';
import type { AutoMethod } from './config.js';
import type { Digest, Entry, FileType, SignatureDigest, Stamp } from './entry.js';
import type { ErrorCode, Problem } from './errors.js';
import type { JsonValue } from './json-value.js';
import { isCanonical } from './names.js';
import type { Bytes, DiskPath, FileName, PeerName } from './names.js';
import type {
  ActionInvocation,
  Aspect,
  Change,
  ChangeAction,
  ChangeReason,
  Check,
  Conflict,
  ConflictKind,
  PlanOptions,
  PlanPeer,
  Precondition,
  SideState,
} from './plan.js';
import type { Shared } from './plan-shared.js';
import type { PlannedDrift, DriftReason, LocalState } from './scan.js';

const TYPES: readonly FileType[] = ['file', 'directory', 'link', 'fifo', 'character-device', 'block-device', 'socket'];
const ASPECTS: readonly Aspect[] = ['content', 'type', 'target', 'owner', 'mode', 'mtime', 'device'];
const ACTIONS: readonly ChangeAction[] = ['create', 'update', 'delete', 'no-op', 'unknown'];
const REASONS: readonly ChangeReason[] = [
  'new-here',
  'changed-here',
  'removed-here',
  'missing-there',
  'missing-parent',
  'settlement',
  'forced',
  'conflict-won',
  'equal',
];
const DRIFT_REASONS: readonly DriftReason[] = [
  'new',
  'content',
  'attributes',
  'times',
  'type',
  'target',
  'rewritten',
  'removed',
  'behind-link',
];
const KINDS: readonly ConflictKind[] = ['both-changed', 'both-created', 'removed-here', 'removed-there', 'type'];
const METHODS: readonly AutoMethod[] = ['none', 'first', 'younger', 'older', 'bigger', 'smaller', 'left', 'right'];
const KNOWN = [true, false, 'unknown'] as const;

/** Commands carry the names of all files that trigger them. */
const COMMAND_LIMIT = 256 * 1024 * 1024;

export function readOptions(value: JsonValue): PlanOptions {
  const texts = (name: string): readonly string[] =>
    value
      .member(name)
      .elements()
      .map((each) => each.text());
  return {
    targets: texts('targets'),
    excludes: texts('excludes'),
    peers: texts('peers'),
    groups: texts('groups'),
    offline: value.member('offline').boolean(),
    configName: value.member('config_name').nullable((name) => name.text()),
  };
}

export function readPeer(value: JsonValue): PlanPeer {
  return {
    name: peerName(value, 'name'),
    address: value.member('address').nullable((address) => address.text()),
    groups: value.bytesList('groups'),
    reachable: value.member('reachable').oneOf(KNOWN),
    implementation: value.member('implementation').oneOf(['csx', 'csync2', 'unknown']),
    protocol: value.member('protocol').nullable((protocol) => protocol.text()),
    tls: value.member('tls').oneOf(KNOWN),
    problem: value.member('error').nullable(readProblem),
  };
}

export function readDrift(value: JsonValue, shared: Shared): PlannedDrift {
  const change = value.member('change');
  const after = change.member('after').nullable(readLocal);
  const file = fileName(value, 'path');
  const known = after && shared.state(file, after);
  return {
    file: known?.path ?? file,
    disk: diskPath(value),
    groups: shared.list(value.bytesList('groups')),
    reason: value.member('reason').oneOf(DRIFT_REASONS),
    // Whatever the database holds: it may be no check text.
    before: change.member('before').nullable((before) => before.bytes('checktxt') as string as CheckText),
    after: known?.state,
  };
}

function readLocal(value: JsonValue): LocalState {
  const { entry, checktxt, digest } = readState(value);
  return { entry, checktxt, digest, stamp: readStamp(value) };
}

export function readChange(value: JsonValue, shared: Shared): Change {
  const change = value.member('change');
  const path = fileName(value, 'path');
  const after = change.member('after').nullable(readState);
  const precondition = readPrecondition(value.member('precondition'));
  const known = shareState(path, after, precondition.local, shared);
  return {
    peer: shared.text(peerName(value, 'peer')),
    me: shared.text(peerName(value, 'me')),
    path: known?.path ?? path,
    groups: shared.list(value.bytesList('groups')),
    action: readActions(change.member('actions')),
    reason: value.member('action_reason').oneOf(REASONS),
    aspects: shared.list(
      value
        .member('aspects')
        .elements()
        .map((each) => each.oneOf(ASPECTS)),
    ),
    force: value.member('force').boolean(),
    before: change.member('before').nullable(readState),
    after: known?.state ?? after,
    bytes: value.member('bytes').integer(),
    precondition: known === undefined ? precondition : { ...precondition, local: known.state },
  };
}

/** Nearly always what a change brings is what has to stand here still: one state, with the stamp. */
function shareState(
  path: FileName,
  after: SideState | undefined,
  local: Precondition['local'],
  shared: Shared,
): ReturnType<Shared['state']> | undefined {
  if (after === undefined || local === undefined) return undefined;
  if (after.signature !== undefined || after.checktxt !== local.checktxt) return undefined;
  const { entry, checktxt, digest } = after;
  return shared.state(path, { entry, checktxt, stamp: local.stamp, digest });
}

function readActions(value: JsonValue): ChangeAction {
  const [first, second, ...more] = value.elements();
  if (first === undefined || more.length > 0) throw value.error('holds neither one action nor two');
  if (second === undefined) return first.oneOf(ACTIONS);
  first.oneOf(['delete']);
  second.oneOf(['create']);
  return 'update';
}

function readPrecondition(value: JsonValue): Precondition {
  const remote = value.member('remote');
  return {
    local: value.member('local').nullable((local) => ({ checktxt: readCheckText(local), stamp: readStamp(local) })),
    remote: remote.is('unknown')
      ? 'unknown'
      : remote.nullable((there) => ({ checktxt: readCheckText(there), signature: readSignature(there) })),
  };
}

export function readConflict(value: JsonValue): Conflict {
  return {
    peer: peerName(value, 'peer'),
    me: peerName(value, 'me'),
    path: fileName(value, 'path'),
    groups: value.bytesList('groups'),
    kind: value.member('kind').oneOf(KINDS),
    local: value.member('local').nullable(readState),
    remote: value.member('remote').nullable(readState),
    base: value.member('base').nullable(readState),
    certainty: value.member('certainty').oneOf(['certain', 'predicted']),
    autoMethod: value.member('auto_method').oneOf(METHODS),
    resolution: value.member('resolution').oneOf(['local', 'peer', 'both', 'none']),
    because: value.member('because').text(),
  };
}

export function readAction(value: JsonValue): ActionInvocation {
  return {
    host: peerName(value, 'host'),
    group: value.bytes('group'),
    command: value.bytes('command', COMMAND_LIMIT),
    logfile: value.bytes('logfile'),
    when: value.member('when').oneOf(['local', 'remote']),
    // Rows of the database may be what is left of a file's name: they are shown, never opened.
    triggeredBy: value.bytesList('triggered_by') as readonly string[] as readonly FileName[],
  };
}

export function readCheck(value: JsonValue): Check {
  return {
    name: value.member('name').text(),
    status: value.member('status').oneOf(['pass', 'warn', 'fail']),
    message: value.member('message').text(),
  };
}

export function readProblem(value: JsonValue): Problem {
  const optional = (name: string): string | undefined => value.member(name).nullable((text) => text.text());
  return {
    severity: value.member('severity').oneOf(['error', 'warning']),
    // Later releases may have more codes: what matters is that it looks like one.
    code: value.member('code').matching(/^[A-Z][A-Z_]{0,99}$/, 'code') as ErrorCode,
    summary: value.member('summary').text(),
    hint: optional('detail'),
    path: optional('path'),
    peer: optional('peer'),
    range: value.member('range').nullable((range) => {
      const text = range.member('text').nullable((line) => line.text());
      return {
        file: range.member('file').text(),
        line: range.member('line').integer(),
        column: range.member('column').integer(),
        ...(text === undefined ? {} : { text }),
      };
    }),
  };
}

function readState(value: JsonValue): SideState {
  return {
    entry: readEntry(value),
    checktxt: readCheckText(value),
    digest: value.member('digest').nullable((digest) => sha256(digest) as Digest),
    signature: readSignature(value),
  };
}

function readEntry(value: JsonValue): Entry {
  const number = (name: string, least = 0): number | undefined =>
    value.member(name).nullable((each) => each.integer(least));
  return {
    type: value.member('type').oneOf(TYPES),
    mode: value.member('mode').nullable((mode) => Number.parseInt(mode.matching(/^[0-7]{1,11}$/, 'octal mode'), 8)),
    uid: number('uid'),
    gid: number('gid'),
    mtime: number('mtime', Number.MIN_SAFE_INTEGER),
    size: number('size'),
    target: value.optionalBytes('target'),
    device: number('device'),
  };
}

function readCheckText(value: JsonValue): CheckText {
  const text: Bytes = value.bytes('checktxt');
  if (parseCheckText(text) === undefined) throw value.member('checktxt').error('is no check text');
  return text as string as CheckText;
}

function readSignature(value: JsonValue): SignatureDigest | undefined {
  return value.member('signature').nullable((signature) => sha256(signature) as SignatureDigest);
}

function readStamp(value: JsonValue): Stamp {
  return value.member('stamp').text(1000) as Stamp;
}

function sha256(value: JsonValue): string {
  return value.matching(/^[0-9a-f]{64}$/, 'SHA-256');
}

function fileName(value: JsonValue, name: string): FileName {
  const bytes: string = value.bytes(name);
  if (!isCanonical(bytes)) throw value.member(name).error('is no file name csx accepts');
  return bytes as FileName;
}

function diskPath(value: JsonValue): DiskPath {
  const bytes: string = value.bytes('disk');
  if (!isCanonical(bytes) || !bytes.startsWith('/')) throw value.member('disk').error('is no path csx accepts');
  return bytes as DiskPath;
}

function peerName(value: JsonValue, name: string): PeerName {
  const bytes: string = value.bytes(name);
  if (bytes === '' || bytes.length > 1000 || bytes.includes('\0')) throw value.member(name).error('is no host name');
  return bytes as PeerName;
}
