/** A plan with something of everything, for tests of what shows, writes and reads plans. Deterministic. */

import { formatCheckText } from '../../src/model/checktxt.js';
import type { Digest, Entry, SignatureDigest, Stamp } from '../../src/model/entry.js';
import { fromText } from '../../src/model/names.js';
import type { Bytes, DiskPath, FileName, PeerName } from '../../src/model/names.js';
import type { Change, Conflict, Plan, PlanPeer, SideState } from '../../src/model/plan.js';
import { summarizePlan } from '../../src/model/plan-summary.js';
import type { Drift, LocalState, PlannedDrift } from '../../src/model/scan.js';

export const name = (text: string) => fromText(text) as string as FileName;
export const peer = (text: string) => text as PeerName;

const MTIME = Date.UTC(2026, 10, 22, 10, 2, 11) / 1000;

export function file(size: number, more: Partial<Entry> = {}): Entry {
  return {
    type: 'file',
    mode: 0o100644,
    uid: 0,
    gid: 0,
    mtime: MTIME,
    size,
    target: undefined,
    device: undefined,
    ...more,
  };
}

export function directory(more: Partial<Entry> = {}): Entry {
  return file(0, { type: 'directory', mode: 0o040755, mtime: undefined, size: undefined, ...more });
}

export function link(target: string, more: Partial<Entry> = {}): Entry {
  return file(0, { type: 'link', mode: 0o120777, mtime: undefined, size: undefined, target: target as Bytes, ...more });
}

export function side(entry: Entry, fill = 'a'): SideState {
  return {
    entry,
    checktxt: formatCheckText(entry),
    digest: entry.type === 'file' ? (fill.repeat(64) as Digest) : undefined,
    signature: entry.type === 'file' ? (fill.repeat(64) as SignatureDigest) : undefined,
  };
}

export function change(
  to: string,
  path: string,
  action: Change['action'],
  before: Entry | undefined,
  after: Entry | undefined,
  more: Partial<Change> = {},
): Change {
  const beforeSide = before === undefined ? undefined : side(before, 'b');
  const afterSide = after === undefined ? undefined : side(after);
  const reasons = {
    create: 'new-here',
    update: 'changed-here',
    delete: 'removed-here',
    'no-op': 'equal',
    unknown: 'changed-here',
  } as const;
  return {
    peer: peer(to),
    path: name(path),
    me: peer('web1'),
    groups: ['web'],
    action,
    reason: reasons[action],
    aspects: [],
    force: false,
    before: beforeSide,
    after: afterSide,
    bytes: action === 'create' || action === 'update' ? (after?.size ?? 0) : 0,
    precondition: {
      local: afterSide === undefined ? undefined : { checktxt: afterSide.checktxt, stamp: 'stamp' as Stamp },
      remote:
        action === 'unknown'
          ? 'unknown'
          : beforeSide === undefined
            ? undefined
            : { checktxt: beforeSide.checktxt, signature: beforeSide.signature },
    },
    ...more,
  };
}

export function planPeer(called: string, more: Partial<PlanPeer> = {}): PlanPeer {
  return {
    name: peer(called),
    address: `10.0.0.${called.replace(/\D/g, '')}`,
    groups: ['web'],
    reachable: true,
    implementation: 'csync2',
    protocol: 'csync2-2.0',
    tls: true,
    problem: undefined,
    ...more,
  };
}

export function conflict(to: string, path: string, more: Partial<Conflict> = {}): Conflict {
  return {
    peer: peer(to),
    path: name(path),
    me: peer('web1'),
    groups: ['web'],
    kind: 'both-changed',
    local: side(file(12_345), 'c'),
    remote: side(file(12_220, { mtime: MTIME - 211, mode: 0o100600 }), 'd'),
    base: undefined,
    certainty: 'predicted',
    autoMethod: 'none',
    resolution: 'none',
    because: 'Both hosts changed it since they last agreed, and group web has no auto method.',
    ...more,
  };
}

