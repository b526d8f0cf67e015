/** Results and a status to go with the sample plan. */

import type { Problem } from '../../src/model/errors.js';
import type { Bytes } from '../../src/model/names.js';
import type { Plan } from '../../src/model/plan.js';
import { summarizeResult } from '../../src/model/result.js';
import type { ApplyResult, ChangeResult } from '../../src/model/result.js';
import type { Status } from '../../src/model/status.js';
import { calmPlan, name, peer, samplePlan } from './sample-plan.js';

export function resultOf(plan: Plan, parts: Partial<Omit<ApplyResult, 'summary'>>, milliseconds = 1_234): ApplyResult {
  const result = {
    planId: plan.id,
    planHash: plan.hash,
    host: plan.host,
    startedAt: '2026-11-22T10:16:00.000Z',
    finishedAt: '2026-11-22T10:16:01.234Z',
    peers: plan.peers.map((each) => ({
      name: each.name,
      address: each.address,
      reached: each.reachable === true,
      tls: each.tls,
      problem: each.problem,
    })),
    changes: plan.changes.map((change) => ({
      change,
      status: 'done' as const,
      problem: undefined,
      bytes: change.bytes,
    })),
    actions: [],
    decided: [],
    conflicts: [],
    problems: [],
    interrupted: undefined,
    ...parts,
  } satisfies Omit<ApplyResult, 'summary'>;
  return { ...result, summary: summarizeResult(result, milliseconds) };
}

/** All went well. */
export function calmResult(): ApplyResult {
  return resultOf(calmPlan(), {});
}

/** Some of everything went wrong. */
export function sampleResult(): ApplyResult {
  const plan = samplePlan();
  const problem = (summary: string, hint?: string): Problem => ({
    severity: 'error',
    code: 'WRITE_FAILED',
    summary,
    hint,
  });
  const changes: ChangeResult[] = plan.changes.map((change) => {
    if (change.peer === 'web4' && change.path === '/etc/localtime') {
      return {
        change,
        status: 'failed',
        problem: problem(
          'web4 answered to the update of /etc/localtime: No space left on device',
          'Make room on web4, then run csx apply again.',
        ),
        bytes: 0,
      };
    }
    if (change.peer === 'web4' && change.path === '/etc/resolv.conf') {
      return {
        change,
        status: 'skipped',
        problem: problem('/etc/resolv.conf changed here after the plan was made.'),
        bytes: 0,
      };
    }
    if (change.peer === 'web4' && change.path.startsWith('/etc/alternatives/')) {
      return { change, status: 'not-attempted', problem: undefined, bytes: 0 };
    }
    return { change, status: 'done', problem: undefined, bytes: change.bytes };
  });
  const [apache, , aliases] = plan.actions;
  return resultOf(
    plan,
    {
      changes: [
        ...changes,
        ...plan.deferred.map((change) => ({ change, status: 'not-attempted' as const, problem: undefined, bytes: 0 })),
      ],
      actions: [
        { action: apache!, status: 'delegated', exitStatus: undefined, milliseconds: undefined, output: '' },
        {
          action: aliases!,
          status: 'failed',
          exitStatus: 127,
          milliseconds: 312,
          output: 'sh: 1: newaliases: not found\n\x1b[31mbad\x07\n',
        },
        {
          action: { ...aliases!, command: 'systemctl reload nginx' as Bytes },
          status: 'done',
          exitStatus: 0,
          milliseconds: 48,
          output: '',
        },
        {
          action: { ...aliases!, command: 'never' as Bytes },
          status: 'not-run',
          exitStatus: undefined,
          milliseconds: undefined,
          output: '',
        },
      ],
      conflicts: plan.conflicts.slice(0, 1),
      problems: [
        { severity: 'warning', code: 'READ_FAILED', summary: 'Reading /etc/shadow failed: permission denied.' },
      ],
      interrupted: 'SIGINT',
    },
    72_400,
  );
}

const NOW = Date.UTC(2026, 10, 22, 10, 20, 0);

export function sampleStatus(): Status {
  const quiet = {
    groups: ['web'],
    slave: false,
    waiting: 0,
    forced: 0,
    oldest: undefined,
    first: [],
    reachable: true,
    asked: NOW - 390_000,
    since: NOW - 9 * 86_400_000,
    conflicts: 0,
    problem: undefined,
    lastSuccess: NOW - 390_000,
  } as const;
  return {
    host: 'web1',
    now: NOW,
    location: '/var/lib/csync2/web1.db3',
    known: 33_042,
    hints: 2,
    drift: 12,
    peers: [
      {
        ...quiet,
        name: peer('web2'),
        address: '10.0.0.2',
        waiting: 1_204,
        forced: 3,
        oldest: NOW - 3 * 3_600_000,
        first: ['/etc/hosts', '/etc/motd'].map(name),
        conflicts: 1,
        lastSuccess: NOW - 5 * 3_600_000,
      },
      { ...quiet, name: peer('web3'), address: '10.0.0.3' },
      {
        ...quiet,
        name: peer('mirror'),
        address: '10.0.0.9',
        groups: ['web', 'home', 'static', 'a-group-with-a-long-name', 'and-another'],
        slave: true,
        waiting: 1,
        first: ['/etc/hosts'].map(name),
        reachable: false,
        since: NOW - 5 * 3_600_000,
        lastSuccess: undefined,
        problem: {
          severity: 'error',
          code: 'PEER_UNREACHABLE',
          summary: 'Connecting to mirror (10.0.0.9, port 30865) failed: no route to host.',
          hint: 'csx doctor tells more.',
        },
      },
    ],
    conflicts: [{ peer: peer('web2'), path: name('/etc/hosts'), seen: NOW - 60_000, because: 'Both changed it.' }],
    actions: ['/etc/aliases', '/etc/aliases.d/x'].map((path) => ({
      file: name(path),
      command: 'newaliases' as Bytes,
      logfile: '/dev/null' as Bytes,
    })),
    actionRuns: [
      {
        command: 'newaliases' as Bytes,
        startedAt: NOW - 400_000,
        milliseconds: 230,
        status: 0,
        signal: undefined,
        timedOut: false,
        files: 2,
      },
      {
        command: 'systemctl reload postfix' as Bytes,
        startedAt: NOW - 500_000,
        milliseconds: 61_000,
        status: undefined,
        signal: 'SIGTERM',
        timedOut: true,
        files: 1,
      },
    ],
    lastRun: { id: 'x', startedAt: NOW - 400_000, finishedAt: NOW - 390_000, exitStatus: 4 },
    lastSuccess: NOW - 5 * 3_600_000 - 60_000,
    problems: [],
  };
}

export function calmStatus(): Status {
  const status = sampleStatus();
  return {
    ...status,
    hints: 0,
    drift: 0,
    peers: status.peers.map((each) => ({
      ...each,
      waiting: 0,
      forced: 0,
      first: [],
      conflicts: 0,
      lastSuccess: undefined,
      reachable: 'unknown',
      asked: undefined,
      since: undefined,
      problem: undefined,
    })),
    conflicts: [],
    actions: [],
    actionRuns: [],
    lastRun: { id: 'x', startedAt: NOW - 400_000, finishedAt: NOW - 390_000, exitStatus: 0 },
    lastSuccess: NOW - 390_000,
  };
}
