/**
 * -u, -cu, -x: sends what is marked, in csync2's words. The engine plans and applies; what csx knows beforehand (a conflict, a
 * directory that has to be made first) is settled the way csync2 comes to settle it.
 */

import { applyPlan } from '../engine/update/apply.js';
import { computePlan } from '../engine/update/compute-plan.js';
import type { Dialer } from '../engine/update/dial.js';
import { recordScan } from '../engine/update/record-scan.js';
import type { Event, Report } from '../model/events.js';
import { compareBytes, fromText } from '../model/names.js';
import type { PeerName } from '../model/names.js';
import type { Plan } from '../model/plan.js';
import type { ApplyResult } from '../model/result.js';
import type { Scope } from '../model/store.js';
import { runPending, sayAction } from './actions.js';
import { fileArguments, scopesOf, warnIgnored } from './arguments.js';
import { checkFiles } from './check.js';
import { conflictLines } from './conflict-words.js';
import { dialerFor } from './dialer.js';
import { printDryRun } from './dry-run.js';
import { openDump } from './dump-directories.js';
import { lockRun, withPlace } from './place.js';
import type { Job, Place } from './place.js';
import { offerAsSlave } from './slave.js';
import { ChangeLines, headline, inCsync2Order, Transcript } from './transcript.js';
import { mayVanish } from './vanished.js';

/** Peers served at a time. */
const PARALLELISM = 8;
/** What a peer refuses as changed there too is planned again, so that the group's method decides: as often as this. */
const ROUNDS = 3;

export async function update(job: Job): Promise<number> {
  const { options } = job;
  if (options.mode !== 'update') openDump(options.dumpDirectories);
  return withPlace(job, 'write', async (place) => {
    const files = fileArguments(job, place.selection);
    if (options.mode !== 'update') await checkFiles(job, place, files);
    else for (const file of files) warnIgnored(file, job);
    const scopes = files.length === 0 ? undefined : scopesOf(files, place.selection, options.recursive);
    const lock = await lockRun(job, place.store);
    try {
      await send(job, place, scopes);
    } finally {
      await lock.release();
    }
    return 0;
  });
}

async function send(job: Job, place: Place, scopes: readonly Scope[] | undefined): Promise<void> {
  const { store } = place;
  const rows = await store.dirty({
    ...(place.peers && { peers: place.peers }),
    ...(scopes && { scopes }),
  });
  // csync2 serves its peers from the last name to the first.
  const peers = [...new Set(rows.map((row) => row.peer))].sort(compareBytes).reverse();
  const transcript = new Transcript(job.voice, peers);
  const dialer = dialerFor(job, place, true, (peer, text) => {
    transcript.say(peer, 1, text);
  });
  const session: Session = { job, place, dialer, transcript, connecting: new Set() };
  try {
    await serve(session, scopes);
    for (const peer of peers) transcript.done(peer);
    await offerAsSlave(job, place, dialer, rows);
  } finally {
    await dialer.close();
  }
  await runPending(job, place);
}

async function serve(session: Session, scopes: readonly Scope[] | undefined): Promise<void> {
  const { job, place, dialer } = session;
  const { options, around, stop } = job;
  const { config, selection, store } = place;
  const guard = !(await mayVanish(job, place, scopes));
  for (let round = 0; round < ROUNDS; round++) {
    const { plan } = await computePlan({
      config,
      selection,
      peers: place.peers,
      store,
      dialer,
      scopes,
      excludes: () => false,
      scan: false,
      guard,
      everybody: false,
      options: {
        targets: [],
        excludes: [],
        peers: place.peers ?? [],
        groups: options.groups ?? [],
        offline: false,
        configName: options.configName,
      },
      // csync2 has no limit.
      maxDelete: { value: 100, unit: 'percent' },
      decide: undefined,
      parallelism: PARALLELISM,
      csxVersion: '',
      report: sayConnecting(session),
      stop,
      now: around.now,
    });
    sayPlanTrouble(session, plan, round);
    if (options.dryRun) {
      printDryRun(job.voice, plan, (peer, level, text) => {
        session.transcript.say(peer, level, text);
      });
      break;
    }
    const result = await carryOut(session, plan);
    if (!decidedByMethod(result) || stop.aborted) break;
  }
}

interface Session {
  readonly job: Job;
  readonly place: Place;
  readonly dialer: Dialer;
  readonly transcript: Transcript;
  /** Peers whose connection was announced. */
  readonly connecting: Set<PeerName>;
}

function sayConnecting(session: Session): Report {
  const { transcript, dialer, connecting } = session;
  return (event) => {
    if (event.type !== 'peer_connecting' || connecting.has(event.peer)) return;
    connecting.add(event.peer);
    const how = dialer.isPlain(event.peer) ? 'PLAIN' : 'SSL';
    transcript.say(event.peer, 1, `Connecting to host ${event.peer} (${how}) ...`);
  };
}