function drift(
  path: string,
  reason: Drift['reason'],
  before: Entry | undefined,
  after: Entry | undefined,
): PlannedDrift {
  return {
    file: name(path),
    disk: name(path) as string as DiskPath,
    reason,
    groups: ['web'],
    before: before === undefined ? undefined : formatCheckText(before),
    after:
      after === undefined
        ? undefined
        : ({ entry: after, checktxt: formatCheckText(after), stamp: 'stamp', digest: undefined } as LocalState),
  };
}

/** A plan made of parts, its summary counted. */
export function makePlan(parts: Partial<Omit<Plan, 'summary'>>): Plan {
  const plan = {
    timestamp: '2026-11-22T10:15:30.000Z',
    id: '6c1f0a52-7d7e-4a0c-9b3c-0d9f5c1b2a11',
    hash: 'f'.repeat(64),
    csxVersion: '0.1.0',
    lineage: '1b671a64-40d5-491e-99b0-da01ff1f3341',
    serial: 42,
    host: 'web1',
    configHash: 'e'.repeat(64),
    options: { targets: [], excludes: [], peers: [], groups: [], offline: false, configName: undefined },
    applyable: true,
    complete: true,
    errored: false,
    peers: [],
    drift: [],
    changes: [],
    conflicts: [],
    actions: [],
    deferred: [],
    checks: [],
    diagnostics: [],
    ...parts,
  } satisfies Omit<Plan, 'summary'>;
  return { ...plan, summary: summarizePlan(plan) };
}

