/** Plans of every shape the types allow, as fast-check makes them. */

import fc from 'fast-check';
import { formatCheckText } from '../../src/model/checktxt.js';
import type { CheckText } from '../../src/model/checktxt.js';
import type { Digest, Entry, FileType, SignatureDigest, Stamp } from '../../src/model/entry.js';
import type { Problem } from '../../src/model/errors.js';
import type { Bytes, DiskPath, FileName, PeerName } from '../../src/model/names.js';
import { atOnce } from '../../src/model/paced.js';
import { hashPlan, summarizePlan } from '../../src/model/plan-summary.js';
import type { ActionInvocation, Change, Check, Conflict, Plan, PlanPeer, SideState } from '../../src/model/plan.js';
import type { Drift, LocalState, PlannedDrift } from '../../src/model/scan.js';

const optional = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: undefined });

/** Any bytes but NUL, half of the time with some that are no UTF-8. */
export const bytes = (maxLength = 12): fc.Arbitrary<Bytes> =>
  fc
    .oneof(
      fc.string({ unit: 'binary', maxLength }).map((each) => Buffer.from(each.replaceAll('\0', ''), 'utf8')),
      fc.uint8Array({ min: 1, maxLength }).map((each) => Buffer.from(each)),
    )
    .map((each) => each.toString('latin1') as Bytes);

const part = bytes(8).map((each) => {
  const clean = each.replaceAll('/', '_').slice(0, 255);
  return clean === '' || clean === '.' || clean === '..' ? 'x' : clean;
});
export const diskPath = fc
  .array(part, { minLength: 1, maxLength: 4 })
  .map((parts) => `/${parts.join('/')}` as DiskPath);
export const fileName = fc.oneof(
  diskPath.map((path) => path as string as FileName),
  diskPath.map((path) => `%p%${path}` as FileName),
  fc.constantFrom('/' as FileName, '%p%' as FileName),
);
export const peerName = fc.constantFrom(
  ...(['web1', 'web2', 'b\xffr', 'ü'.normalize(), '__proto__', '10'] as PeerName[]),
);

const hex = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((each) => Buffer.from(each).toString('hex'));
const natural = fc.oneof(fc.nat(), fc.maxSafeNat());
const id = optional(fc.nat(4294967295));
const stamp = fc.string({ maxLength: 30 }).map((each) => each as Stamp);
const word = fc.string({ unit: 'grapheme', maxLength: 20 });

const entry: fc.Arbitrary<Entry> = fc
  .constantFrom<FileType[]>('file', 'directory', 'link', 'fifo', 'character-device', 'block-device', 'socket')
  .chain((type) =>
    fc.record({
      type: fc.constant(type),
      mode: optional(fc.nat(0o177777)),
      uid: id,
      gid: id,
      mtime: type === 'directory' || type === 'link' ? fc.constant(undefined) : fc.option(fc.nat(), { nil: undefined }),
      size: type === 'file' ? fc.nat() : fc.constant(undefined),
      target: type === 'link' ? bytes() : fc.constant(undefined),
      device: type.endsWith('device') ? fc.nat() : fc.constant(undefined),
    }),
  );

export const side: fc.Arbitrary<SideState> = fc
  .tuple(entry, fc.boolean(), optional(hex), optional(hex))
  .map(([each, blurred, digest, signature]) => ({
    entry: each,
    checktxt: formatCheckText(each, { emptyTarget: blurred, zeroMtime: blurred }),
    digest: digest as Digest | undefined,
    signature: signature as SignatureDigest | undefined,
  }));

const local: fc.Arbitrary<LocalState> = fc
  .tuple(side, stamp)
  .map(([{ entry: each, checktxt, digest }, of]) => ({ entry: each, checktxt, digest, stamp: of }));

const groups = fc.array(bytes(), { maxLength: 3 });

const drift: fc.Arbitrary<PlannedDrift> = fc.record({
  file: fileName,
  disk: diskPath,
  groups,
  reason: fc.constantFrom<Drift['reason'][]>(
    'new',
    'content',
    'attributes',
    'times',
    'type',
    'target',
    'rewritten',
    'removed',
    'behind-link',
  ),
  // A row may hold anything.
  before: optional(
    fc.oneof(
      side.map((each) => each.checktxt),
      bytes().map((each) => each as string as CheckText),
    ),
  ),
  after: optional(local),
});

export const change: fc.Arbitrary<Change> = fc
  .record({
    peer: peerName,
    path: fileName,
    me: peerName,
    groups,
    action: fc.constantFrom<Change['action'][]>('create', 'update', 'delete', 'no-op', 'unknown'),
    reason: fc.constantFrom<Change['reason'][]>(
      'new-here',
      'changed-here',
      'removed-here',
      'missing-there',
      'missing-parent',
      'forced',
      'conflict-won',
      'equal',
    ),
    aspects: fc.subarray<Change['aspects'][number]>(['content', 'type', 'target', 'owner', 'mode', 'mtime', 'device']),
    force: fc.boolean(),
    before: optional(side),
    after: optional(side),
    bytes: natural,
    precondition: fc.record({
      local: optional(fc.record({ checktxt: side.map((each) => each.checktxt), stamp })),
      remote: fc.oneof(
        fc.constantFrom<['unknown', undefined]>('unknown', undefined),
        side.map(({ checktxt, signature }) => ({ checktxt, signature })),
      ),
    }),
  })
  .map((each) =>
    each.action === 'update' ? each : { ...each, aspects: each.aspects.filter((one) => one !== 'type') },
  );