/** What the plan says that no change will: peers that were not reached, files that cannot be sent, conflicts nobody won. */
function sayPlanTrouble({ job, transcript }: Session, plan: Plan, round: number): void {
  const { voice } = job;
  for (const peer of plan.peers) {
    if (peer.reachable !== false || round > 0) continue;
    voice.errors += 1;
    if (peer.problem !== undefined) transcript.say(peer.name, 2, fromText(peer.problem.summary));
    transcript.say(peer.name, 0, `ERROR: Connection to remote host \`${peer.name}' failed.`);
    transcript.say(peer.name, 1, 'Host stays in dirty state. Try again later...');
  }
  for (const check of plan.checks) {
    // A check that ran before has told it already.
    if (check.status === 'fail' && round === 0 && job.options.mode === 'update')
      voice.error(`ERROR: ${fromText(check.message)}`);
  }
  for (const problem of round > 0 ? [] : plan.diagnostics) {
    if (problem.severity === 'error') voice.error(`ERROR: ${fromText(problem.summary)}`);
    else if (problem.code !== 'PEER_REFUSED') voice.say(1, `WARNING: ${fromText(problem.summary)}`);
  }
  if (job.options.dryRun) return;
  for (const conflict of plan.conflicts) {
    const say = (level: number, text: string): void => {
      transcript.say(conflict.peer, level, text);
    };
    if (conflict.resolution === 'local' && conflict.autoMethod === 'none') continue;
    say(1, headline(conflict, conflict.local === undefined));
    for (const line of conflictLines(conflict)) say(...line);
    if (conflict.resolution === 'none') voice.errors += 1;
  }
}

async function carryOut(session: Session, plan: Plan): Promise<ApplyResult> {
  const { job, place, dialer } = session;
  const { config, selection, store } = place;
  await recordUnscanned(session, plan);
  const result = await applyPlan({
    plan,
    everybody: false,
    config,
    selection,
    store,
    dialer,
    parallelism: PARALLELISM,
    environment: job.around.environment,
    report: sayChanges(session, plan),
    stop: job.stop,
    now: job.around.now,
    statusOf: (outcome) => (outcome.summary.failed + outcome.summary.skipped > 0 ? 1 : 0),
  });
  for (const peer of result.peers) {
    if (peer.problem === undefined || plan.peers.some((each) => each.name === peer.name && each.reachable === false))
      continue;
    job.voice.errors += 1;
    session.transcript.say(peer.name, 0, `ERROR: ${fromText(peer.problem.summary)}`);
  }
  const retried = decidedByMethod(result);
  for (const { status, problem } of result.changes) {
    if (status === 'done' || status === 'not-attempted') continue;
    if (retried && problem?.code === 'CONFLICTS') continue;
    job.voice.errors += 1;
  }
  for (const problem of result.problems) job.voice.error(`ERROR: ${fromText(problem.summary)}`);
  return result;
}

/**
 * Files that were changed since the last check: csync2 sends them as they are. Recorded first, so that what is sent is what the
 * database knows, and the other peers get it too.
 */
async function recordUnscanned({ job, place }: Session, plan: Plan): Promise<void> {
  const { store, selection, config } = place;
  const rows = await store.file(plan.changes.map((change) => change.path));
  const scopes = plan.changes
    .filter(({ path, precondition: { local } }) => rows.get(path)?.checktxt !== local?.checktxt)
    .map((change) => ({ file: change.path, recursive: false }));
  if (scopes.length === 0) return;
  await recordScan({
    selection,
    everything: selection,
    store,
    ignore: config.ignore,
    scopes,
    mark: true,
    report: () => undefined,
    stop: job.stop,
    now: job.around.now,
  });
}

function sayChanges(session: Session, plan: Plan): Report {
  const { transcript, job } = session;
  const lines = new Map<PeerName, ChangeLines>();
  for (const { name } of plan.peers) {
    const changes = inCsync2Order(
      plan.changes.filter((change) => change.peer === name),
      (change) => change.after === undefined,
    );
    lines.set(
      name,
      new ChangeLines(changes, (level, text) => {
        transcript.say(name, level, text);
      }),
    );
  }
  const equal = new Set(
    plan.changes.filter((change) => change.action === 'no-op').map((change) => `${change.peer}\0${change.path}`),
  );
  return (event: Event) => {
    sayAction(event, job.voice);
    switch (event.type) {
      case 'change_start':
        lines.get(event.peer)?.start(event.path);
        break;
      case 'change_complete':
        lines
          .get(event.peer)
          ?.end(
            event.path,
            equal.has(`${event.peer}\0${event.path}`) ? [[1, 'File is already up to date on peer.']] : [],
          );
        break;
      case 'change_errored':
        lines.get(event.peer)?.end(event.path, [[0, `ERROR: ${fromText(event.problem.summary)}`], DIRTY]);
        break;
      case 'change_skipped':
        lines.get(event.peer)?.end(event.path, [[1, fromText(event.problem.summary)], DIRTY]);
        break;
      default:
        break;
    }
  };
}

const DIRTY = [1, 'File stays in dirty state. Try again later...'] as const;

/** Whether peers refused files whose group has a method: planned again, it decides. */
function decidedByMethod(result: ApplyResult): boolean {
  return result.changes.some(
    ({ change, problem }) =>
      problem?.code === 'CONFLICTS' &&
      result.conflicts.some(
        (conflict) => conflict.peer === change.peer && conflict.path === change.path && conflict.autoMethod !== 'none',
      ),
  );
}