/** The same three changes for web2 and web3; web4 has conflicts and oddities; web5 is down; web6 is in sync. */
export function samplePlan(): Plan {
  const alternatives = Array.from(
    { length: 60 },
    (_, index) => `/etc/alternatives/tool-${String(index).padStart(2, '0')}`,
  );
  const common = (to: string) => [
    change(to, '/etc/old.conf', 'delete', file(1_234), undefined),
    change(to, '/etc/apache2/sites-available/new.conf', 'create', undefined, file(2_100)),
    change(to, '/etc/hosts', 'update', file(12_301, { mode: 0o100644 }), file(12_345, { mode: 0o100600 }), {
      aspects: ['content', 'mode', 'mtime'],
    }),
    ...['a', 'b', 'c', 'd', 'e'].map((each) => change(to, `/etc/same-${each}`, 'no-op', file(10), file(10))),
  ];
  return makePlan({
    applyable: false,
    complete: false,
    peers: [
      planPeer('web2'),
      planPeer('web3'),
      planPeer('web4', { implementation: 'csx', tls: false, groups: ['web', 'home'], address: 'web4' }),
      planPeer('web5', {
        reachable: false,
        implementation: 'unknown',
        tls: 'unknown',
        problem: {
          severity: 'error',
          code: 'PEER_UNREACHABLE',
          summary: 'Connecting to web5 (10.0.0.5, port 30865) failed: connection refused.',
          hint: 'Is csync2 or csx daemon running there? csx doctor tells more.',
          peer: 'web5',
        },
      }),
      planPeer('web6'),
    ],
    drift: [
      drift('/etc/apache2/sites-available/new.conf', 'new', undefined, file(2_100)),
      drift('/etc/hosts', 'content', file(12_301), file(12_345)),
      drift('/etc/motd', 'type', file(120), link('/run/motd')),
      drift('/etc/old.conf', 'removed', file(1_234), undefined),
    ],
    changes: [
      ...common('web2'),
      ...common('web3'),
      change('web4', '%home%/anna/old-photos', 'delete', directory(), undefined),
      change('web4', '/etc/motd', 'update', file(120), link('/run/motd'), { aspects: ['type'] }),
      change('web4', '%home%/anna/Käse\n\x1b[31m.txt', 'create', undefined, file(7)),
      change('web4', '%home%/anna/写真', 'create', undefined, directory()),
      change('web4', '%home%/anna/写真/夏の海.jpg', 'create', undefined, file(3_456_789)),
      change('web4', '%home%/anna/写真/冬の海.jpg', 'create', undefined, file(3_400_000)),
      change(
        'web4',
        '/etc/apache2/conf-available/a-rather-long-name-that-somebody-gave-to-this-file.conf.disabled',
        'update',
        file(900),
        file(904, { uid: 33, gid: 33, mode: 0o100640 }),
        { aspects: ['content', 'owner', 'mode'] },
      ),
      change(
        'web4',
        '/etc/localtime',
        'update',
        link('/usr/share/zoneinfo/UTC'),
        link('/usr/share/zoneinfo/Europe/Vienna'),
        {
          aspects: ['target'],
        },
      ),
      change('web4', '/etc/resolv.conf', 'update', file(88), file(88, { mtime: MTIME + 5 }), { aspects: ['mtime'] }),
      change('web4', '/etc/nologin', 'update', file(88), file(88), {
        aspects: ['content'],
        reason: 'forced',
        force: true,
      }),
      change(
        'web4',
        '/dev/csx-null',
        'create',
        undefined,
        file(0, { type: 'character-device', mode: 0o020666, mtime: undefined, size: undefined, device: 0x103 }),
      ),
      ...alternatives.map((path) => change('web4', path, 'create', undefined, link('/usr/bin/vim.basic'))),
    ],
    conflicts: [
      conflict('web4', '/etc/hosts'),
      conflict('web4', '/etc/passwd', {
        kind: 'removed-there',
        remote: undefined,
        base: side(file(1_999, { mtime: MTIME - 86_400 }), 'e'),
        certainty: 'certain',
        autoMethod: 'younger',
        resolution: 'local',
        because: 'It was removed on web4; a removed file counts as older.',
      }),
    ],
    actions: [
      ...['web2', 'web3'].map((host) => ({
        host: peer(host),
        group: 'web',
        command: 'apache2ctl graceful' as Bytes,
        logfile: '/var/log/csync2_action.log' as Bytes,
        when: 'remote' as const,
        triggeredBy: [name('/etc/apache2/sites-available/new.conf')],
      })),
      {
        host: peer('web1'),
        group: 'web',
        command: 'newaliases && logger "aliases of $(hostname)"' as Bytes,
        logfile: '/dev/null' as Bytes,
        when: 'local',
        triggeredBy: ['/etc/hosts', '/etc/motd', '/etc/localtime', '/etc/resolv.conf', '/etc/nologin'].map(name),
      },
    ],
    deferred: Array.from({ length: 8 }, (_, index) =>
      change('web5', `/etc/apache2/mods-enabled/mod${String(index)}.load`, 'unknown', undefined, file(60)),
    ),
    checks: [
      {
        name: 'deletions',
        status: 'fail',
        message: '62 of 100 files of group web would be deleted on web2; the limit is 50%. --max-delete 62 allows it.',
      },
      { name: 'plain text', status: 'warn', message: 'web4 is reached without TLS, as a nossl statement says.' },
      { name: 'emptied trees', status: 'pass', message: 'No root of a group is missing or empty.' },
      { name: 'state', status: 'pass', message: 'The database is whole.' },
    ],
    diagnostics: [
      {
        severity: 'warning',
        code: 'READ_FAILED',
        summary: 'Reading /etc/shadow failed: permission denied. It and what lies below is left as it is.',
        hint: 'Run csx as root, or exclude the file.',
        path: '/etc/shadow',
      },
    ],
  });
}

/** One change of each common kind for one peer, nothing that needs attention. */
export function calmPlan(): Plan {
  return makePlan({
    peers: [planPeer('web2')],
    changes: [
      change('web2', '/etc/old.conf', 'delete', file(1_234), undefined),
      change('web2', '/etc/new.conf', 'create', undefined, file(2_100)),
      change('web2', '/etc/hosts', 'update', file(12_301), file(12_545), { aspects: ['content', 'mtime'] }),
    ],
  });
}

/** A plan of `size` creations, for what must not grow. */
export function largePlan(size: number, perDirectory = 1_000): Plan {
  return makePlan({
    peers: [planPeer('web2')],
    changes: Array.from({ length: size }, (_, index) =>
      change(
        'web2',
        `/srv/www/site-${String(Math.floor(index / perDirectory)).padStart(4, '0')}/page-${String(index).padStart(7, '0')}.html`,
        'create',
        undefined,
        file(4_096),
      ),
    ),
  });
}