export const conflict: fc.Arbitrary<Conflict> = fc.record({
  peer: peerName,
  path: fileName,
  me: peerName,
  groups,
  kind: fc.constantFrom<Conflict['kind'][]>('both-changed', 'both-created', 'removed-here', 'removed-there', 'type'),
  local: optional(side),
  remote: optional(side),
  base: optional(side),
  certainty: fc.constantFrom<Conflict['certainty'][]>('certain', 'predicted'),
  autoMethod: fc.constantFrom<Conflict['autoMethod'][]>(
    'none',
    'first',
    'younger',
    'older',
    'bigger',
    'smaller',
    'left',
    'right',
  ),
  resolution: fc.constantFrom<Conflict['resolution'][]>('local', 'peer', 'both', 'none'),
  because: word,
});

export const action: fc.Arbitrary<ActionInvocation> = fc.record({
  host: peerName,
  group: bytes(),
  command: bytes(40),
  logfile: bytes(),
  when: fc.constantFrom<ActionInvocation['when'][]>('local', 'remote'),
  triggeredBy: fc.array(fileName, { maxLength: 4 }),
});

export const problem: fc.Arbitrary<Problem> = fc.record({
  severity: fc.constantFrom<Problem['severity'][]>('error', 'warning'),
  code: fc.constantFrom<Problem['code'][]>('PEER_REFUSED', 'READ_FAILED'),
  summary: word,
  hint: optional(word),
  path: optional(word),
  peer: optional(word),
  range: optional(fc.record({ file: word, line: fc.nat(), column: fc.nat(), text: word })),
});

const peer = fc.record({
  name: peerName,
  address: optional(word),
  groups,
  reachable: fc.constantFrom<PlanPeer['reachable'][]>(true, false, 'unknown'),
  implementation: fc.constantFrom<PlanPeer['implementation'][]>('csx', 'csync2', 'unknown'),
  protocol: optional(word),
  tls: fc.constantFrom<PlanPeer['tls'][]>(true, false, 'unknown'),
  problem: optional(problem),
});

const check: fc.Arbitrary<Check> = fc.record({
  name: word,
  status: fc.constantFrom<Check['status'][]>('pass', 'warn', 'fail'),
  message: word,
});

const texts = fc.array(word, { maxLength: 3 });

/** At least one of each element, so that whatever is broken on purpose is there to be broken. */
export function plan(minLength = 0): fc.Arbitrary<Plan> {
  const list = <T>(of: fc.Arbitrary<T>) => fc.array(of, { minLength, maxLength: 4 });
  const once = <T extends { readonly peer: PeerName; readonly path: FileName }>(of: fc.Arbitrary<T>) =>
    fc.uniqueArray(of, { minLength, maxLength: 4, selector: (each) => `${each.peer} ${each.path}` });
  return fc
    .record({
      timestamp: fc
        .date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true })
        .map((each) => each.toISOString()),
      id: word,
      csxVersion: word,
      lineage: optional(word),
      serial: natural,
      host: word,
      configHash: word,
      options: fc.record({
        targets: texts,
        excludes: texts,
        peers: texts,
        groups: texts,
        offline: fc.boolean(),
        configName: optional(word),
      }),
      applyable: fc.boolean(),
      complete: fc.boolean(),
      errored: fc.boolean(),
      peers: fc.uniqueArray(peer, { selector: (each) => each.name, maxLength: 3 }),
      drift: list(drift),
      changes: once(change),
      conflicts: once(conflict),
      actions: list(action),
      deferred: once(change),
      checks: list(check),
      diagnostics: list(problem),
    })
    .map((parts) => {
      // Everything planned is for a peer the plan names.
      const named = new Set(parts.peers.map((each) => each.name));
      const missing = [...parts.changes, ...parts.conflicts, ...parts.deferred].map((each) => each.peer);
      const peers = [
        ...parts.peers,
        ...[...new Set(missing)].filter((each) => !named.has(each)).map((each) => ({ ...BLANK_PEER, name: each })),
      ];
      const whole = { ...parts, peers };
      const counted = { ...whole, summary: summarizePlan(whole) };
      return { ...counted, hash: atOnce(hashPlan(counted)) };
    });
}

const BLANK_PEER: Omit<PlanPeer, 'name'> = {
  address: undefined,
  groups: [],
  reachable: true,
  implementation: 'csync2',
  protocol: undefined,
  tls: true,
  problem: undefined,
};
